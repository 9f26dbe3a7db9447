//! Tests of the direct execution of queries: it returns the same as async-graphql, for values and for errors.
//!
//! A directive in a document makes async-graphql execute it, so each document is sent with and without one. The
//! directive is at the end, so that the positions in errors are the same. The order of the
//! fields is tested separately.

use fastrand::Rng;
use helpbot_domain::key::{KeyKind, Scope};
use helpbot_domain::plan::Plan;
use helpbot_tests::{Client, TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    a_query_has_the_same_result_in_both_ways_of_execution,
    an_error_is_reported_the_same_in_both_ways_of_execution,
    variables_and_fragments_are_read_the_same_in_both_ways_of_execution,
);

/// Random documents of a run.
const DOCUMENTS: usize = 150;
const QUESTION: &str = "When are you open?";

/// A site with conversations that have citations, a vote, a handoff and messages after it, and one without an answer.
async fn filled(app: &TestApp) -> TestSite<'_> {
    let site = app.site().create().await;
    let (owner, visitor) = (site.owner(), site.visitor());
    let entry = "mutation { addFaqEntry(input: { question: \"When are you open?\", answer: \"From 8 to 11.\\n\\\"Daily\\\" 🥐\" }) { entry { id } } }";
    owner.graphql(entry, json!({})).await.ok();
    for session in ["s1", "s2", "s2"] {
        let asked = json!({ "question": QUESTION, "sessionId": session });
        let answered = visitor.post("/api/v1/chat", &asked).await.ok();
        let id = &answered["conversationId"];
        owner.post("/api/v1/feedback", &json!({ "conversationId": id, "helpful": "yes" })).await.ok();
        let handoff = json!({ "conversationId": id, "customerEmail": "guest@example.com" });
        visitor.post("/api/v1/handoff", &handoff).await.ok();
        let reply = "mutation($id: ID!) { sendMessage(input: { conversationId: $id, text: \"We are here.\" }) { userErrors { message } } }";
        owner.graphql(reply, json!({ "id": id })).await.ok();
    }
    visitor.post("/api/v1/chat", &json!({ "question": "Xyzzy plugh?" })).await.ok();
    site
}

/// Sends a document both ways and returns the text of the result, which must be the same.
async fn same(client: &Client, fields: &str, rest: &str, head: &str, variables: &Value) -> String {
    let direct = format!("{head} {{ {fields} kind: __typename }} {rest}");
    let resolved = format!("{head} {{ {fields} kind: __typename @include(if: true) }} {rest}");
    let (direct_reply, resolved_reply) =
        (client.graphql(&direct, variables.clone()).await, client.graphql(&resolved, variables.clone()).await);
    assert_eq!(direct_reply.reply.status, resolved_reply.reply.status, "{direct} {variables}");
    assert_eq!(direct_reply.reply.json(), resolved_reply.reply.json(), "{direct} {variables}");
    direct_reply.reply.text()
}

/// Some of `fields`, with aliases.
fn some(rng: &mut Rng, fields: &[&str]) -> String {
    let mut chosen: Vec<String> = Vec::new();
    for field in fields {
        if rng.bool() {
            continue;
        }
        chosen.push(match rng.u8(..8) {
            0 => format!("a{}: {field}", chosen.len()),
            _ => (*field).to_owned(),
        });
    }
    rng.shuffle(&mut chosen);
    chosen.push("__typename".to_owned());
    chosen.join(" ")
}

fn connection(rng: &mut Rng, node: &str) -> String {
    let edges = format!("edges {{ cursor node {{ {node} }} }}");
    let nodes = format!("nodes {{ {node} }}");
    let info = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor __typename }";
    some(rng, &[&edges, &nodes, info, "totalCount"])
}

fn page(rng: &mut Rng) -> String {
    match rng.u8(..4) {
        0 => format!("first: {}", rng.i32(0..6)),
        1 => format!("last: {}", rng.i32(0..4)),
        2 => "first: null".to_owned(),
        _ => "first: 2".to_owned(),
    }
}

/// A random selection on the site.
fn site_fields(rng: &mut Rng) -> String {
    let source =
        some(rng, &["id", "kind", "url", "title", "status", "error", "pageCount", "documentCount", "chunkCount"]);
    let source = format!("source {{ {source} }}");
    let citation = some(rng, &["url", "title", "quote", "score", "textFragment", &source]);
    let message = some(rng, &["id", "seq", "author", "agentName", "text", "createdAt"]);
    let messages = format!("messages({}) {{ {} }}", page(rng), connection(rng, &message));
    let node = some(
        rng,
        &[
            "id",
            "sessionId",
            "question",
            "answer",
            "outcome",
            "isUnanswered",
            "confidence",
            "feedback",
            "feedbackReason",
            "feedbackComment",
            "language",
            "createdAt",
            "updatedAt",
            "sources",
            &format!("citations {{ {citation} }}"),
            &messages,
            "handoff { status customerEmail requestedAt __typename }",
        ],
    );
    let order = ["CREATED_AT_DESC", "CREATED_AT_ASC", "UPDATED_AT_DESC", "UPDATED_AT_ASC"];
    let filter = ["null", "{}", "{ sessionId: \"s2\" }", "{ state: ANSWERED }", "{ search: \"open\" }"];
    let list = format!(
        "conversations({}, orderBy: {}, filter: {}) {{ {} }}",
        page(rng),
        rng.choice(order).unwrap_or("CREATED_AT_DESC"),
        rng.choice(filter).unwrap_or("null"),
        connection(rng, &node)
    );
    let second = if rng.bool() { format!("page: {list}") } else { String::new() };
    format!("{} list: {list} {second}", some(rng, &["id", "name", "plan", "createdAt"]))
}

async fn a_query_has_the_same_result_in_both_ways_of_execution(app: &TestApp) {
    let site = filled(app).await;
    let (owner, seed) = (site.owner(), 7);
    let mut rng = Rng::with_seed(seed);

    for _ in 0..DOCUMENTS {
        let fields = format!("site {{ {} }}", site_fields(&mut rng));
        let text = same(&owner, &fields, "", "query", &json!({})).await;
        assert!(!text.contains("\"errors\""), "seed {seed}: {fields} {text}");
    }
    let all = "site { conversations(first: 2) { nodes { question citations { source { title } } messages(first: 5) \
               { nodes { text } } handoff { customerEmail } } } }";
    let text = same(&owner, all, "", "query", &json!({})).await;
    for part in ["We are here.", "guest@example.com", QUESTION, "\"actual\":"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let mixed = "site { conversations(first: 1) { nodes { messages(first: 1) { nodes { seq } } id citations { url } outcome } } name }";
    let text = same(&owner, mixed, "", "query", &json!({})).await;
    let order = ["\"messages\"", "\"id\"", "\"citations\"", "\"outcome\"", "\"name\"", "\"kind\"", "\"extensions\""];
    let places: Vec<usize> = order.iter().filter_map(|key| text.find(key)).collect();
    assert!(places.len() == order.len() && places.is_sorted(), "{text}");
}

async fn an_error_is_reported_the_same_in_both_ways_of_execution(app: &TestApp) {
    let site = filled(app).await;
    let poor = app.site().plan(Plan::Starter).create().await;
    let (_, narrow) = site.key(KeyKind::Secret).scopes(&[Scope::ReadConfig]).create().await;
    let list = "site { name conversations(first: 2) { nodes { id } } }";
    let cursor = "site { conversations(first: 2, after: \"*\") { nodes { id } } }";
    let both = "site { conversations(first: 2, last: 2) { nodes { id } } }";
    let inner = "site { conversations(first: 2) { nodes { id messages(last: 1, first: 1) { nodes { id } } } } }";
    let other = format!("site(id: \"{}\") {{ name }}", poor.id);

    for (client, fields, code) in [
        (site.visitor(), list, "FORBIDDEN"),
        (app.client(&narrow), list, "FORBIDDEN"),
        (poor.owner(), list, "PLAN_REQUIRED"),
        (site.owner(), cursor, "BAD_USER_INPUT"),
        (site.owner(), both, "BAD_USER_INPUT"),
        (site.owner(), inner, "BAD_USER_INPUT"),
        (site.owner(), other.as_str(), "\"site\":null"),
    ] {
        let text = same(&client, fields, "", "query", &json!({})).await;
        assert!(text.contains(code), "{fields}: {text}");
    }
}

async fn variables_and_fragments_are_read_the_same_in_both_ways_of_execution(app: &TestApp) {
    let site = filled(app).await;
    let head = "query List($first: Int = 3, $after: String, $filter: ConversationFilter, $order: ConversationOrder, \
                $page: Int, $state: ConversationState)";
    let fields = "site { conversations(first: $first, after: $after, filter: $filter, orderBy: $order, page: $page) \
                  { ...Listed edges { cursor } } inner: conversations(filter: { state: $state }) { nodes { id } } }";
    let rest = "fragment Listed on ConversationConnection { nodes { ...Asked citations { title } ... on Conversation \
                { citations { quote title } } } totalCount } fragment Asked on Conversation { id question }";
    let owner = site.owner();
    let listed = owner.graphql("{ site { conversations(first: 1) { edges { cursor } } } }", json!({})).await.ok();
    let cursor = &listed["site"]["conversations"]["edges"][0]["cursor"];

    for variables in [
        json!({}),
        json!({ "first": 2, "after": cursor }),
        json!({ "first": null, "filter": { "state": "ANSWERED", "since": "2020-01-01T00:00:00Z" } }),
        json!({ "page": 2, "first": 2, "order": "UPDATED_AT_ASC" }),
        json!({ "state": "UNANSWERED", "filter": { "handoffStatuses": ["REQUESTED"], "sessionId": null } }),
        json!({ "after": "no cursor" }),
    ] {
        same(&owner, fields, rest, head, &variables).await;
    }
}
