//! Tests of an event log that lost its last events, as after the restore of a backup or a fail-over that lost commits. The
//! numbers are used again, and a subscriber with the cursor of a lost event must not miss the new ones silently.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use helpbot_tests::database::{self, TestDatabase, server_client};
use helpbot_tests::{Socket, TestApp, TestSite};
use serde_json::{Value, json};

const WATCH: &str = "subscription ($after: String) {
    conversationEvents(after: $after) { cursor conversation { question } }
}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cursor_of_a_lost_event_expires() {
    database::with(TestDatabase::postgres().await, async |database| {
        let app = TestApp::start(database).await;
        let outcome = AssertUnwindSafe(lose_events(&app, database)).catch_unwind().await;
        app.stop().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    })
    .await;
}

async fn lose_events(app: &TestApp, database: &TestDatabase) {
    let site = app.site().create().await;
    ask(&site, "Which one stays?").await;
    let before = cursors(&site, 1).await;
    ask(&site, "Which one is lost?").await;
    let after = cursors(&site, 2).await;
    let (stays, lost) = (before.last().expect("an event"), after.last().expect("an event"));
    let (server, schema) = database.schema().expect("a server");
    let client = server_client(server).await;
    let seq = format!("(SELECT max(seq) FROM {schema}.events WHERE data LIKE '%Which one stays?%')");
    let sql = format!(
        "UPDATE {schema}.site_counters SET event_seq = {seq} WHERE site_id = '{id}';
         DELETE FROM {schema}.events WHERE site_id = '{id}' AND seq > {seq}",
        id = site.id
    );
    client.batch_execute(&sql).await.expect("the events are lost");

    let beyond = start(&site, lost).await;
    ask(&site, "Which one is new?").await;
    let reused = start(&site, lost).await;
    let mut socket = site.owner().socket().await;
    let kept = socket.subscribe(WATCH, json!({ "after": stays })).await;
    let event = socket.next(&kept).await;

    assert_eq!(beyond, "CURSOR_EXPIRED");
    assert_eq!(reused, "CURSOR_EXPIRED");
    assert_eq!(event["conversationEvents"]["conversation"]["question"], "Which one is new?");
}

async fn ask(site: &TestSite<'_>, question: &str) {
    site.visitor().post("/api/v1/chat", &json!({ "question": question })).await.ok();
}

/// Cursors of all events until those of this number of questions were read. Each question without an answer has two events.
async fn cursors(site: &TestSite<'_>, questions: usize) -> Vec<String> {
    let mut socket: Socket = site.owner().socket().await;
    let watching = socket.subscribe(WATCH, json!({ "after": site.beginning() })).await;
    let mut cursors = Vec::new();
    while cursors.len() < 2 * questions {
        let event = socket.next(&watching).await;
        cursors.push(event["conversationEvents"]["cursor"].as_str().expect("a cursor").to_owned());
    }
    cursors
}

/// The error code of a subscription that starts after a cursor.
async fn start(site: &TestSite<'_>, cursor: &str) -> Value {
    let mut socket = site.owner().socket().await;
    let watching = socket.subscribe(WATCH, json!({ "after": cursor })).await;
    let frame = socket.frame_of(&watching).await;
    assert_eq!(frame["type"], "error", "{frame}");
    frame["payload"][0]["extensions"]["code"].clone()
}
