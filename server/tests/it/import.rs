//! Tests of `helpbot import legacy`: from one HelpBot server to another, and from a simulated old service
//! that fails in the middle.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::support::{Home, Serving};

/// The JSON response to a GET request with a key.
fn get(server: &Serving, key: &str, path: &str) -> Value {
    let reply = server
        .send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"));
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    serde_json::from_str(&reply.body).expect("JSON")
}

/// The JSON response to a POST or PATCH request with a key.
fn send(server: &Serving, key: &str, method: &str, path: &str, body: &Value) -> Value {
    let body = body.to_string();
    let reply = server.send(&format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(reply.status, 200, "{method} {path}: {}", reply.body);
    serde_json::from_str(&reply.body).expect("JSON")
}

/// All conversations, oldest first.
fn conversations(server: &Serving, key: &str) -> Value {
    get(server, key, "/api/v1/conversations?limit=100&sort=createdAt")
}

#[test]
fn an_account_is_imported_completely_from_another_server() {
    let (old, new) = (Home::new(), Home::new());
    let from = old.serve();
    let key = from.word("sk_live_");
    for question in ["How do I add the widget?", "How do I calibrate a flux capacitor?"] {
        assert_eq!(from.ask(&key, question).0, 200);
    }
    let asked = conversations(&from, &key);
    let id = |at: usize| asked["conversations"][at]["id"].clone();
    send(&from, &key, "POST", "/api/v1/feedback", &json!({"conversationId": id(0), "helpful": "yes"}));
    let handoff = json!({"conversationId": id(1), "customerEmail": "visitor@example.com"});
    send(&from, &key, "POST", "/api/v1/handoff", &handoff);
    send(&from, &key, "PATCH", "/api/v1/config", &json!({"botName": "Ada", "primaryColor": "#123456"}));
    send(&from, &key, "POST", "/api/v1/sources", &json!({"url": "http://127.0.0.1:9/faq"}));
    let hook = json!({"url": "https://example.com/hook", "events": ["conversation.created"], "description": "CRM"});
    send(&from, &key, "POST", "/api/v1/webhooks", &hook);
    let site = new.site();
    let made = new.json(&["key", "create", "--kind", "secret"]);
    let (new_key, url) = (made["key"].as_str().expect("a key"), format!("http://{}", from.address));

    let told = new.json(&["import", "legacy", "--url", &url, "--key", &key]);
    let again = new.json(&["import", "legacy", "--url", &url, "--key", &key, "--from-start"]);

    let moved = &told["moved"];
    assert_eq!(told["site"], site);
    assert_eq!(moved["configuration"].as_array().map(Vec::len), Some(23));
    assert_eq!(moved["conversations"], json!({"new": 2, "known": 0}));
    assert_eq!(
        (&moved["sources"], &moved["webhooks"]),
        (&json!({"new": 1, "known": 0}), &json!({"new": 1, "known": 0}))
    );
    assert!(moved["secrets"][0]["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")));
    let left: Vec<&str> =
        moved["notMoved"].as_array().expect("a list").iter().filter_map(|one| one["what"].as_str()).collect();
    assert!(
        left.iter().any(|what| what.starts_with("source ") && !what.contains("127.0.0.1")),
        "its own FAQ: {left:?}"
    );
    assert!(left.contains(&"messages of 1 handoffs"), "{left:?}");
    let counts = |name: &str| again["moved"][name].clone();
    assert_eq!(counts("conversations"), json!({"new": 0, "known": 2}));
    assert_eq!((counts("sources"), counts("webhooks")), (json!({"new": 0, "known": 1}), json!({"new": 0, "known": 1})));
    assert!(
        !told.to_string().contains(&key)
            && !std::fs::read_to_string(new.path(&format!("helpbot-data/import-{site}.json")))
                .expect("kept")
                .contains(&key)
    );

    let to = new.serve();
    assert_eq!(conversations(&to, new_key), conversations(&from, &key));
    for path in ["/api/v1/config", "/api/v1/analytics/activity"] {
        assert_eq!(get(&to, new_key, path), get(&from, &key, path), "{path}");
    }
    let overview = |server: &Serving, key: &str| {
        let mut overview = get(server, key, "/api/v1/analytics/overview");
        overview["credits"].take();
        overview
    };
    assert_eq!(overview(&to, new_key), overview(&from, &key));
    assert_eq!(get(&to, new_key, "/api/v1/analytics/overview")["credits"]["used"], 0, "history costs no credits");
    assert_eq!(get(&to, new_key, "/api/v1/webhooks")["webhooks"][0]["description"], "CRM");
}

#[test]
fn an_interrupted_import_continues_where_it_stopped() {
    let (home, old) = (Home::new(), Legacy::serve(250));
    home.site();
    let arguments = ["import", "legacy", "--url", &old.url(), "--key", "wk_abc123"];

    old.fail_at(Some("page=3"));
    let broken = home.run(&arguments);
    old.fail_at(None);
    let first = old.take_requests();
    let done = home.run(&arguments);
    let second = old.take_requests();

    assert_eq!(broken.code, 1, "{}", broken.stdout);
    assert!(broken.stderr.contains("conversations: 200 of 250"), "{}", broken.stderr);
    assert!(broken.stderr.contains("rejected the API key"), "{}", broken.stderr);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("conversations   50 new, 0 already here"), "{}", done.stdout);
    assert!(
        done.stdout.contains("sources: the service does not allow this key to read it: Plan not allowed"),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("configuration field primaryColor: "), "{}", done.stdout);
    let pages = |requests: &[String]| requests.iter().filter(|path| path.contains("/conversations")).count();
    assert_eq!((pages(&first), pages(&second)), (3, 1), "{second:?}");
    let counted = home.json(&["import", "legacy", "--url", &old.url(), "--key", "wk_abc123", "--from-start"]);
    assert_eq!(counted["moved"]["conversations"], json!({"new": 0, "known": 250}));
}

#[test]
fn a_wrong_address_or_key_is_reported_in_one_sentence() {
    let (home, old) = (Home::new(), Legacy::serve(0));
    home.site();
    old.fail_at(Some("config"));

    let refused = home.run(&["import", "legacy", "--url", &old.url(), "--key", "wk_wrong"]);
    let nowhere = home.run(&["import", "legacy", "--url", "not-a-url", "--key", "wk_abc123"]);

    assert_eq!((refused.code, refused.stderr.lines().count()), (1, 1), "{}", refused.stderr);
    assert!(refused.stderr.contains("rejected the API key (Unauthorized)"), "{}", refused.stderr);
    assert_eq!(nowhere.code, 2, "{}", nowhere.stderr);
}

/// A simulated old service on loopback. Its IDs have another format, its plan allows no sources, and it has a
/// color that HelpBot refuses. It responds with 401 to the request that `fail_at` names.
struct Legacy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    requests: Vec<String>,
    fails_at: Option<&'static str>,
}

impl Legacy {
    fn serve(conversations: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(Mutex::new(State::default()));
        let of_thread = state.clone();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
                let first = lines.next().and_then(Result::ok).unwrap_or_default();
                while lines.next().and_then(Result::ok).is_some_and(|line| !line.is_empty()) {}
                let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
                let (status, body) = answer(&path, conversations, &mut of_thread.lock().expect("no panic"));
                let body = body.to_string();
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
                     Connection: close\r\n\r\n{body}"
                );
            }
        });
        Self { address, state }
    }

    fn url(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    fn fail_at(&self, part: Option<&'static str>) {
        self.state.lock().expect("no panic").fails_at = part;
    }

    fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().expect("no panic").requests)
    }
}

fn answer(path: &str, conversations: usize, state: &mut State) -> (u16, Value) {
    const PAGE: usize = 100;
    state.requests.push(path.to_owned());
    if state.fails_at.is_some_and(|part| path.contains(part)) {
        return (401, json!({"error": "Unauthorized"}));
    }
    match path.split('?').next().unwrap_or_default() {
        "/api/v1/config" => (200, json!({"botName": "Ada", "primaryColor": "hotpink", "greeting": null})),
        "/api/v1/sources" => (403, json!({"error": "Plan not allowed"})),
        "/api/v1/webhooks" => (200, json!({"webhooks": []})),
        _ => {
            let page = path.rsplit_once("&page=").and_then(|(_, page)| page.parse::<usize>().ok()).expect("a page");
            let one = |n: usize| {
                let at = format!("2025-03-{:02}T10:{:02}:00.000Z", 1 + n / 60, n % 60);
                json!({"id": format!("65f1c0{n:06x}"), "question": format!("Question {n}?"), "answer": "Yes.",
                       "sources": [], "helpful": if n.is_multiple_of(2) { json!("yes") } else { Value::Null }, "createdAt": at})
            };
            let range = ((page - 1) * PAGE).min(conversations)..(page * PAGE).min(conversations);
            (200, json!({"conversations": range.map(one).collect::<Vec<_>>(), "totalDocs": conversations}))
        }
    }
}
