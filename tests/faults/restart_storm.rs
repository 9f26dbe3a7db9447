//! SIGTERM under load: every request that was accepted is answered, sockets are closed with a hint to come back, and the
//! process ends in time, also when the signal comes twice.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use helpbot_tests::Closed;
use serde_json::json;
use tokio::time::sleep;

use crate::nodes::Node;

const SOCKETS: usize = 100;
const CALLERS: usize = 50;
/// Longest time from the signal to the end.
const DRAINED: Duration = Duration::from_secs(10);
/// Close code of a restart.
const RESTART: u16 = 1012;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_stopped_under_load_answers_what_it_accepted_and_ends_in_time() {
    let mut node = Node::alone();
    node.set("HELPBOT_MAX_CONNECTIONS_PER_ADDRESS", "4000");
    let node = node;
    node.start().await;
    let (widget, secret) = (node.key("wk_live_"), node.key("sk_live_"));
    let caller = node.client().with_key(&secret);
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        let mut socket = caller.socket().await;
        socket.subscribe("subscription { conversationEvents { id } }", json!({})).await;
        sockets.push(socket);
    }
    let (is_over, answered, cut) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let call = async |number: usize| {
        let question = json!({ "question": format!("Is caller {number} answered?") });
        while !is_over.load(Ordering::Relaxed) {
            let request = node.client().with_key(&widget).request(reqwest::Method::POST, "/api/v1/chat");
            let request = request.header("content-type", "application/json").body(question.to_string());
            let whole = match request.timeout(Duration::from_secs(20)).send().await {
                Ok(response) => response.bytes().await.is_ok(),
                // The port is closed: the request was not accepted.
                Err(error) if error.is_connect() => break,
                Err(_) => false,
            };
            let counter = if whole { &answered } else { &cut };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    };
    let stop = async {
        sleep(Duration::from_secs(1)).await;
        let began = Instant::now();
        node.terminate();
        sleep(Duration::from_millis(100)).await;
        node.terminate();
        let code = node.ended().await;
        is_over.store(true, Ordering::Relaxed);
        (code, began.elapsed())
    };
    let closed = join_all(sockets.iter_mut().map(async |socket| {
        loop {
            if let Err(closed) = socket.frame().await {
                return closed;
            }
        }
    }));

    let ((code, took), _, closed) = tokio::join!(stop, join_all((0..CALLERS).map(call)), closed);

    let (answered, cut) = (answered.load(Ordering::Relaxed), cut.load(Ordering::Relaxed));
    eprintln!("{answered} requests answered, {cut} cut, {} sockets closed, ended after {took:?}", closed.len());
    assert_eq!(code, Some(0), "{}", node.log());
    assert!(took <= DRAINED, "{took:?}");
    assert!(answered > CALLERS && cut == 0, "{cut} of {answered} requests were cut");
    assert!(closed.iter().all(|Closed { code, .. }| *code == Some(RESTART)), "{closed:?}");
    node.start().await;
    node.kill().await;
}
