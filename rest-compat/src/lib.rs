//! `/api/v1`, the REST interface that legacy clients were written against, as a thin map onto
//! stored GraphQL operations.
//!
//! A request walks `envelope` (request id, CORS, cache headers, panics) → axum's router →
//! [`endpoint`] (read the request, run the operation through the gateway, shape the answer).
//! Each route is one [`endpoint::Endpoint`]: a document in `operations/`, a request and an
//! answer type, and two functions between them; families share a file. Who may do what, what
//! is valid and what it costs is decided behind the gateway, never here. The same types give
//! the OpenAPI document, so that it cannot say anything else than the code does.

mod analytics;
mod chat;
mod config;
mod conversations;
mod cors;
mod endpoint;
mod envelope;
mod error;
mod kept;
mod openapi;
mod range;
mod reference;
mod request;
mod respond;
mod sources;
mod webhooks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use helpbot_api::Gateway;

use endpoint::{Mount, Visitor};
use error::Refusal;

/// Where all routes stand.
const BASE: &str = "/api/v1";

/// Larger bodies are answered with 413. The longest legal one, a PATCH of all texts, has some
/// 10,000 characters, which JSON escapes can blow up to 60 KB.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Everything under `/api`, and `/openapi.json` and `/docs`, over `gateway`.
///
/// Who calls, from where, and under which request id is what [`Gateway::caller`] reads.
///
/// # Panics
/// When a stored operation does not parse, which a test rules out.
pub fn router(gateway: Gateway) -> Router {
    let mut mount = Mount::new(gateway.clone());
    for_each_endpoint(&mut mount);
    mount
        .router
        .route("/api/openapi.json", get(openapi::serve))
        .route("/openapi.json", get(openapi::serve))
        .route("/docs", get(reference::page))
        .route("/docs/", get(reference::page))
        .route("/docs/reference.css", get(reference::style))
        .method_not_allowed_fallback(async || Refusal::method_not_allowed())
        .route("/api", any(async || Refusal::no_such_path()))
        .route("/api/", any(async || Refusal::no_such_path()))
        .route("/api/{*path}", any(async || Refusal::no_such_path()))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(envelope::panics())
        .layer(from_fn_with_state(gateway, envelope::seal))
}

/// The OpenAPI 3.1 document of the routes, as served at `/api/openapi.json`.
pub fn openapi_json() -> String {
    openapi::json().to_owned()
}

/// All routes, in the order of the reference page.
fn for_each_endpoint(visitor: &mut impl Visitor) {
    visitor.visit::<chat::Chat>();
    visitor.visit::<chat::SubmitFeedback>();
    visitor.visit::<chat::RequestHandoff>();
    visitor.visit::<sources::ListSources>();
    visitor.visit::<sources::AddSource>();
    visitor.visit::<sources::DeleteSource>();
    visitor.visit::<sources::RescrapeSource>();
    visitor.visit::<config::ReadConfig>();
    visitor.visit::<config::UpdateConfig>();
    visitor.visit::<analytics::Overview>();
    visitor.visit::<analytics::Activity>();
    visitor.visit::<conversations::ListConversations>();
    visitor.visit::<webhooks::ListWebhooks>();
    visitor.visit::<webhooks::CreateWebhook>();
    visitor.visit::<webhooks::DeleteWebhook>();
}
