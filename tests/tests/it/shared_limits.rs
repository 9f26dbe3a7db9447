//! Rate limits over three nodes on PostgreSQL: together they accept what one node would, within ten percent.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Client, TestApp, wait_for};
use serde_json::json;

/// Requests that each node gets at a time.
const AT_ONCE: usize = 8;

/// Runs `test` on three nodes that know each other.
async fn on_three_nodes(test: impl AsyncFnOnce(&[TestApp; 3])) {
    database::with(TestDatabase::postgres().await, async |database| {
        let start = || {
            TestApp::start_with(database, |settings, parts| {
                parts.clock = None;
                settings.has_rate_limits = true;
            })
        };
        let nodes = [start().await, start().await, start().await];
        for node in &nodes {
            wait_for("all nodes", async || (node.services().rates().nodes() == 3).then_some(())).await;
        }
        let outcome = AssertUnwindSafe(test(&nodes)).catch_unwind().await;
        for node in nodes {
            node.stop().await;
        }
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    })
    .await;
}

/// Sends requests to all nodes for a time, and at least `count` to each. Returns how many were within the limit, and the
/// seconds that it took.
async fn accepted(
    nodes: &[TestApp; 3],
    (count, time): (usize, Duration),
    send: impl AsyncFn(&TestApp) -> StatusCode,
) -> (usize, f64) {
    let begun = Instant::now();
    let client = async |node: &TestApp| {
        let mut accepted = 0;
        let mut sent = 0;
        while sent < count.div_ceil(AT_ONCE) || begun.elapsed() < time {
            accepted += usize::from(send(node).await != StatusCode::TOO_MANY_REQUESTS);
            sent += 1;
        }
        accepted
    };
    let clients = nodes.iter().flat_map(|node| (0..AT_ONCE).map(move |_| node));
    let all = join_all(clients.map(client)).await;
    (all.iter().sum(), begun.elapsed().as_secs_f64())
}

/// What one node accepts of a caller that sends more: the whole minute at once, and then as time passes.
fn of_one_node(per_minute: f64, seconds: f64) -> f64 {
    per_minute + per_minute / 60.0 * seconds
}

fn assert_within_ten_percent(what: &str, accepted: usize, wanted: f64) {
    let accepted = accepted as f64;
    eprintln!("{what}: {accepted} accepted, {wanted:.0} by one node");
    assert!((accepted - wanted).abs() <= wanted * 0.1, "{what}: {accepted} accepted, {wanted} by one node");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_accept_as_many_requests_as_one() {
    on_three_nodes(async |nodes| {
        let site = nodes[0].site().create().await;
        let key = site.widget_key.clone();
        let send = async |node: &TestApp| node.client(&key).get("/api/v1/config").await.status;

        let (accepted, seconds) = accepted(nodes, (300, Duration::from_secs(8)), send).await;

        assert_within_ten_percent("a visitor, 600 per minute", accepted, of_one_node(600.0, seconds));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_accept_as_many_questions_and_guesses_at_once_as_one() {
    const ASK: &str = "mutation { askQuestion(input: { question: \"Is anybody there?\" }) { conversation { id } } }";
    on_three_nodes(async |nodes| {
        let guess = async |node: &TestApp| node.client("sk_live_guessed").get("/api/v1/config").await.status;
        let (guesses, seconds) = accepted(nodes, (80, Duration::ZERO), guess).await;
        assert_within_ten_percent("guessed keys, 120 per minute", guesses, of_one_node(120.0, seconds));

        let site = nodes[0].site().create().await;
        let key = site.widget_key.clone();
        let ask = async |node: &TestApp| {
            let asked = node.client(&key).graphql(ASK, json!({})).await;
            if asked.codes() == ["RATE_LIMITED"] { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK }
        };
        let (questions, seconds) = accepted(nodes, (40, Duration::ZERO), ask).await;
        assert_within_ten_percent("questions of an address, 60 per minute", questions, of_one_node(60.0, seconds));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_stays_with_one_node_has_the_whole_limit() {
    on_three_nodes(async |nodes| {
        let guess = |client: Client| async move { client.get("/api/v1/config").await.status };
        let (mut accepted, begun) = (0, Instant::now());
        for _ in 0..140 {
            accepted += usize::from(guess(nodes[1].client("sk_live_guessed")).await != StatusCode::TOO_MANY_REQUESTS);
        }

        assert_within_ten_percent("one node", accepted, of_one_node(120.0, begun.elapsed().as_secs_f64()));
    })
    .await;
}
