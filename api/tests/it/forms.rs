//! The forms in which `/graphql` answers: events and parts for operations with many results, and responses
//! that a browser may keep.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use helpbot_api::gateway::settings::GatewaySettings;
use helpbot_api::transport::drain::drain;
use helpbot_api::transport::settings::TransportSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::app::{App, soon};

const MULTIPART: &str = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0,application/json";

async fn ask(app: &App, accept: &str, query: &str) -> Response<Body> {
    let request = Request::post("/graphql")
        .header(header::AUTHORIZATION, format!("Bearer {}", app.secret_key))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, accept);
    app.send(request.body(Body::from(serde_json::json!({ "query": query }).to_string())).unwrap()).await
}

async fn get(app: &App, query: &str, tag: &str) -> Response<Body> {
    let request = Request::get(format!("/graphql?query={query}"))
        .header(header::AUTHORIZATION, format!("Bearer {}", app.secret_key))
        .header(header::IF_NONE_MATCH, tag);
    app.send(request.body(Body::empty()).unwrap()).await
}

async fn text(response: Response<Body>) -> String {
    let bytes = soon(to_bytes(response.into_body(), usize::MAX)).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_subscription_at_graphql_is_sent_in_the_parts_of_apollos_protocol() {
    let app = App::start().await;

    let response = ask(&app, MULTIPART, "subscription { count(to: 2) { n } }").await;

    assert_eq!(response.headers()[header::CONTENT_TYPE], "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0");
    assert_eq!(
        text(response).await,
        "\r\n--graphql\
         \r\ncontent-type: application/json\r\n\r\n{\"payload\":{\"data\":{\"count\":{\"n\":1}}}}\r\n--graphql\
         \r\ncontent-type: application/json\r\n\r\n{\"payload\":{\"data\":{\"count\":{\"n\":2}}}}\r\n--graphql\
         --\r\n"
    );
    let refused = text(ask(&app, MULTIPART, "subscription { count(to: 1, after: \"old\") { n } }").await).await;
    assert!(refused.contains("{\"payload\":null,\"errors\":[") && refused.ends_with("--graphql--\r\n"), "{refused}");
}

#[tokio::test]
async fn graphql_sends_events_to_clients_that_accept_them() {
    let app = App::start().await;

    let only = text(ask(&app, "text/event-stream", "{ hello }").await).await;
    let both = ask(&app, "application/json, text/event-stream", "{ hello }").await;
    let subscription = ask(&app, "application/json, text/event-stream", "subscription { count(to: 1) { n } }").await;
    let neither = ask(&app, "application/json", "subscription { count(to: 1) { n } }").await;

    assert!(only.starts_with("event: next\ndata: {\"data\":{\"hello\":\"world\"}"), "{only}");
    assert!(only.ends_with("\n\nevent: complete\ndata:\n\n"), "{only}");
    assert!(text(both).await.starts_with("{\"data\""), "a query is answered as JSON");
    assert!(text(subscription).await.contains("event: complete"));
    assert_eq!(neither.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_query_by_get_for_public_fields_may_be_kept_and_has_a_tag() {
    let app = App::start().await;

    let first = get(&app, "%7Bhello%7D", "").await;
    let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
    let known = get(&app, "%7Bhello%7D", &tag).await;
    let unknown = get(&app, "%7Bhello%7D", "W/\"x\"").await;
    let failed = get(&app, "%7Bhello%20fails%7D", "").await;
    let private = get(&app, "%7Bhello%20viewerKind%7D", "").await;
    let posted = ask(&app, "application/json", "{ hello }").await;

    assert_eq!(first.headers()[header::CACHE_CONTROL], "private, max-age=30");
    assert_eq!((known.status(), unknown.status()), (StatusCode::NOT_MODIFIED, StatusCode::OK));
    assert_eq!(known.headers()[header::ETAG], tag.as_str());
    assert_eq!(text(known).await, "");
    for kept_by_nobody in [failed, private, posted] {
        assert_eq!(kept_by_nobody.headers()[header::CACHE_CONTROL], "no-store");
        assert!(!kept_by_nobody.headers().contains_key(header::ETAG));
    }
}

#[tokio::test]
async fn pages_may_send_the_headers_of_common_clients_and_those_of_the_installation() {
    let cors_headers = vec![header::HeaderName::from_static("x-shop")];
    let app =
        App::with(GatewaySettings::default(), TransportSettings { cors_headers, ..TransportSettings::default() }).await;

    let preflight = app.send(Request::options("/graphql").body(Body::empty()).unwrap()).await;

    let allowed = preflight.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().to_lowercase();
    let allowed: Vec<&str> = allowed.split(", ").collect();
    for name in [
        "apollographql-client-name",
        "x-apollo-operation-name",
        "traceparent",
        "baggage",
        "sentry-trace",
        "if-none-match",
        "x-shop",
    ] {
        assert!(allowed.contains(&name), "{name} is missing: {allowed:?}");
    }
}

/// A client that reads only after it has sent its whole body, which is much larger than the limit.
#[tokio::test]
async fn a_client_that_sends_its_body_first_reads_the_refusal() {
    const BODY: usize = 4 * 1024 * 1024;
    let app = App::start().await;
    let router = app.router.clone().layer(axum::middleware::from_fn(drain));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    for (key, status) in [("wrong", "401"), (app.secret_key.as_str(), "413")] {
        let mut client = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {BODY}\r\n\r\n"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..BODY / 65_536 {
            client.write_all(&[b' '; 65_536]).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut answer = String::new();
        soon(client.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}
