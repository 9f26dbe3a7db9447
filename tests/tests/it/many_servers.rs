//! Tests of two servers with one database: an event on one reaches the other in time. They use the real clock, because the
//! delay is what they measure.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use helpbot_domain::key::KeyKind;
use helpbot_services::accounts::keys;
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{TestApp, in_time};
use serde_json::json;

const WATCH: &str = "subscription { conversationEvents { conversation { question } } }";
/// From a revocation, or the end of a key, to the end of the connections that it opened.
const REVOKED_WITHIN: Duration = Duration::from_secs(1);
const FORBIDDEN: Option<u16> = Some(4403);

/// Makes a test on each backend of `async fn name(first: &TestApp, second: &TestApp)`.
macro_rules! on_two_servers {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on_two_servers(Some(TestDatabase::sqlite()), super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                on_two_servers(TestDatabase::postgres().await, super::$name).await;
            }
        }
    )+};
}

on_two_servers!(a_key_revoked_on_one_server_ends_its_sockets_on_the_other, a_key_that_ends_takes_its_sockets_along,);

async fn on_two_servers(database: Option<TestDatabase>, test: impl AsyncFnOnce(&TestApp, &TestApp)) {
    database::with(database, async |database| {
        let start = || TestApp::start_with(database, |_, parts| parts.clock = None);
        let (first, second) = (start().await, start().await);
        let outcome = AssertUnwindSafe(test(&first, &second)).catch_unwind().await;
        first.stop().await;
        second.stop().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    })
    .await;
}

async fn a_key_revoked_on_one_server_ends_its_sockets_on_the_other(first: &TestApp, second: &TestApp) {
    let site = first.site().create().await;
    let (id, key) = site.key(KeyKind::Secret).create().await;
    let (mut ends, mut stays) = (first.client(&key).socket().await, site.owner().socket().await);
    let (watching, beside) = (ends.subscribe(WATCH, json!({})).await, stays.subscribe(WATCH, json!({})).await);
    // Both are live: they hear of what happens on the other server.
    second.client(&site.widget_key).post("/api/v1/chat", &json!({ "question": "Open?" })).await.ok();
    assert_eq!(ends.next(&watching).await["conversationEvents"]["conversation"]["question"], "Open?");
    stays.next(&beside).await;

    keys::revoke(second.services(), second.operator(), Some(site.id), id).await.expect("a key to revoke");
    let revoked = Instant::now();
    let closed = ends.closed().await;

    assert!(revoked.elapsed() < REVOKED_WITHIN, "{:?}", revoked.elapsed());
    assert_eq!(closed.code, FORBIDDEN);
    let refused = first.client(&key).graphql("{ viewer { kind } }", json!({})).await;
    assert_eq!(refused.codes(), ["UNAUTHENTICATED"]);
    second.client(&site.widget_key).post("/api/v1/chat", &json!({ "question": "Still?" })).await.ok();
    let heard = in_time("the others' events", async {
        loop {
            let event = stays.next(&beside).await;
            if event["conversationEvents"]["conversation"]["question"] == "Still?" {
                break;
            }
        }
    });
    heard.await;
}

async fn a_key_that_ends_takes_its_sockets_along(first: &TestApp, _second: &TestApp) {
    const LIFE: Duration = Duration::from_millis(1_500);
    let site = first.site().create().await;
    let (_, key) = site.key(KeyKind::Secret).expires(first.services().now().plus(LIFE)).create().await;
    let made = Instant::now();
    let mut socket = first.client(&key).socket().await;
    socket.subscribe(WATCH, json!({})).await;

    let closed = socket.closed().await;

    assert_eq!(closed.code, FORBIDDEN);
    assert!(made.elapsed() < LIFE + REVOKED_WITHIN, "{:?}", made.elapsed());
}
