//! Tests of batch jobs across a kill: a deletion that was interrupted continues where it stopped when the server starts
//! again.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use helpbot_test_support::database::TestDatabase;
use serde_json::{Value, json};

use crate::support::{Home, Serving, on_database};

const CONVERSATIONS: u32 = 20_000;
/// Longer than the lease of the killed server, which lasts a minute.
const DEADLINE: Duration = Duration::from_secs(240);
const JOBS: &str = "{ batchJobs { nodes { id kind doneRows totalRows } } }";

#[test]
fn a_killed_deletion_continues_where_it_stopped_on_sqlite() {
    on(async || Some(TestDatabase::sqlite()));
}

#[test]
fn a_killed_deletion_continues_where_it_stopped_on_postgres() {
    on(TestDatabase::postgres);
}

fn on(database: impl AsyncFnOnce() -> Option<TestDatabase>) {
    let setup = async |database: &TestDatabase, url: &str| {
        let home = Home::new();
        let site = prepared(&home, url);
        database.execute(&rows_of(&site)).await;
        (home, site)
    };
    on_database(database, setup, |url, (home, site)| a_killed_deletion_continues(&home, &url, &site));
}

/// Creates a site and returns its ID.
fn prepared(home: &Home, url: &str) -> String {
    // On PostgreSQL only `migrate` and `serve` create the tables.
    assert!(command(home, url, &["migrate"]).status().expect("the program starts").success());
    let mut command = command(home, url, &["site", "create", "--name", "Shop", "--owner-email", "owner@shop.example"]);
    let made = command.arg("--json").output().expect("the program starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let site: Value = serde_json::from_slice(&made.stdout).expect("one JSON document");
    site["id"].as_str().expect("an ID").to_owned()
}

fn command(home: &Home, url: &str, arguments: &[&str]) -> Command {
    let mut command = home.command(arguments);
    command.env("HELPBOT_DATABASE", url).env("HELPBOT_METRICS_LISTEN", "off").env("HELPBOT_RATE_LIMITS", "off");
    // Nothing reads the log while the server runs, and a full pipe would stop it.
    command.env("HELPBOT_LOG", "off");
    command
}

fn rows_of(site: &str) -> String {
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CONVERSATIONS})");
    format!(
        "{numbers} INSERT INTO conversations (site_id, id, session_id, question, answer, search_text, citations, outcome, \
         is_unanswered, confidence, message_count, created_at_ms, updated_at_ms) \
         SELECT '{site}', 'conv_' || i, 'session-' || i, 'Where is it?', 'There.', 'where is it? there.', '[]', 'answered', \
         FALSE, 1, 2, i, i FROM n; \
         INSERT INTO daily_stats (site_id, day, questions, unanswered, handoffs, helpful, unhelpful) \
         VALUES ('{site}', 1, {CONVERSATIONS}, 0, 0, 0, 0);"
    )
}

fn a_killed_deletion_continues(home: &Home, url: &str, site: &str) {
    let mut made = command(home, url, &["key", "create", "--kind", "operator", "--json"]);
    let made: Value = serde_json::from_slice(&made.output().expect("the program starts").stdout).expect("JSON");
    let operator = made["key"].as_str().expect("an operator key").to_owned();
    let server = Serving::begin(command(home, url, &["--listen", "127.0.0.1:0"]));
    let delete = "mutation ($id: ID!) { deleteSite(input: { id: $id }) { deletedId } }";
    let deleted = graphql(&server, &operator, delete, &json!({ "id": site }));
    assert_eq!(deleted["deleteSite"]["deletedId"], *site, "{deleted}");

    let at_kill = until("some progress", || {
        let job = job(&server, &operator).expect("the job is not done");
        (job["doneRows"].as_i64() > Some(0)).then_some(job)
    });
    server.kill();

    let server = Serving::begin(command(home, url, &["--listen", "127.0.0.1:0"]));
    let kept = job(&server, &operator);
    let done = |job: &Value| job["doneRows"].as_i64().expect("a number");
    assert_eq!(at_kill["totalRows"], CONVERSATIONS);
    assert!(done(&at_kill) < i64::from(CONVERSATIONS), "it was killed in the middle: {at_kill}");
    let kept = kept.expect("the job outlives the kill");
    assert_eq!(kept["id"], at_kill["id"]);
    assert!(done(&kept) >= done(&at_kill), "{kept} after {at_kill}");
    until("the end of the job", || job(&server, &operator).is_none().then_some(()));
}

/// The batch job, if there is one.
fn job(server: &Serving, operator: &str) -> Option<Value> {
    graphql(server, operator, JOBS, &json!({}))["batchJobs"]["nodes"].get(0).cloned()
}

fn graphql(server: &Serving, key: &str, query: &str, variables: &Value) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let reply = server.send(&format!(
        "POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ));
    let reply: Value = serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}", reply.body));
    assert!(reply["errors"].is_null(), "{reply}");
    reply["data"].clone()
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not come within {DEADLINE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}
