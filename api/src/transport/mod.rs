//! GraphQL over HTTP, WebSocket and server-sent events.
//!
//! ```text
//! /graphql         POST, GET, HEAD   queries and mutations            http
//!                  GET + Upgrade     graphql-transport-ws             websocket
//! /graphql/stream  POST, GET         graphql-sse, distinct connections sse
//! /graphql/upload  POST              an operation with a file         upload
//! /graphql/export  GET               all entries as a file            export
//! ```
//! Our own layer, because the stock one executes mutations over GET and from `text/plain`,
//! accepts batches without end, and closes sockets with codes that clients never retry. It turns
//! requests into [`Params`](crate::gateway::Params), lets the [`Gateway`] do the rest, and
//! shapes what comes back. Long-lived connections hold a seat in [`live`], which ends them when
//! their key is revoked; all of them end when the server shuts down.

mod accept;
mod body;
mod cors;
mod export;
mod http;
mod live;
mod params;
mod problem;
mod sse;
mod upload;
mod websocket;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::any;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::gateway::Gateway;

pub use upload::UploadSettings;

/// What an installation sets about connections. The defaults are what clients and proxies of
/// the field expect; tests shorten them.
#[derive(Debug, Clone)]
pub struct TransportSettings {
    /// Body of a request, and one message of a socket.
    pub body_bytes: usize,
    /// How long a socket may wait with `connection_init`.
    pub init_timeout: Duration,
    /// Between pings of a socket, and between keep-alive comments of a stream. Below the 60 s
    /// after which common proxies drop what is silent.
    pub keep_alive: Duration,
    /// How long a reader may take none of what is queued for it.
    pub stall: Duration,
    /// Operations of one socket at a time.
    pub operations_per_socket: usize,
    /// Messages queued for one socket.
    pub queue: usize,
    /// Sockets and streams of one key: a widget's key serves all visitors of its site.
    pub connections_per_key: usize,
    /// Sockets and streams of one address.
    pub connections_per_address: usize,
    /// How often the keys of open connections are looked up, for revocations on other nodes.
    /// Looked-up keys are believed for 0.9 s, so this keeps the whole below a second.
    pub recheck: Duration,
    /// Files that come with operations.
    pub uploads: UploadSettings,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            init_timeout: Duration::from_secs(3),
            keep_alive: Duration::from_secs(12),
            stall: Duration::from_secs(10),
            operations_per_socket: 50,
            queue: 256,
            connections_per_key: 20_000,
            connections_per_address: 2_000,
            recheck: Duration::from_millis(90),
            uploads: UploadSettings::default(),
        }
    }
}

/// The connections that stay, as their server sees them: told when they are to end, and counted
/// until they have. The last that a client hears is why, so a server waits before it exits.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    shutdown: CancellationToken,
    open: TaskTracker,
}

impl Connections {
    /// None yet; they end when `shutdown` is cancelled.
    pub fn ending_with(shutdown: CancellationToken) -> Self {
        Self { shutdown, open: TaskTracker::new() }
    }

    /// Waits until each has said goodbye. To be called after the end was announced.
    pub async fn ended(&self) {
        self.open.close();
        self.open.wait().await;
    }
}

/// What all transports share.
struct Transport {
    gateway: Gateway,
    settings: TransportSettings,
    live: live::Live,
    uploads: upload::Uploads,
    connections: Connections,
}

/// `/graphql` and what is below it. When `connections` are to end, sockets are closed with 1012
/// and streams end, so that clients come back to another node and resume.
pub fn router(gateway: Gateway, connections: Connections, settings: TransportSettings) -> Router {
    let live = live::Live::new(gateway.services().clone(), &settings);
    let uploads = upload::Uploads::new(settings.uploads);
    let transport = Arc::new(Transport { gateway, settings, live, uploads, connections });
    Router::new()
        .route("/graphql", any(graphql))
        .route("/graphql/stream", any(sse::serve))
        .route("/graphql/upload", any(upload::serve))
        .route("/graphql/export/{file}", any(export::serve))
        .layer(from_fn(cors::allow_all_origins))
        .with_state(transport)
}

async fn graphql(State(transport): State<Arc<Transport>>, request: Request) -> Response {
    if wants_upgrade(&request) {
        websocket::upgrade(transport, request).await
    } else {
        http::serve(transport, request).await
    }
}

fn wants_upgrade(request: &Request) -> bool {
    let upgrade = request.headers().get(header::UPGRADE).and_then(|value| value.to_str().ok());
    // Over HTTP/2 a socket is opened by an extended CONNECT, RFC 8441.
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
        || request.method() == axum::http::Method::CONNECT
}
