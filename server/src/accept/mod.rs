//! Accepts connections and serves them over HTTP/1 and HTTP/2. `running` starts it with the router.
//!
//! axum's own accept loop has no deadlines, so a client that sends nothing, or one byte a minute, would keep
//! its connection open forever (tokio-rs/axum#3478, hyperium/hyper#3756). A connection therefore ends when it
//! exceeds one of these limits:
//!
//! - [`deadline_stream`]: the time for the first bytes, for the headers of a request and for a write;
//! - [`deadline_body`]: the time and the minimum rate of a request body;
//! - [`activity`]: the time without a request, for HTTP/1 and HTTP/2;
//! - [`slots`]: the number of connections in total and per address. When all slots are taken, a few reserved
//!   ones still answer health checks.

mod activity;
mod deadline_body;
mod deadline_stream;
mod slots;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::{Json, Router};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use activity::{Activity, CountedBody};
use deadline_body::DeadlineBody;
use deadline_stream::DeadlineStream;
pub(crate) use slots::ConnectionLimits;
use slots::{SlotKind, Slots};

/// Time after which a connection without a request is closed. Longer than the 60 s for which common proxies
/// keep their connections, so that a proxy does not send a request on a connection that was just closed.
const IDLE_DEADLINE: Duration = Duration::from_secs(75);
/// Lifetime of a connection in a reserved slot.
const RESERVED_DEADLINE: Duration = Duration::from_secs(5);
/// The routes that reserved slots serve.
const HEALTH_ROUTES: [&str; 2] = ["/healthz", "/readyz"];
/// Interval of HTTP/2 pings on a silent connection, and the deadline for their answers.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Maximum number of concurrent requests on one HTTP/2 connection.
const STREAMS: u32 = 128;
/// Maximum total size of the headers of a request.
const HEADERS_BYTES: u32 = 32 * 1024;
/// Time that open requests have to finish when the server stops.
const DRAIN: Duration = Duration::from_secs(10);
/// Pause after an accept that failed because file descriptors or memory ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `stop` is canceled, then waits up to 10 seconds for open requests.
pub(crate) async fn run(listener: TcpListener, app: Router, limits: ConnectionLimits, stop: CancellationToken) {
    let builder = Arc::new(builder());
    let slots = Arc::new(Slots::new(limits));
    let graceful = GracefulShutdown::new();
    while let Some((stream, peer)) = accept(&listener, &stop).await {
        let slot = tokio::select! {
            () = stop.cancelled() => break,
            slot = slots.take(peer.ip()) => slot,
        };
        // Above the limit of its address, the connection is closed without an answer.
        let Some(slot) = slot else { continue };
        let (builder, app, watcher) = (builder.clone(), app.clone(), graceful.watcher());
        tokio::spawn(async move {
            match slot.kind {
                SlotKind::Regular => serve(&builder, stream, peer, app, watcher).await,
                SlotKind::Reserved => {
                    let health = serve(&builder, stream, peer, only_health(app), watcher);
                    tokio::time::timeout(RESERVED_DEADLINE, health).await.ok();
                }
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish before the deadline and were closed");
    }
}

/// The next connection, or `None` when the server stops.
async fn accept(listener: &TcpListener, stop: &CancellationToken) -> Option<(TcpStream, SocketAddr)> {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return None,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(connection) => return Some(connection),
            Err(error) => pause_after(&error).await,
        }
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // hyper's own deadline for headers would also close idle connections.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEADERS_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS_BYTES)
        .enable_connect_protocol();
    builder
}

async fn serve(
    builder: &auto::Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    watcher: Watcher,
) {
    // Responses are small and written in one piece, so Nagle's algorithm would only delay them.
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity::new());
    let of_requests = activity.clone();
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let (app, mut ongoing) = (app.clone(), of_requests.begin(request.method()));
        async move {
            let mut request = request.map(|body| Body::new(DeadlineBody::new(body)));
            request.extensions_mut().insert(ConnectInfo(peer));
            let response = app.oneshot(request).await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                ongoing.becomes_socket();
            }
            Ok::<_, std::convert::Infallible>(response.map(|body| CountedBody::new(body, ongoing)))
        }
    });
    let io = TokioIo::new(DeadlineStream::new(stream, activity.clone()));
    let connection = watcher.watch(builder.serve_connection_with_upgrades(io, service));
    tokio::select! {
        served = connection => if let Err(error) = served {
            // Clients disconnect all the time, which matters only when someone investigates it.
            tracing::debug!(%error, "a connection ended early");
        },
        () = activity.idle_for(IDLE_DEADLINE) => {}
    }
}

/// The health routes of `app`. All other requests get 503.
fn only_health(app: Router) -> Router {
    let guard = async move |request: axum::extract::Request| -> Response<Body> {
        if HEALTH_ROUTES.contains(&request.uri().path()) {
            return app.oneshot(request).await.unwrap_or_else(|never| match never {});
        }
        let body = Json(json!({ "error": "The server has too many open connections", "code": "UNAVAILABLE" }));
        let headers = [(header::CONNECTION, "close"), (header::RETRY_AFTER, "5")];
        (StatusCode::SERVICE_UNAVAILABLE, headers, body).into_response()
    };
    Router::new().fallback(guard)
}

async fn pause_after(error: &io::Error) {
    let is_of_peer = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    );
    if !is_of_peer {
        tracing::error!(%error, "could not accept a connection");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

#[cfg(test)]
mod tests;
