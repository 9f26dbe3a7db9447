//! Metrics for Prometheus: requests and operations by the RED method (rate, errors, duration), the load of the
//! database, the work that waits, and the process. `http` counts requests, and `health` serves the text.
//!
//! Each subsystem counts for itself; this folder only writes the numbers. Every server has its own counts, so that
//! several servers in one process do not mix them. Labels are route templates, root fields, codes and outcomes, of
//! which there is a limited number; they never contain a key, a site or an address.

mod process;
mod requests;
mod subsystems;
mod text;

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use helpbot_api::gateway::measures::GatewayMeasures;
use helpbot_api::transport::connections::Connections;
use helpbot_domain::Timestamp;
use helpbot_domain::measurement::Gauge;
use helpbot_engine::openai::ModelCalls;
use helpbot_ingest::worker::Worker;
use helpbot_services::Services;
use helpbot_services::runtime::backlog::{self, WorkBacklog};
use tokio::sync::Mutex;
use tokio::time::Instant;

use requests::Requests;
use text::{MetricType, MetricsText};

/// Time for which the backlog that was read answers all collectors. Reading it costs three queries.
const BACKLOG_VALID: Duration = Duration::from_secs(5);
/// Time that the database has to return the backlog. A collector gives up after ten seconds by default, and should
/// still get the other metrics.
const BACKLOG_DEADLINE: Duration = Duration::from_secs(3);

/// The metrics of one server. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct ServerMetrics {
    /// Time of the start. A hardened service cannot read it from `/proc`.
    started_at: Timestamp,
    requests: Requests,
    backlog: Arc<Mutex<Option<BacklogRead>>>,
}

/// When the backlog was last read, and the backlog if the database returned it.
type BacklogRead = (Instant, Option<WorkBacklog>);

/// Where the metrics of a server come from.
#[derive(Clone)]
pub(crate) struct MetricSources {
    /// The use cases.
    pub services: Services,
    /// The worker that syncs sources.
    pub worker: Arc<Worker>,
    /// The operations of GraphQL and REST.
    pub gateway: Arc<GatewayMeasures>,
    /// WebSockets and streams.
    pub connections: Connections,
    /// Connections that the server has accepted.
    pub accepted: Arc<Gauge>,
    /// Requests to the model server that writes answers.
    pub answer_calls: Arc<ModelCalls>,
    /// Requests to the server of the embedding model.
    pub embedding_calls: Arc<ModelCalls>,
}

impl ServerMetrics {
    /// New metrics of a server that starts at `started_at`, all at zero.
    pub(crate) fn new(started_at: Timestamp) -> Self {
        Self { started_at, requests: Requests::default(), backlog: Arc::default() }
    }

    /// Counts a request. `route` is the route template that matched.
    pub(crate) fn request(&self, method: &Method, route: &str, status: u16, took: Duration) {
        self.requests.count(method, route, status, took);
    }

    /// All metrics in the Prometheus text format.
    pub(crate) async fn render(&self, sources: &MetricSources) -> String {
        let backlog = self.backlog(&sources.services).await;
        let mut text = MetricsText::default();
        let load = sources.services.database_load();
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        let build = [("version", env!("CARGO_PKG_VERSION")), ("database", load.kind), ("profile", profile)];
        text.metric("helpbot_build_info", MetricType::Gauge, "The version that runs. The value is always 1.");
        text.sample("helpbot_build_info", &build, 1);
        self.requests.write(&mut text);
        subsystems::operations(&mut text, &sources.gateway);
        subsystems::connections(&mut text, sources);
        subsystems::database(&mut text, &load, sources.services.commits(), backlog.is_some());
        if let Some(backlog) = &backlog {
            subsystems::backlog(&mut text, backlog);
        }
        subsystems::use_cases(&mut text, &sources.services);
        subsystems::syncs(&mut text, &sources.worker);
        subsystems::models(&mut text, [("answer", &*sources.answer_calls), ("embedding", &*sources.embedding_calls)]);
        let (start, help) = (self.started_at.as_ms() / 1000, "Time of the start, in seconds since 1970.");
        text.single("process_start_time_seconds", MetricType::Gauge, help, start);
        process::write(&mut text);
        text.into_text()
    }

    /// The backlog as it was a few seconds ago, or `None` when the database did not return it.
    async fn backlog(&self, services: &Services) -> Option<WorkBacklog> {
        let mut last = self.backlog.lock().await;
        if let Some((read_at, backlog)) = &*last
            && read_at.elapsed() < BACKLOG_VALID
        {
            return backlog.clone();
        }
        let read = tokio::time::timeout(BACKLOG_DEADLINE, backlog::read(services)).await;
        let backlog = match read {
            Ok(Ok(backlog)) => Some(backlog),
            Ok(Err(error)) => {
                tracing::warn!(error = error.detail(), "the metrics of the backlog are missing");
                None
            }
            Err(_elapsed) => {
                tracing::warn!(
                    "the metrics of the backlog are missing, because the database did not return it in time"
                );
                None
            }
        };
        *last = Some((Instant::now(), backlog.clone()));
        backlog
    }
}
