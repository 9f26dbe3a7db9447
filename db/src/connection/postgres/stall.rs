//! A connection to a server that has stopped responding fails, instead of waiting forever.
//!
//! The kernel notices a vanished machine, but not a server that accepts data and does nothing, for
//! example behind a proxy. Statements have a timeout at the server, so a server that has not
//! responded for longer than that will not respond at all.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A stream that fails when nothing arrives for some time after something was sent.
pub(super) struct StallGuard<S> {
    stream: S,
    limit: Option<Duration>,
    deadline: Pin<Box<Sleep>>,
    is_waiting: bool,
}

impl<S> StallGuard<S> {
    /// Guards a stream. Without a limit, it may wait forever.
    pub(super) fn new(stream: S, limit: Option<Duration>) -> Self {
        let deadline = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self { stream, limit, deadline, is_waiting: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StallGuard<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_ready() {
            self.is_waiting = false;
        } else if self.is_waiting && self.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the database server does not respond")));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StallGuard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let (false, Some(limit)) = (self.is_waiting, self.limit) {
            self.is_waiting = true;
            self.deadline.as_mut().reset(Instant::now() + limit);
            // Nobody polls for reading until something arrives, so the timer must wake the task.
            let _ = self.deadline.as_mut().poll(cx);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_respond_is_given_up() {
        let (client, mut server) = tokio::io::duplex(64);
        let mut client = StallGuard::new(client, Some(Duration::from_secs(5)));

        client.write_all(b"question").await.expect("written");
        let failed = client.read_u8().await.expect_err("no answer comes");
        let mut received = [0; 8];
        server.read_exact(&mut received).await.expect("the question arrived");

        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_may_wait() {
        let (client, mut server) = tokio::io::duplex(64);
        let mut client = StallGuard::new(client, Some(Duration::from_secs(5)));

        client.write_all(b"question").await.expect("written");
        server.write_all(b"a").await.expect("written");
        assert_eq!(client.read_u8().await.expect("the answer"), b'a');
        let late = tokio::time::timeout(Duration::from_secs(60), client.read_u8()).await;

        assert!(late.is_err(), "nothing was asked, so nothing is late: {late:?}");
    }
}
