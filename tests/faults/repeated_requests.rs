//! A request with an idempotency key whose server is killed while it runs, and which is then sent again: it has one effect.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio::time::sleep;

use crate::nodes::Node;

const ROUNDS: usize = 4;
/// Longer than an abandoned request is held.
const PATIENCE: Duration = Duration::from_secs(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "waits for minutes until abandoned requests are given up; scripts/nightly runs it"]
async fn a_request_that_is_sent_again_after_a_kill_has_one_effect() {
    let node = Node::alone();
    node.start().await;
    let (widget, secret) = (node.key("wk_live_"), node.key("sk_live_"));
    for round in 0..ROUNDS {
        let question = format!("Is round {round} asked once?");
        let send = async || {
            let request = node.client().with_key(&widget).request(Method::POST, "/api/v1/chat");
            let request =
                request.header("content-type", "application/json").header("idempotency-key", format!("round-{round}"));
            let request = request.body(json!({ "question": question }).to_string()).timeout(Duration::from_secs(40));
            Some(request.send().await.ok()?.status().as_u16())
        };
        let kill = async {
            sleep(Duration::from_millis(fastrand::u64(0..40))).await;
            node.kill().await;
        };
        let (first, ()) = tokio::join!(send(), kill);
        node.start().await;
        let began = Instant::now();
        let mut again = send().await;
        while !matches!(again, Some(200 | 500)) && began.elapsed() < PATIENCE {
            sleep(Duration::from_secs(1)).await;
            again = send().await;
        }

        let query = "query ($text: String!) { site { conversations(filter: { search: $text }) { totalCount } } }";
        let found = node.client().with_key(&secret).graphql(query, json!({ "text": question })).await.ok();
        let count = &found["site"]["conversations"]["totalCount"];
        eprintln!("round {round}: {first:?}, then {again:?} after {:?}; stored {count} times", began.elapsed());
        assert_eq!(count, 1, "round {round}: {first:?}, then {again:?}");
    }
    node.kill().await;
}
