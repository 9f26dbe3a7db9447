//! Server-sent events, in the *distinct connections* mode of graphql-sse: one operation per request,
//! `next` for each result, `complete` at the end.
//!
//! An event whose `cursor` is selected carries it as `id:`. A client that reconnects with
//! `Last-Event-ID` continues after that event: the header overrides the operation's `$after` variable.
//! A subscription without this variable is rejected then, because it would start from now and silently
//! lose the events in between. A stream that ends without `complete` (key revoked, server shutting down)
//! asks the client to reconnect. The reader pulls the body, so a slow reader slows down only its own
//! subscription, and nothing is queued.

use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream};
use futures_util::{FutureExt, StreamExt};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::accept::{self, Media};
use super::connection_slots::{AddressSlot, KeySlot};
use super::http_error::HttpError;
use super::state::Transport;
use super::{params, response_headers};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::caller::{AdmittedCaller, Caller};
use crate::gateway::request::{PreparedOperation, RequestParams};
use crate::gateway::result::ExecutionResult;

const METHODS: &str = "GET, POST, OPTIONS";
const LAST_EVENT_ID: &str = "last-event-id";

/// Serves one stream.
pub(super) async fn serve(State(transport): State<Arc<Transport>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let (allowance, answer) = match admit(&transport, &head).await {
        Ok((address, caller, admitted)) => {
            (admitted.allowance, open(&transport, &head, body, &caller, admitted, address).await)
        }
        Err(error) => (None, Err(error)),
    };
    let mut response = answer.unwrap_or_else(|error| error.into_response(Media::Json));
    response_headers::finish(response.headers_mut(), allowance);
    // Without this header, nginx would collect events into blocks.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Checks everything that the headers of a request decide.
async fn admit(transport: &Transport, head: &Parts) -> Result<(AddressSlot, Caller, AdmittedCaller), HttpError> {
    if !matches!(head.method, Method::POST | Method::GET) {
        return Err(HttpError::method_not_allowed(METHODS, "Open streams by POST or GET"));
    }
    if !accept::takes_events(&head.headers) {
        return Err(HttpError::new(StatusCode::NOT_ACCEPTABLE, "Accept text/event-stream"));
    }
    params::require_json_body(head)?;
    let caller = transport.caller(head)?;
    let address = transport.connection_slots.take_address(caller.peer)?;
    let admitted = transport.gateway.admit(&caller).await?;
    Ok((address, caller, admitted))
}

async fn open(
    transport: &Transport,
    head: &Parts,
    body: Body,
    caller: &Caller,
    admitted: AdmittedCaller,
    address: AddressSlot,
) -> Result<Response, HttpError> {
    let params = params::read(head, body, transport.settings.body_bytes).await?;
    let admitted = admitted.with_idempotency_key(params.idempotency_key.clone());
    let slots = (address, transport.connection_slots.take_key(&admitted.viewer, caller)?);
    let results = results(transport, params, &admitted, head)?;
    let period = transport.settings.keep_alive;
    let mut keep_alive = interval_at(Instant::now() + period, period);
    keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let connections = &transport.connections;
    let stream =
        ResultStream { results, keep_alive, slots, shutdown: connections.shutdown(), _open: connections.open() };
    let mut response = Response::new(Body::from_stream(stream.into_stream()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    Ok(response)
}

/// The results that the stream sends. A rejected operation is one of them: the protocol reports it
/// inside the stream.
fn results(
    transport: &Transport,
    params: RequestParams,
    caller: &AdmittedCaller,
    head: &Parts,
) -> Result<BoxStream<'static, ExecutionResult>, HttpError> {
    let prepared = transport.gateway.prepare(params).and_then(|operation| resumed(operation, &head.headers));
    let operation = match prepared {
        Ok(operation) => operation,
        Err(error) => return Ok(stream::once(async { ExecutionResult::rejected(vec![error]) }).boxed()),
    };
    match operation.operation_type() {
        OperationType::Mutation if head.method != Method::POST => {
            Err(HttpError::method_not_allowed("POST", "Mutations cannot be sent by GET"))
        }
        OperationType::Subscription if operation.asks_question() && head.method != Method::POST => {
            Err(HttpError::method_not_allowed("POST", "Questions cannot be asked by GET"))
        }
        OperationType::Subscription => Ok(transport.gateway.subscribe(operation, caller)),
        OperationType::Query | OperationType::Mutation => {
            let (gateway, caller) = (transport.gateway.clone(), caller.clone());
            Ok(async move { gateway.execute(operation, &caller).await }.into_stream().boxed())
        }
    }
}

/// The operation, continued after the event in `Last-Event-ID` if the client sent this header.
fn resumed(
    mut operation: PreparedOperation,
    headers: &HeaderMap,
) -> Result<PreparedOperation, async_graphql::ServerError> {
    let cursor = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()).filter(|id| !id.is_empty());
    let Some(cursor) = cursor else { return Ok(operation) };
    let is_subscription = operation.operation_type() == OperationType::Subscription;
    if operation.set_variable("after", cursor) || !is_subscription {
        return Ok(operation);
    }
    let message = "Declare the variable $after and pass it as the argument after, so that the subscription can \
                   continue after Last-Event-ID";
    Err(ApiError::new(ErrorCode::BadUserInput, message).into_server_error())
}

/// A running stream and what it holds.
struct ResultStream {
    results: BoxStream<'static, ExecutionResult>,
    keep_alive: Interval,
    slots: (AddressSlot, KeySlot),
    shutdown: CancellationToken,
    // Counts the stream as open until it is dropped.
    _open: TaskTrackerToken,
}

impl ResultStream {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(Some(self), async |state| {
            let mut events = state?;
            let text = tokio::select! {
                result = events.results.next() => match result {
                    Some(result) => next(&result),
                    None => return Some((Ok(Bytes::from_static(COMPLETE)), None)),
                },
                _ = events.keep_alive.tick() => return Some((Ok(Bytes::from_static(COMMENT)), Some(events))),
                () = events.slots.1.revoked() => return None,
                () = events.shutdown.cancelled() => return None,
            };
            events.keep_alive.reset();
            Some((Ok(Bytes::from(text)), Some(events)))
        })
    }
}

/// The end of a stream. Browsers would not dispatch the event without its `data` line.
const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";
/// A comment, so that proxies do not close a silent stream.
const COMMENT: &[u8] = b":\n\n";

fn next(result: &ExecutionResult) -> String {
    // JSON text contains no line break, which would end the field.
    let json = result.json();
    match result.cursor() {
        Some(cursor) if !cursor.contains(['\r', '\n', '\0']) => format!("event: next\nid: {cursor}\ndata: {json}\n\n"),
        _ => format!("event: next\ndata: {json}\n\n"),
    }
}
