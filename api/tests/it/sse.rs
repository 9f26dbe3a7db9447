//! Server-sent events: the exact text of the stream, and how a stream ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::request::Builder;
use axum::http::{Request, Response, header};
use futures_util::StreamExt;
use helpbot_api::gateway::settings::GatewaySettings;
use helpbot_api::gateway::trusted::TrustedDocuments;
use helpbot_api::transport::settings::TransportSettings;
use serde_json::json;

use crate::app::{App, TRUSTED, soon};

impl App {
    fn stream(&self, method: &str, uri: &str) -> Builder {
        Request::builder()
            .method(method)
            .uri(uri)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.secret_key))
            .header(header::ACCEPT, "text/event-stream")
    }

    async fn open(&self, query: &str) -> Response<Body> {
        let request = self.stream("POST", "/graphql/stream").header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(json!({ "query": query }).to_string())).unwrap()).await
    }
}

async fn text(response: Response<Body>) -> String {
    let bytes = soon(to_bytes(response.into_body(), usize::MAX)).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn chunk(stream: &mut BodyDataStream) -> Option<String> {
    soon(stream.next()).await.map(|bytes| String::from_utf8(bytes.unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn a_trusted_document_can_be_requested_by_its_id() {
    let app = App::start().await;
    let uri = format!("/graphql/stream?documentId={}", TrustedDocuments::id(TRUSTED));

    let received = text(app.send(app.stream("GET", &uri).body(Body::empty()).unwrap()).await).await;

    assert!(received.contains(r#"{"hello":"world"}"#), "{received}");
}

#[tokio::test]
async fn events_carry_their_cursor_and_the_stream_ends_with_complete() {
    let app = App::start().await;

    let response = app.open("subscription { count(to: 2) { cursor n } }").await;

    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(
        text(response).await,
        "event: next\nid: 1\ndata: {\"data\":{\"count\":{\"cursor\":\"1\",\"n\":1}}}\n\n\
         event: next\nid: 2\ndata: {\"data\":{\"count\":{\"cursor\":\"2\",\"n\":2}}}\n\n\
         event: complete\ndata:\n\n"
    );
}

#[tokio::test]
async fn a_stream_continues_after_the_event_in_last_event_id() {
    let app = App::start().await;
    let query = "query=subscription(%24after:String)%7Bcount(to:5,after:%24after)%7Bcursor%7D%7D&variables=%7B%22after%22:%221%22%7D";

    let first = app.send(app.stream("GET", &format!("/graphql/stream?{query}")).body(Body::empty()).unwrap()).await;
    let again = app.stream("GET", &format!("/graphql/stream?{query}")).header("last-event-id", "4");
    let again = app.send(again.body(Body::empty()).unwrap()).await;

    assert_eq!(text(first).await.matches("event: next").count(), 4);
    let again = text(again).await;
    assert_eq!(again.matches("event: next").count(), 1);
    assert!(again.contains("id: 5"), "{again}");
}

#[tokio::test]
async fn a_subscription_without_the_after_variable_rejects_last_event_id() {
    let app = App::start().await;
    let ask = |query: &str| {
        let request = app.stream("POST", "/graphql/stream").header(header::CONTENT_TYPE, "application/json");
        let request = request.header("last-event-id", "4").body(Body::from(json!({ "query": query }).to_string()));
        app.send(request.unwrap())
    };

    let subscription = text(ask("subscription { count(to: 5) { cursor } }").await).await;
    let query = text(ask("{ hello }").await).await;

    assert!(subscription.contains("BAD_USER_INPUT") && subscription.contains("$after"), "{subscription}");
    assert!(!subscription.contains("id: "), "no event was sent: {subscription}");
    assert!(query.contains(r#"{"hello":"world"}"#), "a query ignores the header: {query}");
}

#[tokio::test]
async fn a_rejected_operation_is_reported_inside_the_stream_and_a_rejected_request_by_its_status() {
    let app = App::start().await;

    let invalid = text(app.open("subscription { nothing }").await).await;
    let expired = text(app.open("subscription { count(to: 1, after: \"old\") { n } }").await).await;
    let query = text(app.open("{ hello }").await).await;
    let anonymous = Request::builder().uri("/graphql/stream?query=%7Bhello%7D").body(Body::empty()).unwrap();
    let mutation =
        app.stream("GET", "/graphql/stream?query=mutation%7Bbump%7Bbumps%7D%7D").body(Body::empty()).unwrap();
    let json = app.stream("GET", "/graphql/stream?query=%7Bhello%7D").header(header::ACCEPT, "x/y").body(Body::empty());

    assert!(
        invalid.contains("GRAPHQL_VALIDATION_FAILED") && invalid.ends_with("event: complete\ndata:\n\n"),
        "{invalid}"
    );
    assert!(expired.contains("CURSOR_EXPIRED") && !expired.contains("\"data\""), "{expired}");
    assert!(query.contains("\"hello\":\"world\"") && query.ends_with("event: complete\ndata:\n\n"), "{query}");
    assert_eq!(app.send(anonymous).await.status(), 401);
    assert_eq!(app.send(mutation).await.status(), 405);
    assert_eq!(app.traces.bumps.load(Ordering::SeqCst), 0);
    assert_eq!(app.send(json.unwrap()).await.status(), 200, "one of two media ranges is enough");
}

#[tokio::test]
async fn a_silent_stream_gets_keep_alive_comments_and_ends_when_its_key_is_revoked() {
    let transport = TransportSettings { keep_alive: Duration::from_millis(20), ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;
    let mut stream = app.open("subscription { silence }").await.into_body().into_data_stream();

    assert_eq!(chunk(&mut stream).await.as_deref(), Some(":\n\n"));
    app.revoke_secret_key().await;

    while let Some(rest) = chunk(&mut stream).await {
        assert_eq!(rest, ":\n\n", "an interrupted stream does not send complete");
    }
    soon(app.traces.dropped.notified()).await;
}

#[tokio::test]
async fn a_stream_ends_when_the_server_shuts_down_or_its_reader_disconnects() {
    let app = App::start().await;

    drop(app.open("subscription { silence }").await);
    let mut open = app.open("subscription { silence }").await.into_body().into_data_stream();
    app.shutdown.cancel();

    assert_eq!(chunk(&mut open).await, None);
}

#[tokio::test]
async fn the_number_of_open_streams_per_key_is_limited() {
    let transport = TransportSettings { connections_per_key: 1, ..TransportSettings::default() };
    let app = App::with(GatewaySettings::default(), transport).await;

    let first = app.open("subscription { silence }").await;
    let second = app.open("subscription { silence }").await;
    drop(first);
    let third = app.open("subscription { silence }").await;

    assert_eq!((second.status().as_u16(), third.status().as_u16()), (429, 200));
}
