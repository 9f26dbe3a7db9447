//! Tests of what an operator sees from outside: the metrics, the alert rules and the dashboard that use them, and the lines
//! that the server logs about requests.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use helpbot_test_support::database::TestDatabase;
use serde_json::{Value, json};

use crate::support::{Home, Serving, free_address, on_database, request};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Beginnings of the names of our metrics.
const PREFIXES: [&str; 2] = ["helpbot_", "process_"];

fn scrape(address: SocketAddr) -> String {
    request(address, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").body
}

fn graphql(server: &Serving, key: &str, query: &str, header: &str) -> Value {
    let body = json!({ "query": query }).to_string();
    let reply = server.send(&format!(
        "POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{header}Connection: close\r\n\r\n{body}",
        body.len()
    ));
    serde_json::from_str(&reply.body).unwrap_or(Value::Null)
}

/// A server that has answered a few requests, with what it shows at `/metrics`.
fn used(url: &str) -> (String, Serving) {
    let (home, address) = (Home::new(), free_address());
    let mut command = home.command(&["--listen", "127.0.0.1:0"]);
    command.env("HELPBOT_DATABASE", url).env("HELPBOT_METRICS_LISTEN", address.to_string());
    let server = Serving::begin(command);
    let (widget, secret) = (server.word("wk_live_"), server.word("sk_live_"));

    server.ask(&widget, "How do I add the widget to my site?");
    server.ask("wk_live_wrong", "Anything?");
    graphql(&server, &secret, "query Mine { site { name } }", "");
    graphql(&server, &secret, "{ nothing }", "");
    graphql(
        &server,
        &secret,
        "mutation { createWebhook(input: { url: \"no\", events: [CONVERSATION_CREATED] }) { userErrors { code } } }",
        "",
    );
    server.get("/nowhere");
    (scrape(address), server)
}

#[test]
fn metrics_follow_the_red_method_on_sqlite() {
    on_database(async || Some(TestDatabase::sqlite()), async |_, _| (), |url, ()| follow_the_red_method(&url));
}

#[test]
fn metrics_follow_the_red_method_on_postgres() {
    on_database(TestDatabase::postgres, async |_, _| (), |url, ()| follow_the_red_method(&url));
}

fn follow_the_red_method(url: &str) {
    let (metrics, _server) = used(url);

    let is_sqlite = url.starts_with("sqlite:");
    let database = if is_sqlite { "sqlite" } else { "postgres" };
    for line in [
        "helpbot_http_requests_total{method=\"POST\",route=\"/api/v1/chat\",status=\"200\"} 1",
        "helpbot_http_requests_total{method=\"POST\",route=\"/api/v1/chat\",status=\"401\"} 1",
        "helpbot_http_requests_total{method=\"GET\",route=\"other\",status=\"404\"} 1",
        "helpbot_http_request_duration_seconds_count{method=\"POST\",route=\"/api/v1/chat\"} 2",
        "helpbot_graphql_operations_total{type=\"mutation\",field=\"askQuestion\",outcome=\"success\"} 1",
        "helpbot_graphql_operations_total{type=\"query\",field=\"site\",outcome=\"success\"} 1",
        "helpbot_graphql_operations_total{type=\"query\",field=\"invalid\",outcome=\"error\"} 1",
        "helpbot_graphql_operation_duration_seconds_count{type=\"query\",field=\"site\"} 1",
        "helpbot_graphql_errors_total{code=\"UNAUTHENTICATED\"} 1",
        "helpbot_graphql_errors_total{code=\"GRAPHQL_VALIDATION_FAILED\"} 1",
        "helpbot_graphql_errors_total{code=\"BAD_USER_INPUT\"} 1",
        "helpbot_graphql_errors_total{code=\"INTERNAL\"} 0",
        "helpbot_database_up 1",
        "helpbot_jobs{kind=\"scrape\",state=\"running\"} 0",
        "helpbot_webhook_deliveries_due 0",
        "helpbot_indexes_loaded 1",
    ] {
        assert!(metrics.lines().any(|written| written == line), "{line} in {metrics}");
    }
    assert!(metrics.contains(&format!("database=\"{database}\"")), "{metrics}");
    assert_eq!(metrics.contains("helpbot_database_connections{pool=\"write\""), !is_sqlite, "{metrics}");
    for (name, kind) in types(&metrics) {
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
        assert_eq!(
            name.ends_with("_seconds"),
            kind == "histogram" || name.contains("_age_") || name.contains("start_time"),
            "{name} is a {kind}"
        );
    }
}

#[test]
fn alerts_and_dashboard_use_only_metrics_that_exist_on_sqlite() {
    on_database(async || Some(TestDatabase::sqlite()), async |_, _| (), |url, ()| use_only_metrics_that_exist(&url));
}

#[test]
fn alerts_and_dashboard_use_only_metrics_that_exist_on_postgres() {
    on_database(TestDatabase::postgres, async |_, _| (), |url, ()| use_only_metrics_that_exist(&url));
}

fn use_only_metrics_that_exist(url: &str) {
    let (metrics, _server) = used(url);
    let exported: BTreeSet<&str> = metrics
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();

    for file in ["alerts.yml", "grafana-dashboard.json"] {
        let text = read(&format!("deploy/monitoring/{file}"));
        let named = names(&text);

        let missing: Vec<_> = named.iter().filter(|name| !exported.contains(name.as_str())).collect();
        assert!(named.len() > 10, "{file} names {named:?}");
        assert!(missing.is_empty(), "{file} uses metrics that do not exist: {missing:?}");
    }
}

#[test]
fn every_metric_is_on_the_dashboard_or_in_an_alert() {
    let (metrics, _server) = used("sqlite:helpbot-data/helpbot.db");
    let shown = names(&(read("deploy/monitoring/alerts.yml") + &read("deploy/monitoring/grafana-dashboard.json")));

    let is_shown = |name: &str| shown.iter().any(|used| used.strip_prefix(name).is_some_and(is_sample_of_histogram));
    let types = types(&metrics);
    let unused: Vec<&str> = types.keys().copied().filter(|name| !is_shown(name)).collect();

    // Known from every client library; nobody watches it.
    assert_eq!(unused, ["process_virtual_memory_bytes"]);
}

fn is_sample_of_histogram(ending: &str) -> bool {
    matches!(ending, "" | "_bucket" | "_count" | "_sum")
}

#[test]
fn the_documentation_says_what_to_do_at_each_alert() {
    let (alerts, guide) = (read("deploy/monitoring/alerts.yml"), read("docs/operating.md"));

    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();

    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(guide.contains(&format!("#### {name}\n")), "docs/operating.md has no section {name}");
        assert!(alerts.contains(&format!("docs/operating.md#{}\"", name.to_lowercase())), "{name} names no section");
    }
}

#[test]
fn requests_are_logged_with_operation_site_and_trace_and_the_log_can_be_turned_off() {
    let home = Home::new();
    let log_of = |access_log: &str| {
        let mut command = home.command(&["--listen", "127.0.0.1:0"]);
        command.env("HELPBOT_ACCESS_LOG", access_log).env("HELPBOT_LOG_FORMAT", "json");
        command.env("HELPBOT_METRICS_LISTEN", "off");
        command
    };
    let server = Serving::begin(log_of("on"));
    let (widget, secret) = (server.word("wk_live_"), server.word("sk_live_"));

    server.ask(&widget, "Where is my parcel?");
    let traced = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n");
    let site = graphql(&server, &secret, "query Mine { site { id } }", &traced);
    graphql(&server, &secret, "{ site { name } }", "traceparent: my secret\r\n");
    let (_, log) = server.terminate();
    let silent = Serving::begin(log_of("off"));
    silent.get("/nowhere");
    let (_, without) = silent.terminate();

    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let line = |route: &str, operation: &str| {
        let is_it = |line: &&Value| line["route"] == route && line["operation"] == operation;
        lines.iter().find(is_it).unwrap_or_else(|| panic!("{route} {operation} in {log}"))
    };
    let (chat, mine, anonymous) = (line("/api/v1/chat", "Chat"), line("/graphql", "Mine"), line("/graphql", "site"));
    for entry in [chat, mine, anonymous] {
        assert_eq!(entry["site"], site["data"]["site"]["id"], "{entry}");
        assert_eq!((&entry["method"], &entry["status"]), (&json!("POST"), &json!(200)), "{entry}");
        assert!(entry["us"].is_u64() && entry["request_id"].is_string(), "{entry}");
    }
    assert_eq!(mine["trace_id"], TRACE);
    assert_eq!(anonymous["trace_id"], Value::Null);
    assert!(!log.contains("parcel") && !log.contains("my secret"), "{log}");
    assert!(!without.contains("\"request\""), "{without}");
}

#[test]
fn the_report_of_doctor_has_the_documented_form() {
    let home = Home::new();
    home.site();
    let guide = read("docs/operating.md");
    let documented = guide.lines().find(|line| line.starts_with("| `check` |")).expect("the row of the checks");

    let report = home.json(&["doctor"]);

    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&report), ["findings", "settings"]);
    assert_eq!(keys(&report["settings"]["listen"]), ["origin", "purpose", "value"]);
    let findings = report["findings"].as_array().expect("a list");
    assert!(findings.len() >= 4, "{report}");
    for finding in findings {
        assert_eq!(keys(finding), ["check", "level", "text"], "{finding}");
        assert!(["good", "note", "bad"].contains(&finding["level"].as_str().expect("text")), "{finding}");
        let check = finding["check"].as_str().expect("text");
        assert!(documented.contains(&format!("`{check}`")), "{check} is not documented");
    }
}

/// The type of each metric by its name.
fn types(metrics: &str) -> BTreeMap<&str, &str> {
    let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    types.collect()
}

/// The names of our metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix))).map(str::to_owned).collect()
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
