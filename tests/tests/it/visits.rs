//! Tests of sessions in the schema: what the team sees of a visit, and that nobody else sees it.

use std::time::Duration;

use helpbot_domain::plan::Plan;
use helpbot_tests::{Client, TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    a_session_shows_the_visit_with_all_questions_in_order,
    an_address_is_stored_without_its_query_and_only_of_web_pages,
    only_the_visitor_of_a_session_reports_its_visit,
    sessions_are_filtered_ordered_and_paged,
    visitors_see_no_sessions,
    questions_without_proof_belong_to_the_session_that_they_name,
);

const ASK: &str = "mutation ($question: String!, $session: String) {
    askQuestion(input: { question: $question, sessionId: $session }) { conversation { id sessionId } sessionToken }
}";
pub(crate) const REPORT: &str = "mutation ($visit: ReportVisitInput!) {
    m: reportVisit(input: $visit) { sessionId userErrors { code field } }
}";
const SESSION: &str = "query ($id: ID!) { node(id: $id) { ... on Conversation { session {
    id sessionId pageUrl referrer language browser isVisitorHere createdAt lastSeenAt contact { id }
    conversations { totalCount nodes { question } }
} } } }";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0";

/// A visitor who has asked a question, with the conversation.
pub(crate) async fn visitor(site: &TestSite<'_>, question: &str) -> (Client, Value) {
    let mut asked = site.visitor().graphql(ASK, json!({ "question": question })).await.ok()["askQuestion"].take();
    let token = asked["sessionToken"].as_str().expect("a token").to_owned();
    (site.visitor().with_session(&token), asked["conversation"].take())
}

async fn session(client: &Client, conversation: &Value) -> Value {
    client.graphql(SESSION, json!({ "id": conversation["id"] })).await.ok()["node"]["session"].take()
}

async fn report(client: &Client, visit: Value) -> Value {
    client.graphql(REPORT, json!({ "visit": visit })).await.ok()["m"].take()
}

async fn a_session_shows_the_visit_with_all_questions_in_order(app: &TestApp) {
    let site = app.site().create().await;
    let (ada, first) = visitor(&site, "First?").await;
    let begun = app.now();
    app.pass(Duration::from_secs(10));
    let visit = json!({ "pageUrl": "https://shop.example/cart", "referrer": "https://search.example/",
        "language": "pt-BR", "userAgent": FIREFOX });
    let reported = report(&ada, visit).await;
    app.pass(Duration::from_secs(10));
    ada.graphql(ASK, json!({ "question": "Second?" })).await.ok();
    report(&ada, json!({ "pageUrl": "https://shop.example/pay", "referrer": "https://other.example/" })).await;
    let last = app.now();

    let shown = session(&site.owner(), &first).await;

    assert_eq!(reported, json!({ "sessionId": first["sessionId"], "userErrors": [] }));
    let mut expected = json!({
        "sessionId": first["sessionId"], "pageUrl": "https://shop.example/pay", "referrer": "https://search.example/",
        "language": "pt", "browser": "Firefox 132 on Linux", "isVisitorHere": true,
        "createdAt": begun.to_rfc3339(), "lastSeenAt": last.to_rfc3339(), "contact": null,
        "conversations": { "totalCount": 2, "nodes": [{ "question": "First?" }, { "question": "Second?" }] },
    });
    expected["id"] = shown["id"].clone();
    assert_eq!(shown, expected);
    assert!(shown["id"].as_str().is_some_and(|id| id.starts_with("ses_")), "{shown}");
    app.pass(Duration::from_secs(41));
    assert_eq!(session(&site.owner(), &first).await["isVisitorHere"], false);
}

async fn an_address_is_stored_without_its_query_and_only_of_web_pages(app: &TestApp) {
    let site = app.site().create().await;
    let (ada, asked) = visitor(&site, "First?").await;
    let secret = "https://ada:pw@shop.example/reset?token=s3cret#top";
    report(&ada, json!({ "pageUrl": secret, "referrer": "", "language": "<b>", "userAgent": "curl/8" })).await;

    let refused = report(&ada, json!({ "pageUrl": "javascript:alert(1)", "referrer": "x".repeat(3000) })).await;

    let field = |name: &str| json!({ "code": "BAD_USER_INPUT", "field": ["input", name] });
    assert_eq!(refused, json!({ "sessionId": null, "userErrors": [field("pageUrl"), field("referrer")] }));
    let shown = session(&site.owner(), &asked).await;
    assert_eq!(shown["pageUrl"], "https://shop.example/reset");
    for name in ["referrer", "language", "browser"] {
        assert_eq!(shown[name], Value::Null, "{name}");
    }
}

async fn only_the_visitor_of_a_session_reports_its_visit(app: &TestApp) {
    const ERASE: &str = "mutation ($id: String!) { eraseSession(input: { sessionId: $id }) { erasedCount } }";
    let site = app.site().create().await;
    let (ada, asked) = visitor(&site, "First?").await;
    let page = json!({ "pageUrl": "https://evil.example/" });

    for stranger in [site.visitor(), site.owner()] {
        let refused = report(&stranger, page.clone()).await;
        assert_eq!(refused["userErrors"], json!([{ "code": "NOT_FOUND", "field": null }]));
    }
    let block = "mutation ($id: ID!) { blockVisitor(input: { conversationId: $id }) { blockedVisitor { id } } }";
    site.owner().graphql(block, json!({ "id": asked["id"] })).await.ok();
    let blocked = ada.graphql(REPORT, json!({ "visit": page })).await;
    assert_eq!(blocked.codes(), ["VISITOR_BLOCKED"]);
    assert_eq!(session(&site.owner(), &asked).await["pageUrl"], Value::Null);
    site.owner().graphql(ERASE, json!({ "id": asked["sessionId"] })).await.ok();
    let erased = ada.graphql(REPORT, json!({ "visit": page })).await;
    assert_eq!(erased.codes(), ["UNAUTHENTICATED"]);
}

async fn sessions_are_filtered_ordered_and_paged(app: &TestApp) {
    const LIST: &str = "query ($filter: SessionFilter, $order: SessionOrder, $first: Int, $after: String, $last: Int) {
        site { sessions(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last) {
            totalCount pageInfo { hasNextPage hasPreviousPage endCursor } nodes { language }
        } }
    }";
    let site = app.site().create().await;
    for language in ["de", "fr", "it"] {
        let (client, _) = visitor(&site, "Hi?").await;
        report(&client, json!({ "language": language })).await;
        app.pass(Duration::from_secs(30));
    }
    let list = async |variables: Value| site.owner().graphql(LIST, variables).await.ok()["site"]["sessions"].take();
    let languages = |found: &Value| {
        let nodes = found["nodes"].as_array().expect("a list").clone();
        nodes.iter().map(|node| node["language"].as_str().unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };

    for (variables, expected) in [
        (json!({}), vec!["it", "fr", "de"]),
        (json!({ "order": "CREATED_ASC" }), vec!["de", "fr", "it"]),
        (json!({ "filter": { "isVisitorHere": true } }), vec!["it"]),
        (json!({ "filter": { "isVisitorHere": false } }), vec!["fr", "de"]),
        (json!({ "filter": { "languages": ["fr", "\u{0}"] } }), vec!["fr"]),
        (json!({ "filter": { "hasContact": true } }), vec![]),
        (json!({ "filter": { "contactId": "contact_01h455vb4pex5vsknk084sn02q" } }), vec![]),
        (json!({ "filter": { "contactId": "nonsense" } }), vec![]),
    ] {
        let found = list(variables).await;
        assert_eq!(languages(&found), expected, "{found}");
        assert_eq!(found["totalCount"], expected.len());
    }
    let first = list(json!({ "first": 2 })).await;
    assert_eq!(languages(&first), ["it", "fr"]);
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let second = list(json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!((languages(&second), &second["pageInfo"]["hasNextPage"]), (vec!["de".to_owned()], &json!(false)));
    assert_eq!(languages(&list(json!({ "last": 1 })).await), ["de"]);
    let wrong = site.owner().graphql(LIST, json!({ "after": "bm9uc2Vuc2U" })).await;
    assert_eq!(wrong.codes(), ["BAD_USER_INPUT"]);
    let starter = app.site().plan(Plan::Starter).create().await;
    let refused = starter.owner().graphql("{ site { sessions { totalCount } } }", json!({})).await;
    assert_eq!(refused.codes(), ["PLAN_REQUIRED"]);
}

async fn visitors_see_no_sessions(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let (ada, asked) = visitor(&site, "First?").await;
    let id = session(&site.owner(), &asked).await["id"].take();
    let node = "query ($id: ID!) { node(id: $id) { ... on Session { sessionId pageUrl } } }";

    let own = ada.graphql(SESSION, json!({ "id": asked["id"] })).await;
    assert_eq!((own.codes(), &own.data["node"]["session"]), (vec!["FORBIDDEN"], &Value::Null));
    for stranger in [ada, other.owner()] {
        assert_eq!(stranger.graphql(node, json!({ "id": id })).await.ok()["node"], Value::Null);
    }
    for reader in [site.owner(), app.operator_client()] {
        assert_eq!(reader.graphql(node, json!({ "id": id })).await.ok()["node"]["sessionId"], asked["sessionId"]);
    }
}

async fn questions_without_proof_belong_to_the_session_that_they_name(app: &TestApp) {
    let site = app.site().create().await;
    let body = json!({ "question": "Over REST?", "sessionId": "rest-visitor" });
    let asked = site.owner().post("/api/v1/chat", &body).await.ok();
    let again = site.visitor().post("/api/v1/chat", &body).await.ok();

    for answered in [asked, again] {
        let shown = session(&site.owner(), &json!({ "id": answered["conversationId"] })).await;
        assert_eq!((&shown["sessionId"], &shown["conversations"]["totalCount"]), (&json!("rest-visitor"), &json!(2)));
    }
}
