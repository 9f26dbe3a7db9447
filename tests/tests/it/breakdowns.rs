//! Tests of analytics in parts: by day in the time zone of the site, language, source, member and reason.

use std::time::Duration;

use helpbot_domain::key::{KeyKind, Role, Scope};
use helpbot_domain::plan::Plan;
use helpbot_services::accounts::members;
use helpbot_tests::{Page, Pages, TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    days_are_those_of_the_business_hours,
    a_day_without_questions_and_a_changed_clock_are_counted,
    questions_are_counted_by_language_and_source,
    handoffs_are_counted_by_member,
    every_reason_is_counted,
    parts_of_analytics_need_the_scope_and_the_plan,
);

const HOUR: Duration = Duration::from_secs(3_600);
const DAYS: &str = "query ($range: AnalyticsRange) { site { analytics(range: $range) {
    timeZone days { date questions { totalCount answeredCount unansweredCount } }
} } }";

/// Asks a question in a language and returns the ID of the conversation.
async fn ask(site: &TestSite<'_>, question: &str, language: &str) -> Value {
    let body = json!({ "question": question, "language": language });
    site.visitor().post("/api/v1/chat", &body).await.ok()["conversationId"].take()
}

async fn set_zone(site: &TestSite<'_>, zone: &str) {
    let set = "mutation ($zone: String!) { m: updateBusinessHours(input: { businessHours: { timeZone: $zone, periods: [] } }) {
        userErrors { message }
    } }";
    let set = site.owner().graphql(set, json!({ "zone": zone })).await.ok();
    assert_eq!(set["m"]["userErrors"], json!([]));
}

/// The days with questions, with their numbers, and the number of all days.
async fn days(site: &TestSite<'_>, range: &str) -> (Vec<(String, i64)>, usize) {
    let found = site.owner().graphql(DAYS, json!({ "range": range })).await.ok();
    let days = found["site"]["analytics"]["days"].as_array().expect("days").clone();
    let day = |day: &Value| {
        let count = day["questions"]["totalCount"].as_i64().expect("a number");
        (day["date"].as_str().expect("a day").to_owned(), count)
    };
    (days.iter().map(day).filter(|(_, count)| *count > 0).collect(), days.len())
}

async fn days_are_those_of_the_business_hours(app: &TestApp) {
    let site = app.site().create().await;
    // Tests begin on 2026-03-15 at 12:00 UTC, when it is 01:00 of the next day in Auckland.
    ask(&site, "First?", "en").await;
    app.pass(HOUR * 10);
    ask(&site, "Second?", "en").await;
    let utc = days(&site, "LAST_7_DAYS").await;

    set_zone(&site, "Pacific/Auckland").await;
    let auckland = days(&site, "LAST_7_DAYS").await;
    set_zone(&site, "America/Los_Angeles").await;
    app.pass(HOUR * 8);
    ask(&site, "Third?", "en").await;
    let los_angeles = days(&site, "LAST_7_DAYS").await;
    let rest = site.owner().get("/api/v1/analytics/activity?range=7d").await.ok();

    let day = |day: &str, count: i64| (format!("2026-03-{day}"), count);
    assert_eq!(utc, (vec![day("15", 2)], 7));
    assert_eq!(auckland, (vec![day("16", 2)], 7));
    assert_eq!(los_angeles, (vec![day("15", 3)], 7), "the 16th has not begun there");
    let last = rest["activity"].as_array().expect("days")[5..].to_vec();
    assert_eq!(last, [json!({"date": "2026-03-15", "count": 2}), json!({"date": "2026-03-16", "count": 1})]);
}

async fn a_day_without_questions_and_a_changed_clock_are_counted(app: &TestApp) {
    let site = app.site().create().await;
    set_zone(&site, "Europe/Berlin").await;
    let nothing = days(&site, "ALL").await;
    // The clock is put forward on 2026-03-29. 22:30 UTC is 23:30 the day before it, and 00:30 the day after.
    app.pass(HOUR * 24 * 12 + HOUR * 10 + HOUR / 2);
    ask(&site, "Before?", "en").await;
    app.pass(HOUR * 24 * 2);
    ask(&site, "After?", "en").await;

    let all = days(&site, "ALL").await;

    let day = |day: &str, count: i64| (format!("2026-03-{day}"), count);
    assert_eq!(nothing, (vec![], 1), "today");
    assert_eq!(all, (vec![day("27", 1), day("30", 1)], 4));
    // A year is the longest list.
    app.pass(HOUR * 24 * 500);
    assert_eq!(days(&site, "ALL").await, (vec![], 366));
}

const FAQ: &str = "<html lang=en><title>Questions</title><h1>Questions</h1>
    <h2>When are you open on Sundays?</h2><p>On Sundays we are open from 8 to 11 in the morning.</p>";

async fn questions_are_counted_by_language_and_source(app: &TestApp) {
    let site = app.site().create().await;
    let pages = Pages::of([("/faq", Page::html(FAQ))]).await;
    let source = site.source(&pages.url("/faq")).await;
    let answered = ask(&site, "When are you open on Sundays?", "en").await;
    ask(&site, "When are you open on Sundays?", "en").await;
    ask(&site, "Wie kalibriere ich den Fluxkompensator?", "de").await;
    site.visitor().post("/api/v1/feedback", &json!({ "conversationId": answered, "helpful": "no" })).await.ok();
    site.visitor().post("/api/v1/handoff", &json!({ "conversationId": answered })).await.ok();
    let parts = "query ($first: Int) { site { analytics {
        languages(first: $first) { language questions { ...M } } sources(first: $first) { sourceId source { kind } questions { ...M } }
    } } } fragment M on QuestionMetrics {
        totalCount answeredCount unansweredCount helpfulCount unhelpfulCount handoffCount
    }";

    let found = site.owner().graphql(parts, json!({})).await.ok()["site"]["analytics"].take();
    let one = site.owner().graphql(parts, json!({ "first": 1 })).await.ok()["site"]["analytics"].take();
    let delete = "mutation ($id: ID!) { m: deleteSource(input: { id: $id }) { userErrors { message } } }";
    site.owner().graphql(delete, json!({ "id": source["id"] })).await.ok();
    let deleted = site.owner().graphql(parts, json!({})).await.ok()["site"]["analytics"].take();

    let english = json!({ "totalCount": 2, "answeredCount": 2, "unansweredCount": 0, "helpfulCount": 0,
        "unhelpfulCount": 1, "handoffCount": 1 });
    let german = json!({ "totalCount": 1, "answeredCount": 0, "unansweredCount": 1, "helpfulCount": 0,
        "unhelpfulCount": 0, "handoffCount": 0 });
    let languages = json!([{ "language": "en", "questions": english }, { "language": "de", "questions": german }]);
    assert_eq!(found["languages"], languages);
    let of_source = |of: Value| json!([{ "sourceId": source["id"], "source": of, "questions": english }]);
    assert_eq!(found["sources"], of_source(json!({ "kind": "URL" })));
    assert_eq!(one["languages"].as_array().map(Vec::len), Some(1));
    assert_eq!(deleted["sources"], of_source(Value::Null), "its answers were given");
}

async fn handoffs_are_counted_by_member(app: &TestApp) {
    const ASSIGN: &str = "mutation ($id: ID!, $member: ID!) { m: assignConversation(input: {
        conversationId: $id, memberId: $member }) { userErrors { message } } }";
    const RESOLVE: &str =
        "mutation ($id: ID!) { m: resolveConversation(input: { conversationId: $id }) { userErrors { message } } }";
    let site = app.site().create().await;
    let add = async |name: &str| {
        let email = format!("{name}@example.com");
        let added = members::add(app.services(), app.operator(), Some(site.id), name, &email, Role::Agent).await;
        added.expect("a member").0.id
    };
    let (ann, bob) = (add("ann").await, add("bob").await);
    // Ann resolves after one to nine minutes, Bob has one open, and nobody took the last one.
    for minutes in 1..=9 {
        let id = ask(&site, "Is anybody there?", "en").await;
        site.visitor().post("/api/v1/handoff", &json!({ "conversationId": id })).await.ok();
        site.owner().graphql(ASSIGN, json!({ "id": id, "member": ann })).await.ok();
        app.pass(Duration::from_secs(60 * minutes));
        site.owner().graphql(RESOLVE, json!({ "id": id })).await.ok();
    }
    for member in [Some(bob), None] {
        let id = ask(&site, "Is anybody there?", "en").await;
        site.visitor().post("/api/v1/handoff", &json!({ "conversationId": id })).await.ok();
        if let Some(member) = member {
            site.owner().graphql(ASSIGN, json!({ "id": id, "member": member })).await.ok();
        }
    }
    let parts = "{ site { analytics { handoffs { count } members { member { name } memberId handoffs {
        count resolvedCount resolutionTimes { count medianSeconds percentile90Seconds } averageRating
    } } } } }";

    let found = site.owner().graphql(parts, json!({})).await.ok()["site"]["analytics"].take();

    assert_eq!(found["handoffs"]["count"], 11);
    let times = |count: i64, median: Value, most: Value| json!({ "count": count, "medianSeconds": median, "percentile90Seconds": most });
    let of = |count: i64, resolved: i64, times: Value| json!({ "count": count, "resolvedCount": resolved, "resolutionTimes": times, "averageRating": null });
    assert_eq!(found["members"][0]["member"], json!({ "name": "ann" }));
    assert_eq!(found["members"][0]["handoffs"], of(9, 9, times(9, json!(300), json!(540))));
    let rest: Vec<&Value> = found["members"].as_array().expect("members")[1..].iter().collect();
    assert_eq!(rest.len(), 2);
    for member in rest {
        assert_eq!(member["handoffs"], of(1, 0, times(0, Value::Null, Value::Null)));
        assert_eq!(member["member"].is_null(), member["memberId"].is_null(), "{member}");
    }
}

async fn every_reason_is_counted(app: &TestApp) {
    let site = app.site().create().await;
    let vote = "mutation ($id: ID!, $reason: FeedbackReason) { m: submitFeedback(input: {
        conversationId: $id, feedback: UNHELPFUL, reason: $reason }) { userErrors { message } } }";
    for reason in [json!("WRONG"), json!("WRONG"), json!("UNCLEAR"), Value::Null] {
        let id = ask(&site, "Do you repair coats?", "en").await;
        site.visitor().graphql(vote, json!({ "id": id, "reason": reason })).await.ok();
    }

    let found = "{ site { analytics { feedbackReasons { reason count } } } }";
    let found = site.owner().graphql(found, json!({})).await.ok()["site"]["analytics"]["feedbackReasons"].take();

    let of = |reason: &str, count: i64| json!({ "reason": reason, "count": count });
    let expected = json!([
        of("WRONG", 2),
        of("UNCLEAR", 1),
        of("NOT_RELEVANT", 0),
        of("INCOMPLETE", 0),
        of("OUTDATED", 0),
        of("OTHER", 0)
    ]);
    assert_eq!(found, expected);
}

async fn parts_of_analytics_need_the_scope_and_the_plan(app: &TestApp) {
    let site = app.site().create().await;
    let starter = app.site().plan(Plan::Starter).create().await;
    let (_, narrow) = site.key(KeyKind::Secret).scopes(&[Scope::ReadConversations]).create().await;
    for part in [
        "timeZone",
        "days { date }",
        "languages { language }",
        "sources { sourceId }",
        "members { memberId }",
        "handoffs { count }",
        "feedbackReasons { count }",
    ] {
        let query = format!("{{ site {{ analytics {{ {part} }} }} }}");
        for client in [site.visitor(), app.client(&narrow)] {
            assert_eq!(client.graphql(&query, json!({})).await.codes(), ["FORBIDDEN"], "{part}");
        }
        assert_eq!(starter.owner().graphql(&query, json!({})).await.codes(), ["PLAN_REQUIRED"], "{part}");
    }
}
