//! Tests of the number of SQL statements of a nested query: as many as it has levels, whatever the length of its lists. They
//! run in process without workers, whose statements would be counted too.

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use helpbot_domain::ids::SiteId;
use helpbot_domain::key::{KeyKind, Role};
use helpbot_services::accounts::keys::{self, NewKey};
use helpbot_services::accounts::members;
use helpbot_services::accounts::sites::{self, NewSite};
use helpbot_services::conversations::handoffs::{self, ReplyAddress};
use helpbot_services::conversations::messages;
use helpbot_services::conversations::{self, NewQuestion};
use helpbot_services::knowledge::entries::{self, NewEntry};
use helpbot_services::{ProvedSession, Viewer};
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Offline, offline, wait_for};
use serde_json::{Value, json};
use tower::ServiceExt;

const NESTED: &str = "query ($first: Int!) { site { conversations(first: $first) {
    totalCount
    nodes {
        question
        unreadCount
        handoff { status assignee { name } }
        citations { title source { title kind } }
        messages(first: 5) { nodes { text author } }
    }
} } }";
const CONVERSATIONS: usize = 50;
/// The site; the page of conversations and their number; then, each for all of them at once: what
/// may be seen of them and their messages, the sources cited, the members assigned, what was read.
const STATEMENTS_MAX: u64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_conversations_cost_as_many_statements_as_one_on_sqlite() {
    database::with(Some(TestDatabase::sqlite()), fifty_cost_as_many_as_one).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_conversations_cost_as_many_statements_as_one_on_postgres() {
    database::with(TestDatabase::postgres().await, fifty_cost_as_many_as_one).await;
}

async fn fifty_cost_as_many_as_one(database: &TestDatabase) {
    let app = offline(database).await;
    let (key, operator, site) = filled(&app).await;
    // The first request of a key notes its use, behind the answer.
    read(&app, &key, 1).await;
    wait_for("the note of the key's use", async || {
        let keys = keys::list(&app.services, &operator, site).await.expect("keys");
        keys.iter().any(|key| key.last_used_at.is_some()).then_some(())
    })
    .await;

    let (one, fifty) = (statements(&app, &key, 1).await, statements(&app, &key, CONVERSATIONS).await);

    assert_eq!(fifty, one);
    assert!(fifty <= STATEMENTS_MAX, "{fifty} statements");
    app.services.close().await;
}

/// A site with answered conversations, each handed to a member, in which visitor and team have
/// written; gives its key.
async fn filled(app: &Offline) -> (String, Viewer, Option<SiteId>) {
    let services = &app.services;
    let (key, _) = keys::create_operator(services, "tests").await.expect("an operator's key");
    let operator = Viewer::operator(key.id);
    let new = NewSite { name: "Shop".into(), owner_email: "owner@shop.example".into(), plan: None, credit_limit: None };
    let site = Some(sites::create(services, &operator, new).await.expect("a site").id);
    let entry = NewEntry {
        question: "When are you open?".into(),
        answer: "From 8 to 11 in the morning.".into(),
        phrasings: Vec::new(),
        url: None,
    };
    entries::add(services, &operator, site, entry).await.expect("an entry");
    let ann = members::add(services, &operator, site, "Ann", "ann@example.com", Role::Agent).await.expect("a member").0;
    for _ in 0..CONVERSATIONS {
        let new = NewQuestion { site, question: "When are you open?".into(), ..NewQuestion::default() };
        let asked = conversations::ask(services, &operator, new, None).await.expect("an answer");
        let (id, token_id) = (asked.conversation.id, asked.conversation.token_id.expect("a token"));
        let session = ProvedSession { id: asked.conversation.session_id, token_id };
        handoffs::request(services, &operator, site, id, ReplyAddress::None).await.expect("a handoff");
        handoffs::assign(services, &operator, site, id, Some(ann.id)).await.expect("an assignment");
        let visitor = visitor(&operator, site, session);
        messages::send(services, &visitor, None, id, "Are you there?").await.expect("a message");
    }
    let new = NewKey { kind: KeyKind::Secret, name: "test".into(), scopes: None, origins: vec![], expires_at: None };
    let (_, key) = keys::create(services, &operator, site, new).await.expect("a key");
    (key, operator, site)
}

fn visitor(operator: &Viewer, site: Option<SiteId>, session: ProvedSession) -> Viewer {
    Viewer {
        kind: KeyKind::Widget,
        site_id: site,
        scopes: helpbot_domain::key::Scope::WIDGET.to_vec(),
        session: Some(session),
        ..operator.clone()
    }
}

/// Statements that the nested query over `first` conversations sends.
async fn statements(app: &Offline, key: &str, first: usize) -> u64 {
    let before = app.services.statements();

    let nodes = read(app, key, first).await;

    let count = app.services.statements() - before;
    assert_eq!(nodes.len(), first);
    for node in nodes {
        assert_eq!(node["citations"][0]["source"]["kind"], "TEXT", "{node}");
        assert_eq!(node["handoff"]["assignee"]["name"], "Ann", "{node}");
        assert_eq!(node["messages"]["nodes"][2]["text"], "Are you there?", "{node}");
        assert_eq!(node["unreadCount"], 1, "{node}");
    }
    count
}

async fn read(app: &Offline, key: &str, first: usize) -> Vec<Value> {
    let body = json!({ "query": NESTED, "variables": { "first": first } }).to_string();
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .body(Body::from(body))
        .expect("a request");
    let response = app.router.clone().oneshot(request).await.expect("the application always answers");
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("the answer is whole");
    let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"]["site"]["conversations"]["nodes"].as_array().expect("a list").clone()
}
