//! Dashboards that follow the events of a site over WebSocket or server-sent events, and continue at another node after
//! their last cursor whenever a connection ends.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::nodes::Node;

const WATCH: &str =
    "subscription ($after: String) { conversationEvents(after: $after) { id cursor type conversationId } }";
/// Time for a connection and its first response.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause before another node is tried.
const PAUSE: Duration = Duration::from_millis(100);

/// An event as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub id: String,
    pub event_type: String,
    pub conversation: String,
    /// Number of the node that sent it.
    pub node: usize,
    pub at: Instant,
}

/// One dashboard.
pub struct Dashboard {
    is_socket: bool,
    after: Mutex<String>,
    seen: Mutex<Vec<Seen>>,
    /// Errors that no failure of nodes or of the database explains.
    faults: Mutex<Vec<String>>,
}

impl Dashboard {
    /// A dashboard that has seen everything up to the cursor `after`.
    pub fn new(is_socket: bool, after: &str) -> Self {
        Self { is_socket, after: Mutex::new(after.to_owned()), seen: Mutex::default(), faults: Mutex::default() }
    }

    /// All events in the order of their arrival.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Follows the events until the task is aborted.
    pub async fn follow(&self, nodes: &[Node], key: &str, first: usize) {
        for attempt in first.. {
            let number = attempt % nodes.len();
            match self.is_socket {
                true => self.follow_socket(&nodes[number], number, key).await,
                false => self.follow_stream(&nodes[number], number, key).await,
            };
            sleep(PAUSE).await;
        }
    }

    /// Follows over WebSocket until the connection ends.
    async fn follow_socket(&self, node: &Node, number: usize, key: &str) -> Option<()> {
        let mut url = node.client().url("/graphql");
        url.set_scheme("ws").expect("http becomes ws");
        let mut request = url.as_str().into_client_request().expect("a WebSocket address");
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        let (mut stream, _) = timeout(PATIENCE, connect_async(request)).await.ok()?.ok()?;
        let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {key}") } });
        stream.send(Message::text(init.to_string())).await.ok()?;
        while let Some(Ok(message)) = stream.next().await {
            let Message::Text(text) = message else { continue };
            let frame: Value = serde_json::from_str(&text).expect("every frame is JSON");
            match frame["type"].as_str() {
                Some("connection_ack") => {
                    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": self.operation() });
                    stream.send(Message::text(subscribe.to_string())).await.ok()?;
                }
                Some("ping") => stream.send(Message::text(json!({ "type": "pong" }).to_string())).await.ok()?,
                Some("next") => self.take(&frame["payload"], number)?,
                _ => return self.refused(&frame["payload"]),
            }
        }
        None
    }

    /// Follows over server-sent events until the connection ends.
    async fn follow_stream(&self, node: &Node, number: usize, key: &str) -> Option<()> {
        let request = node.client().with_key(key).request(Method::POST, "/graphql/stream");
        let request = request.header("content-type", "application/json").header("accept", "text/event-stream");
        let request = request.timeout(Duration::from_secs(3_600)).body(self.operation().to_string());
        let mut response = timeout(PATIENCE, request.send()).await.ok()?.ok()?;
        let mut text = String::new();
        while let Ok(Some(bytes)) = response.chunk().await {
            text.push_str(std::str::from_utf8(&bytes).expect("the tests ask in ASCII"));
            while let Some((event, rest)) = text.split_once("\n\n") {
                let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if line("event:") == Some("next") {
                    let data = line("data:").expect("every result has data");
                    self.take(&serde_json::from_str(data).expect("JSON"), number)?;
                }
                text = rest.to_owned();
            }
        }
        None
    }

    fn operation(&self) -> Value {
        let after = self.after.lock().unwrap_or_else(PoisonError::into_inner).clone();
        json!({ "query": WATCH, "variables": { "after": after } })
    }

    /// Takes a result. `None` when it has errors.
    fn take(&self, result: &Value, node: usize) -> Option<()> {
        let event = &result["data"]["conversationEvents"];
        if result.get("errors").is_some() || event.is_null() {
            return self.refused(&result["errors"]);
        }
        let text = |name: &str| event[name].as_str().expect("selected").to_owned();
        *self.after.lock().unwrap_or_else(PoisonError::into_inner) = text("cursor");
        let (id, event_type, conversation) = (text("id"), text("type"), text("conversationId"));
        let seen = Seen { id, event_type, conversation, node, at: Instant::now() };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
        Some(())
    }

    /// Notes errors, unless they say that the database is not there.
    fn refused(&self, errors: &Value) -> Option<()> {
        let text = errors.to_string();
        if !text.contains("UNAVAILABLE") && !errors.is_null() {
            self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
        None
    }
}
