//! Topics of visitors' questions.

use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_domain::ids::ConversationId;
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::plan::Plan;
use helpbot_domain::range::Range;
use helpbot_domain::site::Site;
use helpbot_engine::topics::{AskedQuestion, group};
use helpbot_services::conversations::history::{PastConversation, import};
use helpbot_services::knowledge::entries::{self, Promotion};
use helpbot_services::knowledge::topics::{self, Topic, TopicKind, TopicList};
use helpbot_services::{Error, Viewer};

use crate::Fixture;

async fn unanswered(on: &Fixture) -> Vec<Topic> {
    topics::unanswered(&on.services, &on.viewer, &on.site, Range::Last7Days, 10).await.unwrap()
}

async fn asked_without_answer(on: &Fixture) -> ConversationId {
    let first = on.ask("Do you deliver to Canada?").await;
    on.ask("do you  deliver to CANADA").await;
    on.ask("How do I cancel my subscription?").await;
    on.ask("Delivery to Canada?").await;
    on.ask("Hello!").await;
    first
}

#[tokio::test]
async fn unanswered_questions_are_grouped_by_topic_and_wording_without_small_talk() {
    let on = Fixture::new().await;
    asked_without_answer(&on).await;

    let found = unanswered(&on).await;

    let shown: Vec<(&str, i64)> = found.iter().map(|topic| (topic.label.as_str(), topic.count)).collect();
    assert_eq!(shown, [("Do you deliver to Canada?", 3), ("How do I cancel my subscription?", 1)]);
    let wordings: Vec<(&str, i64)> = found[0].questions.iter().map(|q| (q.text.as_str(), q.count)).collect();
    assert_eq!(wordings, [("Do you deliver to Canada?", 2), ("Delivery to Canada?", 1)]);
    assert!(found.iter().flat_map(|topic| &topic.questions).all(|question| !question.is_answered_now));
}

#[tokio::test]
async fn promoting_an_answer_returns_the_questions_of_the_topic_that_it_answers() {
    let on = Fixture::new().await;
    let first = asked_without_answer(&on).await;
    let (services, viewer, site) = (&on.services, &on.viewer, Some(on.site.id));
    let answer = Some("Yes, we deliver to Canada within ten days.".to_owned());
    let promotion = Promotion { question: None, answer };

    let entry = entries::promote(services, viewer, site, first, promotion).await.unwrap();
    let answered = topics::answered_by(services, viewer, site, first, &entry).await.unwrap();

    let texts: Vec<&str> = answered.iter().map(|question| question.text.as_str()).collect();
    assert_eq!(texts, ["Do you deliver to Canada?", "Delivery to Canada?"]);
    let now = unanswered(&on).await;
    assert!(now[0].questions.iter().all(|question| question.is_answered_now), "{now:?}");
    assert!(now[1].questions.iter().all(|question| !question.is_answered_now), "{now:?}");
}

#[tokio::test]
async fn top_questions_include_answered_ones() {
    let on = Fixture::new().await;
    on.ask("Do you deliver to Canada?").await;
    on.entry("Do you deliver to Canada?", "Yes, within ten days.").await;
    on.ask("Do you deliver to Canada?").await;

    let found = topics::top(&on.services, &on.viewer, &on.site, Range::All, 10).await.unwrap();

    let counts: Vec<(i64, i64)> = found.iter().map(|topic| (topic.count, topic.unanswered_count)).collect();
    assert_eq!(counts, [(2, 1)]);
    assert!(topics::top(&on.services, &on.viewer, &on.site, Range::All, 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn topics_require_the_scopes_for_analytics_and_conversations_and_the_plan() {
    let on = Fixture::new().await;
    let starter = Site { plan: Plan::Starter, ..on.site.clone() };
    let only = |scope| Viewer { scopes: vec![scope], ..on.viewer.clone() };

    for scope in [Scope::ReadAnalytics, Scope::ReadConversations] {
        let refused = topics::unanswered(&on.services, &only(scope), &on.site, Range::All, 10).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    }
    let refused = topics::unanswered(&on.services, &on.viewer, &starter, Range::All, 10).await;
    assert!(matches!(refused, Err(Error::PlanRequired { plan: Plan::Growth })), "{refused:?}");
}

const WORDS: [&str; 14] = [
    "deliver",
    "Canada",
    "cancel",
    "subscription",
    "refund",
    "parcel",
    "broken",
    "kettle",
    "opening",
    "hours",
    "voucher",
    "invoice",
    "password",
    "shirt",
];

async fn page(on: &Fixture, list: TopicList, page: PageRequest<topics::TopicPosition>) -> (Vec<(String, i64)>, i64) {
    let (found, total) = topics::page_of(&on.services, &on.viewer, &on.site, list, page).await.unwrap();
    (found.into_iter().map(|topic| (topic.label, topic.count)).collect(), total)
}

#[tokio::test]
async fn topics_that_are_continued_are_those_of_all_questions_at_once() {
    let on = Fixture::new().await;
    let list = TopicList { range: Range::All, kind: TopicKind::All, with_dismissed: false };
    let mut asked: Vec<String> = Vec::new();
    for number in 0..40_usize {
        let (one, two) = (WORDS[number * 5 % 14], WORDS[number * number % 14]);
        let question = format!("How about {one} and {two}?");
        on.ask(&question).await;
        asked.push(question);
        if number % 3 != 0 {
            continue;
        }

        let (found, total) = page(&on, list, PageRequest::first(100)).await;

        let mut distinct: Vec<(&str, u64)> = Vec::new();
        for question in &asked {
            match distinct.iter_mut().find(|(known, _)| known == question) {
                Some((_, count)) => *count += 1,
                None => distinct.push((question, 1)),
            }
        }
        let distinct: Vec<AskedQuestion<'_>> =
            distinct.into_iter().map(|(text, count)| AskedQuestion { text, count }).collect();
        let wanted = group(&distinct, None).into_iter();
        let wanted: Vec<(String, i64)> = wanted.map(|topic| (topic.label, topic.size.cast_signed())).collect();
        assert_eq!(found, wanted, "after {number}");
        assert_eq!(total, i64::try_from(wanted.len()).unwrap());
    }
}

#[tokio::test]
async fn topics_are_read_in_pages_in_both_directions() {
    let on = Fixture::new().await;
    asked_without_answer(&on).await;
    on.ask("Is there a vegan menu?").await;
    let list = TopicList { range: Range::Last7Days, kind: TopicKind::Unanswered, with_dismissed: false };

    let (all, total) = topics::page_of(&on.services, &on.viewer, &on.site, list, PageRequest::first(9)).await.unwrap();
    let label = |place: usize| (all[place].label.clone(), all[place].count);
    let after = page(&on, list, PageRequest::after(Some(all[0].position), 1)).await;
    let before = PageRequest { from: Some(all[2].position), is_backward: true, limit: 9 };
    let before = page(&on, list, before).await;

    assert_eq!((all.len(), total), (3, 3));
    assert_eq!(after, (vec![label(1)], 3));
    assert_eq!(before, (vec![label(1), label(0)], 3));
    let position = all[1].position;
    assert_eq!(position.to_string().parse(), Ok(position));
}

#[tokio::test]
async fn a_dismissed_topic_is_left_out_until_it_is_restored() {
    let on = Fixture::new().await;
    let first = asked_without_answer(&on).await;
    let (services, viewer, site) = (&on.services, &on.viewer, Some(on.site.id));
    let labels = async |with_dismissed: bool| {
        let list = TopicList { range: Range::All, kind: TopicKind::Unanswered, with_dismissed };
        page(&on, list, PageRequest::first(9)).await.0.into_iter().map(|(label, _)| label).collect::<Vec<_>>()
    };
    let both = ["Do you deliver to Canada?", "How do I cancel my subscription?"];

    topics::set_dismissed(services, viewer, site, first, true).await.unwrap();
    on.ask("deliver to Canada").await;
    let (dismissed, with_dismissed) = (labels(false).await, labels(true).await);
    topics::set_dismissed(services, viewer, site, first, false).await.unwrap();

    assert_eq!(dismissed, both[1..]);
    assert_eq!(with_dismissed, both);
    assert_eq!(labels(false).await, both);
    let reader = Viewer { scopes: vec![Scope::ReadAnalytics, Scope::ReadConversations], ..on.viewer.clone() };
    let refused = topics::set_dismissed(services, &reader, site, first, true).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
}

/// A conversation of another program without an answer.
pub(crate) fn past(number: usize, question: &str, created_at: Timestamp) -> PastConversation {
    PastConversation {
        id: format!("old-{number}"),
        session_id: None,
        question: question.to_owned(),
        answer: "I do not know.".to_owned(),
        sources: Vec::new(),
        vote: None,
        is_unanswered: true,
        is_handed_off: false,
        customer_email: None,
        language: None,
        created_at,
        updated_at: created_at,
    }
}

#[tokio::test]
async fn imported_questions_are_counted_although_they_are_older() {
    let on = Fixture::new().await;
    asked_without_answer(&on).await;
    assert_eq!(unanswered(&on).await.len(), 2);
    let old = on.services.now().minus(Duration::from_secs(86_400));

    let imported = vec![past(1, "Is there a vegan menu?", old), past(2, "do you deliver to canada", old)];
    import(&on.services, &on.viewer, Some(on.site.id), imported).await.unwrap();

    let found = unanswered(&on).await;
    let shown: Vec<(&str, i64)> = found.iter().map(|topic| (topic.questions[0].text.as_str(), topic.count)).collect();
    assert_eq!(
        shown,
        [("do you deliver to canada", 4), ("Is there a vegan menu?", 1), ("How do I cancel my subscription?", 1)]
    );
}

#[tokio::test]
async fn erased_questions_leave_no_topic() {
    let on = Fixture::new().await;
    let first = asked_without_answer(&on).await;
    assert_eq!(unanswered(&on).await.len(), 2);
    let (services, viewer, site) = (&on.services, &on.viewer, Some(on.site.id));
    let found = helpbot_services::conversations::by_ids(services, viewer, site, &[first]).await.unwrap();

    helpbot_services::conversations::erasure::erase_session(services, viewer, site, &found[0].session_id)
        .await
        .unwrap();

    let left = unanswered(&on).await;
    let counts: i64 = left.iter().map(|topic| topic.count).sum();
    assert_eq!(counts, 3, "{left:?}");
}
