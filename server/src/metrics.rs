//! Figures for Prometheus: requests by route and status, their times; readings, questions,
//! deliveries and mails by outcome; commits.
//!
//! One recorder a server and none for the process, so that servers in one process keep apart.
//! Labels are route templates, statuses and outcomes: never a key, a site or an address.

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
/// From an answer out of memory to one that a model took its time for.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// A server's figures; cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics {
    recorder: Arc<PrometheusRecorder>,
}

impl Metrics {
    /// Figures at zero.
    pub(crate) fn new() -> Result<Self, StartError> {
        let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Full(SECONDS.to_owned()), &BUCKETS);
        let recorder = builder.map_err(|error| StartError::Setting(error.to_string()))?.build_recorder();
        recorder.describe_counter(REQUESTS.into(), None, "Requests by route and status".into());
        recorder.describe_histogram(SECONDS.into(), None, "Time to the head of the answer".into());
        Ok(Self { recorder: Arc::new(recorder) })
    }

    /// Counts a request. `route` is the template that matched.
    pub(crate) fn request(&self, route: &str, status: u16, took: Duration) {
        let route = Label::new("route", route.to_owned());
        let key = Key::from_parts(REQUESTS, vec![route.clone(), Label::new("status", status.to_string())]);
        self.recorder.register_counter(&key, &METADATA).increment(1);
        let key = Key::from_parts(SECONDS, vec![route]);
        self.recorder.register_histogram(&key, &METADATA).record(took.as_secs_f64());
    }

    /// All figures in the text format, those of `worker` and `services` too.
    pub(crate) fn render(&self, worker: &Worker, services: &Services) -> String {
        let handle = self.recorder.handle();
        handle.run_upkeep();
        let mut text = handle.render();
        let counts = worker.counts();
        let readings = [("indexed", counts.indexed), ("failed", counts.failed), ("retried", counts.retried)];
        by_outcome(&mut text, "helpbot_readings_total", "Sources read since the start", readings);
        of_services(&mut text, services);
        text
    }
}

/// What the use cases counted.
fn of_services(text: &mut String, services: &Services) {
    let figures = services.figures();
    let questions = [
        ("answered", figures.answered.get()),
        ("suggested", figures.suggested.get()),
        ("declined", figures.declined.get()),
        ("small_talk", figures.small_talk.get()),
    ];
    by_outcome(text, "helpbot_questions_total", "Questions since the start", questions);
    let attempts = [
        ("delivered", figures.delivered.get()),
        ("retried", figures.retried.get()),
        ("given_up", figures.given_up.get()),
    ];
    by_outcome(text, "helpbot_webhook_attempts_total", "Attempts at webhooks since the start", attempts);
    let mails = [
        ("sent", figures.mails_sent.get()),
        ("retried", figures.mails_retried.get()),
        ("given_up", figures.mails_given_up.get()),
    ];
    by_outcome(text, "helpbot_mails_total", "Mails handed to the mail server since the start", mails);
    text.push_str("# HELP helpbot_database_commits_total Transactions committed since the start\n");
    text.push_str("# TYPE helpbot_database_commits_total counter\n");
    let _ = writeln!(text, "helpbot_database_commits_total {}", services.commits());
}

fn by_outcome<C: Display>(
    text: &mut String,
    name: &str,
    help: &str,
    counts: impl IntoIterator<Item = (&'static str, C)>,
) {
    let _ = writeln!(text, "# HELP {name} {help}, by outcome\n# TYPE {name} counter");
    for (outcome, count) in counts {
        let _ = writeln!(text, "{name}{{outcome=\"{outcome}\"}} {count}");
    }
}
