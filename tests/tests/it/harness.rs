//! Tests of the test harness itself.

use std::time::Duration;

use axum::Router;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{any, post};
use helpbot_domain::key::{KeyKind, Scope};
use helpbot_domain::plan::Plan;
use helpbot_services::accounts::access;
use helpbot_services::accounts::access::Credentials;
use helpbot_services::accounts::sites;
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Client, Closed, Page, Pages, Receiver, TestApp, on_both_backends, wait_for};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

on_both_backends!(
    a_site_comes_with_keys_that_open_it,
    the_clock_moves_only_when_the_test_moves_it,
    a_page_becomes_a_source_that_answers_and_the_answer_is_seen_live,
);

async fn a_site_comes_with_keys_that_open_it(app: &TestApp) {
    let site = app.site().plan(Plan::Growth).credits(3).create().await;
    let (_, narrow) = site.key(KeyKind::Secret).scopes(&[Scope::Chat]).create().await;

    let stored = sites::get(app.services(), app.operator(), Some(site.id)).await.expect("the site");

    assert_eq!((stored.plan, stored.credit_limit, stored.created_at), (Plan::Growth, 3, app.now()));
    for (key, scopes) in [(&site.secret_key, Scope::ALL.len()), (&site.widget_key, 2), (&narrow, 1)] {
        let credentials = Credentials { key: Some(key.clone()), ..Credentials::default() };
        let viewer = access::authenticate(app.services(), &credentials).await.expect("the key opens");
        assert_eq!((viewer.site_id, viewer.scopes.len()), (Some(site.id), scopes));
    }
}

async fn the_clock_moves_only_when_the_test_moves_it(app: &TestApp) {
    let begin = app.services().now();

    app.pass(Duration::from_secs(60));

    assert_eq!(app.services().now(), begin.plus(Duration::from_secs(60)));
    assert_eq!(app.services().now(), app.now());
}

const FAQ: &str = "<html lang=en><title>Help</title><h1>Help</h1>
    <h2>How do I return a cake?</h2><p>Bring it back to the bakery within a day.</p>
    <h2>When are you open?</h2><p>We open at six in the morning, Sundays at eight.</p></html>";

/// All of the harness at once: a site read by the worker, a visitor over REST, the team over
/// WebSocket.
async fn a_page_becomes_a_source_that_answers_and_the_answer_is_seen_live(app: &TestApp) {
    let pages = Pages::of([("/faq", Page::html(FAQ))]).await;
    let site = app.site().create().await;
    let source = site.source(&pages.url("/faq")).await;
    assert_eq!(source["status"], "INDEXED", "{source}");
    let mut socket = site.owner().socket().await;
    let watching = "subscription ($after: String) { conversationEvents(after: $after) { conversation { question } } }";
    let live = socket.subscribe(watching, json!({ "after": site.beginning() })).await;

    let question = "How do I return a cake?";
    let answer = site.visitor().post("/api/v1/chat", &json!({ "question": question })).await.ok();

    assert!(answer["answer"].as_str().is_some_and(|text| text.contains("within a day")), "{answer}");
    assert_eq!(answer["sources"], json!([pages.url("/faq")]));
    let event = socket.next(&live).await;
    assert_eq!(event["conversationEvents"]["conversation"]["question"], question);
    assert!(pages.requests().contains(&"GET /faq".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_stops_on_request() {
    database::with(Some(TestDatabase::sqlite()), async |database| {
        let app = TestApp::start(database).await;
        let port = app.url("/").port().expect("a port of its own");
        assert_eq!(app.anonymous().get("/healthz").await.status, StatusCode::OK);

        app.stop().await;

        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    })
    .await;
}

/// A server that says back what it was sent.
async fn echo() -> Client {
    let key = async |headers: HeaderMap| headers["authorization"].as_bytes().to_vec();
    let router = Router::new().route("/graphql", any(upgrade)).route("/key", post(key));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}/", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Client::new(base.parse().expect("a plain address"))
}

async fn upgrade(upgrade: WebSocketUpgrade) -> Response {
    upgrade.protocols(["graphql-transport-ws"]).on_upgrade(talk)
}

async fn talk(mut socket: WebSocket) {
    while let Some(Ok(Message::Text(text))) = socket.recv().await {
        let frame: serde_json::Value = serde_json::from_str(&text).expect("a frame");
        let answers = match frame["type"].as_str() {
            Some("connection_init") => vec![json!({"type": "connection_ack"}), json!({"type": "ping"})],
            Some("subscribe") => vec![
                json!({"type": "next", "id": "other", "payload": {"data": 0}}),
                json!({"type": "next", "id": frame["id"], "payload": {"data": frame["payload"]["variables"]}}),
            ],
            // The answer to our ping.
            Some("pong") => Vec::new(),
            _ => {
                let close = CloseFrame { code: 4400, reason: "no".into() };
                let _ = socket.send(Message::Close(Some(close))).await;
                return;
            }
        };
        for answer in answers {
            socket.send(Message::text(answer.to_string())).await.expect("the client reads");
        }
    }
}

#[tokio::test]
async fn a_caller_brings_its_key_and_shows_whole_answers() {
    let anonymous = echo().await;

    let key = anonymous.with_key("sk_live_1").post("/key", &json!({})).await;
    let absent = anonymous.get("/absent").await;

    assert_eq!((key.status, key.text().as_str()), (StatusCode::OK, "Bearer sk_live_1"));
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_socket_sorts_frames_by_operation_and_shows_the_close_code() {
    let mut socket = echo().await.socket().await;

    let id = socket.subscribe("subscription { x }", json!({"n": 7})).await;
    let mine = socket.next(&id).await;
    let other = socket.next("other").await;
    socket.send(json!({"type": "nonsense"})).await;

    assert_eq!((mine, other), (json!({"n": 7}), json!(0)));
    assert_eq!(socket.closed().await, Closed { code: Some(4400), reason: "no".into() });
}

#[tokio::test]
async fn a_web_site_changes_under_the_test_and_remembers_its_visitors() {
    let pages = Pages::of([("/faq", Page::html("<h1>One</h1>").with_header("etag", "\"1\""))]).await;
    let visitor = Client::new(pages.url("/"));

    let first = visitor.get("/faq").await;
    pages.put("/faq", Page::status(StatusCode::GONE));
    let second = visitor.get("/faq?again=1").await;
    pages.remove("/faq");
    let third = visitor.get("/faq").await;

    assert_eq!((first.text().as_str(), first.header("etag")), ("<h1>One</h1>", Some("\"1\"")));
    assert_eq!((second.status, third.status), (StatusCode::GONE, StatusCode::NOT_FOUND));
    assert_eq!(pages.requests(), ["GET /faq", "GET /faq?again=1", "GET /faq"]);
}

#[tokio::test]
async fn a_web_site_of_files_serves_those_and_no_others() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("a.md"), "# A").expect("a file");
    let pages = Pages::of_directory(directory.path()).await;

    let visitor = Client::new(pages.url("/"));
    let (found, absent) = (visitor.get("/a.md").await, visitor.get("/b.md").await);

    assert_eq!((found.text().as_str(), found.header("content-type")), ("# A", Some("text/markdown; charset=utf-8")));
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_receiver_records_deliveries_in_order_and_responds_as_chosen() {
    let mut receiver = Receiver::start().await;
    receiver.answer_next([StatusCode::SERVICE_UNAVAILABLE]);
    let sender = Client::new(receiver.url());

    let refused = sender.post("/hook", &json!({"n": 1})).await;
    let taken = sender.post("/hook", &json!({"n": 2})).await;

    assert_eq!((refused.status, taken.status), (StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK));
    let first = receiver.next().await;
    assert_eq!((first.json(), first.answer), (json!({"n": 1}), StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(receiver.arrived().iter().map(|delivery| delivery.json()["n"].clone()).collect::<Vec<_>>(), [2]);
}

#[tokio::test]
async fn waiting_looks_until_there_is_something() {
    let mut looks = 0;

    let found = wait_for("the third look", async || {
        looks += 1;
        (looks == 3).then_some("found")
    })
    .await;

    assert_eq!((found, looks), ("found", 3));
}
