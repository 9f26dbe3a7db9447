//! One socket: reads, answers, keeps time, and ends.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use helpbot_services::Viewer;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval_at, sleep, timeout};

use super::frames::{self, Close, Incoming};
use super::operations::{self, Ended, Operations, Outgoing};
use crate::error::ErrorCode;
use crate::gateway::{Caller, Params, Session, bearer_of};
use crate::transport::Transport;
use crate::transport::live::{AddressSeat, KeySeat};

/// How long a closed socket waits for the client's own close frame.
const CLOSE_GRACE: Duration = Duration::from_secs(5);

/// Why a socket ends.
enum End {
    /// We close it.
    Close(Close),
    /// The client closed it.
    Closed,
    /// The client is not there any more.
    Lost,
}

type Step = Result<(), End>;

impl From<Close> for End {
    fn from(close: Close) -> Self {
        End::Close(close)
    }
}

/// Serves a socket to its end.
pub(super) async fn run(socket: WebSocket, transport: Arc<Transport>, caller: Caller, _seat: AddressSeat) {
    let settings = &transport.settings;
    let (operations, queue) = Operations::new(settings.queue, settings.stall);
    let is_spoken = socket.protocol().is_some();
    let keep_alive = settings.keep_alive;
    let mut pings = interval_at(tokio::time::Instant::now() + keep_alive, keep_alive);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connection = Connection { socket, transport, caller, operations, party: None, is_alive: true };
    let end = if is_spoken { connection.serve(queue, pings).await } else { Close::SubprotocolNotAcceptable.into() };
    connection.close(end).await;
}

struct Connection {
    socket: WebSocket,
    transport: Arc<Transport>,
    caller: Caller,
    operations: Operations,
    // Who it is, since `connection_ack`.
    party: Option<(Viewer, KeySeat)>,
    // Whether anything was heard since the last ping.
    is_alive: bool,
}

impl Connection {
    async fn serve(&mut self, mut queue: mpsc::Receiver<Box<Outgoing>>, mut pings: Interval) -> End {
        let init_timeout = sleep(self.transport.settings.init_timeout);
        tokio::pin!(init_timeout);
        let shutdown = self.transport.connections.shutdown.clone();
        loop {
            let step = tokio::select! {
                message = self.socket.recv() => self.hear(message).await,
                Some(message) = queue.recv() => self.tell(*message).await,
                ended = self.operations.ended() => match ended {
                    Ended::Done => Ok(()),
                    Ended::Stalled => Err(Close::TryLater("Too slow: come back with your cursor").into()),
                },
                _ = pings.tick() => self.ping().await,
                () = &mut init_timeout, if self.party.is_none() => Err(Close::InitTimeout.into()),
                () = revoked(&mut self.party) => Err(Close::Forbidden.into()),
                () = shutdown.cancelled() => Err(Close::Restart.into()),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Step {
        self.is_alive = true;
        match message {
            Some(Ok(Message::Text(text))) => self.understand(&text).await,
            Some(Ok(Message::Binary(_))) => Err(Close::Malformed("Messages are text").into()),
            // Pings are answered by the library.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(_))) => Err(End::Closed),
            None => Err(End::Lost),
            Some(Err(_)) => Err(Close::Malformed("The message is too large or not WebSocket").into()),
        }
    }

    async fn understand(&mut self, text: &str) -> Step {
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

    async fn init(&mut self, payload: &Map<String, Value>) -> Step {
        if self.party.is_some() {
            return Err(Close::TooManyInits.into());
        }
        let text = |name: &str| payload.get(name).and_then(Value::as_str);
        let authorization = text("authorization").or_else(|| text("Authorization"));
        if let Some(key) = authorization.and_then(bearer_of).or_else(|| text("apiKey")) {
            self.caller.credentials.key = Some(key.to_owned());
        }
        if let Some(token) = text("sessionToken") {
            self.caller.credentials.session_token = Some(token.to_owned());
        }
        let viewer =
            self.transport.gateway.authenticate(&self.caller).await.map_err(|failure| refusal(failure.code))?;
        let seat = self.transport.live.enter(&viewer, &self.caller).map_err(|failure| refusal(failure.code))?;
        self.party = Some((viewer, seat));
        self.send(frames::ack()).await
    }

    async fn subscribe(&mut self, id: String, params: Params) -> Step {
        let Some((viewer, _)) = &self.party else { return Err(Close::Unauthorized.into()) };
        if self.operations.contains(&id) {
            return Err(Close::DuplicateId.into());
        }
        let limit = self.transport.settings.operations_per_socket;
        if self.operations.len() >= limit {
            return self.send(operations::refusal_frame(&id, operations::too_many(limit))).await;
        }
        let gateway = &self.transport.gateway;
        if let Err(failure) = gateway.admit(viewer, &self.caller) {
            return self.send(operations::refusal_frame(&id, failure)).await;
        }
        // A header would name the whole socket, and not one of its operations.
        let idempotency_key = params.idempotency_key.clone();
        match gateway.prepare(params) {
            Ok(prepared) => {
                let request_id = self.caller.request_id.clone();
                let session = Session { viewer: viewer.clone(), request_id, idempotency_key };
                self.operations.start(id, prepared, gateway.clone(), session);
                Ok(())
            }
            Err(error) => self.send(operations::error_frame(&id, &[error])).await,
        }
    }

    async fn tell(&mut self, message: Outgoing) -> Step {
        match self.operations.release(message) {
            Some(text) => self.send(text).await,
            None => Ok(()),
        }
    }

    async fn ping(&mut self) -> Step {
        if !self.is_alive {
            return Err(End::Lost);
        }
        self.is_alive = false;
        self.write(Message::Ping(bytes::Bytes::new())).await
    }

    async fn send(&mut self, text: String) -> Step {
        self.write(Message::Text(Utf8Bytes::from(text))).await
    }

    async fn write(&mut self, message: Message) -> Step {
        match timeout(self.transport.settings.stall, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Lost),
            Err(_elapsed) => Err(Close::TryLater("Too slow: come back with your cursor").into()),
        }
    }

    /// Says why, and waits a little for the client to hear it: a connection that is dropped with
    /// unread input is reset, and the reason lost.
    async fn close(mut self, end: End) {
        self.operations.stop_all();
        let close = match end {
            End::Close(close) => Some(close),
            End::Closed => None,
            End::Lost => return,
        };
        let farewell = async {
            if let Some(close) = close {
                tracing::debug!(request_id = self.caller.request_id, ?close, "a socket is closed");
                self.socket.send(Message::Close(Some(close.frame()))).await.ok();
            }
            // Sends what is left, the echo of the client's close frame too.
            while let Some(Ok(_)) = self.socket.recv().await {}
        };
        timeout(CLOSE_GRACE, farewell).await.ok();
    }
}

/// Waits until the key of the socket's party is revoked; forever before there is one.
async fn revoked(party: &mut Option<(Viewer, KeySeat)>) {
    match party {
        Some((_, seat)) => seat.revoked().await,
        None => std::future::pending().await,
    }
}

/// How a refused `connection_init` ends.
fn refusal(code: ErrorCode) -> Close {
    match code {
        ErrorCode::RateLimited | ErrorCode::Unavailable => Close::TryLater("Too busy: try again later"),
        ErrorCode::Internal => Close::Internal,
        _ => Close::Forbidden,
    }
}
