//! A `graphql-transport-ws` client that exposes every frame, for tests of the protocol and of its payloads. The npm client
//! is tested in tests/conformance.

use std::collections::VecDeque;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use url::Url;

use crate::in_time;

const PROTOCOL: &str = "graphql-transport-ws";

/// An open WebSocket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Frames that came while another was waited for.
    early: VecDeque<Value>,
    ids: u64,
}

/// How the server ended a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The close code; none when the connection ended without one.
    pub code: Option<u16>,
    /// The reason beside it.
    pub reason: String,
}

impl Socket {
    /// Connects, offering the one protocol.
    ///
    /// # Panics
    /// When the server does not accept the connection with that protocol.
    pub async fn connect(url: &Url) -> Self {
        let mut request = url.as_str().into_client_request().expect("a WebSocket address");
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(PROTOCOL));
        let (stream, response) = in_time("the WebSocket", connect_async(request)).await.expect("the upgrade");
        assert_eq!(response.headers().get("sec-websocket-protocol"), Some(&HeaderValue::from_static(PROTOCOL)));
        Self { stream, early: VecDeque::new(), ids: 0 }
    }

    /// Sends `connection_init` and waits for the acknowledgment.
    ///
    /// # Panics
    /// When something else comes.
    pub async fn init(&mut self, payload: Value) {
        self.send(json!({ "type": "connection_init", "payload": payload })).await;
        let ack = self.frame().await.expect("an acknowledgement, not the end");
        assert_eq!(ack["type"], "connection_ack", "{ack}");
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends a text that need not be a frame.
    pub async fn send_text(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.expect("the connection is open");
    }

    /// Begins an operation; gives its id.
    pub async fn subscribe(&mut self, document: &str, variables: Value) -> String {
        self.ids += 1;
        let id = format!("op-{}", self.ids);
        let payload = json!({ "query": document, "variables": variables });
        self.send(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
        id
    }

    /// Ends an operation.
    pub async fn complete(&mut self, id: &str) {
        self.send(json!({ "id": id, "type": "complete" })).await;
    }

    /// The next frame, or how the connection ended. Pings of the protocol are answered unseen.
    ///
    /// # Errors
    /// The server's close.
    pub async fn frame(&mut self) -> Result<Value, Closed> {
        if let Some(frame) = self.early.pop_front() {
            return Ok(frame);
        }
        self.frame_from_wire().await
    }

    /// The `data` of the next result of operation `id`; frames of others wait their turn.
    ///
    /// # Panics
    /// When the operation ends, fails or has errors, or the connection ends.
    pub async fn next(&mut self, id: &str) -> Value {
        let mut frame = self.frame_of(id).await;
        assert_eq!(frame["type"], "next", "{frame}");
        assert!(frame["payload"].get("errors").is_none(), "{frame}");
        frame["payload"]["data"].take()
    }

    /// The next frame of operation `id`, of any type; frames of others wait their turn.
    ///
    /// # Panics
    /// When the connection ends first.
    pub async fn frame_of(&mut self, id: &str) -> Value {
        if let Some(at) = self.early.iter().position(|frame| frame["id"] == id) {
            return self.early.remove(at).expect("found a moment ago");
        }
        loop {
            let frame = self.frame_from_wire().await.unwrap_or_else(|end| panic!("{id} waited, then {end:?}"));
            if frame["id"] == id {
                return frame;
            }
            self.early.push_back(frame);
        }
    }

    /// Waits until the server closes the connection, past whatever it still sends.
    pub async fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.frame().await {
                return closed;
            }
        }
    }

    /// Ends the connection as a lost network does: no close frame, no goodbye.
    pub fn cut(self) {
        drop(self.stream);
    }

    async fn frame_from_wire(&mut self) -> Result<Value, Closed> {
        loop {
            let message = in_time("a frame", self.stream.next()).await;
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(Some(close)))) => {
                    return Err(Closed { code: Some(close.code.into()), reason: close.reason.to_string() });
                }
                Some(Ok(Message::Close(None)) | Err(_)) | None => {
                    return Err(Closed { code: None, reason: String::new() });
                }
                Some(Ok(_)) => continue,
            };
            let frame: Value = serde_json::from_str(&text).expect("every frame is JSON");
            if frame["type"] != "ping" {
                return Ok(frame);
            }
            self.send(json!({ "type": "pong" })).await;
        }
    }
}
