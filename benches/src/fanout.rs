//! Many idle subscriptions, each on a socket of its own, and one event to all of them: what a
//! subscription holds of the server's memory, and how long until the last one has heard.
//!
//! The client is the same for HelpBot and for its peer, a Node server on `ws` and `graphql-ws`
//! (`benches/fanout/`): graphql-transport-ws in whole frames, from ten addresses of loopback,
//! because a server may limit what comes from one.

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

/// Addresses of loopback that connections come from.
const ADDRESSES: u8 = 10;
/// Connections that are being opened at a time.
const OPENING: usize = 64;
/// Past this, an event did not come.
const DEADLINE: Duration = Duration::from_secs(60);
/// Buffers of a client's socket: ten thousand of them must fit beside the server.
const BUFFER_BYTES: usize = 4 * 1024;

/// Whom to subscribe to, and how.
pub struct Subscription {
    /// The server.
    pub addr: SocketAddr,
    /// The path of its sockets.
    pub path: &'static str,
    /// The payload of `connection_init`.
    pub init: serde_json::Value,
    /// The document of the subscription.
    pub query: &'static str,
}

/// Subscriptions that are open; each is read by a task of its own, which answers pings.
pub struct Crowd {
    readers: JoinSet<AnyError>,
    heard: watch::Receiver<usize>,
    count: usize,
}

impl Crowd {
    /// Opens `count` sockets and subscribes on each; done when every one has been acknowledged and
    /// has sent its subscription.
    ///
    /// # Errors
    /// The first that could not be opened.
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

    /// Makes one event, and waits until all have heard it: the time from just before it was made
    /// until the last one has.
    ///
    /// # Errors
    /// When a socket ends or hears something else, or nothing in time.
    pub async fn tell(&mut self, publish: impl Future<Output = Result<(), AnyError>>) -> Result<Duration, AnyError> {
        let wanted = *self.heard.borrow() + self.count;
        let began = Instant::now();
        publish.await?;
        tokio::select! {
            all = self.heard.wait_for(|heard| *heard >= wanted) => drop(all?),
            Some(ended) = self.readers.join_next() => return Err(ended?),
            () = tokio::time::sleep(DEADLINE) => return Err("not every subscription heard the event".into()),
        }
        Ok(began.elapsed())
    }
}

/// Counts the events of one subscription, until it ends: why.
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

/// The next message that is text; pings are answered on the way.
async fn text(socket: &mut Socket) -> Result<String, AnyError> {
    loop {
        match socket.next().await.ok_or("the server closed a socket")?? {
            Message::Text(text) => return Ok(text.to_string()),
            // The answer waits for the next write, which does not come by itself.
            Message::Ping(_) | Message::Pong(_) => socket.flush().await?,
            other => return Err(format!("{other:?}").into()),
        }
    }
}

async fn send(socket: &mut Socket, message: serde_json::Value) -> Result<(), AnyError> {
    Ok(socket.send(Message::text(message.to_string())).await?)
}
