//! Tests of the presence of visitors: whether they have a conversation open, and when they were last there.

use std::time::Duration;

use helpbot_tests::{Client, TestApp, TestSite, on_both_backends, wait_for};
use serde_json::{Value, json};

on_both_backends!(
    the_team_sees_whether_the_visitor_is_there_and_since_when_not,
    what_a_visitor_does_with_a_session_token_counts_as_presence,
    presence_needs_the_token_of_the_conversation,
);

const ASK: &str = "mutation { askQuestion(input: { question: \"Is anybody there?\" }) {
    conversation { id } sessionToken
} }";
const HANDOFF: &str = "mutation ($id: ID!) { requestHandoff(input: { conversationId: $id }) { userErrors { code } } }";
const SEND: &str =
    "mutation ($id: ID!) { sendMessage(input: { conversationId: $id, text: \"Hello\" }) { userErrors { code } } }";
const READ: &str = "mutation ($id: ID!) { markRead(input: { conversationId: $id }) { userErrors { code } } }";
const MESSAGES: &str =
    "query ($id: ID!) { node(id: $id) { ... on Conversation { messages(first: 50) { nodes { text } } } } }";
const ACTIVITY: &str = "subscription ($id: ID!) { conversationActivity(conversationId: $id) { isVisitorHere } }";
const PRESENCE: &str = "query ($id: ID!) { node(id: $id) { ... on Conversation { isVisitorHere visitorLastSeenAt } } }";

/// A visitor with a session token who has asked for a human.
async fn waiting(site: &TestSite<'_>) -> (Client, Value) {
    let asked = site.visitor().graphql(ASK, json!({})).await.ok();
    let visitor = site.visitor().with_session(asked["askQuestion"]["sessionToken"].as_str().expect("a token"));
    let id = asked["askQuestion"]["conversation"]["id"].clone();
    visitor.graphql(HANDOFF, json!({ "id": id })).await.ok();
    (visitor, id)
}

async fn presence(client: &Client, id: &Value) -> Value {
    client.graphql(PRESENCE, json!({ "id": id })).await.ok()["node"].take()
}

async fn the_team_sees_whether_the_visitor_is_there_and_since_when_not(app: &TestApp) {
    let site = app.site().create().await;
    let (visitor, id) = waiting(&site).await;
    let asked_at = app.now().to_string();
    assert_eq!(presence(&site.owner(), &id).await, json!({ "isVisitorHere": false, "visitorLastSeenAt": asked_at }));

    app.pass(Duration::from_secs(60));
    let mut socket = visitor.socket().await;
    let watching = socket.subscribe(ACTIVITY, json!({ "id": id })).await;
    socket.next(&watching).await;
    let came_at = app.now().to_string();
    let here = json!({ "isVisitorHere": true, "visitorLastSeenAt": came_at });
    wait_for("the visitor", async || (presence(&site.owner(), &id).await == here).then_some(())).await;

    app.pass(Duration::from_secs(5));
    drop(socket);
    let gone = json!({ "isVisitorHere": false, "visitorLastSeenAt": app.now().to_string() });
    wait_for("the end of the visit", async || (presence(&site.owner(), &id).await == gone).then_some(())).await;
}

async fn what_a_visitor_does_with_a_session_token_counts_as_presence(app: &TestApp) {
    let site = app.site().create().await;
    let (visitor, id) = waiting(&site).await;
    site.owner().graphql(SEND, json!({ "id": id })).await.ok();

    for document in [SEND, READ, MESSAGES, ASK] {
        app.pass(Duration::from_secs(60));
        visitor.graphql(document, json!({ "id": id })).await.ok();

        let seen = presence(&site.owner(), &id).await["visitorLastSeenAt"].take();
        assert_eq!(seen, app.now().to_string(), "{document}");
    }
}

async fn presence_needs_the_token_of_the_conversation(app: &TestApp) {
    let site = app.site().create().await;
    let (_, id) = waiting(&site).await;
    let (stranger, _) = waiting(&site).await;
    site.owner().graphql(SEND, json!({ "id": id })).await.ok();
    let asked_at = app.now().to_string();

    app.pass(Duration::from_secs(60));
    for client in [&stranger, &site.visitor(), &site.owner()] {
        for document in [READ, MESSAGES] {
            client.graphql(document, json!({ "id": id })).await;
        }
    }

    assert_eq!(presence(&site.owner(), &id).await, json!({ "isVisitorHere": false, "visitorLastSeenAt": asked_at }));
    assert_eq!(presence(&stranger, &id).await, Value::Null);
}
