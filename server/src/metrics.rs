//! Metrics for Prometheus: requests and their durations by route; syncs, questions, webhook attempts and
//! mails by outcome; and database commits. `http` counts requests, and `health` renders the text.
//!
//! Every server has its own recorder, so that several servers in one process do not mix their metrics. Labels
//! are route templates, status codes and outcomes; they never contain a key, a site or an address.

use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::time::Duration;

use helpbot_ingest::worker::Worker;
use helpbot_services::Services;
use metrics::{Key, Label, Level, Metadata, Recorder};
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
        Ok(Self { recorder: Arc::new(recorder) })
    }

    /// Counts a request. `route` is the route template that matched.
    pub(crate) fn request(&self, route: &str, status: u16, took: Duration) {
        let route = Label::new("route", route.to_owned());
        let key = Key::from_parts(REQUESTS, vec![route.clone(), Label::new("status", status.to_string())]);
        self.recorder.register_counter(&key, &METADATA).increment(1);
        let key = Key::from_parts(SECONDS, vec![route]);
        self.recorder.register_histogram(&key, &METADATA).record(took.as_secs_f64());
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
