//! GraphQL over HTTP, WebSocket and server-sent events.
//!
//! ```text
//! /graphql         POST, GET, HEAD   queries and mutations               http
//!                  GET + Upgrade     graphql-transport-ws                websocket
//!                  POST, GET         many results, as events or parts    sse, stream_form
//!                  POST multipart    an operation with a file            upload
//! /graphql/stream  POST, GET         graphql-sse, distinct connections   sse
//! /graphql/upload  POST              an operation with a file            upload
//! /graphql/export  GET               all entries as a file               export
//! /sign-in/…       POST              a link by mail, a key for a link    sign_in
//! ```
//! This is our own layer, because the layer of async-graphql-axum executes mutations over GET and from
//! `text/plain`, accepts batches without a limit, and closes sockets with codes that clients never
//! retry. It turns HTTP requests into [`RequestParams`](crate::gateway::request::RequestParams), lets
//! the gateway execute them, and writes the results. Sockets and streams hold a slot in
//! [`connection_slots`] and end when their key is revoked or the server shuts down.
//!
//! [`envelope`], [`cors`] and [`drain`] serve `/api/v1` too: the server and `rest-compat`
//! use them. The server compresses the responses that are [`compressible`].

mod accept;
mod body;
mod cached;
pub mod compressible;
mod connection_slots;
pub mod connections;
pub mod cors;
pub mod drain;
pub mod envelope;
mod export;
mod http;
mod http_error;
mod key_source;
mod params;
pub mod response_headers;
pub mod served;
pub mod settings;
mod sign_in;
mod sse;
mod state;
mod stream_form;
mod upload;
mod upload_slots;
mod websocket;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{any, post};

use crate::gateway::execution::Gateway;
use connections::Connections;
use cors::CorsPolicy;
use settings::TransportSettings;
use state::Transport;

/// What pages of other origins may send to GraphQL and read from its responses.
const CORS: CorsPolicy = CorsPolicy {
    methods: "GET, HEAD, POST, OPTIONS",
    request_headers: Cow::Borrowed(
        "Accept, Apollo-Require-Preflight, Apollographql-Client-Name, Apollographql-Client-Version, \
         Authorization, Baggage, Content-Type, GraphQL-Require-Preflight, Idempotency-Key, \
         If-None-Match, Last-Event-ID, Sentry-Trace, Traceparent, Tracestate, \
         X-Apollo-Operation-Id, X-Apollo-Operation-Name, X-HelpBot-Session, X-Request-Id",
    ),
    response_headers: "Allow, ETag, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-Id",
};

/// The routes `/graphql` and below, and `/sign-in/…`. When `connections` end, sockets are closed with 1012 and streams
/// end without `complete`, so that clients connect to another node and resume.
pub fn router(gateway: Gateway, connections: Connections, settings: TransportSettings) -> Router {
    let policy = CORS.with_request_headers(&settings.cors_headers);
    let transport = Arc::new(Transport::new(gateway, connections, settings));
    Router::new()
        .route("/graphql", any(graphql))
        .route("/graphql/stream", any(sse::serve))
        .route("/graphql/upload", any(upload::serve))
        .route("/graphql/export/{file}", any(export::serve))
        .layer(from_fn_with_state(policy, cors::cors))
        // After the layer: pages of other origins cannot use these.
        .route("/sign-in/link", post(sign_in::link))
        .route("/sign-in/complete", post(sign_in::complete))
        .with_state(transport)
}

async fn graphql(State(transport): State<Arc<Transport>>, request: Request) -> Response {
    if is_upgrade(&request) {
        websocket::upgrade(transport, request).await
    } else if accept::takes_only_events(request.headers()) {
        sse::serve(State(transport), request).await
    } else if upload::is_upload(&request) {
        upload::serve(State(transport), request).await
    } else {
        http::serve(&transport, request).await
    }
}

fn is_upgrade(request: &Request) -> bool {
    let upgrade = request.headers().get(header::UPGRADE).and_then(|value| value.to_str().ok());
    // Over HTTP/2 a socket is opened with an extended CONNECT request, RFC 8441.
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket")) || request.method() == Method::CONNECT
}
