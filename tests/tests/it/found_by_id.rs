//! Tests of finding objects by global ID: `node` and `nodes`, for each kind of key. Also of every other field that names an
//! object by its ID, and of an operator key that names no site.

use std::collections::BTreeSet;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use helpbot_domain::key::{KeyKind, Role, Scope};
use helpbot_services::accounts::members;
use helpbot_tests::{Page, Pages, Receiver, TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};

use crate::{contacts, visits};

on_both_backends!(
    anything_with_an_id_is_found_by_it,
    what_a_key_may_not_see_is_null_among_the_things_that_it_may,
    a_lookup_of_what_does_not_exist_is_null,
    an_operator_follows_a_source_by_its_id,
    an_operator_must_name_the_site,
);

/// The id of a new conversation.
async fn asked(site: &TestSite<'_>) -> Value {
    let question = json!({ "question": "Hi?" });
    site.visitor().post("/api/v1/chat", &question).await.ok()["conversationId"].take()
}

const FAQ: &str = "<!doctype html><html lang=\"en\"><head><title>Bakery</title></head><body><main><h1>Bakery</h1>
    <p>The bakery grinds its flour of spelt, and takes part in the open day.</p>
    <h2>When are you open on Sundays?</h2><p>On Sundays we are open from 8 to 11 in the morning.</p></main></body></html>";

/// Gives a site one of everything that has a global ID. Returns the IDs, each with its type.
pub(crate) async fn one_of_everything(app: &TestApp, site: &TestSite<'_>) -> Vec<(Value, &'static str)> {
    const PAGES: &str = "query ($id: ID!) { node(id: $id) { ... on Source { pages { nodes {
        id entries { nodes { id } } passages { nodes { id } } } } } } }";
    let (owner, receiver) = (site.owner(), Receiver::start().await);
    let new = json!({ "url": receiver.url(), "events": ["conversation.created"] });
    let webhook = owner.post("/api/v1/webhooks", &new).await.ok()["webhook"]["id"].take();
    let sent = "mutation ($id: ID!) { sendTestEvent(input: { webhookId: $id }) { delivery { id } } }";
    let delivery = owner.graphql(sent, json!({ "id": webhook })).await.ok()["sendTestEvent"]["delivery"]["id"].take();
    let member = members::add(app.services(), app.operator(), Some(site.id), "Ann", "ann@example.com", Role::Agent);
    let member = member.await.expect("a member").0.id;
    let (key, _) = site.key(KeyKind::Secret).create().await;
    let served = Pages::of([("/faq", Page::html(FAQ))]).await;
    let source = site.source(&served.url("/faq")).await["id"].take();
    let mut page = owner.graphql(PAGES, json!({ "id": source })).await.ok()["node"]["pages"]["nodes"][0].take();
    let test = "mutation { addEvaluationCase(input: { question: \"Open on Sundays?\" }) { case { id } } }";
    let case = owner.graphql(test, json!({})).await.ok()["addEvaluationCase"]["case"]["id"].take();
    let conversation = asked(site).await;
    let (visitor, _) = visits::visitor(site, "Who am I?").await;
    let (_, secret) = contacts::secret(site).await;
    contacts::identify(&visitor, &contacts::token(app, site, &secret, &json!({ "sub": "42" }))).await;
    let known = "{ site { contacts { nodes { id sessions { nodes { id } } } } } }";
    let known = owner.graphql(known, json!({})).await.ok()["site"]["contacts"]["nodes"][0].take();
    let block = "mutation ($id: ID!) { blockVisitor(input: { conversationId: $id }) { blockedVisitor { id } } }";
    let block = owner.graphql(block, json!({ "id": conversation })).await.ok();
    let made = "mutation ($conversation: ID!, $entry: ID!) {
        addNote(input: { conversationId: $conversation, text: \"Asks again.\" }) { note { id } }
        addCannedReply(input: { name: \"hello\", text: \"Hello!\" }) { cannedReply { id } }
        addAnswerRule(input: { question: \"Open?\", entryId: $entry, kind: PIN }) { rule { id } }
        previewChange(input: { addPhrasing: { entryId: $entry, phrasing: \"Open on Sundays?\" } }) { preview { id } }
    }";
    let entry = page["entries"]["nodes"][0]["id"].take();
    let made = owner.graphql(made, json!({ "conversation": conversation, "entry": entry })).await.ok();
    vec![
        (made["addNote"]["note"]["id"].clone(), "Note"),
        (made["addCannedReply"]["cannedReply"]["id"].clone(), "CannedReply"),
        (made["addAnswerRule"]["rule"]["id"].clone(), "AnswerRule"),
        (made["previewChange"]["preview"]["id"].clone(), "ChangePreview"),
        (json!(site.id), "Site"),
        (source, "Source"),
        (entry, "FaqEntry"),
        (page["passages"]["nodes"][0]["id"].take(), "Passage"),
        (page["id"].take(), "Page"),
        (case, "EvaluationCase"),
        (json!(key), "ApiKey"),
        (json!(member), "Member"),
        (webhook, "Webhook"),
        (delivery, "WebhookDelivery"),
        (conversation, "Conversation"),
        (known["id"].clone(), "Contact"),
        (known["sessions"]["nodes"][0]["id"].clone(), "Session"),
        (block["blockVisitor"]["blockedVisitor"]["id"].clone(), "BlockedVisitor"),
    ]
}

async fn anything_with_an_id_is_found_by_it(app: &TestApp) {
    const NODE: &str = "query ($id: ID!) { node(id: $id) { __typename id } }";
    let (site, other) = (app.site().create().await, app.site().create().await);

    for (id, kind) in one_of_everything(app, &site).await {
        for finder in [site.owner(), app.operator_client()] {
            let found = finder.graphql(NODE, json!({ "id": id })).await.ok();
            assert_eq!(found["node"], json!({ "__typename": kind, "id": id }));
        }
        for stranger in [other.owner(), site.visitor()] {
            let found = stranger.graphql(NODE, json!({ "id": id })).await.ok();
            assert!(found["node"].is_null() || kind == "Site", "{kind}: {found}");
        }
    }
}

async fn what_a_key_may_not_see_is_null_among_the_things_that_it_may(app: &TestApp) {
    const NODES: &str = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let site = app.site().create().await;
    let conversation = asked(&site).await;
    let (_, narrow) = site.key(KeyKind::Secret).scopes(&[Scope::ReadAnalytics]).create().await;
    let unknown = "conv_01h455vb4pex5vsknk084sn02q";

    let found = app.client(&narrow).graphql(NODES, json!({ "ids": [conversation, site.id, "x", unknown] })).await.ok();
    let one = "query ($id: ID!) { node(id: $id) { id } viewer { kind } }";
    let one = app.client(&narrow).graphql(one, json!({ "id": conversation })).await.ok();

    assert_eq!(found["nodes"], json!([null, { "id": site.id }, null, null]));
    assert_eq!(one, json!({ "node": null, "viewer": { "kind": "SECRET" } }));
    let operator = app.operator_client().graphql(NODES, json!({ "ids": [unknown, conversation] })).await.ok();
    assert_eq!(operator["nodes"], json!([null, { "id": conversation }]));
    let many = site.owner().graphql(NODES, json!({ "ids": vec![site.id; 101] })).await;
    assert_eq!(many.codes(), ["BAD_USER_INPUT"]);
}

/// The fields of queries that name one object by its ID: the argument, a document that looks for `$id`, and the place
/// of the field in the result.
const LOOKUPS: &[(&str, &str, &str)] = &[
    ("Query.node(id)", "query ($id: ID!) { node(id: $id) { id } }", "/node"),
    ("Query.site(id)", "query ($id: ID!) { site(id: $id) { id } }", "/site"),
    (
        "Site.changePreview(id)",
        "query ($id: ID!) { site { changePreview(id: $id) { status } } }",
        "/site/changePreview",
    ),
    // A condition: no entry is of a source that does not exist.
    (
        "Site.faqEntries(sourceId)",
        "query ($id: ID!) { site { faqEntries(sourceId: $id) { nodes { id } } } }",
        "/site/faqEntries/nodes/0",
    ),
    (
        "CannedReply.renderedText(conversationId)",
        "query ($id: ID!) { site { cannedReplies { nodes { renderedText(conversationId: $id) } } } }",
        "/site/cannedReplies/nodes/0/renderedText",
    ),
];

async fn a_lookup_of_what_does_not_exist_is_null(app: &TestApp) {
    let site = app.site().create().await;
    let add = "mutation { addCannedReply(input: { name: \"hello\", text: \"Hello!\" }) { cannedReply { id } } }";
    site.owner().graphql(add, json!({})).await.ok();
    let other = app.site().create().await;

    for (name, document, place) in LOOKUPS {
        for id in [json!("x"), json!(other.id), json!("prv_01h455vb4pex5vsknk084sn02q"), asked(&other).await] {
            let found = site.owner().graphql(document, json!({ "id": id })).await.ok();
            assert!(found.pointer(place).is_none_or(Value::is_null), "{name}, {id}: {found}");
        }
    }

    let named: BTreeSet<&str> = LOOKUPS.iter().map(|(name, ..)| *name).collect();
    let known = arguments_with_one_id();
    assert_eq!(known.iter().map(String::as_str).collect::<BTreeSet<_>>(), named, "the fields of the schema");
}

/// The arguments of the fields of queries that are one ID.
fn arguments_with_one_id() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for definition in parse_schema(helpbot_api::schema::sdl()).expect("the schema is GraphQL").definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        let (name, TypeKind::Object(object)) = (&ty.node.name.node, &ty.node.kind) else { continue };
        if name == "Mutation" || name == "Subscription" {
            continue;
        }
        for field in &object.fields {
            let ids = field
                .node
                .arguments
                .iter()
                .filter(|argument| argument.node.ty.to_string().trim_end_matches('!') == "ID");
            found.extend(ids.map(|argument| format!("{name}.{}({})", field.node.name.node, argument.node.name.node)));
        }
    }
    found
}

async fn an_operator_follows_a_source_by_its_id(app: &TestApp) {
    let site = app.site().create().await;
    let text = "mutation { addTextSource(input: { title: \"Hours\", text: \"From 8 to 11.\" }) { source { id } } }";
    let source = site.owner().graphql(text, json!({})).await.ok()["addTextSource"]["source"]["id"].take();
    let mut socket = app.operator_client().socket().await;

    let follow = "subscription ($id: ID!) { sourceProgress(sourceId: $id) { source { id } } }";
    let followed = socket.subscribe(follow, json!({ "id": source })).await;

    assert_eq!(socket.next(&followed).await["sourceProgress"]["source"]["id"], source);
}

async fn an_operator_must_name_the_site(app: &TestApp) {
    const RUN: &str = "mutation { runEvaluation(input: {}) { userErrors { field code message } } }";
    let operator = app.operator_client();

    let unnamed = operator.graphql("{ site { id } }", json!({})).await.ok();
    let refused = operator.graphql(RUN, json!({})).await.ok();

    assert_eq!(unnamed, json!({ "site": null }));
    let expected = json!([{
        "field": ["input", "siteId"],
        "code": "BAD_USER_INPUT",
        "message": "An operator key must name the site. Set siteId.",
    }]);
    assert_eq!(refused["runEvaluation"]["userErrors"], expected);
    for path in ["/api/v1/config", "/api/v1/webhooks"] {
        assert_eq!(operator.get(path).await.status, 403, "{path}");
    }
    assert_eq!(operator.post("/api/v1/chat", &json!({ "question": "Hi?" })).await.status, 403);
}
