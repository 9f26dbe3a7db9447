//! The metrics of each subsystem, from the numbers that it counts itself.

use std::fmt::Display;
use std::time::Duration;

use helpbot_api::gateway::measures::GatewayMeasures;
use helpbot_engine::openai::ModelCalls;
use helpbot_ingest::worker::Worker;
use helpbot_services::runtime::backlog::{JOB_STATES, WorkBacklog};
use helpbot_services::runtime::job_kinds;
use helpbot_services::{DatabaseLoad, Services};

use super::MetricSources;
use super::text::{MetricType, MetricsText};

/// GraphQL operations, and those that REST requests consist of.
pub(super) fn operations(text: &mut MetricsText, gateway: &GatewayMeasures) {
    const TOTAL: &str = "helpbot_graphql_operations_total";
    const SECONDS: &str = "helpbot_graphql_operation_duration_seconds";
    const ERRORS: &str = "helpbot_graphql_errors_total";
    let operations = gateway.operations();
    text.metric(TOTAL, MetricType::Counter, "GraphQL operations by type, first root field and outcome.");
    for (kind, field, measures) in &operations {
        for (outcome, count) in [("success", &measures.succeeded), ("error", &measures.failed)] {
            let labels = [("type", kind.as_str()), ("field", field), ("outcome", outcome)];
            text.sample(TOTAL, &labels, count.get());
        }
    }
    text.metric(SECONDS, MetricType::Histogram, "Time until the result of an operation, by type and first root field.");
    for (kind, field, measures) in &operations {
        text.histogram(SECONDS, &[("type", kind.as_str()), ("field", field)], &measures.seconds.state());
    }
    text.metric(ERRORS, MetricType::Counter, "Errors of operations and requests by code, including userErrors.");
    for (code, count) in gateway.errors() {
        text.sample(ERRORS, &[("code", code)], count);
    }
    let help = "Open subscriptions.";
    text.single("helpbot_graphql_subscriptions_open", MetricType::Gauge, help, gateway.subscriptions());
    let help = "Open live queries.";
    text.single("helpbot_graphql_live_queries_open", MetricType::Gauge, help, gateway.live_queries());
}

/// Open connections.
pub(super) fn connections(text: &mut MetricsText, sources: &MetricSources) {
    let help = "Open connections to the server, including idle ones.";
    text.single("helpbot_http_connections_open", MetricType::Gauge, help, sources.accepted.get());
    let help = "Open WebSockets.";
    text.single("helpbot_websockets_open", MetricType::Gauge, help, sources.connections.sockets());
    let help = "Open streams of server-sent events.";
    text.single("helpbot_event_streams_open", MetricType::Gauge, help, sources.connections.streams());
}

/// The connections to the database and the writes.
pub(super) fn database(text: &mut MetricsText, load: &DatabaseLoad, commits: u64, is_up: bool) {
    let help = "1 if the database returned the backlog, otherwise 0.";
    text.single("helpbot_database_up", MetricType::Gauge, help, u8::from(is_up));
    let help = "Transactions committed since the start.";
    text.single("helpbot_database_commits_total", MetricType::Counter, help, commits);
    const CONNECTIONS: &str = "helpbot_database_connections";
    text.metric(CONNECTIONS, MetricType::Gauge, "Open connections to the database by pool and state.");
    for pool in &load.pools {
        text.sample(CONNECTIONS, &[("pool", pool.name), ("state", "in_use")], pool.in_use);
        text.sample(CONNECTIONS, &[("pool", pool.name), ("state", "idle")], pool.idle);
    }
    const LIMIT: &str = "helpbot_database_connections_limit";
    text.metric(LIMIT, MetricType::Gauge, "Maximum number of connections to the database by pool.");
    load.pools.iter().for_each(|pool| text.sample(LIMIT, &[("pool", pool.name)], pool.limit));
    const WAITING: &str = "helpbot_database_connection_waiters";
    text.metric(WAITING, MetricType::Gauge, "Callers that wait for a connection to the database by pool.");
    load.pools.iter().for_each(|pool| text.sample(WAITING, &[("pool", pool.name)], pool.waiting));
    const WAIT: &str = "helpbot_database_connection_wait_seconds";
    text.metric(WAIT, MetricType::Histogram, "Time for which callers waited for a connection by pool.");
    load.pools.iter().for_each(|pool| text.histogram(WAIT, &[("pool", pool.name)], &pool.wait));
    const WRITES: &str = "helpbot_database_write_duration_seconds";
    text.metric(WRITES, MetricType::Histogram, "Time from handing over a write until it was durable or had failed.");
    text.histogram(WRITES, &[], &load.writes);
    let help = "Writes that wait: on SQLite for the writer, on PostgreSQL for the next group of their site.";
    text.single("helpbot_database_write_queue_length", MetricType::Gauge, help, load.waiting_writes);
}

/// The background work that waits.
pub(super) fn backlog(text: &mut MetricsText, backlog: &WorkBacklog) {
    const JOBS: &str = "helpbot_jobs";
    text.metric(JOBS, MetricType::Gauge, "Unfinished background jobs of the installation by kind and state.");
    for kind in job_kinds::all() {
        for state in JOB_STATES {
            let found = backlog.jobs.iter().find(|job| job.kind == kind && job.state == state);
            text.sample(JOBS, &[("kind", kind), ("state", state)], found.map_or(0, |job| job.waiting.number));
        }
    }
    const JOB_AGE: &str = "helpbot_job_oldest_due_age_seconds";
    text.metric(
        JOB_AGE,
        MetricType::Gauge,
        "Time for which the oldest job that no worker has taken has been due by kind.",
    );
    for kind in job_kinds::all() {
        let found = backlog.jobs.iter().find(|job| job.kind == kind && job.state == "due");
        let age = found.map(|job| backlog.age(job.waiting)).unwrap_or_default();
        text.sample(JOB_AGE, &[("kind", kind)], age.as_secs_f64());
    }
    let mut pair = |name: &str, help: &str, number: i64| text.single(name, MetricType::Gauge, help, number);
    pair("helpbot_mails_waiting", "Mails that no mail server has accepted yet.", backlog.mails.number);
    let due = backlog.due_deliveries;
    pair("helpbot_webhook_deliveries_due", "Webhook deliveries that are due.", due.number);
    let help = "Webhook deliveries that failed and are attempted again later.";
    pair("helpbot_webhook_deliveries_retrying", help, backlog.later_deliveries.number);
    let mut age = |name: &str, help: &str, age: Duration| text.single(name, MetricType::Gauge, help, age.as_secs_f64());
    let help = "Time for which the oldest mail has been due.";
    age("helpbot_mail_oldest_due_age_seconds", help, backlog.age(backlog.mails));
    let help = "Time for which the oldest webhook delivery has been due.";
    age("helpbot_webhook_delivery_oldest_due_age_seconds", help, backlog.age(due));
}

/// What the use cases have done.
pub(super) fn use_cases(text: &mut MetricsText, services: &Services) {
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
    let (count, bytes) = services.loaded_indexes();
    text.single("helpbot_indexes_loaded", MetricType::Gauge, "Search indexes of sites in memory.", count);
    text.single("helpbot_indexes_bytes", MetricType::Gauge, "Memory of the search indexes of sites.", bytes);
    const BUILDS: &str = "helpbot_index_build_duration_seconds";
    text.metric(BUILDS, MetricType::Histogram, "Time to build a search index.");
    text.histogram(BUILDS, &[], &counters.index_builds.state());
    let help = "Search indexes that could not be built.";
    text.single("helpbot_index_build_failures_total", MetricType::Counter, help, counters.index_build_failures.get());
    const HINTS: &str = "helpbot_node_hints_total";
    text.metric(HINTS, MetricType::Counter, "Hints between the nodes by direction.");
    text.sample(HINTS, &[("direction", "sent")], counters.hints_sent.get());
    text.sample(HINTS, &[("direction", "received")], counters.hints_received.get());
    const DELAY: &str = "helpbot_node_hint_delay_seconds";
    text.metric(DELAY, MetricType::Histogram, "Time that hints of other nodes needed, by the clock of the database.");
    text.histogram(DELAY, &[], &counters.hint_delay.state());
}

/// Syncs of sources.
pub(super) fn syncs(text: &mut MetricsText, worker: &Worker) {
    let counts = worker.counts();
    let syncs = [("indexed", counts.indexed), ("failed", counts.failed), ("retried", counts.retried)];
    by_outcome(text, "helpbot_syncs_total", "Syncs of sources since the start", syncs);
}

/// Requests to model servers.
pub(super) fn models(text: &mut MetricsText, servers: [(&'static str, &ModelCalls); 2]) {
    const REQUESTS: &str = "helpbot_model_requests_total";
    text.metric(REQUESTS, MetricType::Counter, "Requests to model servers by purpose and outcome.");
    for (purpose, calls) in servers {
        let outcomes = [("success", &calls.accepted), ("timeout", &calls.timed_out), ("error", &calls.failed)];
        for (outcome, count) in outcomes {
            text.sample(REQUESTS, &[("purpose", purpose), ("outcome", outcome)], count.get());
        }
    }
    const SECONDS: &str = "helpbot_model_request_duration_seconds";
    text.metric(SECONDS, MetricType::Histogram, "Time until a model server began to respond, by purpose.");
    servers
        .iter()
        .for_each(|(purpose, calls)| text.histogram(SECONDS, &[("purpose", purpose)], &calls.seconds.state()));
}

fn by_outcome<C: Display>(
    text: &mut MetricsText,
    name: &str,
    help: &str,
    counts: impl IntoIterator<Item = (&'static str, C)>,
) {
    text.metric(name, MetricType::Counter, &format!("{help}, by outcome."));
    for (outcome, count) in counts {
        text.sample(name, &[("outcome", outcome)], count);
    }
}
