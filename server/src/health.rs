//! The routes for orchestrators and Prometheus: `/healthz` (the process runs), `/readyz` (it can serve
//! requests) and `/metrics`. `running` merges them into the router.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use helpbot_ingest::worker::Worker;
use helpbot_services::Services;
use serde_json::json;

use crate::metrics::ServerMetrics;

/// When to ask again while not ready, in seconds.
const RETRY_AFTER: &str = "1";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// State of the health routes.
#[derive(Clone)]
pub(crate) struct HealthState {
    pub services: Services,
    pub metrics: ServerMetrics,
    pub worker: Arc<Worker>,
}

/// The routes `/healthz`, `/readyz` and `/metrics`.
pub(crate) fn router(health: HealthState) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// The server is ready when the database accepts writes. The tables were migrated before the server
/// accepted connections, so they are not checked again.
async fn ready(State(health): State<HealthState>) -> Response {
    match health.services.ready().await {
        Ok(()) => Json(json!({ "status": "ready", "database": "ok", "migrations": "ok" })).into_response(),
        Err(error) => {
            tracing::warn!(error = error.detail(), "not ready because the database does not accept writes");
            let body = Json(json!({ "status": "unavailable", "database": "unreachable" }));
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER)], body).into_response()
        }
    }
}

async fn metrics(State(health): State<HealthState>) -> Response {
    ([(header::CONTENT_TYPE, PROMETHEUS)], health.metrics.render(&health.worker, &health.services)).into_response()
}
