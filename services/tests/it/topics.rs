//! Topics of visitors' questions.

use helpbot_domain::ids::ConversationId;
use helpbot_domain::key::Scope;
use helpbot_domain::plan::Plan;
use helpbot_domain::range::Range;
use helpbot_domain::site::Site;
use helpbot_services::knowledge::entries;
use helpbot_services::knowledge::topics::{self, Topic};
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

    let entry = entries::promote(services, viewer, site, first, answer).await.unwrap();
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
