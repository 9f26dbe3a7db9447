//! GraphQL over HTTP: queries and mutations by POST, queries by GET and HEAD.
//!
//! Checks are made in this order: method, accepted media type, media type of the body, API key, rate
//! limit. Only then is the body read, and only a body with the form of a GraphQL request reaches the
//! guard. POST takes only JSON: a form on another site's page cannot send it, which protects against
//! cross-site request forgery. A subscription or a live query becomes a stream ([`sse`](super::sse)) when
//! the client accepts one.

use async_graphql::parser::types::OperationType;
use async_graphql_axum::GraphQLResponse;
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::accept::{self, Media};
use super::http_error::HttpError;
use super::state::Transport;
use super::stream_form::StreamForm;
use super::{cached, compressible, params, response_headers, served, sse};
use crate::gateway::caller::{AdmittedCaller, Caller};
use crate::gateway::request::PreparedOperation;
use crate::gateway::result::ExecutionResult;

const METHODS: &str = "GET, HEAD, POST, OPTIONS";

/// Serves one request. For HEAD, axum removes the body and keeps its length.
pub(super) async fn serve(transport: &Transport, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let media = accept::negotiate(&head.headers).unwrap_or(Media::Json);
    match admit(transport, &head).await {
        Ok((caller, admitted)) => {
            let (allowance, site) = (admitted.allowance, admitted.viewer.site_id);
            let answer = answer(transport, &head, body, (caller, admitted), media).await;
            let mut response = answer.unwrap_or_else(|error| error.into_response(media));
            served::note(&mut response, None, site);
            response_headers::finish(response.headers_mut(), allowance);
            response
        }
        Err(error) => {
            let mut response = error.into_response(media);
            response_headers::finish(response.headers_mut(), None);
            response
        }
    }
}

/// Checks everything that the headers of a request decide.
async fn admit(transport: &Transport, head: &Parts) -> Result<(Caller, AdmittedCaller), HttpError> {
    if !matches!(head.method, Method::POST | Method::GET | Method::HEAD) {
        return Err(HttpError::method_not_allowed(METHODS, "Send GraphQL requests by POST or GET"));
    }
    if accept::negotiate(&head.headers).is_none() {
        let message = "Accept application/graphql-response+json or application/json";
        return Err(HttpError::new(StatusCode::NOT_ACCEPTABLE, message));
    }
    params::require_json_body(head)?;
    let caller = transport.caller(head)?;
    let admitted = transport.gateway.admit(&caller).await?;
    Ok((caller, admitted))
}

async fn answer(
    transport: &Transport,
    head: &Parts,
    body: Body,
    (caller, admitted): (Caller, AdmittedCaller),
    media: Media,
) -> Result<Response, HttpError> {
    let params = params::read(head, body, transport.settings.body_bytes).await?;
    let admitted = admitted.with_idempotency_key(params.idempotency_key.clone());
    let prepared = transport.gateway.prepare(params, &admitted.viewer).await;
    let mut operation = prepared.map_err(|error| HttpError::rejected(error, media))?;
    if operation.operation_type() != OperationType::Query && head.method != Method::POST {
        return Err(HttpError::method_not_allowed("POST", "Only queries can be sent by GET"));
    }
    if let Some(form) = stream_form(head, &operation) {
        return sse::open_prepared(transport, head, operation, &caller, &admitted, form).await;
    }
    require_no_subscription(&operation)?;
    operation.accept_text();
    let is_query = operation.operation_type() == OperationType::Query;
    let name = served::shortened(operation.name());
    let is_cached = head.method != Method::POST && operation.is_public(&transport.gateway);
    let result = transport.gateway.execute(operation, &admitted).await;
    let cached = if is_cached { cached::response(&head.headers, &result, media) } else { None };
    let mut response = cached.map_or_else(|| written(result, media), Ok)?;
    if is_query {
        compressible::mark(&mut response);
    }
    served::note(&mut response, Some(name), admitted.viewer.site_id);
    Ok(response)
}

/// The form of the stream for an operation with many results, if the client accepts one.
fn stream_form(head: &Parts, operation: &PreparedOperation) -> Option<StreamForm> {
    let form = accept::stream_form(&head.headers)?;
    match operation.operation_type() {
        OperationType::Subscription => Some(form),
        // The protocol of Apollo's clients knows no live queries.
        OperationType::Query if form == StreamForm::Events && head.method != Method::HEAD => {
            operation.live().map(|_| form)
        }
        OperationType::Query | OperationType::Mutation => None,
    }
}

/// Rejects a subscription, which needs a connection that stays open.
pub(super) fn require_no_subscription(operation: &PreparedOperation) -> Result<(), HttpError> {
    match operation.operation_type() {
        OperationType::Query | OperationType::Mutation => Ok(()),
        OperationType::Subscription => {
            let message = "Send subscriptions over WebSocket, or accept text/event-stream or multipart/mixed with \
                           subscriptionSpec=1.0";
            Err(HttpError::malformed(message))
        }
    }
}

/// Writes a result as an HTTP response.
pub(super) fn written(result: ExecutionResult, media: Media) -> Result<Response, HttpError> {
    let ExecutionResult { response, is_executed, text } = result;
    if let Some(text) = text {
        return Ok(([(header::CONTENT_TYPE, media.content_type())], text).into_response());
    }
    if !is_executed {
        return Err(HttpError::all_rejected(response.errors, media));
    }
    // Writes the body and the headers that resolvers set. The media type is the one we negotiated.
    let mut response = GraphQLResponse::from(response).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, media.content_type());
    Ok(response)
}
