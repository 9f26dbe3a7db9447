//! Tests of credits under concurrency: the last credit answers exactly one question, and invalid input costs none.

use std::time::Duration;

use futures_util::future::join_all;
use helpbot_tests::{TestApp, on_both_backends};
use serde_json::json;

on_both_backends!(
    one_credit_and_two_hundred_questions_give_one_answer,
    bad_questions_cost_nothing,
    a_new_month_brings_new_credits,
);

const CREDITS: &str = "{ site { credits { used limit remaining } } }";

async fn one_credit_and_two_hundred_questions_give_one_answer(app: &TestApp) {
    let site = app.site().credits(1).create().await;
    let visitor = site.visitor();
    let question = json!({ "question": "Who is first?" });

    let replies = join_all((0..200).map(|_| visitor.post("/api/v1/chat", &question))).await;

    let answered = replies.iter().filter(|reply| reply.status == 200).count();
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert_eq!((answered, refused.len()), (1, 199));
    assert!(refused.iter().all(|reply| reply.json()["code"] == "CREDITS_EXHAUSTED"));
    // From 15 March noon to the end of the month.
    assert!(refused.iter().all(|reply| reply.header("retry-after") == Some("1425600")));
    let credits = site.owner().graphql(CREDITS, json!({})).await.ok();
    assert_eq!(credits["site"]["credits"], json!({ "used": 1, "limit": 1, "remaining": 0 }));
    let stored = site.owner().graphql("{ site { conversations { totalCount } } }", json!({})).await.ok();
    assert_eq!(stored["site"]["conversations"]["totalCount"], 1);
}

async fn bad_questions_cost_nothing(app: &TestApp) {
    let site = app.site().credits(5).create().await;
    for body in
        [json!({}), json!({ "question": " " }), json!({ "question": 7 }), json!({ "question": "x".repeat(1001) })]
    {
        let reply = site.visitor().post("/api/v1/chat", &body).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
    }

    let credits = site.owner().graphql(CREDITS, json!({})).await.ok();

    assert_eq!(credits["site"]["credits"], json!({ "used": 0, "limit": 5, "remaining": 5 }));
}

async fn a_new_month_brings_new_credits(app: &TestApp) {
    let site = app.site().credits(1).create().await;
    let question = json!({ "question": "Once a month?" });
    assert_eq!(site.visitor().post("/api/v1/chat", &question).await.status, 200);
    assert_eq!(site.visitor().post("/api/v1/chat", &question).await.status, 429);

    app.pass(Duration::from_secs(17 * 86_400));

    assert_eq!(site.visitor().post("/api/v1/chat", &question).await.status, 200);
}
