//! The routes for orchestrators and Prometheus: `/healthz` (the process runs), `/readyz` (it can serve
//! requests), and on an address of its own `/metrics`. `running` serves them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use helpbot_services::Services;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::metrics::{MetricSources, ServerMetrics};

/// When to ask again while not ready, in seconds.
const RETRY_AFTER: &str = "1";
/// Time for which a check of the database answers all callers. `/readyz` needs no key, so anyone may call it often, and
/// each check writes. An orchestrator asks every few seconds and still gets a new check each time.
const CHECK_VALID: Duration = Duration::from_secs(1);
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// State of the health routes.
#[derive(Clone)]
struct HealthState {
    services: Services,
    readiness: Arc<Readiness>,
    draining: CancellationToken,
}

/// The last check of the database.
#[derive(Default)]
struct Readiness {
    last: Mutex<Option<(Instant, bool)>>,
}

/// What `/metrics` shows.
#[derive(Clone)]
pub(crate) struct MetricsState {
    pub metrics: ServerMetrics,
    pub sources: MetricSources,
}

/// The routes `/healthz` and `/readyz`. The server is not ready once `draining` is canceled.
pub(crate) fn router(services: Services, draining: CancellationToken) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))))
        .route("/readyz", get(ready))
        .with_state(HealthState { services, readiness: Arc::default(), draining })
}

/// The route `/metrics`.
pub(crate) fn metrics_router(state: MetricsState) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(state)
}

/// The server is ready when the database accepts writes. The tables were migrated before the server
/// accepted connections, so they are not checked again.
async fn ready(State(health): State<HealthState>) -> Response {
    if health.draining.is_cancelled() {
        return not_ready(&json!({ "status": "stopping" }));
    }
    if health.readiness.check(|| accepts_writes(&health.services)).await {
        return Json(json!({ "status": "ready", "database": "ok", "migrations": "ok" })).into_response();
    }
    not_ready(&json!({ "status": "unavailable", "database": "unreachable" }))
}

fn not_ready(body: &serde_json::Value) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER)], Json(body)).into_response()
}

impl Readiness {
    /// Returns the result of the last `probe`, or of a new one after a second. Concurrent callers share one.
    async fn check<F: Future<Output = bool>>(&self, probe: impl FnOnce() -> F) -> bool {
        let mut last = self.last.lock().await;
        if let Some((at, is_ready)) = *last
            && at.elapsed() < CHECK_VALID
        {
            return is_ready;
        }
        let is_ready = probe().await;
        *last = Some((Instant::now(), is_ready));
        is_ready
    }
}

async fn accepts_writes(services: &Services) -> bool {
    let checked = services.ready().await;
    if let Err(error) = &checked {
        tracing::warn!(error = error.detail(), "not ready because the database does not accept writes");
    }
    checked.is_ok()
}

async fn metrics(State(state): State<MetricsState>) -> Response {
    ([(header::CONTENT_TYPE, PROMETHEUS)], state.metrics.render(&state.sources).await).into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_thousand_callers_cost_one_write_a_second_and_learn_of_a_failure_within_it() {
        let (readiness, writes) = (Readiness::default(), AtomicUsize::new(0));
        let probe = async |is_ready| {
            writes.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            is_ready
        };

        let first = join_all((0..1000).map(|_| readiness.check(|| probe(true)))).await;
        let of_first = writes.load(Ordering::SeqCst);
        let within = readiness.check(|| probe(false)).await;
        tokio::time::advance(CHECK_VALID).await;
        let after = readiness.check(|| probe(false)).await;

        assert!(first.into_iter().all(|is_ready| is_ready));
        assert_eq!(of_first, 1);
        assert!(within, "the first check is less than a second old");
        assert!(!after);
        assert_eq!(writes.load(Ordering::SeqCst), 2);
    }
}
