//! Durations of the phases of an exchange. DNS and connecting are measured inside the client.
//!
//! The client connects within the task of the request, so the two measurements are passed in a
//! task-local variable. A connection attempt that ends up serving another request of the pool is
//! not counted.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;
use tower::{Layer, Service};

/// Durations of the phases of an exchange. A reused connection has neither `dns` nor `connect`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Duration of the DNS lookup. `None` for an IP literal as well.
    pub dns: Option<Duration>,
    /// Duration of the TCP and TLS handshakes, without DNS.
    pub connect: Option<Duration>,
    /// Time from the start until the response headers arrived. `None` when there was no response.
    pub first_byte: Option<Duration>,
    pub total: Duration,
}

/// Durations of the phases of connecting, as far as it got.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ConnectTiming {
    pub(crate) dns: Option<Duration>,
    pub(crate) connect: Option<Duration>,
}

tokio::task_local! {
    static CONNECT_TIMING: Cell<ConnectTiming>;
}

/// Runs `exchange` and returns the durations of its connection phases.
pub(crate) async fn measured<F: Future>(exchange: F) -> (F::Output, ConnectTiming) {
    let watched = async {
        let outcome = exchange.await;
        (outcome, CONNECT_TIMING.with(Cell::get))
    };
    CONNECT_TIMING.scope(Cell::default(), watched).await
}

/// Records the duration of DNS, if the exchange is being measured.
pub(crate) fn note_dns(took: Duration) {
    note(|timing| timing.dns = Some(took));
}

fn note(change: impl FnOnce(&mut ConnectTiming)) {
    // Fails outside a measured exchange, where nobody needs the duration.
    let _ = CONNECT_TIMING.try_with(|cell| {
        let mut timing = cell.get();
        change(&mut timing);
        cell.set(timing);
    });
}

/// Wraps the client's connector to measure the duration of connecting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimedConnect;

impl<S> Layer<S> for TimedConnect {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        Timed { inner }
    }
}

/// A connector whose duration is measured.
#[derive(Clone, Debug)]
pub(crate) struct Timed<S> {
    inner: S,
}

impl<S, R> Service<R> for Timed<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
    S::Response: 'static,
    S::Error: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let started = Instant::now();
        let connecting = self.inner.call(target);
        Box::pin(async move {
            let connected = connecting.await;
            let took = started.elapsed();
            note(|timing| timing.connect = Some(took.saturating_sub(timing.dns.unwrap_or_default())));
            connected
        })
    }
}
