//! What surrounds every request: its id, CORS, cache headers, and an answer even to a panic.

use std::any::Any;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use helpbot_api::Gateway;
use tower_http::catch_panic::CatchPanicLayer;

use crate::cors;
use crate::error::Refusal;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// For a name that is no header value, of which the gateway makes none.
const UNNAMED: HeaderValue = HeaderValue::from_static("unnamed");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_SNIFFING: HeaderValue = HeaderValue::from_static("nosniff");

/// Names the request, answers OPTIONS before anything is asked, and adds to each answer the
/// headers that all have.
pub(crate) async fn seal(State(gateway): State<Gateway>, mut request: Request, next: Next) -> Response {
    // Into the request as well, so that the gateway logs it under the same name.
    let id = HeaderValue::try_from(gateway.request_id(request.headers())).unwrap_or(UNNAMED);
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = match is_preflight {
        true => StatusCode::NO_CONTENT.into_response(),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    cors::allow(headers);
    if is_preflight {
        cors::allow_preflight(headers);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFFING);
    headers.insert(REQUEST_ID, id);
    response
}

/// A panic is a fault like any other: logged here, and told as 500.
pub(crate) fn panics() -> CatchPanicLayer<fn(Box<dyn Any + Send>) -> Response> {
    CatchPanicLayer::custom(panicked)
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let cause = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    tracing::error!(cause, "a request panicked");
    Refusal::internal().into_response()
}
