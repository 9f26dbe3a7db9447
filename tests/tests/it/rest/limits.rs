//! Tests of the headers that report remaining requests and credits.

use futures_util::future::join_all;
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Reply, TestApp, on_both_backends};
use reqwest::StatusCode;
use serde_json::json;

use crate::rest::{UNKNOWN_QUESTION, refusal, told};

on_both_backends!(chat_and_its_429_tell_the_months_credits, without_a_limit_there_are_no_limit_headers);

fn number(reply: &Reply, name: &str) -> Option<u32> {
    reply.header(name).map(|value| value.parse().expect("a number"))
}

async fn chat_and_its_429_tell_the_months_credits(app: &TestApp) {
    let site = app.site().credits(2).create().await;
    let ask = async || site.visitor().post("/api/v1/chat", &json!({"question": UNKNOWN_QUESTION})).await;

    let (first, last, refused) = (ask().await, ask().await, ask().await);

    let credits = |reply: &Reply| (number(reply, "x-credits-limit"), number(reply, "x-credits-remaining"));
    assert_eq!(credits(&first), (Some(2), Some(1)));
    assert_eq!(credits(&last), (Some(2), Some(0)));
    assert_eq!((refused.status, credits(&refused)), (StatusCode::TOO_MANY_REQUESTS, (None, Some(0))));
    let exposed = first.header("access-control-expose-headers").unwrap_or_default();
    assert!(exposed.contains("X-Credits-Remaining") && exposed.contains("RateLimit-Remaining"), "{exposed}");
}

async fn without_a_limit_there_are_no_limit_headers(app: &TestApp) {
    let site = app.site().create().await;

    let reply = site.visitor().get("/api/v1/config").await;

    for name in ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "x-credits-limit"] {
        assert_eq!(reply.header(name), None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limited_client_learns_what_is_left_and_when_to_retry() {
    const AT_ONCE: usize = 100;
    const VISITOR_LIMIT: u32 = 600;
    const MINUTE: u32 = 60;
    database::with(Some(TestDatabase::sqlite()), async |database| {
        let app = TestApp::start_with(database, |settings, _| settings.has_rate_limits = true).await;
        let site = app.site().create().await;
        let visitor = site.visitor();

        let first = visitor.get("/api/v1/config").await;
        // Far more than a minute has; what comes back meanwhile is a tenth of a percent each.
        let mut refused = None;
        while refused.is_none() {
            let replies = join_all((0..AT_ONCE).map(|_| visitor.get("/api/v1/config"))).await;
            refused = replies.into_iter().find(|reply| reply.status != StatusCode::OK);
        }

        let standing = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(|name| number(&first, name));
        assert_eq!(standing, [Some(VISITOR_LIMIT), Some(VISITOR_LIMIT - 1), Some(1)]);
        let refused = refused.expect("the loop ended");
        assert_eq!(
            told(&refused),
            refusal(StatusCode::TOO_MANY_REQUESTS, "Too many requests. Try again later.", "RATE_LIMITED")
        );
        assert_eq!(number(&refused, "ratelimit-remaining"), Some(0));
        assert!(number(&refused, "retry-after").is_some_and(|wait| (1..=MINUTE).contains(&wait)));
        app.stop().await;
    })
    .await;
}
