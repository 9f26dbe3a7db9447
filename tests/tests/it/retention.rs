//! Tests of data retention: conversations, events and deliveries that are older than the owner wants disappear in groups, and
//! the statistics stay.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use helpbot_domain::ids::SiteId;
use helpbot_services::conversations::{NewQuestion, ask, retention};
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Client, Receiver, TestApp, on_both_backends, wait_for};
use serde_json::{Value, json};

on_both_backends!(settings_are_set_cleared_and_kept,);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_conversations_disappear_in_groups_and_statistics_stay_on_sqlite() {
    on(Some(TestDatabase::sqlite()), old_conversations_disappear_in_groups_and_statistics_stay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_conversations_disappear_in_groups_and_statistics_stay_on_postgres() {
    on(TestDatabase::postgres().await, old_conversations_disappear_in_groups_and_statistics_stay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_and_deliveries_have_their_own_time_on_sqlite() {
    on(Some(TestDatabase::sqlite()), events_and_deliveries_have_their_own_time).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_and_deliveries_have_their_own_time_on_postgres() {
    on(TestDatabase::postgres().await, events_and_deliveries_have_their_own_time).await;
}

async fn on(database: Option<TestDatabase>, test: impl AsyncFnOnce(&TestApp, &TestDatabase)) {
    database::with(database, async |database| {
        let app = TestApp::start(database).await;
        let outcome = AssertUnwindSafe(test(&app, database)).catch_unwind().await;
        app.stop().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    })
    .await;
}

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const UPDATE: &str = "mutation ($input: UpdateDataRetentionInput!) {
    updateDataRetention(input: $input) { dataRetention {
        conversationDays eventDays deliveryDays eventDaysInEffect deliveryDaysInEffect
    } userErrors { code field } }
}";
const SEEN: &str = "{ site {
    conversations { totalCount nodes { question } }
    found: conversations(filter: { search: \"obelisk\" }) { totalCount }
    analytics { overview { totalQuestions } }
    webhooks { deliveries { nodes { body } } }
} }";

/// Asks a question in a new session.
async fn asked(visitor: &Client, question: &str) {
    let ask = "mutation ($question: String!) {
        askQuestion(input: { question: $question }) { sessionToken userErrors { message } }
    }";
    let answer = visitor.graphql(ask, json!({ "question": question })).await.ok();
    assert!(answer["askQuestion"]["sessionToken"].is_string(), "{answer}");
}

async fn set(client: &Client, input: Value) -> Value {
    let mut set = client.graphql(UPDATE, json!({ "input": input })).await.ok();
    assert_eq!(set["updateDataRetention"]["userErrors"], json!([]));
    set["updateDataRetention"]["dataRetention"].take()
}

/// Queues what is due, as the server does every hour.
async fn an_hour_passes(app: &TestApp) -> usize {
    app.pass(HOUR);
    retention::queue_due(app.services()).await.expect("it is queued")
}

async fn seen(client: &Client) -> Value {
    client.graphql(SEEN, json!({})).await.ok()["site"].take()
}

/// The number of rows of a site that are older than the last day.
async fn old_rows(app: &TestApp, database: &TestDatabase, table: &str, site: SiteId) -> i64 {
    let before = app.now().minus(DAY).as_ms();
    database.count(table, &format!("site_id = '{site}' AND created_at_ms < {before}")).await
}

async fn old_conversations_disappear_in_groups_and_statistics_stay(app: &TestApp, database: &TestDatabase) {
    // More than one group of a hundred.
    const OLD: usize = 130;
    let (site, other) = (app.site().create().await, app.site().create().await);
    for number in 0..OLD {
        let question = format!("Where is obelisk {number}?");
        let new =
            NewQuestion { site: Some(site.id), question, session_id: Some("of-old".into()), ..Default::default() };
        ask(app.services(), app.operator(), new, None).await.expect("an answer");
    }
    asked(&site.visitor(), "Where does the obelisk stand?").await;
    asked(&other.visitor(), "Where does the obelisk stand?").await;
    app.pass(DAY * 20);
    asked(&site.visitor(), "When do you open?").await;
    let old = async |table| old_rows(app, database, table, site.id).await;
    assert_eq!((old("conversations").await, old("sessions").await), (131, 2), "the test looks at something");

    let stored = set(&site.owner(), json!({ "conversationDays": 10 })).await;
    let too_early = retention::queue_due(app.services()).await.expect("it is queued");
    let before = seen(&site.owner()).await;
    let queued = an_hour_passes(app).await;
    wait_for("the end of the deletion", async || {
        let jobs = app.operator_client().graphql("{ batchJobs { totalCount } }", json!({})).await.ok();
        (jobs["batchJobs"]["totalCount"] == 0).then_some(())
    })
    .await;
    let after = seen(&site.owner()).await;

    assert_eq!(stored["eventDaysInEffect"], 10, "events are kept no longer than conversations");
    assert_eq!((too_early, queued), (0, 1), "a change counts after an hour, and only for its site");
    assert_eq!(before["conversations"]["totalCount"], OLD + 2);
    assert_eq!(after["conversations"], json!({ "totalCount": 1, "nodes": [{ "question": "When do you open?" }] }));
    assert_eq!(after["found"]["totalCount"], 0);
    assert_eq!(after["analytics"], before["analytics"], "the statistics stay");
    for table in ["conversations", "sessions", "events"] {
        assert_eq!(old(table).await, 0, "{table}");
    }
    assert_eq!(database.count("sessions", &format!("site_id = '{}'", site.id)).await, 1, "the one with a conversation");
    assert_eq!(seen(&other.owner()).await["conversations"]["totalCount"], 1, "another site keeps its own");
}

async fn events_and_deliveries_have_their_own_time(app: &TestApp, database: &TestDatabase) {
    let (site, mut receiver) = (app.site().create().await, Receiver::start().await);
    let hook = json!({ "url": receiver.url(), "events": ["conversation.created"] });
    site.owner().post("/api/v1/webhooks", &hook).await.ok();
    let questions = ["Where is the obelisk?", "Where is the lighthouse?", "Where is the harbour?"];
    for question in questions {
        app.pass(DAY * 6);
        asked(&site.visitor(), question).await;
        receiver.next().await;
    }

    // The first delivery is 12 days old, and the second event 6 days.
    set(&site.owner(), json!({ "deliveryDays": 10, "eventDays": 5 })).await;
    assert_eq!(an_hour_passes(app).await, 1);
    wait_for("the end of the deletion", async || {
        let jobs = app.operator_client().graphql("{ batchJobs { totalCount } }", json!({})).await.ok();
        (jobs["batchJobs"]["totalCount"] == 0).then_some(())
    })
    .await;
    let after = seen(&site.owner()).await;

    assert_eq!(after["conversations"]["totalCount"], 3, "conversations have no limit");
    let bodies = after["webhooks"][0]["deliveries"]["nodes"].to_string();
    let kept = |word: &str| bodies.contains(word);
    assert_eq!((kept("obelisk"), kept("lighthouse"), kept("harbour")), (false, true, true), "{bodies}");
    assert_eq!(database.count("events", "data LIKE '%lighthouse%'").await, 0);
    assert!(database.count("events", "data LIKE '%harbour%'").await > 0);
}

async fn settings_are_set_cleared_and_kept(app: &TestApp) {
    let site = app.site().create().await;
    let read = async || {
        let query = "{ site { dataRetention { conversationDays eventDays deliveryDays eventDaysInEffect deliveryDaysInEffect } } }";
        site.owner().graphql(query, json!({})).await.ok()["site"]["dataRetention"].take()
    };
    let of = |conversations: Value, events: Value, in_effect: [i64; 2]| {
        json!({ "conversationDays": conversations, "eventDays": events, "deliveryDays": null,
                "eventDaysInEffect": in_effect[0], "deliveryDaysInEffect": in_effect[1] })
    };
    assert_eq!(read().await, of(Value::Null, Value::Null, [90, 90]), "everything is kept as the installation says");

    let both = set(&site.owner(), json!({ "conversationDays": 365, "eventDays": 30 })).await;
    let one = set(&site.owner(), json!({ "eventDays": null })).await;

    assert_eq!(both, of(json!(365), json!(30), [30, 90]));
    assert_eq!(one, of(json!(365), Value::Null, [90, 90]), "an absent value stays");
    assert_eq!(read().await, one);
}
