//! Tests of GET /analytics/overview, /analytics/activity and /conversations.

use std::time::Duration;

use helpbot_domain::plan::Plan;
use helpbot_tests::{TestApp, on_both_backends};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::rest::{UNKNOWN_QUESTION, asked, refusal, told};

on_both_backends!(
    overview_200_counts_and_rates,
    overview_200_of_an_empty_site_is_all_zero,
    activity_200_has_each_day,
    conversations_200_gives_whole_conversations,
    conversations_200_in_numbered_pages,
    conversations_200_filters_together,
    conversations_200_of_a_range_count_today_in,
    analytics_401_without_a_key,
    analytics_403_on_the_starter_plan_and_with_a_widget_key,
);

const PATHS: [&str; 3] = ["/api/v1/analytics/overview", "/api/v1/analytics/activity", "/api/v1/conversations"];
const DAY: Duration = Duration::from_secs(86_400);

async fn overview_200_counts_and_rates(app: &TestApp) {
    let site = app.site().credits(10).create().await;
    let ids = [asked(&site).await, asked(&site).await, asked(&site).await];
    for (id, vote) in ids.iter().zip(["yes", "yes", "no"]) {
        site.visitor().post("/api/v1/feedback", &json!({"conversationId": id, "helpful": vote})).await.ok();
    }
    site.visitor().post("/api/v1/handoff", &json!({"conversationId": ids[0]})).await.ok();

    let reply = site.owner().get("/api/v1/analytics/overview?range=7d").await;

    let expected = json!({
        "range": "7d", "totalQuestions": 3, "satisfactionRate": 67, "helpfulCount": 2, "totalFeedback": 3,
        "handoffCount": 1, "handoffRate": 33, "weekOverWeekChange": 100,
        "credits": {"used": 3, "limit": 10, "remaining": 7, "resetAt": "[time]"},
    });
    assert_eq!(told(&reply), (200, expected));
    assert_eq!(reply.json()["credits"]["resetAt"], "2026-04-01T00:00:00.000Z");
}

async fn overview_200_of_an_empty_site_is_all_zero(app: &TestApp) {
    let site = app.site().create().await;

    let reply = site.owner().get("/api/v1/analytics/overview?range=nonsense").await;

    let expected = json!({
        "range": "30d", "totalQuestions": 0, "satisfactionRate": 0, "helpfulCount": 0, "totalFeedback": 0,
        "handoffCount": 0, "handoffRate": 0, "weekOverWeekChange": 0,
        "credits": {"used": 0, "limit": 2_147_483_647, "remaining": 2_147_483_647, "resetAt": "[time]"},
    });
    assert_eq!(told(&reply), (200, expected));
}

async fn activity_200_has_each_day(app: &TestApp) {
    let site = app.site().create().await;
    asked(&site).await;
    app.pass(DAY * 2);
    asked(&site).await;
    asked(&site).await;

    let reply = site.owner().get("/api/v1/analytics/activity?range=7d").await;

    let days = [("11", 0), ("12", 0), ("13", 0), ("14", 0), ("15", 1), ("16", 0), ("17", 2)];
    let days: Vec<Value> =
        days.iter().map(|(day, count)| json!({"date": format!("2026-03-{day}"), "count": count})).collect();
    assert_eq!(told(&reply), (200, json!({"range": "7d", "activity": days})));
    for (range, length) in [("30d", 30), ("90d", 90), ("365d", 365), ("x", 30)] {
        let reply = site.owner().get(&format!("/api/v1/analytics/activity?range={range}")).await.ok();
        assert_eq!(reply["activity"].as_array().map(Vec::len), Some(length), "{range}");
    }
}

async fn conversations_200_gives_whole_conversations(app: &TestApp) {
    let site = app.site().create().await;
    let body = json!({"question": UNKNOWN_QUESTION, "sessionId": "visit-1", "language": "en"});
    let answered = site.visitor().post("/api/v1/chat", &body).await.ok();
    let handoff = json!({"conversationId": answered["conversationId"], "customerEmail": "visitor@example.com"});
    site.visitor().post("/api/v1/handoff", &handoff).await.ok();

    let reply = site.owner().get("/api/v1/conversations").await;

    let conversation = json!({
        "id": "[conv]", "sessionId": "visit-1", "question": UNKNOWN_QUESTION, "answer": answered["answer"],
        "sources": [], "helpful": null, "unanswered": true, "handoff": true, "customerEmail": "visitor@example.com",
        "language": "en", "createdAt": "[time]", "updatedAt": "[time]",
    });
    let page = json!({"conversations": [conversation], "totalDocs": 1, "page": 1, "totalPages": 1, "limit": 10});
    assert_eq!(told(&reply), (200, page));
}

async fn conversations_200_in_numbered_pages(app: &TestApp) {
    let site = app.site().create().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(asked(&site).await);
        app.pass(Duration::from_millis(1));
    }
    let page = async |query: &str| {
        let body = site.owner().get(&format!("/api/v1/conversations{query}")).await.ok();
        let found = body["conversations"].as_array().expect("a list").iter().map(|one| one["id"].clone()).collect();
        (Value::Array(found), json!([body["totalDocs"], body["page"], body["totalPages"], body["limit"]]))
    };

    assert_eq!(page("?limit=2").await, (json!([ids[2], ids[1]]), json!([3, 1, 2, 2])));
    assert_eq!(page("?limit=2&page=2").await, (json!([ids[0]]), json!([3, 2, 2, 2])));
    assert_eq!(page("?limit=2&page=9").await, (json!([]), json!([3, 9, 2, 2])));
    assert_eq!(page("?limit=2&page=99999999999999").await, (json!([]), json!([3, i32::MAX, 2, 2])));
    assert_eq!(page("?sort=oldest&limit=0").await, (json!([ids[0]]), json!([3, 1, 3, 1])));
    assert_eq!(page("?limit=x&page=-1").await, (json!([ids[2], ids[1], ids[0]]), json!([3, 1, 1, 10])));
}

async fn conversations_200_filters_together(app: &TestApp) {
    let site = app.site().create().await;
    let ask = async |question: &str, session: &str| {
        let body = json!({"question": question, "sessionId": session});
        site.visitor().post("/api/v1/chat", &body).await.ok()["conversationId"].clone()
    };
    let first = ask("Do you ship 100% of submarines?", "visit-1").await;
    app.pass(Duration::from_millis(1));
    let second = ask("Do you SHIP flux capacitors?", "visit-2").await;
    site.visitor().post("/api/v1/feedback", &json!({"conversationId": first, "helpful": "yes"})).await.ok();
    site.visitor().post("/api/v1/handoff", &json!({"conversationId": second})).await.ok();
    let found = async |query: &str| {
        let body = site.owner().get(&format!("/api/v1/conversations?sort=oldest&{query}")).await.ok();
        assert_eq!(Some(body["totalDocs"].clone()), body["conversations"].as_array().map(|list| list.len().into()));
        body["conversations"].as_array().expect("a list").iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
    };

    for (query, expected) in [
        ("", vec![&first, &second]),
        ("filter=HELPFUL", vec![&first]),
        ("filter=unhelpful", vec![]),
        ("filter=handoff", vec![&second]),
        ("filter=unanswered", vec![&first, &second]),
        ("filter=answered", vec![]),
        ("filter=nonsense", vec![&first, &second]),
        ("search=ship%20flux", vec![&second]),
        ("search=100%25", vec![&first]),
        ("search=_", vec![]),
        ("sessionId=visit-1", vec![&first]),
        ("sessionId=visit-1&filter=handoff", vec![]),
        ("search=ship&filter=handoff&range=all", vec![&second]),
    ] {
        assert_eq!(found(query).await.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

async fn conversations_200_of_a_range_count_today_in(app: &TestApp) {
    let site = app.site().create().await;
    asked(&site).await;
    let found = async |range: &str| {
        let body = site.owner().get(&format!("/api/v1/conversations?range={range}")).await.ok();
        body["totalDocs"].clone()
    };

    app.pass(DAY * 6);
    assert_eq!(found("7d").await, 1, "today and the six days before");
    app.pass(DAY);
    assert_eq!([found("7d").await, found("30d").await], [0, 1]);
    app.pass(DAY * 365);
    assert_eq!([found("365d").await, found("all").await, found("").await, found("x").await], [0, 1, 1, 1]);
}

async fn analytics_401_without_a_key(app: &TestApp) {
    for path in PATHS {
        let reply = app.anonymous().get(path).await;
        assert_eq!(told(&reply), refusal(StatusCode::UNAUTHORIZED, "Missing API key", "UNAUTHENTICATED"), "{path}");
    }
}

async fn analytics_403_on_the_starter_plan_and_with_a_widget_key(app: &TestApp) {
    let (small, large) = (app.site().plan(Plan::Starter).create().await, app.site().create().await);

    for path in PATHS {
        let plan = small.owner().get(path).await;
        let key = large.visitor().get(path).await;
        let required = refusal(StatusCode::FORBIDDEN, "This requires the Growth plan.", "PLAN_REQUIRED");
        assert_eq!(told(&plan), required, "{path}");
        assert_eq!((key.status, &key.json()["code"]), (StatusCode::FORBIDDEN, &json!("FORBIDDEN")), "{path}");
    }
    let middle = app.site().plan(Plan::Growth).create().await;
    for path in PATHS {
        assert_eq!(middle.owner().get(path).await.status, StatusCode::OK, "{path}");
    }
}
