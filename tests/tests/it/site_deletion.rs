//! Tests of deleting a large site: it disappears at once, its rows go in batches, and other sites keep writing meanwhile.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use helpbot_domain::ids::SiteId;
use helpbot_tests::TestApp;
use helpbot_tests::database::{self, TestDatabase};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// Number of conversations of the site, each with two events and a message. In one transaction, their deletion takes
/// seconds, also in a debug build.
const CONVERSATIONS: u32 = 20_000;
const DELETE: &str = "mutation ($id: ID!) {
    deleteSite(input: { id: $id }) { deletedId job { kind siteId doneRows totalRows } userErrors { code } }
}";
const JOBS: &str = "{ batchJobs { totalCount nodes { kind siteId doneRows totalRows error } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_sites_write_while_a_large_site_is_deleted_on_sqlite() {
    on(Some(TestDatabase::sqlite())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_sites_write_while_a_large_site_is_deleted_on_postgres() {
    on(TestDatabase::postgres().await).await;
}

async fn on(database: Option<TestDatabase>) {
    database::with(database, async |database| {
        let app = TestApp::start(database).await;
        let outcome = AssertUnwindSafe(other_sites_write_while_a_large_site_is_deleted(&app, database)).catch_unwind();
        let outcome = outcome.await;
        app.stop().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    })
    .await;
}

async fn other_sites_write_while_a_large_site_is_deleted(app: &TestApp, database: &TestDatabase) {
    let (gone, kept) = (app.site().create().await, app.site().create().await);
    database.execute(&rows_of(gone.id)).await;
    let operator = app.operator_client();

    let deleted = operator.graphql(DELETE, json!({ "id": gone.id })).await.ok()["deleteSite"].take();

    let began = Instant::now();
    assert_eq!(deleted["deletedId"], json!(gone.id), "{deleted}");
    assert_eq!((&deleted["job"]["kind"], &deleted["job"]["siteId"]), (&json!("DELETE_SITE"), &json!(gone.id)));
    assert_eq!(gone.owner().get("/api/v1/config").await.status, StatusCode::UNAUTHORIZED);
    let sites =
        operator.graphql("query ($id: ID) { site(id: $id) { id } sites { totalCount } }", json!({ "id": gone.id }));
    assert_eq!(sites.await.ok(), json!({ "site": null, "sites": { "totalCount": 1 } }));
    let (mut slowest, mut writes, mut progress) = (Duration::ZERO, 0, Vec::new());
    loop {
        let asked = Instant::now();
        let reply = kept.visitor().post("/api/v1/chat", &json!({ "question": "Are you open?" })).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        slowest = slowest.max(asked.elapsed());
        let jobs = operator.graphql(JOBS, Value::Null).await.ok()["batchJobs"].take();
        let Some(job) = jobs["nodes"].get(0) else { break };
        writes += 1;
        progress.push(job["doneRows"].as_i64().expect("a number"));
        assert_eq!(job["error"], Value::Null);
    }
    let took = began.elapsed();
    eprintln!("{writes} writes in {took:?}, the slowest took {slowest:?}");
    assert!(progress.is_sorted() && progress.last() > progress.first(), "{progress:?}");
    assert!(writes >= 20, "only {writes} writes in {took:?}");
    assert!(slowest < took / 4, "a write took {slowest:?} of {took:?}");
    for table in ["conversations", "messages", "events", "keys"] {
        assert_eq!(database.count(table, &format!("site_id = '{}'", gone.id)).await, 0, "{table}");
    }
    assert_eq!(database.count("sites", &format!("id = '{}'", gone.id)).await, 0);
    assert_eq!(database.count("sites", &format!("id = '{}'", kept.id)).await, 1);
}

/// Statements that store the conversations of a site, which both databases accept.
fn rows_of(site: SiteId) -> String {
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CONVERSATIONS})");
    format!(
        "{numbers} INSERT INTO conversations (site_id, id, session_id, question, answer, search_text, citations, outcome, \
         is_unanswered, confidence, message_count, created_at_ms, updated_at_ms) \
         SELECT '{site}', 'conv_' || i, 'session-' || i, 'Where is it?', 'There.', 'where is it? there.', '[]', 'answered', \
         FALSE, 1, 3, i, i FROM n; \
         {numbers} INSERT INTO messages (site_id, conversation_id, seq, id, author, body, created_at_ms) \
         SELECT '{site}', 'conv_' || i, 3, 'msg_' || i, 'visitor', 'Thank you.', i FROM n; \
         {numbers} INSERT INTO events (site_id, seq, id, event_type, conversation_id, session_id, data, created_at_ms) \
         SELECT '{site}', i, 'evt_' || i, 'conversation.created', 'conv_' || i, 'session-' || i, '{{}}', i FROM n; \
         UPDATE site_counters SET event_seq = {CONVERSATIONS} WHERE site_id = '{site}'; \
         INSERT INTO daily_stats (site_id, day, questions, unanswered, handoffs, helpful, unhelpful) \
         VALUES ('{site}', 1, {CONVERSATIONS}, 0, 0, 0, 0);"
    )
}
