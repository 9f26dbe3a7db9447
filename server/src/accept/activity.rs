//! Counts the requests of one connection, to close it when it has had none for some time.
//!
//! A connection that only answers pings is idle too. The count costs two atomic operations per request and
//! no timer.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Method;
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

/// The requests of one connection.
pub(super) struct Activity {
    since: Instant,
    ongoing: AtomicUsize,
    /// When the last request ended, in milliseconds after `since`.
    idle_since_ms: AtomicU64,
}

/// A request, until its response was sent or dropped.
pub(super) struct OngoingRequest(Option<Arc<Activity>>);

impl Activity {
    pub fn new() -> Self {
        Self { since: Instant::now(), ongoing: AtomicUsize::new(0), idle_since_ms: AtomicU64::new(0) }
    }

    /// Whether a request is being served.
    pub fn has_request(&self) -> bool {
        self.ongoing.load(Ordering::Acquire) > 0
    }

    /// Counts a request. An extended CONNECT becomes a socket.
    pub fn begin(self: &Arc<Self>, method: &Method) -> OngoingRequest {
        self.ongoing.fetch_add(1, Ordering::AcqRel);
        let mut request = OngoingRequest(Some(self.clone()));
        if method == Method::CONNECT {
            request.becomes_socket();
        }
        request
    }

    /// Waits until the connection has had no request for `limit`.
    pub async fn idle_for(&self, limit: Duration) {
        let mut wait = limit;
        loop {
            tokio::time::sleep(wait).await;
            let idle = self.since.elapsed().saturating_sub(self.idle_since());
            wait = match (self.has_request(), limit.checked_sub(idle)) {
                (true, _) => limit,
                (false, Some(rest)) if !rest.is_zero() => rest,
                (false, _) => return,
            };
        }
    }

    fn idle_since(&self) -> Duration {
        Duration::from_millis(self.idle_since_ms.load(Ordering::Acquire))
    }
}

impl OngoingRequest {
    /// Counts the request as long as its connection lives, because it became a socket that checks the client
    /// itself.
    pub fn becomes_socket(&mut self) {
        self.0 = None;
    }
}

impl Drop for OngoingRequest {
    fn drop(&mut self) {
        if let Some(activity) = &self.0 {
            let now = u64::try_from(activity.since.elapsed().as_millis()).unwrap_or(u64::MAX);
            activity.idle_since_ms.store(now, Ordering::Release);
            activity.ongoing.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// The body of a response, which ends its request when it was sent.
pub(super) struct CountedBody {
    body: Body,
    _ongoing: OngoingRequest,
}

impl CountedBody {
    pub fn new(body: Body, ongoing: OngoingRequest) -> Self {
        Self { body, _ongoing: ongoing }
    }
}

impl hyper::body::Body for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
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
    use super::*;

    const LIMIT: Duration = Duration::from_secs(75);

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_after_the_limit_without_a_request() {
        let (activity, started) = (Arc::new(Activity::new()), Instant::now());

        let request = activity.begin(&Method::GET);
        let during = tokio::time::timeout(LIMIT * 10, activity.idle_for(LIMIT)).await;
        drop(request);
        let ended = started.elapsed();
        activity.idle_for(LIMIT).await;

        assert!(during.is_err(), "a running request keeps the connection");
        assert!(started.elapsed() - ended >= LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_keeps_its_connection() {
        let activity = Arc::new(Activity::new());

        drop(activity.begin(&Method::CONNECT));

        assert!(tokio::time::timeout(LIMIT * 10, activity.idle_for(LIMIT)).await.is_err());
    }
}
