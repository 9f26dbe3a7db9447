//! The envelope of every HTTP request: its ID, and an answer even when its handler panics.
//!
//! The server puts it around all routes. Inside, the request ID is the header `X-Request-Id`, so the
//! gateway logs the same ID that the response carries. A panic is caught and logged here, once, and
//! affects no other request.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use helpbot_services::Services;
use helpbot_services::runtime::randomness;
use serde_json::json;

use crate::error::ApiError;
use crate::gateway::caller::REQUEST_ID_HEADER;

/// Maximum length of a request ID that the client or a proxy chose. A longer one is replaced.
const REQUEST_ID_CHARS: usize = 64;

/// Gives the request its ID, runs it, and answers 500 when it panics.
pub async fn envelope(State(services): State<Arc<Services>>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers(), &services);
    request.headers_mut().insert(REQUEST_ID_HEADER, id.clone());
    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let error = ApiError::panicked(&*panic, id.to_str().unwrap_or_default());
            let body = json!({ "error": error.message, "code": error.code.as_str() });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID_HEADER, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The ID of a response that passed the envelope.
pub fn response_id(headers: &HeaderMap) -> &str {
    headers.get(REQUEST_ID_HEADER).and_then(|id| id.to_str().ok()).unwrap_or_default()
}

/// The ID that the client or a proxy chose if it is short and printable, otherwise a new one.
fn request_id(headers: &HeaderMap, services: &Services) -> HeaderValue {
    let is_valid = |id: &&HeaderValue| {
        (1..=REQUEST_ID_CHARS).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    match headers.get(REQUEST_ID_HEADER).filter(is_valid) {
        Some(given) => given.clone(),
        None => HeaderValue::try_from(randomness::uuid(services.now()).simple().to_string())
            .expect("hexadecimal digits are a valid header value"),
    }
}
