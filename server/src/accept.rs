//! Accepts connections and serves them over HTTP/1 and HTTP/2. `running` starts it with the router.
//!
//! axum's own accept loop has no deadlines, so a client that sends nothing, or one byte a minute, would keep
//! its connection open forever (tokio-rs/axum#3478, hyperium/hyper#3756). This loop limits the time for the
//! first bytes, for the headers and for each write, and the number of connections.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Deadline for the headers of a request. A browser on a slow connection needs about two seconds.
const HEADERS_DEADLINE: Duration = Duration::from_secs(10);
/// Deadline for the bytes that distinguish HTTP/1 from HTTP/2, which no timer of hyper covers.
const FIRST_BYTES_DEADLINE: Duration = Duration::from_secs(10);
/// Deadline for a write that makes no progress. Without it, a peer that reads nothing would keep its
/// connection open forever. It is longer than the ten seconds after which a WebSocket reports why it closes.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);
/// Length of the HTTP/2 preface. No HTTP/1.1 request is shorter.
const FIRST_BYTES: usize = 24;
/// Interval of HTTP/2 pings on a silent connection, and the deadline for their answers.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Maximum number of concurrent requests on one HTTP/2 connection.
const STREAMS: u32 = 128;
/// Maximum total size of the headers of a request.
const HEADERS_BYTES: u32 = 32 * 1024;
/// Time that open requests have to finish when the server stops.
const DRAIN: Duration = Duration::from_secs(10);
/// Pause after an accept that failed because file descriptors or memory ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `stop` is canceled, then waits up to 10 seconds for open requests. Keeps
/// at most `max_connections` open; further connections wait in the kernel's queue.
pub(crate) async fn run(listener: TcpListener, app: Router, max_connections: usize, stop: CancellationToken) {
    let builder = Arc::new(builder());
    let places = Arc::new(Semaphore::new(max_connections));
    let graceful = GracefulShutdown::new();
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = places.clone().acquire_owned() => place.expect("the semaphore is never closed"),
        };
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            },
        };
        let (builder, app, watcher) = (builder.clone(), app.clone(), graceful.watcher());
        tokio::spawn(async move {
            serve(&builder, stream, peer, app, watcher).await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish before the deadline and were closed");
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_DEADLINE).max_buf_size(HEADERS_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS_BYTES)
        .enable_connect_protocol();
    builder
}

async fn serve(
    builder: &auto::Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    // Responses are small and written in one piece, so Nagle's algorithm would only delay them.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        app.clone().oneshot(request)
    });
    let io = TokioIo::new(DeadlineStream::new(stream));
    let connection = builder.serve_connection_with_upgrades(io, service);
    if let Err(error) = watcher.watch(connection).await {
        // Clients disconnect all the time, which matters only when someone investigates it.
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn pause_after(error: &io::Error) {
    let is_of_peer = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    );
    if !is_of_peer {
        tracing::error!(%error, "could not accept a connection");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

/// A connection with a deadline for its first bytes and for every write.
struct DeadlineStream<S> {
    stream: S,
    waiting: Option<(Pin<Box<Sleep>>, usize)>,
    // Set only while a write waits, so that an idle connection has no timer.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> DeadlineStream<S> {
    fn new(stream: S) -> Self {
        Self { stream, waiting: Some((Box::pin(tokio::time::sleep(FIRST_BYTES_DEADLINE)), FIRST_BYTES)), stalled: None }
    }

    /// The result of a write, or `TimedOut` when it has made no progress before the deadline.
    fn timed<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let deadline = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE_DEADLINE)));
        deadline.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for DeadlineStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let Some((deadline, missing)) = &mut this.waiting else { return read };
        *missing = missing.saturating_sub(buffer.filled().len() - before);
        if *missing == 0 {
            this.waiting = None;
        } else if read.is_pending() && deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for DeadlineStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.timed(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.timed(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.timed(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn served() -> (SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (address, stop) = (listener.local_addr().expect("bound"), CancellationToken::new());
        let app = Router::new().route("/", get(async || "here"));
        (address, stop.clone(), tokio::spawn(run(listener, app, 8, stop)))
    }

    #[tokio::test]
    async fn a_request_is_answered_and_a_stop_closes_idle_connections() {
        let (address, stop, server) = served().await;
        let mut client = TcpStream::connect(address).await.expect("connected");
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("sent");
        let mut head = [0; 15];
        client.read_exact(&mut head).await.expect("an answer");
        assert_eq!(&head, b"HTTP/1.1 200 OK");

        stop.cancel();

        server.await.expect("the server ended");
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.expect("closed in order");
        assert!(rest.ends_with(b"here"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_nothing_is_disconnected_and_a_slow_one_is_not() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut stream = DeadlineStream::new(server);
        let mut read = [0; 64];

        for _ in 0..3 {
            let half = WRITE_DEADLINE / 2;
            let (written, _) = tokio::join!(stream.write_all(&[7; 64]), async {
                tokio::time::sleep(half).await;
                client.read_exact(&mut read).await.expect("bytes")
            });
            written.expect("it is read in time");
        }
        stream.write_all(&[7; 64]).await.expect("the buffer has space");
        let stuck = stream.write_all(b"x").await;

        assert_eq!(stuck.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_stops_in_the_preface_is_disconnected() {
        let (mut client, server) = tokio::io::duplex(64);
        client.write_all(b"PRI * HT").await.expect("sent");
        let mut stream = DeadlineStream::new(server);
        let mut bytes = Vec::new();

        let read = stream.read_to_end(&mut bytes).await;

        assert_eq!(read.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        assert_eq!(bytes, b"PRI * HT");
    }
}
