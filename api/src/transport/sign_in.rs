//! Signing in by mail, for callers without a key.
//!
//! ```text
//! POST /sign-in/link       {"email", "browser"}   202, whether or not a member has the address
//! POST /sign-in/complete   {"token", "browser"}   200 {"data": {"key", "expiresAt"}}
//! ```
//! These are not GraphQL operations, because every GraphQL operation has a viewer before its body is read. The token is
//! that of the mailed link, and `browser` the secret of the browser that asked for it; an invitation needs none. The key
//! is returned once and is in no cookie, so a page of another web site cannot act with it. Only JSON is accepted, and no
//! other origin may read the responses. Responses have the form of GraphQL responses.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use helpbot_services::Error;
use helpbot_services::accounts::sign_in_links;
use helpbot_services::accounts::sign_ins::{self, SignInClient};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::accept::Media;
use super::http_error::HttpError;
use super::state::Transport;
use super::{body, params};
use crate::error::{self, ApiError};
use crate::gateway::caller::Caller;

/// Maximum size of a body: an e-mail address or a token, and a secret.
const MAX_BYTES: usize = 4 * 1024;

#[derive(Deserialize)]
struct LinkRequest {
    email: String,
    browser: String,
}

#[derive(Deserialize)]
struct SignInCompletion {
    token: String,
    browser: Option<String>,
}

/// Serves `POST /sign-in/link`.
pub(super) async fn link(State(transport): State<Arc<Transport>>, request: Request) -> Response {
    finished(mail_link(&transport, request).await)
}

/// Serves `POST /sign-in/complete`.
pub(super) async fn complete(State(transport): State<Arc<Transport>>, request: Request) -> Response {
    finished(signed_in(&transport, request).await)
}

async fn mail_link(transport: &Transport, request: Request) -> Result<Response, HttpError> {
    let (caller, asked) = read::<LinkRequest>(transport, request).await?;
    let services = transport.gateway.services();
    let done = sign_in_links::request(services, &asked.email, &asked.browser, caller.peer).await;
    done.map_err(|error| rejected(&error, &caller))?;
    Ok((StatusCode::ACCEPTED, axum::Json(json!({ "data": {} }))).into_response())
}

async fn signed_in(transport: &Transport, request: Request) -> Result<Response, HttpError> {
    let (caller, given) = read::<SignInCompletion>(transport, request).await?;
    let client = SignInClient { address: caller.peer, user_agent: caller.credentials.user_agent.clone() };
    let services = transport.gateway.services();
    let done = sign_ins::complete(services, &given.token, given.browser.as_deref(), client).await;
    let done = done.map_err(|error| rejected(&error, &caller))?;
    let data = json!({ "key": done.secret, "expiresAt": done.expires_at.to_string() });
    Ok(axum::Json(json!({ "data": data })).into_response())
}

/// Counts the request against the limit of its address, and reads its body.
async fn read<T: DeserializeOwned>(transport: &Transport, request: Request) -> Result<(Caller, T), HttpError> {
    let (head, body): (Parts, Body) = request.into_parts();
    params::require_json_body(&head)?;
    let caller = transport.gateway.caller(&head.headers, &head.extensions);
    transport.gateway.count_without_key(&caller).await?;
    let bytes = body::read(&head.headers, body, MAX_BYTES).await?;
    let given = serde_json::from_slice(&bytes).map_err(|error| {
        HttpError::malformed(&format!("The body must be a JSON object with the fields of the route: {error}"))
    })?;
    Ok((caller, given))
}

fn rejected(error: &Error, caller: &Caller) -> HttpError {
    error::log(error, &caller.request_id);
    ApiError::from(error).into()
}

/// The response with the headers that keep the key out of caches.
fn finished(result: Result<Response, HttpError>) -> Response {
    let mut response = result.unwrap_or_else(|error| error.into_response(Media::Json));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
