//! Tests of questions that arrive at the same time. On PostgreSQL those of a site share transactions; on SQLite all writes
//! do. Each keeps its own result, and credits are exact over two servers.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use futures_util::future::{join, join_all};
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Reply, TestApp, on_both_backends};
use reqwest::Method;
use serde_json::{Value, json};

on_both_backends!(
    questions_at_once_are_stored_once_each,
    sessions_and_tokens_of_questions_at_once_are_their_own,
    questions_with_an_idempotency_key_are_stored_once,
);

const STORED: &str = "{ site {
    credits { used }
    conversations(first: 100) { totalCount nodes { question } }
} }";

const ASK: &str = "mutation ($question: String!, $session: String) {
    askQuestion(input: { question: $question, sessionId: $session }) { conversation { id } sessionToken }
}";

fn question(text: &str) -> Value {
    json!({ "question": text })
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

async fn questions_at_once_are_stored_once_each(app: &TestApp) {
    let site = app.site().create().await;
    let visitor = site.visitor();

    let replies = join_all((0..100).map(|n| {
        let visitor = &visitor;
        async move { visitor.post("/api/v1/chat", &question(&format!("What about {n}?"))).await }
    }))
    .await;

    assert_eq!(count(&replies, 200), 100);
    let found = site.owner().graphql(STORED, json!({})).await.ok();
    let mut questions: Vec<&str> = found["site"]["conversations"]["nodes"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|node| node["question"].as_str())
        .collect();
    questions.sort_unstable();
    questions.dedup();
    assert_eq!((questions.len(), &found["site"]["credits"]["used"]), (100, &json!(100)));
    let mut remaining: Vec<&str> = replies.iter().filter_map(|reply| reply.header("x-credits-remaining")).collect();
    remaining.sort_unstable();
    remaining.dedup();
    assert_eq!(remaining.len(), 100, "each response has its own number of credits");
}

async fn sessions_and_tokens_of_questions_at_once_are_their_own(app: &TestApp) {
    let site = app.site().create().await;
    let visitor = site.visitor();
    let ask = async |text: String, session: Option<&str>| {
        let variables = json!({ "question": text, "session": session });
        visitor.graphql(ASK, variables).await.ok()["askQuestion"]["sessionToken"].is_string()
    };
    let named = "a-session-that-several-visitors-name-at-once";

    let first = ask("Which one is first?".into(), None).await;
    let new = join_all((0..20).map(|n| ask(format!("What is {n}?"), None)));
    let same = join_all((0..20).map(|n| ask(format!("And {n}?"), Some(named))));
    let (new, same) = join(new, same).await;

    assert!(first);
    assert_eq!(new, [true; 20], "each begins a session");
    assert_eq!(same.iter().filter(|has_token| **has_token).count(), 1, "one of them begins the session");
}

async fn questions_with_an_idempotency_key_are_stored_once(app: &TestApp) {
    let site = app.site().create().await;
    let visitor = site.visitor();
    let ask = |n: usize| {
        let request = visitor.request(Method::POST, "/api/v1/chat").header("idempotency-key", format!("q-{}", n % 20));
        visitor.send(request.body(question(&format!("What about {}?", n % 20)).to_string()))
    };

    let replies = join_all((0..40).map(ask)).await;

    // The second request of a pair may arrive while the first is in progress, and is then refused.
    assert!(count(&replies, 200) >= 20, "{}", replies[0].text());
    let found = site.owner().graphql(STORED, json!({})).await.ok();
    assert_eq!(found["site"]["conversations"]["totalCount"], 20);
    assert_eq!(found["site"]["credits"]["used"], 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_share_the_credits_of_a_site_exactly() {
    database::with(TestDatabase::postgres().await, async |database| {
        let (first, second) = (TestApp::start(database).await, TestApp::start(database).await);
        let outcome = AssertUnwindSafe(share_credits(&first, &second)).catch_unwind().await;
        first.stop().await;
        second.stop().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    })
    .await;
}

async fn share_credits(first: &TestApp, second: &TestApp) {
    let site = first.site().credits(70).create().await;
    let clients = [first.client(&site.widget_key), second.client(&site.widget_key)];

    let replies = join_all((0..120).map(|n| {
        let client = &clients[n % 2];
        async move { client.post("/api/v1/chat", &question(&format!("What about {n}?"))).await }
    }))
    .await;

    assert_eq!((count(&replies, 200), count(&replies, 429)), (70, 50));
    let found = site.owner().graphql(STORED, json!({})).await.ok();
    assert_eq!(found["site"]["conversations"]["totalCount"], 70);
    assert_eq!(found["site"]["credits"]["used"], 70);
}
