//! Server-sent events, in the *distinct connections* mode of graphql-sse: one operation per request,
//! `next` for each result, `complete` at the end. They are served at `/graphql/stream`, and at `/graphql`
//! to clients that accept them, which [`http`](super::http) decides.
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

use super::accept::{self, Media};
use super::connection_slots::{AddressSlot, KeySlot};
use super::connections::OpenConnection;
use super::http_error::HttpError;
use super::state::Transport;
use super::stream_form::StreamForm;
use super::{params, response_headers, served};
use crate::error::{ApiError, ErrorCode};
use crate::gateway::caller::{AdmittedCaller, Caller};
use crate::gateway::request::PreparedOperation;
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
    let prepared = transport.gateway.prepare(params, &admitted.viewer).await;
    let slots = (address, transport.connection_slots.take_key(&admitted.viewer, caller)?);
    opened(transport, head, prepared, &admitted, slots, StreamForm::Events).await
}

/// Opens the stream of an operation at `/graphql`, in the form that the client prefers.
///
/// # Errors
/// `RATE_LIMITED` when the key or the address has the maximum number of connections.
pub(super) async fn open_prepared(
    transport: &Transport,
    head: &Parts,
    operation: PreparedOperation,
    caller: &Caller,
    admitted: &AdmittedCaller,
    form: StreamForm,
) -> Result<Response, HttpError> {
    let address = transport.connection_slots.take_address(caller.peer)?;
    let slots = (address, transport.connection_slots.take_key(&admitted.viewer, caller)?);
    opened(transport, head, Ok(operation), admitted, slots, form).await
}

async fn opened(
    transport: &Transport,
    head: &Parts,
    prepared: Result<PreparedOperation, async_graphql::ServerError>,
    admitted: &AdmittedCaller,
    slots: (AddressSlot, KeySlot),
    form: StreamForm,
) -> Result<Response, HttpError> {
    let name = prepared.as_ref().ok().map(|operation| served::shortened(operation.name()));
    let results = results(transport, prepared, admitted, head).await?;
    let period = transport.settings.keep_alive;
    let mut keep_alive = interval_at(Instant::now() + period, period);
    keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let connections = &transport.connections;
    let stream = ResultStream {
        form,
        results,
        keep_alive,
        slots,
        shutdown: connections.shutdown(),
        _open: connections.open_stream(),
    };
    let opening = stream::iter((!form.opening().is_empty()).then(|| Ok(Bytes::from_static(form.opening()))));
    let mut response = Response::new(Body::from_stream(opening.chain(stream.into_stream())));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    // Without this header, nginx would collect events into blocks.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    served::note(&mut response, name, admitted.viewer.site_id);
    Ok(response)
}

/// The results that the stream sends. A rejected operation is one of them: the protocol reports it
/// inside the stream.
async fn results(
    transport: &Transport,
    prepared: Result<PreparedOperation, async_graphql::ServerError>,
    caller: &AdmittedCaller,
    head: &Parts,
) -> Result<BoxStream<'static, ExecutionResult>, HttpError> {
    let operation = match prepared.and_then(|operation| resumed(operation, &head.headers)) {
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
        OperationType::Subscription => Ok(transport.gateway.subscribe(operation, caller).await),
        OperationType::Query | OperationType::Mutation => {
            if let Some(live) = operation.live() {
                return Ok(transport.gateway.live(operation, live, caller).await);
            }
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
    form: StreamForm,
    results: BoxStream<'static, ExecutionResult>,
    keep_alive: Interval,
    slots: (AddressSlot, KeySlot),
    shutdown: CancellationToken,
    // Counts the stream as open until it is dropped.
    _open: OpenConnection,
}

impl ResultStream {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(Some(self), async |state| {
            let mut events = state?;
            let text = tokio::select! {
                result = events.results.next() => match result {
                    Some(result) => events.form.next(&result),
                    None => return Some((Ok(Bytes::from_static(events.form.end())), None)),
                },
                _ = events.keep_alive.tick() => {
                    return Some((Ok(Bytes::from_static(events.form.keep_alive())), Some(events)));
                }
                () = events.slots.1.revoked() => return None,
                () = events.shutdown.cancelled() => return None,
            };
            events.keep_alive.reset();
            Some((Ok(Bytes::from(text)), Some(events)))
        })
    }
}
