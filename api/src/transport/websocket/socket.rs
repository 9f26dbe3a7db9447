//! One socket: reads, answers, keeps time, and ends.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use helpbot_services::Viewer;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, timeout};

use super::frames::{self, Close, Incoming};
use super::operations::{self, Operations, Outgoing, TaskEnd};
use crate::error::ErrorCode;
use crate::gateway::caller::{AdmittedCaller, Caller, bearer_key};
use crate::gateway::request::RequestParams;
use crate::transport::connection_slots::{AddressSlot, KeySlot};
use crate::transport::state::Transport;

/// Time that a closed socket waits for the client's own close frame.
const CLOSE_GRACE: Duration = Duration::from_secs(5);
const TOO_SLOW: Close = Close::TryLater("The client reads too slowly. Reconnect with your cursor.");

/// Why a socket ends.
enum SocketEnd {
    /// The server closes it.
    Close(Close),
    /// The client closed it.
    Closed,
    /// The client is gone.
    Lost,
}

type SocketResult = Result<(), SocketEnd>;

impl From<Close> for SocketEnd {
    fn from(close: Close) -> Self {
        SocketEnd::Close(close)
    }
}

/// Serves a socket to its end.
pub(super) async fn run(socket: WebSocket, transport: Arc<Transport>, caller: Caller, _slot: AddressSlot) {
    let settings = &transport.settings;
    let (operations, queue) = Operations::new(settings.queue, settings.stall);
    let has_subprotocol = socket.protocol().is_some();
    let keep_alive = settings.keep_alive;
    let mut pings = interval_at(Instant::now() + keep_alive, keep_alive);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut session = SocketSession { socket, transport, caller, operations, client: None, is_alive: true };
    let end = if has_subprotocol { session.serve(queue, pings).await } else { Close::SubprotocolNotAcceptable.into() };
    session.close(end).await;
}

struct SocketSession {
    socket: WebSocket,
    transport: Arc<Transport>,
    caller: Caller,
    operations: Operations,
    // The identity of the client, known after `connection_ack`.
    client: Option<(Viewer, KeySlot)>,
    // Whether the client sent anything since the last ping.
    is_alive: bool,
}

impl SocketSession {
    async fn serve(&mut self, mut queue: mpsc::Receiver<Box<Outgoing>>, mut pings: Interval) -> SocketEnd {
        let init_timeout = sleep(self.transport.settings.init_timeout);
        tokio::pin!(init_timeout);
        let shutdown = self.transport.connections.shutdown();
        loop {
            let step = tokio::select! {
                message = self.socket.recv() => self.receive(message).await,
                Some(message) = queue.recv() => self.forward(*message).await,
                end = self.operations.ended() => match end {
                    TaskEnd::Done => Ok(()),
                    TaskEnd::Stalled => Err(TOO_SLOW.into()),
                },
                _ = pings.tick() => self.ping().await,
                () = &mut init_timeout, if self.client.is_none() => Err(Close::InitTimeout.into()),
                () = revoked(&mut self.client) => Err(Close::Forbidden.into()),
                () = shutdown.cancelled() => Err(Close::Restart.into()),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn receive(&mut self, message: Option<Result<Message, axum::Error>>) -> SocketResult {
        self.is_alive = true;
        match message {
            Some(Ok(Message::Text(text))) => self.handle(&text).await,
            Some(Ok(Message::Binary(_))) => Err(Close::Malformed("Messages must be text").into()),
            // The library answers pings.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(_))) => Err(SocketEnd::Closed),
            None => Err(SocketEnd::Lost),
            Some(Err(_)) => Err(Close::Malformed("The message is too large or not a WebSocket message").into()),
        }
    }

    async fn handle(&mut self, text: &str) -> SocketResult {
        match Incoming::parse(text)? {
            Incoming::Init(payload) => self.init(&payload).await,
            Incoming::Ping(payload) => self.send(frames::pong(payload)).await,
            Incoming::Pong => Ok(()),
            Incoming::Subscribe { id, params } => self.subscribe(id, params).await,
            Incoming::Complete { id } => {
                self.operations.stop(&id);
                Ok(())
            }
        }
    }

    async fn init(&mut self, payload: &Map<String, Value>) -> SocketResult {
        if self.client.is_some() {
            return Err(Close::TooManyInits.into());
        }
        let text = |name: &str| payload.get(name).and_then(Value::as_str);
        let authorization = text("authorization").or_else(|| text("Authorization"));
        if let Some(key) = authorization.and_then(bearer_key).or_else(|| text("apiKey")) {
            self.caller.credentials.key = Some(key.to_owned());
        }
        if let Some(token) = text("sessionToken") {
            self.caller.credentials.session_token = Some(token.to_owned());
        }
        let transport = &self.transport;
        let viewer = transport.gateway.authenticate(&self.caller).await.map_err(|error| rejection(error.code))?;
        let slot = transport.connection_slots.take_key(&viewer, &self.caller).map_err(|error| rejection(error.code))?;
        self.client = Some((viewer, slot));
        self.send(frames::ack()).await
    }

    async fn subscribe(&mut self, id: String, params: RequestParams) -> SocketResult {
        let Some((viewer, _)) = &self.client else { return Err(Close::Unauthorized.into()) };
        let viewer = viewer.clone();
        if self.operations.contains(&id) {
            return Err(Close::DuplicateId.into());
        }
        // The gateway is asked without the socket, which another thread could not share meanwhile.
        let limit = self.transport.settings.operations_per_socket;
        let admitted = match self.operations.len() >= limit {
            true => Err(operations::too_many(limit)),
            false => self.transport.gateway.count_operation(&viewer, &self.caller).await,
        };
        let allowance = match admitted {
            Ok(allowance) => allowance,
            Err(error) => return self.send(operations::error_frame(&id, &[error.into_server_error()])).await,
        };
        // The header `Idempotency-Key` would apply to the whole socket, not to one of its operations.
        let idempotency_key = params.idempotency_key.clone();
        let request_id = self.caller.request_id.clone();
        match self.transport.gateway.prepare(params, &viewer).await {
            Ok(operation) => {
                let peer = self.caller.peer;
                let caller = AdmittedCaller { viewer, peer, request_id, idempotency_key, allowance };
                self.operations.start(id, operation, self.transport.gateway.clone(), caller);
                Ok(())
            }
            Err(error) => self.send(operations::error_frame(&id, &[error])).await,
        }
    }

    async fn forward(&mut self, message: Outgoing) -> SocketResult {
        match self.operations.release(message) {
            Some(text) => self.send(text).await,
            None => Ok(()),
        }
    }

    async fn ping(&mut self) -> SocketResult {
        if !self.is_alive {
            return Err(SocketEnd::Lost);
        }
        self.is_alive = false;
        self.write(Message::Ping(bytes::Bytes::new())).await
    }

    async fn send(&mut self, text: String) -> SocketResult {
        self.write(Message::Text(Utf8Bytes::from(text))).await
    }

    async fn write(&mut self, message: Message) -> SocketResult {
        match timeout(self.transport.settings.stall, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(SocketEnd::Lost),
            Err(_elapsed) => Err(TOO_SLOW.into()),
        }
    }

    /// Sends the reason, and waits a short time until the client has read it: a connection that is
    /// dropped with unread input is reset, and the client would not receive the reason.
    async fn close(mut self, end: SocketEnd) {
        self.operations.stop_all();
        let close = match end {
            SocketEnd::Close(close) => Some(close),
            SocketEnd::Closed => None,
            SocketEnd::Lost => return,
        };
        let farewell = async {
            if let Some(close) = close {
                tracing::debug!(request_id = self.caller.request_id, ?close, "the server closes a socket");
                self.socket.send(Message::Close(Some(close.frame()))).await.ok();
            }
            // Sends what is still buffered, including the echo of the client's close frame.
            while let Some(Ok(_)) = self.socket.recv().await {}
        };
        timeout(CLOSE_GRACE, farewell).await.ok();
    }
}

/// Waits until the key of the client is revoked. Waits forever before the client is known.
async fn revoked(client: &mut Option<(Viewer, KeySlot)>) {
    match client {
        Some((_, slot)) => slot.revoked().await,
        None => std::future::pending().await,
    }
}

/// How a socket ends after a rejected `connection_init`.
fn rejection(code: ErrorCode) -> Close {
    match code {
        ErrorCode::RateLimited | ErrorCode::Unavailable => Close::TryLater("The server is busy. Try again later."),
        ErrorCode::Internal => Close::Internal,
        _ => Close::Forbidden,
    }
}
