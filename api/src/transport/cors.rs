//! Cross-origin resource sharing: pages of every origin may call, because only the API key in a header
//! authenticates a request and no cookie ever does.
//!
//! Not tower-http's layer: it answers preflight requests with 200 and `Content-Length`, where the REST
//! contract requires 204 (docs/decisions/0022).

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// What pages of other origins may send and read.
#[derive(Debug, Clone)]
pub struct CorsPolicy {
    /// Methods that a page may use.
    pub methods: &'static str,
    /// Request headers that a page may set.
    pub request_headers: Cow<'static, str>,
    /// Response headers that a page may read.
    pub response_headers: &'static str,
}

impl CorsPolicy {
    /// The same policy, which allows `additional` request headers too.
    #[must_use]
    pub fn with_request_headers(mut self, additional: &[HeaderName]) -> Self {
        for name in additional {
            let list = self.request_headers.to_mut();
            list.push_str(", ");
            list.push_str(name.as_str());
        }
        self
    }
}

/// Seconds for which a browser may cache the answer to a preflight request. Chromium's own maximum.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");

/// Answers OPTIONS requests, and adds the CORS headers to every response. Errors need them as well:
/// without them, a page cannot distinguish a 401 from a broken network.
pub async fn cors(State(policy): State<CorsPolicy>, request: Request, next: Next) -> Response {
    let mut response = match *request.method() {
        Method::OPTIONS => preflight(&policy),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(policy.response_headers));
    response
}

fn preflight(policy: &CorsPolicy) -> Response {
    let request_headers = HeaderValue::try_from(&*policy.request_headers).expect("header names are printable");
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(policy.methods)),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, request_headers),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
