//! A connection with deadlines: for its first bytes, for the headers of each HTTP/1 request, and for a write
//! that makes no progress.
//!
//! hyper's own deadline for headers starts when the previous response ends, so it would close idle
//! connections after the time that headers may take.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::activity::Activity;

/// Deadline for the headers of a request. A browser on a slow connection needs about two seconds.
const HEADERS_DEADLINE: Duration = Duration::from_secs(10);
/// Deadline for the bytes that distinguish HTTP/1 from HTTP/2, which no timer of hyper covers.
const FIRST_BYTES_DEADLINE: Duration = Duration::from_secs(10);
/// Deadline for a write that makes no progress. Without it, a peer that reads nothing would keep its
/// connection open forever. It is longer than the ten seconds after which a WebSocket reports why it closes.
pub(super) const WRITE_DEADLINE: Duration = Duration::from_secs(30);
/// Length of the HTTP/2 preface. No HTTP/1.1 request is shorter.
const FIRST_BYTES: usize = 24;
/// The first bytes of the HTTP/2 preface, with which no HTTP/1 method begins.
const HTTP2_PREFIX: &[u8] = b"PRI";

/// A connection with deadlines.
pub(super) struct DeadlineStream<S> {
    stream: S,
    activity: Arc<Activity>,
    /// The deadline for the first bytes, and the number of bytes that are missing.
    waiting: Option<(Pin<Box<Sleep>>, usize)>,
    /// The deadline for the headers of a request that has begun to arrive.
    headers: Option<Pin<Box<Sleep>>>,
    /// The first bytes, as far as they are needed to recognize HTTP/2.
    prefix: Vec<u8>,
    /// Set only while a write waits, so that an idle connection has no timer.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> DeadlineStream<S> {
    pub fn new(stream: S, activity: Arc<Activity>) -> Self {
        let first = Box::pin(tokio::time::sleep(FIRST_BYTES_DEADLINE));
        let prefix = Vec::with_capacity(HTTP2_PREFIX.len());
        Self { stream, activity, waiting: Some((first, FIRST_BYTES)), headers: None, prefix, stalled: None }
    }

    /// Notes that `bytes` arrived.
    fn received(&mut self, bytes: &[u8]) {
        if let Some((_, missing)) = &mut self.waiting {
            *missing = missing.saturating_sub(bytes.len());
            if *missing == 0 {
                self.waiting = None;
            }
        }
        let wanted = HTTP2_PREFIX.len() - self.prefix.len();
        self.prefix.extend(bytes.iter().take(wanted));
        // The streams of HTTP/2 carry other frames between requests; its idle time is limited instead.
        let is_http1 = !HTTP2_PREFIX.starts_with(&self.prefix);
        if is_http1 && !bytes.is_empty() && !self.activity.has_request() && self.headers.is_none() {
            self.headers = Some(Box::pin(tokio::time::sleep(HEADERS_DEADLINE)));
        }
    }

    /// Whether the first bytes or the headers did not arrive in time.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let mut is_over = |deadline: &mut Pin<Box<Sleep>>| deadline.as_mut().poll(cx).is_ready();
        self.waiting.as_mut().is_some_and(|(deadline, _)| is_over(deadline))
            || self.headers.as_mut().is_some_and(is_over)
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
        if this.activity.has_request() {
            this.headers = None;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        this.received(&buffer.filled()[before..]);
        if read.is_pending() && this.is_late(cx) {
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
    use axum::http::Method;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::Instant;

    use super::*;

    fn connected() -> (DuplexStream, DeadlineStream<DuplexStream>, Arc<Activity>) {
        let (client, server) = tokio::io::duplex(64);
        let activity = Arc::new(Activity::new());
        (client, DeadlineStream::new(server, activity.clone()), activity)
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_nothing_is_disconnected_and_a_slow_one_is_not() {
        let (mut client, mut stream, _) = connected();
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
        let (mut client, mut stream, _) = connected();
        client.write_all(b"PRI * HT").await.expect("sent");
        let mut bytes = Vec::new();

        let read = stream.read_to_end(&mut bytes).await;

        assert_eq!(read.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        assert_eq!(bytes, b"PRI * HT");
    }

    #[tokio::test(start_paused = true)]
    async fn the_headers_of_each_request_have_a_deadline_and_the_time_between_requests_has_none() {
        let (mut client, mut stream, activity) = connected();
        let mut bytes = [0; 32];
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("sent");
        let first = stream.read(&mut bytes).await.expect("the first request");
        drop(activity.begin(&Method::GET));

        // The stream notices the request when it is read again, as hyper does while it serves one.
        let request = activity.begin(&Method::GET);
        let idle = tokio::time::timeout(HEADERS_DEADLINE * 5, stream.read(&mut bytes)).await;
        drop(request);
        let idle_again = tokio::time::timeout(HEADERS_DEADLINE * 5, stream.read(&mut bytes)).await;
        client.write_all(b"GET / HT").await.expect("sent");
        let second = stream.read(&mut bytes).await.expect("the beginning of the second request");
        let began = Instant::now();
        let late = stream.read(&mut bytes).await;

        assert_eq!((first, second), (27, 8));
        assert!(idle.is_err() && idle_again.is_err(), "an idle connection stays open");
        assert_eq!(late.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        assert!(began.elapsed() <= HEADERS_DEADLINE + Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_became_a_socket_has_no_deadline_for_headers() {
        let (mut client, mut stream, activity) = connected();
        let mut bytes = [0; 64];
        client.write_all(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n").await.expect("sent");
        assert!(stream.read(&mut bytes).await.is_ok_and(|count| count > 0));
        activity.begin(&Method::GET).becomes_socket();

        client.write_all(b"a frame").await.expect("sent");
        let frame = stream.read(&mut bytes).await.expect("the frame");
        let idle = tokio::time::timeout(HEADERS_DEADLINE * 5, stream.read(&mut bytes)).await;

        assert_eq!(frame, 7);
        assert!(idle.is_err(), "a socket that is silent after a frame stays open");
    }
}
