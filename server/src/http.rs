//! The middleware around every request: its envelope (ID and answer to a panic, see
//! `helpbot_api::transport::envelope`), the rest of unread bodies, the compression of the response, the
//! log line, the metrics and the limit on the body. `running` wraps the router in it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, Version, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use helpbot_api::transport::drain::drain;
use helpbot_api::transport::envelope::{self, envelope};
use helpbot_api::transport::served::Served;
use helpbot_services::Services;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::compression::{self, Acceptance};
use crate::metrics::ServerMetrics;
use crate::{log_redaction, trace_context};

/// Maximum size of a request body. `api` and `rest-compat` have lower limits with responses in their own
/// format; this limit applies to all other routes.
const BODY_BYTES: usize = 256 * 1024;

/// Wraps all routes of `app` in the middleware. Once `draining` is canceled, each response closes its connection.
pub(crate) fn with_middleware(
    app: Router,
    services: Services,
    metrics: ServerMetrics,
    access_log: AccessLog,
    draining: CancellationToken,
) -> Router {
    app.fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn(drain))
        .layer(from_fn_with_state(Around { services: Arc::new(services), metrics, access_log, draining }, observe))
}

/// Whether each request is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessLog {
    /// Each request writes one line, and health checks only with the log level `debug`.
    On,
    /// Requests write no lines, for example because a proxy does.
    Off,
}

/// What the middleware needs. It is copied several times for each request, so it consists of pointers.
#[derive(Clone)]
struct Around {
    services: Arc<Services>,
    metrics: ServerMetrics,
    access_log: AccessLog,
    draining: CancellationToken,
}

/// Puts a request into its envelope, compresses the response, and measures and logs both. One layer does it all, because axum copies all
/// layers below each layer for each request.
async fn observe(State(around): State<Around>, request: Request, next: Next) -> Response {
    let started = tokio::time::Instant::now();
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = matched.unwrap_or_else(|| "other".to_owned());
    let (method, uri, version) = (request.method().clone(), request.uri().clone(), request.version());
    let trace_id = trace_context::trace_id(request.headers()).map(str::to_owned);
    let acceptance = Acceptance::read(&method, request.headers());
    let response = envelope(State(around.services), request, next).await;
    let mut response = compression::compressed(response, acceptance).await;
    let took = started.elapsed();
    // A connection that stays open could be closed at the moment in which a proxy sends the next request on it. HTTP/2 has
    // a message of its own for this, and an upgraded connection is not HTTP anymore.
    let keeps_alive = version < Version::HTTP_2 && response.status() != StatusCode::SWITCHING_PROTOCOLS;
    if keeps_alive && around.draining.is_cancelled() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let headers = response.headers_mut();
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    around.metrics.request(&method, &route, response.status().as_u16(), took);
    if around.access_log == AccessLog::On {
        log(&AccessLine { method, uri, route, took, trace_id }, &response);
    }
    response
}

/// What the log says about a request besides its response.
struct AccessLine {
    method: Method,
    uri: Uri,
    route: String,
    took: Duration,
    trace_id: Option<String>,
}

/// Logs one line for each request. It contains no client address, no API key and no body.
fn log(line: &AccessLine, response: &Response) {
    let AccessLine { method, uri, route, took, trace_id } = line;
    let (status, us) = (response.status().as_u16(), u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    let path = log_redaction::target(uri);
    let request_id = envelope::response_id(response.headers());
    let served = response.extensions().get::<Served>();
    let operation = served.and_then(|served| served.operation.as_deref());
    let site = served.and_then(|served| served.site).map(tracing::field::display);
    let trace_id = trace_id.as_deref();
    match uri.path() {
        // Monitoring requests these every few seconds.
        "/healthz" | "/readyz" => tracing::debug!(%method, path, status, us, request_id, "request"),
        _ => tracing::info!(%method, path, route, operation, site, status, us, request_id, trace_id, "request"),
    }
}

async fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, "Not found", "NOT_FOUND")
}

async fn method_not_allowed() -> Response {
    refusal(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", "METHOD_NOT_ALLOWED")
}

fn refusal(status: StatusCode, message: &str, code: &str) -> Response {
    (status, Json(json!({ "error": message, "code": code }))).into_response()
}
