//! Metrics for Prometheus: requests and their durations by route; syncs, questions, webhook attempts and
//! mails by outcome; and database commits. `http` counts requests, and `health` renders the text.
//!
//! Every server has its own recorder, so that several servers in one process do not mix their metrics. Labels
//! are route templates, status codes and outcomes; they never contain a key, a site or an address.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use helpbot_ingest::worker::Worker;
use helpbot_services::Services;
use metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use crate::error::StartError;

const REQUESTS: &str = "helpbot_http_requests_total";
const SECONDS: &str = "helpbot_http_request_duration_seconds";
const METADATA: Metadata<'static> = Metadata::new("helpbot", Level::INFO, None);
/// Upper bounds in seconds, from an answer from memory to an answer that a model writes.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// The metrics of one server. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct ServerMetrics {
    recorder: Arc<PrometheusRecorder>,
    /// The metrics of each route, which would otherwise be looked up by all their labels.
    routes: Arc<RwLock<HashMap<String, RouteMetrics>>>,
}

/// The metrics of one route: the duration of its requests, and their number by status.
struct RouteMetrics {
    seconds: Histogram,
    requests: Vec<(u16, Counter)>,
}

impl ServerMetrics {
    /// New metrics, all at zero.
    ///
    /// # Errors
    /// `Setting` when the recorder refuses the buckets.
    pub(crate) fn new() -> Result<Self, StartError> {
        let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Full(SECONDS.to_owned()), &BUCKETS);
        let recorder = builder.map_err(|error| StartError::Setting(error.to_string()))?.build_recorder();
        recorder.describe_counter(REQUESTS.into(), None, "HTTP requests by route and status code.".into());
        recorder.describe_histogram(SECONDS.into(), None, "Time until the response headers were ready.".into());
        Ok(Self { recorder: Arc::new(recorder), routes: Arc::default() })
    }

    /// Counts a request. `route` is the route template that matched.
    pub(crate) fn request(&self, route: &str, status: u16, took: Duration) {
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(metrics) = known.get(route)
            && let Some((_, requests)) = metrics.requests.iter().find(|(known, _)| *known == status)
        {
            requests.increment(1);
            metrics.seconds.record(took.as_secs_f64());
            return;
        }
        drop(known);
        self.first_request(route, status);
        self.request(route, status, took);
    }

    /// Registers the metrics of a route and a status. Routes are templates, so there are few.
    fn first_request(&self, route: &str, status: u16) {
        let label = Label::new("route", route.to_owned());
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let metrics = routes.entry(route.to_owned()).or_insert_with(|| {
            let key = Key::from_parts(SECONDS, vec![label.clone()]);
            RouteMetrics { seconds: self.recorder.register_histogram(&key, &METADATA), requests: Vec::new() }
        });
        if metrics.requests.iter().all(|(known, _)| *known != status) {
            let key = Key::from_parts(REQUESTS, vec![label, Label::new("status", status.to_string())]);
            metrics.requests.push((status, self.recorder.register_counter(&key, &METADATA)));
        }
    }

    /// All metrics in the Prometheus text format, including those of `worker` and `services`.
    pub(crate) fn render(&self, worker: &Worker, services: &Services) -> String {
        let handle = self.recorder.handle();
        handle.run_upkeep();
        let mut text = handle.render();
        let counts = worker.counts();
        let syncs = [("indexed", counts.indexed), ("failed", counts.failed), ("retried", counts.retried)];
        by_outcome(&mut text, "helpbot_syncs_total", "Syncs of sources since the start", syncs);
        append_services(&mut text, services);
        text
    }
}

/// Appends the metrics that the use cases count.
fn append_services(text: &mut String, services: &Services) {
    let counters = services.metrics();
    let questions = [
        ("answered", counters.answered.get()),
        ("suggested", counters.suggested.get()),
        ("declined", counters.declined.get()),
        ("small_talk", counters.small_talk.get()),
    ];
    by_outcome(text, "helpbot_questions_total", "Questions since the start", questions);
    let attempts = [
        ("delivered", counters.delivered.get()),
        ("retried", counters.retried.get()),
        ("given_up", counters.given_up.get()),
    ];
    by_outcome(text, "helpbot_webhook_attempts_total", "Webhook attempts since the start", attempts);
    let mails = [
        ("sent", counters.mails_sent.get()),
        ("retried", counters.mails_retried.get()),
        ("given_up", counters.mails_given_up.get()),
    ];
    by_outcome(text, "helpbot_mails_total", "Mails since the start", mails);
    text.push_str("# HELP helpbot_database_commits_total Transactions committed since the start.\n");
    text.push_str("# TYPE helpbot_database_commits_total counter\n");
    let _ = writeln!(text, "helpbot_database_commits_total {}", services.commits());
}

fn by_outcome<C: Display>(
    text: &mut String,
    name: &str,
    help: &str,
    counts: impl IntoIterator<Item = (&'static str, C)>,
) {
    let _ = writeln!(text, "# HELP {name} {help}, by outcome.\n# TYPE {name} counter");
    for (outcome, count) in counts {
        let _ = writeln!(text, "{name}{{outcome=\"{outcome}\"}} {count}");
    }
}
