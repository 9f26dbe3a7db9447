//! Tests of visitors' sessions: neither the name of a session nor the ID of a conversation gives access to what others wrote.

use futures_util::future::join_all;
use helpbot_domain::conversation::is_unguessable;
use helpbot_tests::{Client, TestApp, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    a_conversation_id_alone_returns_nothing_of_the_conversation,
    a_reply_address_requires_the_session_token_over_graphql_only,
    one_of_eight_first_questions_gets_the_token,
    a_token_does_not_open_what_others_add_to_its_session,
    an_erased_session_ends_its_token,
);

const ASK: &str = "mutation ($question: String!, $session: String) {
    askQuestion(input: { question: $question, sessionId: $session }) {
        conversation { id sessionId } sessionToken userErrors { message }
    }
}";
const VOTE: &str = "mutation ($id: ID!) {
    submitFeedback(input: { conversationId: $id, feedback: HELPFUL }) { conversation { question } userErrors { code } }
}";
const HANDOFF: &str = "mutation ($id: ID!, $email: String) {
    requestHandoff(input: { conversationId: $id, customerEmail: $email }) {
        conversation { question handoff { customerEmail } } userErrors { code field }
    }
}";
const NODE: &str = "query ($id: ID!) { node(id: $id) { ... on Conversation { question handoff { customerEmail } } } }";

async fn ask(visitor: &Client, question: &str, session: Option<&str>) -> Value {
    let mut data = visitor.graphql(ASK, json!({ "question": question, "session": session })).await.ok();
    data["askQuestion"].take()
}

async fn a_conversation_id_alone_returns_nothing_of_the_conversation(app: &TestApp) {
    let site = app.site().create().await;
    let asked = ask(&site.visitor(), "private", None).await;
    let proved = site.visitor().with_session(asked["sessionToken"].as_str().expect("a token"));
    let id = json!({ "id": asked["conversation"]["id"] });

    for (document, field) in [(VOTE, "submitFeedback"), (HANDOFF, "requestHandoff")] {
        let by_id = site.visitor().graphql(document, id.clone()).await.ok();
        assert_eq!(by_id[field], json!({ "conversation": null, "userErrors": [] }), "{field}");
        for client in [&proved, &site.owner()] {
            let seen = client.graphql(document, id.clone()).await.ok();
            assert_eq!(seen[field]["conversation"]["question"], "private", "{field}");
        }
    }
}

async fn a_reply_address_requires_the_session_token_over_graphql_only(app: &TestApp) {
    let site = app.site().create().await;
    let visitor = site.visitor();
    let asked = ask(&visitor, "private", None).await;
    let id = &asked["conversation"]["id"];
    let with = |email: &str| json!({ "id": id, "email": email });

    let without_proof = visitor.graphql(HANDOFF, with("stranger@example.com")).await.ok();
    let without_address = site.owner().graphql(NODE, json!({ "id": id })).await.ok();
    let body = json!({ "conversationId": id, "customerEmail": "rest@example.com" });
    visitor.post("/api/v1/handoff", &body).await.ok();
    let by_rest = site.owner().graphql(NODE, json!({ "id": id })).await.ok();
    let other = ask(&visitor, "mine", None).await;
    let proved = visitor.with_session(other["sessionToken"].as_str().expect("a token"));
    let variables = json!({ "id": other["conversation"]["id"], "email": "own@example.com" });
    let own = proved.graphql(HANDOFF, variables).await.ok();

    // The visitor reaches a human, and the address of the stranger is stored nowhere.
    let error = json!([{ "code": "FORBIDDEN", "field": ["input", "customerEmail"] }]);
    assert_eq!(without_proof["requestHandoff"], json!({ "conversation": null, "userErrors": error }));
    assert_eq!(without_address["node"]["handoff"], json!({ "customerEmail": null }));
    assert_eq!(by_rest["node"]["handoff"]["customerEmail"], "rest@example.com");
    assert_eq!(own["requestHandoff"]["conversation"]["handoff"]["customerEmail"], "own@example.com");
}

async fn one_of_eight_first_questions_gets_the_token(app: &TestApp) {
    let site = app.site().create().await;
    let visitor = site.visitor();
    for session in ["fresh-1", "fresh-2", "fresh-3"] {
        let all = join_all((0..8).map(|_| ask(&visitor, "at once", Some(session)))).await;

        let tokens = all.iter().filter(|asked| asked["sessionToken"].is_string()).count();
        assert_eq!(tokens, 1, "{session}");
        assert!(all.iter().all(|asked| asked["conversation"]["sessionId"] == session));
    }
}

async fn a_token_does_not_open_what_others_add_to_its_session(app: &TestApp) {
    const WATCH: &str = "subscription ($after: String) {
        conversationEvents(after: $after, types: [CONVERSATION_CREATED]) { conversation { question } }
    }";
    let site = app.site().create().await;
    let asked = ask(&site.visitor(), "the attacker was first", Some("user-42")).await;
    let attacker = site.visitor().with_session(asked["sessionToken"].as_str().expect("a token"));
    let body = json!({ "question": "my order is 777", "sessionId": "user-42" });
    let victim = site.visitor().post("/api/v1/chat", &body).await.ok();
    ask(&attacker, "the attacker again", None).await;

    let node = attacker.graphql(NODE, json!({ "id": victim["conversationId"] })).await.ok();
    let mut socket = attacker.socket().await;
    let watching = socket.subscribe(WATCH, json!({ "after": site.beginning() })).await;

    assert_eq!(node["node"], Value::Null);
    for question in ["the attacker was first", "the attacker again"] {
        assert_eq!(socket.next(&watching).await["conversationEvents"]["conversation"]["question"], question);
    }
    let listed = "{ site { conversations(filter: { sessionId: \"user-42\" }) { totalCount } } }";
    let listed = site.owner().graphql(listed, json!({})).await.ok();
    assert_eq!(listed["site"]["conversations"]["totalCount"], 3);
}

async fn an_erased_session_ends_its_token(app: &TestApp) {
    const ERASE: &str = "mutation { eraseSession(input: { sessionId: \"user-42\" }) { erasedCount } }";
    let site = app.site().create().await;
    let asked = ask(&site.visitor(), "forget me", Some("user-42")).await;
    let visitor = site.visitor().with_session(asked["sessionToken"].as_str().expect("a token"));

    site.owner().graphql(ERASE, json!({})).await.ok();
    let again = visitor.graphql(ASK, json!({ "question": "still me?" })).await;
    let next = ask(&site.visitor(), "the next visitor", Some("user-42")).await;
    let opened = visitor.graphql(NODE, json!({ "id": next["conversation"]["id"] })).await;

    assert_eq!(again.codes(), ["UNAUTHENTICATED"]);
    assert!(next["sessionToken"].is_string(), "the ID is unused again");
    assert_eq!(opened.codes(), ["UNAUTHENTICATED"]);
}

#[test]
fn only_a_long_session_id_is_unguessable() {
    for long in ["0190f3a1-7c2e-7d3b-9a44-5b6c7d8e9f00", "0190f3a17c2e7d3b9a445b6c7d8e9f00", "abcdefghijklmnopqrstuv"] {
        assert!(is_unguessable(long), "{long}");
    }
    for short in ["user-42", "visitor@example.com", "abcdefghijklmnopqrstu"] {
        assert!(!is_unguessable(short), "{short}");
    }
}
