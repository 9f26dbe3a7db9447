//! Tests of erasing a visitor by session and by e-mail address: nothing of it remains in the database, other data stays, and the
//! event log has no gap. And of the export of a visitor, which contains what would be erased.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use futures_util::FutureExt as _;
use helpbot_domain::key::{KeyKind, Role, Scope};
use helpbot_services::accounts::members;
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Client, Receiver, TestApp, TestSite, wait_for};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Words that nothing but the erased session holds, one for each way in.
const WORDS: [&str; 6] = ["quagmire", "zephyrous", "mulberry", "obelisk", "visitor-of-old", "thistle@example.com"];
const SESSION: &str = "visitor-of-old";
const ERASE: &str = "mutation ($session: String!, $site: ID) {
    eraseSession(input: { sessionId: $session, siteId: $site }) { erasedCount userErrors { code field } }
}";
const ASK: &str = "mutation ($question: String!, $session: String!) {
    askQuestion(input: { question: $question, sessionId: $session }) {
        conversation { id } sessionToken userErrors { message }
    }
}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_erased_session_stays_on_sqlite() {
    on(Some(TestDatabase::sqlite()), nothing_of_an_erased_session_stays).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_erased_session_stays_on_postgres() {
    on(TestDatabase::postgres().await, nothing_of_an_erased_session_stays).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_session_goes_in_groups_on_sqlite() {
    on(Some(TestDatabase::sqlite()), a_long_session_goes_in_groups).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_session_goes_in_groups_on_postgres() {
    on(TestDatabase::postgres().await, a_long_session_goes_in_groups).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_erased_address_stays_on_sqlite() {
    on(Some(TestDatabase::sqlite()), nothing_of_an_erased_address_stays).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_erased_address_stays_on_postgres() {
    on(TestDatabase::postgres().await, nothing_of_an_erased_address_stays).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_export_of_a_visitor_contains_what_would_be_erased_on_sqlite() {
    on(Some(TestDatabase::sqlite()), the_export_of_a_visitor_contains_what_would_be_erased).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_export_of_a_visitor_contains_what_would_be_erased_on_postgres() {
    on(TestDatabase::postgres().await, the_export_of_a_visitor_contains_what_would_be_erased).await;
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

async fn asked(visitor: &Client, question: &str, session: &str) -> Value {
    let mut given = visitor.graphql(ASK, json!({ "question": question, "session": session })).await.ok();
    assert_eq!(given["askQuestion"]["userErrors"], json!([]));
    given["askQuestion"].take()
}

async fn done(client: &Client, document: &str, variables: Value) -> Value {
    let mut given = client.graphql(document, variables).await.ok();
    let payload = given.as_object_mut().and_then(|fields| fields.values_mut().next()).expect("a payload").take();
    assert_eq!(payload["userErrors"], json!([]), "{document}");
    payload
}

/// Everything that a visitor can leave behind, with a webhook that has got it and one that has not.
async fn leave_traces(app: &TestApp, site: &TestSite<'_>, receivers: &mut [Receiver; 2]) -> Client {
    for receiver in receivers.iter() {
        let hook = json!({ "url": receiver.url(), "events": ["conversation.created", "conversation.handoff"] });
        site.owner().post("/api/v1/webhooks", &hook).await.ok();
    }
    receivers[1].answer_next([StatusCode::SERVICE_UNAVAILABLE]);
    let own = asked(&site.visitor(), "Is there a quagmire behind the shop?", SESSION).await;
    let id = &own["conversation"]["id"];
    let visitor = site.visitor().with_session(own["sessionToken"].as_str().expect("a token"));
    let ann = members::add(app.services(), app.operator(), Some(site.id), "Ann", "ann@example.com", Role::Agent);
    let ann = app.client(&ann.await.expect("a member").1);
    let handoff = "mutation ($id: ID!) { m: requestHandoff(input: {
        conversationId: $id, customerEmail: \"thistle@example.com\"
    }) { userErrors { message } } }";
    done(&visitor, handoff, json!({ "id": id })).await;
    let send = "mutation ($id: ID!, $text: String!) {
        m: sendMessage(input: { conversationId: $id, text: $text }) { userErrors { message } }
    }";
    done(&visitor, send, json!({ "id": id, "text": "A zephyrous wind blows from there" })).await;
    done(&ann, send, json!({ "id": id, "text": "Walk by the mulberry tree" })).await;
    let note = "mutation ($id: ID!) { m: addNote(input: { conversationId: $id, text: \"Sells mulberry jam\" }) { userErrors { message } } }";
    done(&ann, note, json!({ "id": id })).await;
    let tag = "mutation ($id: ID!) { m: updateConversation(input: { conversationId: $id, addTags: [\"obelisk\"] }) { userErrors { message } } }";
    done(&ann, tag, json!({ "id": id })).await;
    let transcript =
        "mutation ($id: ID!) { m: sendTranscript(input: { conversationId: $id }) { userErrors { message } } }";
    done(&site.owner(), transcript, json!({ "id": id })).await;
    let code = "mutation ($id: ID!) {
        m: requestTranscriptCode(input: { conversationId: $id, email: \"thistle@example.com\" }) { userErrors { message } }
    }";
    done(&visitor, code, json!({ "id": id })).await;
    let vote = "mutation ($id: ID!) { m: submitFeedback(input: {
        conversationId: $id, feedback: UNHELPFUL, reason: WRONG, comment: \"The quagmire is elsewhere\"
    }) { userErrors { message } } }";
    done(&visitor, vote, json!({ "id": id })).await;
    let resolve =
        "mutation ($id: ID!) { m: resolveConversation(input: { conversationId: $id }) { userErrors { message } } }";
    done(&ann, resolve, json!({ "id": id })).await;
    let rate = "mutation ($id: ID!) { m: rateHandoff(input: {
        conversationId: $id, rating: 2, comment: \"I am still in the quagmire\"
    }) { userErrors { message } } }";
    done(&visitor, rate, json!({ "id": id })).await;
    // Conversations of the same millisecond have no order.
    app.pass(Duration::from_millis(1));
    // A stored response for a client that repeats the request.
    let body = json!({ "query": ASK, "variables": { "question": "And an obelisk?", "session": SESSION } }).to_string();
    let named = site.owner().request(Method::POST, "/graphql").header("content-type", "application/json");
    site.owner().send(named.header("idempotency-key", "once").body(body)).await.ok();
    let block = "mutation ($id: ID!) { m: blockVisitor(input: { conversationId: $id }) { userErrors { message } } }";
    done(&site.owner(), block, json!({ "id": id })).await;
    receivers[0].next().await;
    receivers[0].next().await;
    // After its failure nothing more is sent there for a while.
    receivers[1].next().await;
    visitor
}

async fn nothing_of_an_erased_session_stays(app: &TestApp, database: &TestDatabase) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let mut receivers = [Receiver::start().await, Receiver::start().await];
    let visitor = leave_traces(app, &site, &mut receivers).await;
    asked(&site.visitor(), "Is the harbour open?", "another-visitor").await;
    asked(&other.visitor(), "Is the lighthouse open?", SESSION).await;
    for word in WORDS {
        assert!(!places_of(database, word).await.is_empty(), "{word} is nowhere: the test looks at nothing");
    }

    let (_, narrow) = site.key(KeyKind::Secret).scopes(&[Scope::ReadConversations]).create().await;
    let variables = json!({ "session": SESSION, "site": null });
    for refused in [app.client(&narrow), visitor.clone()] {
        assert_eq!(refused.graphql(ERASE, variables.clone()).await.codes(), ["FORBIDDEN"]);
    }
    let by_stranger = other.owner().graphql(ERASE, json!({ "session": SESSION, "site": site.id })).await.ok();
    assert_eq!(by_stranger["eraseSession"]["userErrors"][0]["code"], "NOT_FOUND");
    let mut socket = site.owner().socket().await;
    let erased = done(&site.owner(), ERASE, variables.clone()).await;
    let again = done(&site.owner(), ERASE, variables).await;

    assert_eq!((&erased["erasedCount"], &again["erasedCount"]), (&json!(2), &json!(0)));
    for word in WORDS.iter().filter(|word| **word != SESSION) {
        assert_eq!(places_of(database, word).await, BTreeSet::new(), "{word} is still there");
    }
    let elsewhere = BTreeSet::from(["conversations", "events", "sessions"].map(str::to_owned));
    assert_eq!(places_of(database, SESSION).await, elsewhere, "the other site has a session of that name");
    assert!(!places_of(database, "harbour").await.is_empty() && !places_of(database, "lighthouse").await.is_empty());
    let body = json!({ "query": ASK, "variables": { "question": "And an obelisk?", "session": SESSION } }).to_string();
    let named = site.owner().request(Method::POST, "/graphql").header("content-type", "application/json");
    let same = site.owner().send(named.header("idempotency-key", "once").body(body)).await;
    assert_eq!(same.json()["errors"][0]["extensions"]["code"], "CONFLICT", "its answer is not kept: {}", same.text());
    // The event log continues without a gap, and the erased events only show that something happened.
    let watch = "subscription ($after: String) {
        conversationEvents(after: $after) { cursor sessionId conversation { question } message { text } }
    }";
    let watching = socket.subscribe(watch, json!({ "after": site.beginning() })).await;
    let mut told = Vec::new();
    while told.last() != Some(&json!("Is the harbour open?")) {
        let event = socket.next(&watching).await["conversationEvents"].take();
        assert!(event["message"].is_null(), "{event}");
        assert_eq!(event["conversation"].is_null(), event["sessionId"] == "", "{event}");
        told.push(event["conversation"]["question"].clone());
    }
    assert!(told.len() > 5, "{told:?}");
    let types = "subscription ($after: String) {
        conversationEvents(after: $after, types: [CONVERSATION_ERASED]) { conversationId sessionId conversation { id } }
    }";
    let watching = socket.subscribe(types, json!({ "after": site.beginning() })).await;
    let mut erased = BTreeSet::new();
    for _ in 0..2 {
        let event = socket.next(&watching).await["conversationEvents"].take();
        assert_eq!((&event["sessionId"], &event["conversation"]), (&json!(""), &Value::Null));
        erased.insert(event["conversationId"].to_string());
    }
    assert_eq!(erased.len(), 2, "one event for each conversation");
    nothing_is_sent_any_more(app, &site, &mut receivers).await;
}

/// Neither to the webhook that had not got it nor by a replay; no mail waits.
async fn nothing_is_sent_any_more(app: &TestApp, site: &TestSite<'_>, receivers: &mut [Receiver; 2]) {
    let hooks = "{ site { waitingMails { nodes { kind } } webhooks { id deliveries { nodes { body status } } } } }";
    let found = site.owner().graphql(hooks, json!({})).await.ok();
    assert_eq!(found["site"]["waitingMails"]["nodes"], json!([]));
    let replay = "mutation ($id: ID!) {
        m: replayFailedDeliveries(input: { webhookId: $id, since: \"2026-03-01T00:00:00Z\" }) { userErrors { message } }
    }";
    for hook in found["site"]["webhooks"].as_array().expect("a list") {
        done(&site.owner(), replay, json!({ "id": hook["id"] })).await;
    }
    app.pass(Duration::from_secs(3_600));
    wait_for("the end of the replays", async || {
        let found = "{ site { webhooks { lastReplay { finishedAt } deliveries { nodes { status } } } } }";
        let found = site.owner().graphql(found, json!({})).await.ok();
        let hooks = found["site"]["webhooks"].as_array().expect("a list").clone();
        let is_over = |hook: &Value| {
            let sent = hook["deliveries"]["nodes"].as_array().expect("a list").clone();
            hook["lastReplay"]["finishedAt"].is_string() && sent.iter().all(|sent| sent["status"] == "DELIVERED")
        };
        hooks.iter().all(is_over).then_some(())
    })
    .await;
    for receiver in receivers {
        let late = receiver.arrived().into_iter().rev().take(1).map(|delivery| delivery.json().to_string());
        for body in late {
            assert!(body.contains("harbour"), "{body}");
        }
    }
}

const ERASE_VISITOR: &str = "mutation ($email: String!, $site: ID) {
    m: eraseVisitor(input: { email: $email, siteId: $site }) { sessionCount conversationCount userErrors { code field } }
}";
const RECORDS: &str = "query ($session: String, $email: String, $first: Int, $after: String) {
    site { visitorRecords(sessionId: $session, email: $email, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { kind sessionId conversationId body }
    } }
}";

/// Another session of the same visitor, and a conversation of somebody else that the team has mailed to the visitor by mistake.
async fn leave_more_traces(site: &TestSite<'_>) {
    let second = asked(&site.visitor(), "Is there a second quagmire?", "another-device").await;
    let visitor = site.visitor().with_session(second["sessionToken"].as_str().expect("a token"));
    let handoff = "mutation ($id: ID!) { m: requestHandoff(input: {
        conversationId: $id, customerEmail: \"THISTLE@Example.com\"
    }) { userErrors { message } } }";
    done(&visitor, handoff, json!({ "id": second["conversation"]["id"] })).await;
    let of_another = asked(&site.visitor(), "Is the harbour open?", "another-visitor").await;
    let transcript = "mutation ($id: ID!) {
        m: sendTranscript(input: { conversationId: $id, email: \"thistle@example.com\" }) { userErrors { message } }
    }";
    done(&site.owner(), transcript, json!({ "id": of_another["conversation"]["id"] })).await;
}

async fn nothing_of_an_erased_address_stays(app: &TestApp, database: &TestDatabase) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let mut receivers = [Receiver::start().await, Receiver::start().await];
    let visitor = leave_traces(app, &site, &mut receivers).await;
    leave_more_traces(&site).await;
    for word in WORDS {
        assert!(!places_of(database, word).await.is_empty(), "{word} is nowhere: the test looks at nothing");
    }

    let variables = json!({ "email": "Thistle@example.com", "site": null });
    let (_, narrow) = site.key(KeyKind::Secret).scopes(&[Scope::ReadConversations]).create().await;
    for refused in [app.client(&narrow), visitor.clone()] {
        assert_eq!(refused.graphql(ERASE_VISITOR, variables.clone()).await.codes(), ["FORBIDDEN"]);
    }
    let by_stranger = done(&other.owner(), ERASE_VISITOR, variables.clone()).await;
    let malformed = site.owner().graphql(ERASE_VISITOR, json!({ "email": "thistle" })).await.ok();
    let erased = done(&site.owner(), ERASE_VISITOR, variables.clone()).await;
    let again = done(&site.owner(), ERASE_VISITOR, variables).await;

    assert_eq!(malformed["m"]["userErrors"][0], json!({ "code": "BAD_USER_INPUT", "field": ["input", "email"] }));
    let counts = |payload: &Value| (payload["sessionCount"].clone(), payload["conversationCount"].clone());
    assert_eq!(counts(&by_stranger), (json!(0), json!(0)));
    assert_eq!(counts(&erased), (json!(2), json!(3)));
    assert_eq!(counts(&again), (json!(0), json!(0)));
    for word in WORDS.into_iter().chain(["another-device"]) {
        assert_eq!(places_of(database, word).await, BTreeSet::new(), "{word} is still there");
    }
    assert!(!places_of(database, "harbour").await.is_empty(), "what others said stays");
    let waiting = site.owner().graphql("{ site { waitingMails { nodes { kind } } } }", json!({})).await.ok();
    assert_eq!(waiting["site"]["waitingMails"]["nodes"], json!([]));
    let refused = visitor.graphql("{ viewer { sessionId } }", json!({})).await;
    assert_ne!(refused.data["viewer"]["sessionId"], SESSION, "the token has ended");
}

/// All records, read in pages of one.
async fn records_of(client: &Client, mut variables: Value) -> Vec<Value> {
    let mut records = Vec::new();
    variables["first"] = json!(1);
    loop {
        let mut found = client.graphql(RECORDS, variables.clone()).await.ok()["site"]["visitorRecords"].take();
        records.extend(found["nodes"].as_array().expect("a list").clone());
        if found["pageInfo"]["hasNextPage"] == false {
            assert_eq!(found["totalCount"], records.len());
            return records;
        }
        variables["after"] = found["pageInfo"]["endCursor"].take();
    }
}

async fn the_export_of_a_visitor_contains_what_would_be_erased(app: &TestApp, _: &TestDatabase) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let mut receivers = [Receiver::start().await, Receiver::start().await];
    let visitor = leave_traces(app, &site, &mut receivers).await;
    leave_more_traces(&site).await;

    let by_email = records_of(&site.owner(), json!({ "email": "thistle@EXAMPLE.com" })).await;
    let by_session = records_of(&site.owner(), json!({ "session": SESSION })).await;
    let of_stranger = records_of(&other.owner(), json!({ "session": SESSION })).await;
    let all = site.owner().graphql(RECORDS, json!({ "email": "thistle@example.com" })).await.ok();
    let by_visitor = visitor.graphql(RECORDS, json!({ "session": SESSION })).await;
    let neither = site.owner().graphql(RECORDS, json!({})).await;
    let both = site.owner().graphql(RECORDS, json!({ "session": "a", "email": "a@example.com" })).await;

    let kinds = |records: &[Value]| -> Vec<String> {
        records.iter().map(|it| format!("{} {}", it["kind"].as_str().expect("a kind"), it["sessionId"])).collect()
    };
    let of_session =
        ["SESSION \"visitor-of-old\"", "CONVERSATION \"visitor-of-old\"", "CONVERSATION \"visitor-of-old\""];
    assert_eq!(kinds(&by_session), of_session);
    let of_device = ["SESSION \"another-device\"", "CONVERSATION \"another-device\""];
    assert_eq!(kinds(&by_email), [&of_device[..], &of_session[..]].concat());
    assert_eq!(all["site"]["visitorRecords"]["nodes"], json!(by_email));
    assert_eq!(of_stranger, Vec::<Value>::new());
    let text = by_session.iter().map(|record| record["body"].as_str().expect("a text")).collect::<String>();
    for word in WORDS {
        assert!(text.to_lowercase().contains(word), "{word} is not exported: {text}");
    }
    assert!(!text.contains("harbour"), "what others said is not exported: {text}");
    let body: Value = serde_json::from_str(by_session[1]["body"].as_str().expect("a text")).expect("JSON");
    assert_eq!(body["messages"][0]["text"], "A zephyrous wind blows from there");
    assert_eq!(body["notes"][0]["text"], "Sells mulberry jam");
    assert_eq!(body["tags"], json!(["obelisk"]));
    assert_eq!((&body["vote"], &body["feedbackReason"]), (&json!("no"), &json!("wrong")));
    assert_eq!(body["feedbackComment"], "The quagmire is elsewhere");
    assert_eq!(body["handoffs"][0]["rating"], 2);
    assert_eq!(body["handoffs"][0]["comment"], "I am still in the quagmire");
    assert_eq!(by_visitor.codes(), ["FORBIDDEN"]);
    assert_eq!((neither.codes(), both.codes()), (vec!["BAD_USER_INPUT"], vec!["BAD_USER_INPUT"]));
}

async fn a_long_session_goes_in_groups(app: &TestApp, database: &TestDatabase) {
    const CONVERSATIONS: usize = 250;
    let site = app.site().create().await;
    for number in 0..CONVERSATIONS {
        let new = helpbot_services::conversations::NewQuestion {
            site: Some(site.id),
            question: format!("Where is obelisk {number}?"),
            session_id: Some(SESSION.to_owned()),
            ..Default::default()
        };
        helpbot_services::conversations::ask(app.services(), app.operator(), new, None).await.expect("an answer");
    }

    let erased = done(&site.owner(), ERASE, json!({ "session": SESSION, "site": null })).await;

    assert_eq!(erased["erasedCount"], CONVERSATIONS);
    assert_eq!(places_of(database, "obelisk").await, BTreeSet::new());
    let found = site.owner().graphql("{ site { conversations { totalCount } } }", json!({})).await.ok();
    assert_eq!(found["site"]["conversations"]["totalCount"], 0);
}

/// The tables that hold `word` anywhere, in any case.
async fn places_of(database: &TestDatabase, word: &str) -> BTreeSet<String> {
    match (database.schema(), database.file()) {
        (Some((server, schema)), _) => places_in_postgres(server, schema, word).await,
        (None, Some(file)) => places_in_sqlite(file, word),
        (None, None) => unreachable!("a database is a schema or a file"),
    }
}

async fn places_in_postgres(server: &str, schema: &str, word: &str) -> BTreeSet<String> {
    let client = database::server_client(server).await;
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = $1";
    let mut places = BTreeSet::new();
    for row in client.query(tables, &[&schema]).await.expect("tables") {
        let table: String = row.get(0);
        let count = format!("SELECT count(*) FROM {schema}.\"{table}\" AS found WHERE found::text ILIKE $1");
        let found: i64 = client.query_one(&count, &[&format!("%{word}%")]).await.expect("a count").get(0);
        if found > 0 {
            places.insert(table);
        }
    }
    places
}

/// In the live content of the file: all of it, copied, and each table in a file of its own. What rows
/// that are gone left in free pages is not content, and goes when those are used again.
fn places_in_sqlite(file: &Path, word: &str) -> BTreeSet<String> {
    const TABLES: [&str; 21] = [
        "conversations",
        "handoffs",
        "sessions",
        "messages",
        "events",
        "jobs",
        "deliveries",
        "delivery_attempts",
        "transcripts",
        "transcript_codes",
        "handoff_notices",
        "blocked_visitors",
        "idempotent_requests",
        "read_marks",
        "webhook_replays",
        "chunks",
        "evaluation_cases",
        "answer_rules",
        "dismissed_topics",
        "change_previews",
        "previewed_questions",
    ];
    let directory = tempfile::tempdir().expect("a directory");
    let mut connection = SqliteConnection::establish(&file.to_string_lossy()).expect("the file opens");
    let mut holds = |name: &str, copied: &str| {
        let copy = directory.path().join(name);
        connection.batch_execute(&copied.replace('@', &copy.display().to_string())).expect("it is copied");
        let bytes = std::fs::read(&copy).expect("the copy");
        String::from_utf8_lossy(&bytes).to_lowercase().contains(&word.to_lowercase())
    };
    let mut places = BTreeSet::new();
    for table in TABLES {
        let copied = format!("ATTACH '@' AS copy; CREATE TABLE copy.found AS SELECT * FROM {table}; DETACH copy");
        if holds(table, &copied) {
            places.insert(table.to_owned());
        }
    }
    if holds("all", "VACUUM INTO '@'") && places.is_empty() {
        places.insert("another table".to_owned());
    }
    places
}
