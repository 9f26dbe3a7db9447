//! GraphQL over HTTP: queries and mutations by POST, queries by GET and HEAD.
//!
//! The order of checks: method, what the client accepts, what it sends, who it is, how often it
//! came; only then is a body read, and only what has the shape of a request reaches the guard.
//! JSON alone is taken by POST: a form of a foreign page cannot send it, which is the defence
//! against requests forged across sites.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql_axum::GraphQLResponse;
use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::accept::{self, Media};
use super::problem::Problem;
use super::{Transport, body, params};
use crate::gateway::{Caller, Outcome, Params, Prepared, Session};
use crate::limits::Standing;

const METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// Serves one request.
pub(super) async fn serve(transport: Arc<Transport>, request: Request) -> Response {
    let is_head = request.method() == Method::HEAD;
    let caller = transport.gateway.caller(request.headers(), request.extensions());
    let media = accept::negotiate(request.headers());
    let mut standing = None;
    let answer = answer(&transport, request, &caller, media, &mut standing).await;
    let shown = media.unwrap_or(Media::Json);
    let mut response = answer.unwrap_or_else(|problem| problem.into_response(shown));
    seal(response.headers_mut(), &caller.request_id, standing);
    if is_head {
        without_body(&mut response);
    }
    response
}

/// Takes the body away and leaves its length, as for HEAD.
fn without_body(response: &mut Response) {
    let body = std::mem::take(response.body_mut());
    if let Some(length) = body.size_hint().exact() {
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
}

async fn answer(
    transport: &Transport,
    request: Request,
    caller: &Caller,
    media: Option<Media>,
    standing: &mut Option<Standing>,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let is_post = match head.method {
        Method::POST => true,
        Method::GET | Method::HEAD => false,
        _ => return Err(Problem::method_not_allowed(METHODS, "Send GraphQL requests by POST or GET")),
    };
    let media = media.ok_or_else(|| {
        let message = "Accept application/graphql-response+json or application/json";
        Problem::new(StatusCode::NOT_ACCEPTABLE, message)
    })?;
    if is_post && !accept::is_json(&head.headers) {
        let message = "Send the body as application/json in UTF-8";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let viewer = transport.gateway.authenticate(caller).await?;
    *standing = transport.gateway.admit(&viewer, caller)?;
    let params = if is_post {
        params::from_body(&body::read(&head.headers, body, transport.settings.body_bytes).await?)
    } else {
        params::from_query(&head.uri)
    };
    let params = params.map_err(Problem::malformed)?;
    let idempotency_key = params.idempotency_key.clone().or_else(|| caller.idempotency_key.clone());
    let session = Session { viewer, request_id: caller.request_id.clone(), idempotency_key };
    execute(transport, params, &session, media, is_post).await
}

async fn execute(
    transport: &Transport,
    params: Params,
    session: &Session,
    media: Media,
    is_post: bool,
) -> Result<Response, Problem> {
    let prepared = transport.gateway.prepare(params).map_err(|error| Problem::refused(error, media))?;
    match prepared.kind() {
        OperationType::Mutation | OperationType::Subscription if !is_post => {
            Err(Problem::method_not_allowed("POST", "Only queries are executed by GET"))
        }
        _ => run(transport, prepared, session, media).await,
    }
}

/// Executes a query or mutation; a subscription is refused.
pub(super) async fn run(
    transport: &Transport,
    prepared: Prepared,
    session: &Session,
    media: Media,
) -> Result<Response, Problem> {
    if prepared.kind() == OperationType::Subscription {
        return Err(Problem::malformed("Subscriptions are served over WebSocket and at /graphql/stream"));
    }
    let Outcome { response, is_executed, .. } = transport.gateway.execute(prepared, session).await;
    if !is_executed {
        return Err(Problem::all_refused(response.errors, media));
    }
    // Its responder writes the body and the headers that resolvers set; the media type is ours.
    let mut response = GraphQLResponse::from(response).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, media.content_type());
    Ok(response)
}

/// What every answer bears.
pub(super) fn seal(headers: &mut HeaderMap, request_id: &str, standing: Option<Standing>) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.append(header::VARY, HeaderValue::from_static("Accept"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", id);
    }
    tell_standing(headers, standing);
}

/// What is left of the caller's limit, where there is one; a refusal for it tells so itself.
pub(super) fn tell_standing(headers: &mut HeaderMap, standing: Option<Standing>) {
    if let Some(Standing { limit, remaining, reset_seconds }) = standing {
        headers.insert("ratelimit-limit", limit.into());
        headers.insert("ratelimit-remaining", remaining.into());
        headers.insert("ratelimit-reset", reset_seconds.into());
    }
}
