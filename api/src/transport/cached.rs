//! Responses to GET that a browser may keep for a short time: of queries that read only what every visitor
//! of a site may see, such as the configuration of the widget.
//!
//! [`http`](super::http) calls this for a query without errors. The response belongs to the key of the
//! request, so shared caches must not keep it, and another key must not get it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use helpbot_domain::text;
use sha2::{Digest as _, Sha256};

use super::accept::Media;
use crate::gateway::result::ExecutionResult;

/// Time for which a client need not ask again. A change of the configuration is visible after it.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("private, max-age=30");
/// Request headers on which the response depends, in addition to `Accept`: they identify the caller.
const VARY: HeaderValue = HeaderValue::from_static("Authorization, Origin, X-HelpBot-Session");
/// Bytes of the hash in an entity tag.
const TAG_BYTES: usize = 16;

/// The response for a result: 304 without a body when the client has it already. `None` when the result
/// has errors and must not be kept.
pub(super) fn response(request: &HeaderMap, result: &ExecutionResult, media: Media) -> Option<Response> {
    if !result.is_executed || !result.response.errors.is_empty() {
        return None;
    }
    let json = result.json();
    // Weak, because the response may be compressed.
    let tag = format!("W/\"{}\"", text::hex(&Sha256::digest(json.as_bytes())[..TAG_BYTES]));
    let (status, body) = match is_known(request, &tag) {
        true => (StatusCode::NOT_MODIFIED, Body::empty()),
        false => (StatusCode::OK, Body::from(json)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    headers.insert(header::ETAG, HeaderValue::try_from(tag).ok()?);
    headers.append(header::VARY, VARY);
    if status == StatusCode::OK {
        headers.insert(header::CONTENT_TYPE, media.content_type());
    }
    Some(response)
}

/// Whether `If-None-Match` contains the tag. The comparison is weak, RFC 9110 §13.1.2.
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let known = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.flat_map(|value| value.split(',')).any(|known| known.trim() == "*" || opaque(known) == opaque(tag))
}
