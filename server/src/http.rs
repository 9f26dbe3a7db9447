//! What surrounds every request: its name, its line in the log, its figures, headers that all
//! answers have, a bound on its body, and an answer even to a panic.

use std::any::Any;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use helpbot_services::Services;
use helpbot_services::runtime::randomness;
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;

use crate::metrics::Metrics;
use crate::redact;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A caller's own name for its request is kept if it is no longer.
const REQUEST_ID_CHARS: usize = 64;
/// The rooms behind bound their bodies at 64 KiB, each with an answer in its own form; this
/// holds for whatever else reads one.
const BODY_BYTES: usize = 256 * 1024;

#[derive(Clone)]
struct Envelope {
    services: Services,
    metrics: Metrics,
}

/// Puts the envelope around all routes of `app`.
pub(crate) fn sealed(app: Router, services: Services, metrics: Metrics) -> Router {
    app.fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked as fn(Box<dyn Any + Send>) -> Response))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(Envelope { services, metrics }, envelope))
}

async fn envelope(State(envelope): State<Envelope>, mut request: Request, next: Next) -> Response {
    let started = tokio::time::Instant::now();
    let id = request_id(request.headers(), &envelope.services);
    // Into the request as well, so that the rooms behind log it under the same name.
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = matched.unwrap_or_else(|| "other".to_owned());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let mut response = next.run(request).await;
    let took = started.elapsed();
    seal(response.headers_mut(), &id);
    envelope.metrics.request(&route, response.status().as_u16(), took);
    log(&method, &uri, response.status(), took, &id);
    response
}

fn seal(headers: &mut HeaderMap, id: &HeaderValue) {
    headers.insert(REQUEST_ID, id.clone());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
}

/// The caller's name for its request, if it is a modest one; else a new one.
fn request_id(headers: &HeaderMap, services: &Services) -> HeaderValue {
    let is_modest = |id: &&HeaderValue| {
        (1..=REQUEST_ID_CHARS).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    match headers.get(REQUEST_ID).filter(is_modest) {
        Some(own) => own.clone(),
        None => HeaderValue::try_from(randomness::uuid(services.now()).simple().to_string())
            .unwrap_or(HeaderValue::from_static("unnamed")),
    }
}

/// One line a request: no address of a person, no key, no body.
fn log(method: &Method, uri: &Uri, status: StatusCode, took: Duration, id: &HeaderValue) {
    let (status, us) = (status.as_u16(), u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    let (path, request_id) = (redact::target(uri), id.to_str().unwrap_or_default());
    match uri.path() {
        // Asked every few seconds by machines.
        "/healthz" | "/readyz" | "/metrics" => tracing::debug!(%method, path, status, us, request_id, "request"),
        _ => tracing::info!(%method, path, status, us, request_id, "request"),
    }
}

async fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, "Not found", "NOT_FOUND")
}

async fn method_not_allowed() -> Response {
    refusal(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", "METHOD_NOT_ALLOWED")
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let cause = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    tracing::error!(cause, "a request panicked");
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error", "INTERNAL")
}

fn refusal(status: StatusCode, message: &str, code: &str) -> Response {
    (status, Json(json!({ "error": message, "code": code }))).into_response()
}
