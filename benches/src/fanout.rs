//! Many idle subscriptions on separate WebSockets, and one event to all of them: the server's memory for each subscription,
//! and the time until the last one receives the event.
//!
//! The client is the same for HelpBot and for its peer, a Node.js server with `ws` and `graphql-ws` (`benches/fanout/`). It
//! speaks graphql-transport-ws in complete frames from ten loopback addresses, because a server may limit the
//! connections of one address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::SinkExt;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

type AnyError = Box<dyn std::error::Error + Send + Sync>;
type Socket = WebSocketStream<TcpStream>;

/// Number of loopback addresses that connections come from.
const ADDRESSES: u8 = 10;
/// Number of connections that are opened at the same time.
const OPENING: usize = 64;
/// Time after which an event counts as lost.
const DEADLINE: Duration = Duration::from_secs(60);
/// Buffer size of a client's socket. Ten thousand of them must fit into memory beside the server.
const BUFFER_BYTES: usize = 4 * 1024;

/// The subscription and its server.
pub struct Subscription {
    /// Address of the server.
    pub addr: SocketAddr,
    /// Path of the WebSocket endpoint.
    pub path: &'static str,
    /// Payload of `connection_init`.
    pub init: serde_json::Value,
    /// GraphQL document of the subscription.
    pub query: &'static str,
}

/// The open subscriptions. Each has a task that reads it and answers pings.
pub struct Crowd {
    readers: JoinSet<AnyError>,
    heard: watch::Receiver<usize>,
    count: usize,
}

impl Crowd {
    /// Opens `count` WebSockets and subscribes on each. Returns when every connection is acknowledged and every subscription
    /// is sent.
    ///
    /// # Errors
    /// The error of the first connection that failed.
    pub async fn gather(what: &Subscription, count: usize) -> Result<Self, AnyError> {
        let addresses = (0..count).map(|n| u8::try_from(n % usize::from(ADDRESSES)).unwrap_or(0) + 2);
        let mut opened = stream::iter(addresses).map(|last| open(what, last)).buffer_unordered(OPENING);
        let (hear, heard) = watch::channel(0);
        let mut readers = JoinSet::new();
        while let Some(socket) = opened.try_next().await? {
            readers.spawn(listen(socket, hear.clone()));
        }
        Ok(Self { readers, heard, count })
    }

    /// Publishes one event and waits until all subscriptions have received it. Returns the time from just before the event
    /// to the last receipt.
    ///
    /// # Errors
    /// When a socket closes, receives another message, or receives nothing in time.
    pub async fn tell(&mut self, publish: impl Future<Output = Result<(), AnyError>>) -> Result<Duration, AnyError> {
        let wanted = *self.heard.borrow() + self.count;
        let began = Instant::now();
        publish.await?;
        tokio::select! {
            all = self.heard.wait_for(|heard| *heard >= wanted) => drop(all?),
            Some(ended) = self.readers.join_next() => return Err(ended?),
            () = tokio::time::sleep(DEADLINE) => return Err("not every subscription received the event".into()),
        }
        Ok(began.elapsed())
    }
}

/// Counts the events of one subscription until it ends. Returns the reason.
async fn listen(mut socket: Socket, heard: watch::Sender<usize>) -> AnyError {
    loop {
        match text(&mut socket).await {
            Ok(message) if message.contains("\"next\"") => heard.send_modify(|heard| *heard += 1),
            Ok(other) => return other.into(),
            Err(error) => return error,
        }
    }
}

async fn open(what: &Subscription, last: u8) -> Result<Socket, AnyError> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0))?;
    let stream = socket.connect(what.addr).await?;
    let mut request = format!("ws://{}{}", what.addr, what.path).into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
    let config = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(0);
    let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    send(&mut socket, json!({ "type": "connection_init", "payload": what.init })).await?;
    let ack = text(&mut socket).await?;
    if !ack.contains("connection_ack") {
        return Err(ack.into());
    }
    let payload = json!({ "query": what.query });
    send(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": payload })).await?;
    Ok(socket)
}

/// The next text message. Pings are answered meanwhile.
async fn text(socket: &mut Socket) -> Result<String, AnyError> {
    loop {
        match socket.next().await.ok_or("the server closed a socket")?? {
            Message::Text(text) => return Ok(text.to_string()),
            // The answer would wait for the next write, so it is flushed here.
            Message::Ping(_) | Message::Pong(_) => socket.flush().await?,
            other => return Err(format!("{other:?}").into()),
        }
    }
}

async fn send(socket: &mut Socket, message: serde_json::Value) -> Result<(), AnyError> {
    Ok(socket.send(Message::text(message.to_string())).await?)
}
