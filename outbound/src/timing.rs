//! Where the time of one exchange went: DNS and connecting are seen from inside the client.
//!
//! The client dials within the task that asked, so the two measurements travel in a task-local.
//! A dial that ends up serving another request of the pool is simply not counted.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;
use tower::{Layer, Service};

/// Where the time went. A reused connection has neither `dns` nor `connect`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Absent for an address literal, too.
    pub dns: Option<Duration>,
    /// TCP and TLS, without DNS.
    pub connect: Option<Duration>,
    /// From the start to the response head; absent when there was none.
    pub first_byte: Option<Duration>,
    pub total: Duration,
}

/// What dialling took, as far as it got.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dialled {
    pub(crate) dns: Option<Duration>,
    pub(crate) connect: Option<Duration>,
}

tokio::task_local! {
    static DIALLED: Cell<Dialled>;
}

/// Runs `exchange` and gives back what its dialling took.
pub(crate) async fn measured<F: Future>(exchange: F) -> (F::Output, Dialled) {
    let watched = async {
        let outcome = exchange.await;
        (outcome, DIALLED.with(Cell::get))
    };
    DIALLED.scope(Cell::default(), watched).await
}

/// Notes how long DNS took, when someone is measuring.
pub(crate) fn note_dns(took: Duration) {
    note(|dialled| dialled.dns = Some(took));
}

fn note(change: impl FnOnce(&mut Dialled)) {
    // Outside a measured exchange there is nobody to tell.
    let _ = DIALLED.try_with(|cell| {
        let mut dialled = cell.get();
        change(&mut dialled);
        cell.set(dialled);
    });
}

/// Wraps the client's connector to note how long connecting took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimedConnect;

impl<S> Layer<S> for TimedConnect {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        Timed { inner }
    }
}

/// A connector that is being timed.
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
            note(|dialled| dialled.connect = Some(took.saturating_sub(dialled.dns.unwrap_or_default())));
            connected
        })
    }
}
