//! Tests of the events of entries and sources: a list of them that is followed stays true, across cuts and syncs.

use std::collections::BTreeMap;
use std::time::Duration;

use helpbot_domain::key::{KeyKind, Scope};
use helpbot_tests::{Client, Socket, TestApp, TestSite, on_both_backends, wait_for};
use serde_json::{Value, json};

use crate::shop::{TICK, add};

on_both_backends!(
    each_change_of_an_entry_or_a_source_has_an_event,
    a_list_that_is_followed_stays_true_across_cuts,
    content_and_conversations_are_followed_apart,
    a_live_query_shows_a_sync,
);

const FOLLOW: &str = "subscription ($after: String) { contentEvents(after: $after) {
    cursor type entryId entry { id question source { id } } sourceId source { id status }
} }";
const ADD_PHRASING: &str =
    "mutation ($input: AddPhrasingInput!) { addPhrasing(input: $input) { userErrors { code } } }";
const DELETE_ENTRY: &str = "mutation ($id: ID!) { deleteFaqEntry(input: { id: $id }) { userErrors { code } } }";
const ADD_TEXT: &str = "mutation ($input: AddTextSourceInput!) { addTextSource(input: $input) { source { id } } }";
const DELETE_SOURCE: &str = "mutation ($id: ID!) { deleteSource(input: { id: $id }) { userErrors { code } } }";
const ENTRIES: &str = "query ($source: ID) { site {
    faqEntries(first: 100, sourceId: $source) { nodes { id question source { id } } }
} }";

async fn added(app: &TestApp, site: &TestSite<'_>, question: &str) -> Value {
    add(app, site, (question, "Yes.")).await
}

/// Adds a text with questions and waits until its sync has ended.
async fn text(app: &TestApp, site: &TestSite<'_>, title: &str, questions: &[&str]) -> Value {
    app.pass(TICK);
    let text: String =
        questions.iter().map(|question| format!("## {question}\n\nThe answer to {question}\n\n")).collect();
    let input = json!({ "input": { "title": title, "text": text } });
    let source = site.owner().graphql(ADD_TEXT, input).await.ok()["addTextSource"]["source"]["id"].take();
    let status = "query ($id: ID!) { node(id: $id) { ... on Source { status } } }";
    wait_for("the end of the sync", async || {
        let found = site.owner().graphql(status, json!({ "id": source })).await.ok();
        (found["node"]["status"] == "INDEXED").then_some(())
    })
    .await;
    source
}

async fn next(socket: &mut Socket, id: &str) -> Value {
    socket.next(id).await["contentEvents"].take()
}

async fn each_change_of_an_entry_or_a_source_has_an_event(app: &TestApp) {
    let site = app.site().create().await;
    let mut socket = site.owner().socket().await;
    let followed = socket.subscribe(FOLLOW, json!({ "after": site.beginning() })).await;

    let entry = added(app, &site, "Do you deliver?").await;
    let phrasing = json!({ "input": { "entryId": entry, "phrasing": "Is there a delivery?" } });
    for _ in 0..2 {
        site.owner().graphql(ADD_PHRASING, phrasing.clone()).await.ok();
    }
    site.owner().graphql(DELETE_ENTRY, json!({ "id": entry })).await.ok();
    let source = text(app, &site, "Hours", &["When are you open?"]).await;
    site.owner().graphql(DELETE_SOURCE, json!({ "id": source })).await.ok();

    let mut events = Vec::new();
    while events.last().is_none_or(|event: &Value| event["type"] != "SOURCE_DELETED") {
        events.push(next(&mut socket, &followed).await);
    }
    let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().expect("a type")).collect();
    assert_eq!(
        types,
        // The first entry comes with the source of the entries that are written by hand. The second phrasing is the
        // first one again, which changes nothing.
        [
            "SOURCE_ADDED",
            "ENTRY_ADDED",
            "ENTRY_UPDATED",
            "ENTRY_DELETED",
            "SOURCE_ADDED",
            "SOURCE_UPDATED",
            "SOURCE_SYNCED",
            "SOURCE_DELETED"
        ]
    );
    assert!(events[1..4].iter().all(|event| event["entryId"] == entry && event["sourceId"] == events[0]["sourceId"]));
    assert!(events[4..].iter().all(|event| event["sourceId"] == source && event["entryId"].is_null()));
    // Objects are shown in their current state: both are gone.
    assert!(events[1]["entry"].is_null() || events[1]["entry"]["id"] == entry);
    assert!(events[3]["entry"].is_null() && events[7]["source"].is_null());
}

/// A list of entries by ID that follows the events, as a client does.
struct Followed {
    client: Client,
    socket: Socket,
    id: String,
    cursor: Value,
    entries: BTreeMap<String, Value>,
}

impl Followed {
    async fn start(site: &TestSite<'_>) -> Self {
        let client = site.owner();
        let cursor = client.graphql("{ site { eventCursor } }", json!({})).await.ok()["site"]["eventCursor"].take();
        let entries = read(&client, Value::Null).await;
        let mut socket = client.socket().await;
        let id = socket.subscribe(FOLLOW, json!({ "after": cursor })).await;
        Self { client, socket, id, cursor, entries }
    }

    async fn cut(self) -> Self {
        let Self { client, socket, cursor, entries, .. } = self;
        socket.cut();
        let mut socket = client.socket().await;
        let id = socket.subscribe(FOLLOW, json!({ "after": cursor })).await;
        Self { client, socket, id, cursor, entries }
    }

    async fn step(&mut self) {
        let event = next(&mut self.socket, &self.id).await;
        assert_ne!(event["cursor"], self.cursor, "an event arrived twice: {event}");
        self.cursor = event["cursor"].clone();
        let source = event["sourceId"].as_str().expect("an ID").to_owned();
        match (event["type"].as_str().expect("a type"), event["entryId"].as_str()) {
            ("ENTRY_DELETED", Some(entry)) => drop(self.entries.remove(entry)),
            (_, Some(entry)) if event["entry"].is_null() => drop(self.entries.remove(entry)),
            (_, Some(entry)) => drop(self.entries.insert(entry.to_owned(), event["entry"].clone())),
            ("SOURCE_SYNCED", None) => {
                self.entries.retain(|_, entry| entry["source"]["id"] != source.as_str());
                self.entries.extend(read(&self.client, json!(source)).await);
            }
            ("SOURCE_DELETED", None) => self.entries.retain(|_, entry| entry["source"]["id"] != source.as_str()),
            _ => {}
        }
    }
}

async fn read(client: &Client, source: Value) -> BTreeMap<String, Value> {
    let found = client.graphql(ENTRIES, json!({ "source": source })).await.ok();
    let nodes = found["site"]["faqEntries"]["nodes"].as_array().expect("a list").clone();
    nodes.into_iter().map(|node| (node["id"].as_str().expect("an ID").to_owned(), node)).collect()
}

async fn a_list_that_is_followed_stays_true_across_cuts(app: &TestApp) {
    const CHANGES: usize = 24;
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    eprintln!("seed {seed}");
    let site = app.site().create().await;
    let mut written = vec![added(app, &site, "Do you deliver?").await];
    let mut followed = Followed::start(&site).await;

    for round in 0..CHANGES {
        match random.u8(0..8) {
            0..=2 => written.push(added(app, &site, &format!("Question {round}?")).await),
            3 | 4 if !written.is_empty() => {
                let entry = written.swap_remove(random.usize(..written.len()));
                site.owner().graphql(DELETE_ENTRY, json!({ "id": entry })).await.ok();
            }
            5 => drop(text(app, &site, "Text", &["When are you open?", &format!("Is it {round}?")]).await),
            6 => followed = followed.cut().await,
            _ => {
                let sources = "{ site { sources(filter: { kinds: [TEXT] }) { nodes { id title } } } }";
                let found = site.owner().graphql(sources, json!({})).await.ok();
                let nodes = found["site"]["sources"]["nodes"].as_array().expect("a list").clone();
                if let Some(source) = nodes.iter().find(|node| node["title"] == "Text") {
                    site.owner().graphql(DELETE_SOURCE, json!({ "id": source["id"] })).await.ok();
                }
            }
        }
    }
    let last = added(app, &site, "The last one?").await;
    while !followed.entries.contains_key(last.as_str().expect("an ID")) {
        followed.step().await;
    }

    assert_eq!(followed.entries, read(&site.owner(), Value::Null).await);
}

async fn content_and_conversations_are_followed_apart(app: &TestApp) {
    const ASK: &str = "mutation { askQuestion(input: { question: \"Hi?\" }) { conversation { id } } }";
    let site = app.site().create().await;
    let (_, sources) = site.key(KeyKind::Secret).scopes(&[Scope::ReadSources]).create().await;
    let reader = app.client(&sources);
    let cursor = reader.graphql("{ site { eventCursor } }", json!({})).await.ok()["site"]["eventCursor"].take();

    let entry = added(app, &site, "Do you deliver?").await;
    site.visitor().graphql(ASK, json!({})).await.ok();
    let last = added(app, &site, "Do you mail?").await;
    site.visitor().graphql(ASK, json!({})).await.ok();

    let mut socket = reader.socket().await;
    let filtered = "subscription ($after: String) { contentEvents(after: $after, types: [ENTRY_ADDED]) { entryId } }";
    let content = socket.subscribe(filtered, json!({ "after": cursor })).await;
    let found =
        [next(&mut socket, &content).await["entryId"].take(), next(&mut socket, &content).await["entryId"].take()];
    let mut socket = site.owner().socket().await;
    let asked = "subscription ($after: String) { conversationEvents(after: $after) { type } }";
    let conversations = socket.subscribe(asked, json!({ "after": cursor })).await;
    let mut types = Vec::new();
    while types.len() < 2 {
        types.push(socket.next(&conversations).await["conversationEvents"]["type"].take());
    }

    assert_eq!(found, [entry, last]);
    assert!(
        types.iter().all(|event| event.as_str().is_some_and(|name| name.starts_with("CONVERSATION_"))),
        "{types:?}"
    );
}

async fn a_live_query_shows_a_sync(app: &TestApp) {
    const LIST: &str = "query @live { site {
        sources(filter: { kinds: [TEXT] }) { nodes { title status } } faqEntries { nodes { question } }
    } }";
    let site = app.site().create().await;
    let mut socket = site.owner().socket().await;
    let id = socket.subscribe(LIST, json!({})).await;

    text(app, &site, "Hours", &["When are you open?"]).await;

    // Each list is read by a statement of its own, so one result can hold the source and not yet its entries; the next
    // result mends that. Without an event, the query would be executed again only after ten seconds.
    let synced = json!({
        "sources": { "nodes": [{ "title": "Hours", "status": "INDEXED" }] },
        "faqEntries": { "nodes": [{ "question": "When are you open?" }] },
    });
    let shown = async { while socket.frame_of(&id).await["payload"]["data"]["site"] != synced {} };
    tokio::time::timeout(Duration::from_secs(5), shown).await.expect("the end of the sync");
}
