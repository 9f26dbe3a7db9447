//! A sync that runs while its server is killed: the server that starts in its place continues it within seconds, and does not
//! wait for the lease of the killed one.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use helpbot_test_support::database::TestDatabase;
use serde_json::{Value, json};

use crate::support::{Home, Serving, on_database};

const PAGE: &str = "<html lang=\"en\"><title>Help</title><details><summary>Do you ship to Norway?</summary>\
                    <p>Yes, within five working days.</p></details></html>";
/// Time that a restarted server may take.
const CONTINUED_WITHIN: Duration = Duration::from_secs(5);
/// Longer than a lease, so that a failure shows how long it took.
const DEADLINE: Duration = Duration::from_secs(90);

#[test]
fn a_killed_sync_continues_within_five_seconds_on_sqlite() {
    on(async || Some(TestDatabase::sqlite()));
}

#[test]
fn a_killed_sync_continues_within_five_seconds_on_postgres() {
    on(TestDatabase::postgres);
}

fn on(database: impl AsyncFnOnce() -> Option<TestDatabase>) {
    on_database(database, async |_, _| (), |url, ()| a_killed_sync_continues(&url));
}

fn a_killed_sync_continues(database: &str) {
    let (home, site) = (Home::new(), StalledSite::start());
    let begin = || {
        let mut command = home.command(&[]);
        command.env("HELPBOT_LISTEN", "127.0.0.1:0").env("HELPBOT_LOG", "off").env("HELPBOT_METRICS_LISTEN", "off");
        command.env("HELPBOT_DATABASE", database);
        Serving::begin(command)
    };
    let first = begin();
    let key = first.word("sk_live_");
    let added = send(&first, &key, "POST", &json!({ "url": site.url }));
    let id = added["source"]["id"].as_str().unwrap_or_else(|| panic!("{added}")).to_owned();
    site.asked.recv_timeout(DEADLINE).expect("the sync begins");

    first.kill();
    site.is_stalled.store(false, Ordering::SeqCst);
    let second = begin();
    let since = Instant::now();
    let status = || {
        let sources = send(&second, &key, "GET", &Value::Null)["sources"].as_array().cloned().unwrap_or_default();
        sources.iter().find(|source| source["id"] == id.as_str()).map(|source| source["status"].clone())
    };
    while status() != Some(json!("indexed")) {
        assert!(since.elapsed() < DEADLINE, "the sync did not continue: {:?}", status());
        thread::sleep(Duration::from_millis(50));
    }

    assert!(since.elapsed() < CONTINUED_WITHIN, "it took {:?}", since.elapsed());
}

fn send(server: &Serving, key: &str, method: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let reply = server.send(&format!(
        "{method} /api/v1/sources HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(reply.status, 200, "{}", reply.body);
    serde_json::from_str(&reply.body).expect("JSON")
}

/// A web site that does not answer while it is stalled.
struct StalledSite {
    url: String,
    is_stalled: Arc<AtomicBool>,
    asked: Receiver<()>,
}

impl StalledSite {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/help", listener.local_addr().expect("an address"));
        let is_stalled = Arc::new(AtomicBool::new(true));
        let (tell, asked) = channel();
        let stalled = is_stalled.clone();
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                // The receiver is gone when the test has ended.
                let _ = tell.send(());
                if stalled.load(Ordering::SeqCst) {
                    held.push(stream);
                    continue;
                }
                let mut head = [0; 4096];
                let _ = stream.read(&mut head);
                let is_page = head.starts_with(b"GET /help");
                let (status, body) = if is_page { ("200 OK", PAGE) } else { ("404 Not Found", "") };
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { url, is_stalled, asked }
    }
}
