//! Transactions that commit late: a transaction holds the counter of a site while others wait, and a subscriber skips none of
//! their events.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use helpbot_tests::TestApp;
use helpbot_tests::database::{self, TestDatabase, server_client};
use serde_json::{Value, json};
use tokio::time::sleep;

const WATCH: &str = "subscription { conversationEvents(types: [CONVERSATION_CREATED]) { conversationId } }";
const QUESTIONS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_skips_no_event_of_a_transaction_that_commits_late() {
    database::with(TestDatabase::postgres().await, async |database| {
        let start = || TestApp::start_with(database, |_, parts| parts.clock = None);
        let nodes = [start().await, start().await];
        let outcome = AssertUnwindSafe(commit_late(database, &nodes)).catch_unwind().await;
        for node in nodes {
            node.stop().await;
        }
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    })
    .await;
}

async fn commit_late(database: &TestDatabase, nodes: &[TestApp; 2]) {
    let site = nodes[0].site().create().await;
    let watcher = nodes[1].client(&site.secret_key);
    let mut socket = watcher.socket().await;
    let watching = socket.subscribe(WATCH, json!({})).await;
    // The subscription follows from now on when an event has arrived.
    let first = site.visitor().post("/api/v1/chat", &json!({ "question": "Is it on?" })).await.ok();
    let mut seen = vec![socket.next(&watching).await["conversationEvents"]["conversationId"].clone()];
    let (server, schema) = database.schema().expect("a server");
    let mut client = server_client(server).await;
    let holding = client.transaction().await.expect("a transaction");
    let lock = format!("SELECT * FROM {schema}.site_counters WHERE site_id = '{}' FOR UPDATE", site.id);
    holding.batch_execute(&lock).await.expect("locked");

    let ask = async |number: usize| {
        let question = json!({ "question": format!("Does number {number} wait?") });
        let visitor = nodes[number % 2].client(&site.widget_key);
        visitor.post("/api/v1/chat", &question).await.ok()["conversationId"].clone()
    };
    let release = async {
        sleep(Duration::from_secs(2)).await;
        holding.rollback().await.expect("released");
    };
    let (mut asked, ()) = tokio::join!(join_all((0..QUESTIONS).map(ask)), release);
    for _ in 0..QUESTIONS {
        seen.push(socket.next(&watching).await["conversationEvents"]["conversationId"].clone());
    }

    asked.push(first["conversationId"].clone());
    let sorted = |mut ids: Vec<Value>| {
        ids.sort_by_key(Value::to_string);
        ids
    };
    assert_eq!(sorted(seen), sorted(asked));
}
