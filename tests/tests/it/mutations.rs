//! Mutated requests to all REST routes, from a fixed seed. No input may cause a 5xx response or a panic, and every error must
//! be the documented JSON.
//!
//! The requests run through the whole application in process, without workers, so that nothing is fetched. The test command sends
//! [`IN_THE_GATE`] requests. `cargo test --release -p helpbot-tests --test it mutations -- --ignored --nocapture` sends a
//! hundred thousand and prints the median response time.

#![allow(clippy::print_stdout, reason = "it prints the results of the long run")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use fastrand::Rng;
use helpbot_domain::key::KeyKind;
use helpbot_services::accounts::access;
use helpbot_services::accounts::keys::{self, NewKey};
use helpbot_services::accounts::sites::{self, NewSite};
use helpbot_services::knowledge::entries::{self, NewEntry};
use helpbot_tests::database::TestDatabase;
use helpbot_tests::offline;
use serde_json::{Value, json};
use tower::ServiceExt;

const SEED: u64 = 0x4865_6c70_426f_7421;
/// Some ten seconds of a debug build.
const IN_THE_GATE: usize = 8_000;
const IN_THE_LONG_RUN: usize = 100_000;
const MEDIAN_MAX: Duration = Duration::from_millis(5);
const ANSWER_MAX_BYTES: usize = 16 * 1024 * 1024;

#[tokio::test]
async fn no_mutated_request_is_answered_with_a_fault() {
    run(IN_THE_GATE).await;
}

#[tokio::test]
#[ignore = "takes a minute in a release build; docs/performance.md has the result"]
async fn a_hundred_thousand_mutated_requests_and_their_median() {
    let median = run(IN_THE_LONG_RUN).await;

    assert!(median < MEDIAN_MAX, "{median:?}");
}

async fn run(count: usize) -> Duration {
    let panics = count_panics();
    let database = TestDatabase::sqlite();
    let offline = offline(&database).await;
    let ground = Ground::lay(&offline.services, offline.router.clone()).await;
    let mut rng = Rng::with_seed(SEED);
    let mut times = Vec::with_capacity(count);
    let mut seen = [0_usize; 6];
    for number in 0..count {
        let (request, said) = ground.request(&mut rng);
        let began = Instant::now();
        let response = ground.router.clone().oneshot(request).await.expect("the application always answers");
        times.push(began.elapsed());
        let status = response.status();
        let bytes = to_bytes(Body::new(response.into_body()), ANSWER_MAX_BYTES).await.expect("a whole answer");
        assert!(status.as_u16() < 500, "request {number}: {status} {} to {said}", String::from_utf8_lossy(&bytes));
        if status.is_client_error() && !said.starts_with("HEAD") {
            let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            assert!(body["error"].is_string() && body["code"].is_string(), "request {number}: {body} to {said}");
        }
        seen[usize::from(status.as_u16() / 100)] += 1;
    }
    assert_eq!(panics.load(Ordering::Relaxed), 0, "a request panicked");
    times.sort();
    let median = times[count / 2];
    println!("{count} requests: 2xx {}, 3xx {}, 4xx {}, median {median:?}", seen[2], seen[3], seen[4]);
    // The mutations must leave enough whole that the use cases are reached, not only their guards.
    assert!(seen[2] * 5 > count && seen[4] * 5 > count, "{seen:?}");
    median
}

fn count_panics() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        counter.fetch_add(1, Ordering::Relaxed);
        before(info);
    }));
    count
}

/// A site with something to answer from, its keys, and ids of what it has.
struct Ground {
    router: Router,
    keys: Vec<String>,
    ids: Vec<String>,
}

impl Ground {
    async fn lay(services: &helpbot_services::Services, router: Router) -> Self {
        let (_, operator) = keys::create_operator(services, "tests").await.expect("an operator's key");
        let viewer = access::authenticate(services, &credentials(&operator)).await.expect("it opens");
        let new = NewSite { name: "Shop".into(), owner_email: "o@example.com".into(), plan: None, credit_limit: None };
        let site = sites::create(services, &viewer, new).await.expect("a site").id;
        let entry = NewEntry {
            question: "When is the bakery open?".into(),
            answer: "From 8 to 11.".into(),
            phrasings: Vec::new(),
            url: Some("https://example.com/hours".into()),
        };
        entries::add(services, &viewer, Some(site), entry).await.expect("an entry");
        let mut made = Vec::new();
        for kind in [KeyKind::Secret, KeyKind::Widget] {
            let new = NewKey { name: "k".into(), kind, scopes: None, origins: Vec::new(), expires_at: None };
            made.push(keys::create(services, &viewer, Some(site), new).await.expect("a key").1);
        }
        let mut ground = Self { router, keys: made, ids: vec!["conv_abc123".into(), "1".into(), String::new()] };
        for (path, body, id) in [
            ("/api/v1/chat", json!({"question": "When is the bakery open?"}), "/conversationId"),
            ("/api/v1/sources", json!({"url": "https://example.com/faq"}), "/source/id"),
            (
                "/api/v1/webhooks",
                json!({"url": "https://example.com/", "events": ["conversation.created"]}),
                "/webhook/id",
            ),
        ] {
            let request = Request::post(path).header("authorization", format!("Bearer {}", ground.keys[0]));
            let request = request.body(Body::from(body.to_string())).expect("a plain request");
            let response = ground.router.clone().oneshot(request).await.expect("an answer");
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let bytes = to_bytes(Body::new(response.into_body()), ANSWER_MAX_BYTES).await.expect("a whole answer");
            let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
            ground.ids.push(answer.pointer(id).and_then(Value::as_str).expect("an id").to_owned());
        }
        ground
    }

    /// A request that is right but for some mutations, and how it reads.
    fn request(&self, rng: &mut Rng) -> (Request<Body>, String) {
        let (method, path, query, body) = self.right(rng);
        let mut method = method;
        let mut target = format!("{path}{}", mutated_query(rng, query));
        let mut bytes = mutated_json(rng, body).to_string().into_bytes();
        if rng.u8(..) < 12 {
            method = pick(rng, &[Method::HEAD, Method::OPTIONS, Method::PUT, Method::GET, Method::POST]).clone();
        }
        if rng.u8(..) < 12 {
            target = target.replacen("/v1/", pick::<&str>(rng, &["/v1//", "/v2/", "/v1/x/", "/V1/"]), 1);
        }
        if rng.u8(..) < 40 {
            mutate_bytes(rng, &mut bytes);
        }
        let said = format!("{method} {target} {}", String::from_utf8_lossy(&bytes[..bytes.len().min(300)]));
        let uri = Uri::try_from(&target).unwrap_or_else(|_| Uri::from_static("/api/v1/config"));
        let mut request = Request::new(Body::from(bytes));
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        self.headers(rng, &mut request);
        (request, said)
    }

    /// A request that a legacy client would send.
    fn right(&self, rng: &mut Rng) -> (Method, &'static str, Vec<(&'static str, String)>, Value) {
        let id = pick(rng, &self.ids).clone();
        let by_id = vec![("id", id.clone())];
        let none = Vec::new;
        match rng.u8(..15) {
            0 => (
                Method::POST,
                "/api/v1/chat",
                none(),
                json!({"question": "When is it open?", "sessionId": "s", "language": "en"}),
            ),
            1 => (Method::POST, "/api/v1/feedback", none(), json!({"conversationId": id, "helpful": "yes"})),
            2 => (
                Method::POST,
                "/api/v1/handoff",
                none(),
                json!({"conversationId": id, "customerEmail": "v@example.com"}),
            ),
            3 => (Method::GET, "/api/v1/sources", none(), json!({})),
            4 => (Method::POST, "/api/v1/sources", none(), json!({"url": "https://example.com/faq"})),
            5 => (Method::DELETE, "/api/v1/sources", by_id, json!({})),
            6 => (Method::POST, "/api/v1/sources/rescrape", none(), json!({"sourceId": id})),
            7 => (Method::GET, "/api/v1/config", none(), json!({})),
            8 => (
                Method::PATCH,
                "/api/v1/config",
                none(),
                json!({"botName": "Ada", "primaryColor": "#abc", "showBranding": false}),
            ),
            9 => (Method::GET, "/api/v1/analytics/overview", vec![("range", "7d".into())], json!({})),
            10 => (Method::GET, "/api/v1/analytics/activity", vec![("range", "30d".into())], json!({})),
            11 => {
                let query = [
                    ("range", "all"),
                    ("limit", "5"),
                    ("page", "1"),
                    ("filter", "handoff"),
                    ("search", "open"),
                    ("sessionId", "s"),
                    ("sort", "-updatedAt"),
                ];
                let some = query.into_iter().filter(|_| rng.bool()).map(|(name, value)| (name, value.to_owned()));
                (Method::GET, "/api/v1/conversations", some.collect(), json!({}))
            }
            12 => (Method::GET, "/api/v1/webhooks/", none(), json!({})),
            13 => (
                Method::POST,
                "/api/v1/webhooks",
                none(),
                json!({"url": "https://example.com/h", "events": ["conversation.created"], "description": "d"}),
            ),
            _ => (Method::DELETE, "/api/v1/webhooks", by_id, json!({})),
        }
    }

    fn headers(&self, rng: &mut Rng, request: &mut Request<Body>) {
        let key = pick(rng, &self.keys);
        let bearer = match rng.u8(..) {
            0..8 => None,
            8..16 => Some(format!("Bearer {}", odd_text(rng))),
            16..24 => Some(format!("Basic {key}")),
            _ => Some(format!("Bearer {key}")),
        };
        let mut headers: Vec<(&'static str, String)> =
            bearer.map(|bearer| ("authorization", bearer)).into_iter().collect();
        for name in [
            "content-type",
            "origin",
            "x-request-id",
            "if-none-match",
            "idempotency-key",
            "accept",
            "cookie",
            "x-helpbot-session",
            "x-forwarded-for",
            "user-agent",
        ] {
            if rng.u8(..) < 12 {
                headers.push((name, odd_text(rng)));
            }
        }
        for (name, value) in headers {
            // What no client can send, no server gets.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                request.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
    }
}

fn credentials(key: &str) -> helpbot_services::accounts::access::Credentials {
    helpbot_services::accounts::access::Credentials { key: Some(key.to_owned()), ..Default::default() }
}

fn pick<'a, T>(rng: &mut Rng, among: &'a [T]) -> &'a T {
    &among[rng.usize(..among.len())]
}

/// Texts that have broken servers.
fn odd_text(rng: &mut Rng) -> String {
    const ODD: [&str; 22] = [
        "",
        " ",
        "\u{0}",
        "a\u{0}b",
        "\u{feff}",
        "\u{202e}x",
        "\u{1f469}\u{200d}\u{1f4bb}",
        "%00",
        "%ff",
        "../../etc/passwd",
        "' OR 1=1 --",
        "%_\\",
        "null",
        "true",
        "-1",
        "99999999999999999999",
        "1e309",
        "https://10.0.0.1/",
        "javascript:alert(1)",
        "{{7*7}}",
        "\u{fffd}\u{ffff}",
        "auto",
    ];
    match rng.u8(..6) {
        0 => "x".repeat(rng.usize(..3_000)),
        1 => (0..rng.usize(..40)).map(|_| rng.char(..)).collect(),
        _ => (*pick(rng, &ODD)).to_owned(),
    }
}

fn odd_value(rng: &mut Rng) -> Value {
    match rng.u8(..10) {
        0 => Value::Null,
        1 => json!(rng.bool()),
        2 => json!(rng.i64(..)),
        3 => json!(rng.f64() * 1e300),
        4 => json!([]),
        5 => json!({}),
        6 => json!([odd_text(rng), null, 7]),
        7 => (0..rng.usize(..100)).fold(json!(1), |inner, _| json!([inner])),
        _ => json!(odd_text(rng)),
    }
}

/// Half of the bodies stay as they are.
fn mutated_json(rng: &mut Rng, mut body: Value) -> Value {
    let Some(fields) = body.as_object_mut().filter(|_| rng.bool()) else { return body };
    let names: Vec<String> = fields.keys().cloned().collect();
    for name in names {
        match rng.u8(..8) {
            0 => drop(fields.remove(&name)),
            1..4 => drop(fields.insert(name, odd_value(rng))),
            _ => {}
        }
    }
    if rng.u8(..) < 64 {
        let name = pick(rng, &["apiKey", "id", "__proto__", "", "limit", "question"]);
        fields.insert((*name).to_owned(), odd_value(rng));
    }
    if rng.u8(..) < 6 { odd_value(rng) } else { body }
}

fn mutated_query(rng: &mut Rng, mut query: Vec<(&'static str, String)>) -> String {
    for (_, value) in &mut query {
        if rng.u8(..) < 100 {
            *value = odd_text(rng);
        }
    }
    if rng.u8(..) < 32 {
        query.push((*pick(rng, &["apiKey", "limit", "page", "q", "range"]), odd_text(rng)));
    }
    let encoded = query.iter().map(|(name, value)| {
        let value: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
        format!("{name}={value}")
    });
    let joined = encoded.collect::<Vec<_>>().join("&");
    let joined = if rng.u8(..) < 12 { joined.replacen('=', "", 1).replacen('%', "%%", 1) } else { joined };
    if joined.is_empty() { joined } else { format!("?{joined}") }
}

fn mutate_bytes(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..=bytes.len());
        match rng.u8(..5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.u8(..)),
            2 if at < bytes.len() => bytes[at] = rng.u8(..),
            3 => bytes.splice(at..at, *b"\\ud800").for_each(drop),
            _ => bytes.splice(at..at, vec![b'['; rng.usize(..300)]).for_each(drop),
        }
    }
}
