//! Cross-origin access: any page may call, because a key in a header says who it is and no
//! cookie ever does.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const PREFLIGHT: [(HeaderName, HeaderValue); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, OPTIONS")),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(
            "Accept, Apollo-Require-Preflight, Authorization, Content-Type, GraphQL-Require-Preflight, Idempotency-Key, \
             Last-Event-ID, X-HelpBot-Session, X-Request-Id",
        ),
    ),
    // Chromium's own limit.
    (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200")),
];
const EXPOSED: HeaderValue =
    HeaderValue::from_static("Allow, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-Id");

/// Answers preflights, and lets every page read every answer, refusals too: a 401 without these
/// headers looks like a broken network to a page.
pub(super) async fn allow_all_origins(request: Request, next: Next) -> Response {
    let mut response = if is_preflight(&request) {
        (StatusCode::NO_CONTENT, HeaderMap::from_iter(PREFLIGHT)).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    response
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}
