//! A request body with a deadline: it must arrive at a minimum rate.
//!
//! Without it, a client could hold a connection with a body that never ends. The time counts from the end of
//! the headers, whether the handler reads the body or waits.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// Time that a body may take in addition to what its size allows.
const GRACE: Duration = Duration::from_secs(10);
/// Minimum rate of a body. A slow mobile connection has about ten times as much.
const MIN_BYTES_PER_SECOND: u64 = 1024;

/// A body that fails with `TimedOut` when it arrives too slowly.
pub(super) struct DeadlineBody<B> {
    body: B,
    started: Instant,
    received: u64,
    // Set only while the body is awaited, so that a body that is already here needs no timer.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<B> DeadlineBody<B> {
    pub fn new(body: B) -> Self {
        Self { body, started: Instant::now(), received: 0, deadline: None }
    }

    fn due(&self) -> Instant {
        let earned_ms = self.received.saturating_mul(1_000) / MIN_BYTES_PER_SECOND;
        self.started + GRACE + Duration::from_millis(earned_ms)
    }
}

impl<B> Body for DeadlineBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            if let Some(Ok(frame)) = &frame {
                this.received += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let due = this.due();
        let deadline = this.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if deadline.deadline() != due {
            deadline.as_mut().reset(due);
        }
        match deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body as AxumBody;
    use futures_util::stream;

    use super::*;

    /// Reads a body that sends a chunk of `bytes` every `pause`, `chunks` times, and then ends.
    async fn read(chunks: usize, bytes: usize, pause: Duration) -> Result<usize, axum::Error> {
        let chunks = stream::unfold(0, move |sent| async move {
            tokio::time::sleep(pause).await;
            (sent < chunks).then(|| (Ok::<_, io::Error>(Bytes::from(vec![b'x'; bytes])), sent + 1))
        });
        let body = AxumBody::new(DeadlineBody::new(AxumBody::from_stream(Box::pin(chunks))));
        axum::body::to_bytes(body, usize::MAX).await.map(|all| all.len())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_of_one_byte_per_second_is_ended_after_the_grace_time() {
        let started = Instant::now();

        let result = read(1_000, 1, Duration::from_secs(1)).await;

        assert!(result.is_err());
        assert!(started.elapsed() < GRACE + Duration::from_secs(2), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_above_the_minimum_rate_may_take_longer_than_the_grace_time() {
        let result = read(60, 2_048, Duration::from_secs(1)).await;

        assert_eq!(result.expect("the body arrives"), 60 * 2_048);
    }
}
