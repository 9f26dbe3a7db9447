//! `/api/v1`, the REST API that legacy clients were written against, as a thin layer over stored
//! GraphQL operations.
//!
//! A request passes axum's router and [`serve`]: read the request, execute the operation of the route
//! through the gateway, shape the answer. Each route is one [`endpoint::Endpoint`]: a document in
//! `operations/`, a request type, an answer type, and two functions between them. Related routes share
//! a file. Permissions, validation and limits are decided behind the gateway, never here. The OpenAPI
//! document is generated from the same types, so it always describes what the code does.
//!
//! The request ID and the answer to a panic come from the envelope of the server
//! (`helpbot_api::transport::envelope`).

mod analytics;
mod answer_cache;
mod chat;
mod config;
mod conversations;
mod endpoint;
mod endpoints;
mod error;
mod openapi;
mod range;
mod reference;
mod request;
mod respond;
mod serve;
mod sources;
mod webhooks;

use std::borrow::Cow;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{any, get};
use helpbot_api::Gateway;
use helpbot_api::transport::cors::{self, CorsPolicy};

use error::RestError;
use serve::RouteBuilder;

/// Maximum size of a body; a larger one is answered with 413. The longest valid body, a PATCH of all
/// texts, has about 10,000 characters, which JSON escapes can expand to 60 KB.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What pages of other origins may send and read. The methods and request headers are those of the
/// REST contract.
const CORS: CorsPolicy = CorsPolicy {
    methods: "GET, POST, PATCH, DELETE, OPTIONS",
    request_headers: Cow::Borrowed("Authorization, Content-Type, Idempotency-Key"),
    response_headers: "ETag, Retry-After, X-Request-Id, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, \
                       X-Credits-Limit, X-Credits-Remaining",
};

/// All routes below `/api`, and `/openapi.json` and `/docs`, over `gateway`.
///
/// # Panics
/// When a stored operation cannot be parsed. A test rules this out.
pub fn router(gateway: Gateway) -> Router {
    let mut routes = RouteBuilder::new(gateway);
    endpoints::for_each_endpoint(&mut routes);
    routes
        .router
        .route("/api/openapi.json", get(openapi::serve))
        .route("/openapi.json", get(openapi::serve))
        .route("/docs", get(reference::page))
        .route("/docs/", get(reference::page))
        .route("/docs/reference.css", get(reference::style))
        .method_not_allowed_fallback(async || RestError::method_not_allowed())
        .route("/api", any(async || RestError::no_such_path()))
        .route("/api/", any(async || RestError::no_such_path()))
        .route("/api/{*path}", any(async || RestError::no_such_path()))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(CORS, cors::cors))
        .layer(map_response(no_store))
}

/// The OpenAPI 3.1 document of the routes, as `/api/openapi.json` serves it.
pub fn openapi_json() -> String {
    openapi::json().to_owned()
}

/// Forbids caches to store a response, unless its route allows it.
async fn no_store(mut response: Response) -> Response {
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
