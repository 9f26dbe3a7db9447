//! What an orchestrator and Prometheus ask: is the process there, can it serve, how does it do.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use helpbot_ingest::worker::Worker;
use helpbot_services::Services;
use serde_json::json;

use crate::metrics::Metrics;

/// When to ask again while not ready, in seconds.
const RETRY_AFTER: &str = "1";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the answers are made from.
#[derive(Clone)]
pub(crate) struct Health {
    pub services: Services,
    pub metrics: Metrics,
    pub worker: Arc<Worker>,
}

/// `/healthz`, `/readyz`, `/metrics`.
pub(crate) fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// Ready when the database answers. Its tables were brought up to date before the server
/// listened, so they need no second look.
async fn ready(State(health): State<Health>) -> Response {
    match health.services.ready().await {
        Ok(()) => Json(json!({ "status": "ready", "database": "ok", "migrations": "ok" })).into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready: the database does not answer");
            let body = Json(json!({ "status": "unavailable", "database": "unreachable" }));
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER)], body).into_response()
        }
    }
}

async fn metrics(State(health): State<Health>) -> Response {
    ([(header::CONTENT_TYPE, PROMETHEUS)], health.metrics.render(&health.worker, &health.services)).into_response()
}
