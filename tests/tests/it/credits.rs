//! Tests of credits under concurrency: the last credit answers exactly one question, and invalid input costs none.

use std::time::Duration;

use futures_util::future::join_all;
use helpbot_tests::{TestApp, on_both_backends};
use serde_json::json;

on_both_backends!(
    one_credit_and_two_hundred_questions_give_one_answer,
    bad_questions_cost_nothing,
    a_new_month_brings_new_credits,
    a_site_without_a_limit_has_none_over_graphql_and_a_large_one_over_rest,
    rates_without_data_are_null_over_graphql_and_numbers_over_rest,
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

async fn a_site_without_a_limit_has_none_over_graphql_and_a_large_one_over_rest(app: &TestApp) {
    const UPDATE: &str = "mutation ($id: ID!, $limit: Int) {
        updateSite(input: { id: $id, creditLimit: $limit }) { site { credits { used limit remaining } } }
    }";
    let site = app.site().credits(5).create().await;
    let operator = app.operator_client();

    let unlimited = operator.graphql(UPDATE, json!({ "id": site.id, "limit": null })).await.ok();
    let reply = site.visitor().post("/api/v1/chat", &json!({ "question": "How many?" })).await;
    let unchanged = operator.graphql(UPDATE, json!({ "id": site.id })).await.ok();
    let limited = operator.graphql(UPDATE, json!({ "id": site.id, "limit": 3 })).await.ok();

    let credits = |changed: &serde_json::Value| changed["updateSite"]["site"]["credits"].clone();
    assert_eq!(credits(&unlimited), json!({ "used": 0, "limit": null, "remaining": null }));
    assert_eq!(reply.header("x-credits-limit"), Some("2147483647"));
    assert_eq!(reply.header("x-credits-remaining"), Some("2147483646"));
    assert_eq!(credits(&unchanged), json!({ "used": 1, "limit": null, "remaining": null }));
    assert_eq!(credits(&limited), json!({ "used": 1, "limit": 3, "remaining": 2 }));
}

async fn rates_without_data_are_null_over_graphql_and_numbers_over_rest(app: &TestApp) {
    const RATES: &str = "{ site { analytics { overview {
        satisfactionRate handoffRate weekOverWeekChange questionsLast7Days questionsPrevious7Days
    } } } }";
    let site = app.site().create().await;
    let told = async || {
        let found = site.owner().graphql(RATES, json!({})).await.ok();
        let overview = site.owner().get("/api/v1/analytics/overview").await.json();
        let rates = ["satisfactionRate", "handoffRate", "weekOverWeekChange"].map(|name| overview[name].clone());
        (found["site"]["analytics"]["overview"].clone(), json!(rates))
    };

    let empty = told().await;
    site.visitor().post("/api/v1/chat", &json!({ "question": "How many?" })).await;
    let asked = told().await;

    let none = json!({ "satisfactionRate": null, "handoffRate": null, "weekOverWeekChange": null,
        "questionsLast7Days": 0, "questionsPrevious7Days": 0 });
    assert_eq!(empty, (none, json!([0, 0, 0])));
    let one = json!({ "satisfactionRate": null, "handoffRate": 0, "weekOverWeekChange": null,
        "questionsLast7Days": 1, "questionsPrevious7Days": 0 });
    assert_eq!(asked, (one, json!([0, 0, 100])));
}
