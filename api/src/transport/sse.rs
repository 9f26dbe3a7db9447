//! Server-sent events, as graphql-sse has them in its *distinct connections* mode: one operation
//! a request, `next` for each result, `complete` at the end.
//!
//! An event that selects its `cursor` bears it as `id:`, so that a client that comes back with
//! `Last-Event-ID` goes on after it: the header overrides the operation's `$after` variable, and a
//! subscription without one is refused, for it would begin anew and say nothing of what it missed. A
//! stream that ends without `complete` (revoked key, shutdown) asks to come back. The body is
//! pulled by the reader, so a slow one holds back its own subscription and nothing is queued.

use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream};
use futures_util::{FutureExt, StreamExt};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::accept::{self, Media};
use super::live::{AddressSeat, KeySeat};
use super::problem::Problem;
use super::{Connections, Transport, body, http, params};
use crate::error::{ErrorCode, Failure};
use crate::gateway::{Caller, Outcome, Params, Prepared, Session, payload};
use crate::limits::Standing;

const METHODS: &str = "GET, POST, OPTIONS";
const LAST_EVENT_ID: &str = "last-event-id";

/// Serves one stream.
pub(super) async fn serve(State(transport): State<Arc<Transport>>, request: Request) -> Response {
    let caller = transport.gateway.caller(request.headers(), request.extensions());
    let mut standing = None;
    let answer = answer(&transport, request, &caller, &mut standing).await;
    let mut response = answer.unwrap_or_else(|problem| problem.into_response(Media::Json));
    http::seal(response.headers_mut(), &caller.request_id, standing);
    // nginx would otherwise gather events into blocks.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

async fn answer(
    transport: &Transport,
    request: Request,
    caller: &Caller,
    standing: &mut Option<Standing>,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let is_post = match head.method {
        Method::POST => true,
        Method::GET => false,
        _ => return Err(Problem::method_not_allowed(METHODS, "Open streams by POST or GET")),
    };
    if !accept::takes_events(&head.headers) {
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "Accept text/event-stream"));
    }
    if is_post && !accept::is_json(&head.headers) {
        let message = "Send the body as application/json in UTF-8";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let address = transport.live.arrive(caller.peer)?;
    let viewer = transport.gateway.authenticate(caller).await?;
    *standing = transport.gateway.admit(&viewer, caller)?;
    let params = if is_post {
        params::from_body(&body::read(&head.headers, body, transport.settings.body_bytes).await?)
    } else {
        params::from_query(&head.uri)
    };
    let params = params.map_err(Problem::malformed)?;
    let seats = (address, transport.live.enter(&viewer, caller)?);
    let idempotency_key = params.idempotency_key.clone().or_else(|| caller.idempotency_key.clone());
    let session = Session { viewer, request_id: caller.request_id.clone(), idempotency_key };
    let outcomes = outcomes(transport, params, &session, &head.headers, is_post)?;
    let period = transport.settings.keep_alive;
    let mut keep_alive = interval_at(Instant::now() + period, period);
    keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let Connections { shutdown, open } = &transport.connections;
    let events = Events { outcomes, keep_alive, seats, shutdown: shutdown.clone(), _open: open.token() };
    let mut response = Response::new(Body::from_stream(events.into_stream()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    Ok(response)
}

/// What the stream tells: also a refusal of the operation, which the protocol wants inside.
fn outcomes(
    transport: &Transport,
    params: Params,
    session: &Session,
    headers: &HeaderMap,
    is_post: bool,
) -> Result<BoxStream<'static, Outcome>, Problem> {
    let mut prepared: Prepared = match transport.gateway.prepare(params) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(stream::once(async { Outcome::refused(vec![error]) }).boxed()),
    };
    if let Some(cursor) = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()).filter(|id| !id.is_empty()) {
        let is_subscription = prepared.kind() == OperationType::Subscription;
        if !prepared.set_variable("after", cursor) && is_subscription {
            // From now on, what happened since that event would be lost without a word.
            let message = "Declare $after and pass it on as after: there is nowhere to put Last-Event-ID";
            let refused = Failure::new(ErrorCode::BadUserInput, message).into_server_error();
            return Ok(stream::once(async { Outcome::refused(vec![refused]) }).boxed());
        }
    }
    match prepared.kind() {
        OperationType::Mutation if !is_post => {
            Err(Problem::method_not_allowed("POST", "Mutations are not executed by GET"))
        }
        OperationType::Subscription => Ok(transport.gateway.subscribe(prepared, session)),
        OperationType::Query | OperationType::Mutation => {
            let (gateway, session) = (transport.gateway.clone(), session.clone());
            Ok(async move { gateway.execute(prepared, &session).await }.into_stream().boxed())
        }
    }
}

/// A running stream and what it holds.
struct Events {
    outcomes: BoxStream<'static, Outcome>,
    keep_alive: Interval,
    seats: (AddressSeat, KeySeat),
    shutdown: CancellationToken,
    // Says that the stream is there, until it is dropped.
    _open: TaskTrackerToken,
}

impl Events {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(Some(self), async |state| {
            let mut events = state?;
            let text = tokio::select! {
                outcome = events.outcomes.next() => match outcome {
                    Some(outcome) => next(&outcome),
                    None => return Some((Ok(Bytes::from_static(COMPLETE)), None)),
                },
                _ = events.keep_alive.tick() => return Some((Ok(Bytes::from_static(COMMENT)), Some(events))),
                () = events.seats.1.revoked() => return None,
                () = events.shutdown.cancelled() => return None,
            };
            events.keep_alive.reset();
            Some((Ok(Bytes::from(text)), Some(events)))
        })
    }
}

/// The end. Without a `data` line browsers would not dispatch it.
const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";
/// What keeps proxies from taking a silent stream for a dead one.
const COMMENT: &[u8] = b":\n\n";

fn next(outcome: &Outcome) -> String {
    // JSON text holds no line break, which would end the field.
    let json = payload::json(outcome);
    match payload::cursor(outcome) {
        Some(cursor) if !cursor.contains(['\r', '\n', '\0']) => format!("event: next\nid: {cursor}\ndata: {json}\n\n"),
        _ => format!("event: next\ndata: {json}\n\n"),
    }
}
