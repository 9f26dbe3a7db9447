//! Tests of requests for a human without a question: by a button and in the visitor's own words.

use std::time::Duration;

use helpbot_tests::{Client, TestApp, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    a_human_is_requested_before_the_first_question,
    a_visitor_who_waits_keeps_the_conversation,
    a_human_is_requested_in_words_and_without_a_credit,
    words_with_a_question_request_nobody,
    a_session_that_others_began_gives_no_token,
);

const REQUEST: &str = "mutation ($email: String, $session: String) {
    requestHandoff(input: { customerEmail: $email, sessionId: $session }) {
        conversation { id sessionId question answer outcome isUnanswered handoff { status customerEmail } }
        sessionToken userErrors { code field }
    }
}";
const ASK: &str = "mutation ($question: String!) { askQuestion(input: { question: $question }) {
    conversation { id outcome isUnanswered language answer handoff { status } } sessionToken credits { used }
} }";
const SAY: &str =
    "mutation ($id: ID!) { sendMessage(input: { conversationId: $id, text: \"Hello?\" }) { userErrors { code } } }";
const COUNTS: &str = "{ site { credits { used } conversations(filter: { handoffStatuses: [REQUESTED] }) { totalCount }
    all: conversations { totalCount } analytics(range: ALL) { overview { totalQuestions unansweredCount handoffCount } } } }";
const EVENTS: &str = "subscription ($after: String) { conversationEvents(after: $after) { type conversationId } }";

async fn request(visitor: &Client, email: Option<&str>) -> Value {
    visitor.graphql(REQUEST, json!({ "email": email })).await.ok()["requestHandoff"].take()
}

async fn ask(visitor: &Client, question: &str) -> Value {
    visitor.graphql(ASK, json!({ "question": question })).await.ok()["askQuestion"].take()
}

async fn a_human_is_requested_before_the_first_question(app: &TestApp) {
    let site = app.site().create().await;
    let mut socket = site.owner().socket().await;
    let events = socket.subscribe(EVENTS, json!({ "after": site.beginning() })).await;

    let requested = request(&site.visitor(), Some("ann@home.example")).await;

    let conversation = &requested["conversation"];
    assert_eq!(requested["userErrors"], json!([]));
    assert_eq!(conversation["question"], "Talk to a human");
    assert_eq!(conversation["answer"], "Thanks! Our team has been notified.");
    assert_eq!((&conversation["outcome"], &conversation["isUnanswered"]), (&json!("SMALL_TALK"), &json!(false)));
    assert_eq!(conversation["handoff"], json!({ "status": "REQUESTED", "customerEmail": "ann@home.example" }));
    for kind in ["CONVERSATION_CREATED", "CONVERSATION_HANDOFF"] {
        let event = socket.next(&events).await["conversationEvents"].take();
        assert_eq!(event, json!({ "type": kind, "conversationId": conversation["id"] }));
    }
    // The token opens the conversation to the visitor.
    let visitor = site.visitor().with_session(requested["sessionToken"].as_str().expect("a token"));
    let said = visitor.graphql(SAY, json!({ "id": conversation["id"] })).await.ok();
    assert_eq!(said["sendMessage"]["userErrors"], json!([]));
    let counts = site.owner().graphql(COUNTS, json!({})).await.ok()["site"].take();
    assert_eq!(counts["credits"]["used"], 0);
    assert_eq!((&counts["conversations"]["totalCount"], &counts["all"]["totalCount"]), (&json!(1), &json!(1)));
    let overview = json!({ "totalQuestions": 1, "unansweredCount": 0, "handoffCount": 1 });
    assert_eq!(counts["analytics"]["overview"], overview);
}

async fn a_visitor_who_waits_keeps_the_conversation(app: &TestApp) {
    let site = app.site().create().await;
    let first = request(&site.visitor(), None).await;
    let visitor = site.visitor().with_session(first["sessionToken"].as_str().expect("a token"));

    app.pass(Duration::from_secs(60));
    let again = request(&visitor, Some("ann@home.example")).await;
    let in_words = ask(&visitor, "I want to talk to a human").await;

    assert_eq!(again["conversation"]["id"], first["conversation"]["id"]);
    assert_eq!(again["conversation"]["handoff"]["customerEmail"], "ann@home.example");
    assert!(again["sessionToken"].is_string());
    assert_eq!(in_words["conversation"]["handoff"], Value::Null);
    let counts = site.owner().graphql(COUNTS, json!({})).await.ok()["site"].take();
    assert_eq!(counts["conversations"]["totalCount"], 1);
}

async fn a_human_is_requested_in_words_and_without_a_credit(app: &TestApp) {
    let site = app.site().credits(0).create().await;

    for (words, language) in [
        ("I want to talk to a human", "en"),
        ("Kann ich bitte mit einem Mitarbeiter sprechen?", "de"),
        ("オペレーターと話したいです", "ja"),
    ] {
        let asked = ask(&site.visitor(), words).await;
        let conversation = &asked["conversation"];
        assert_eq!(conversation["handoff"]["status"], "REQUESTED", "{words}");
        assert_eq!(conversation["outcome"], "SMALL_TALK", "{words}");
        assert_eq!(conversation["language"], language, "{words}");
        assert_eq!(asked["credits"]["used"], 0, "{words}");
    }
    let counts = site.owner().graphql(COUNTS, json!({})).await.ok()["site"].take();
    assert_eq!(counts["conversations"]["totalCount"], 3);
    assert_eq!(counts["analytics"]["overview"]["unansweredCount"], 0);
    // The legacy route requests the human too.
    let body = json!({ "question": "Can I speak to a real person, please?" });
    site.visitor().post("/api/v1/chat", &body).await.ok();
    let counts = site.owner().graphql(COUNTS, json!({})).await.ok()["site"].take();
    assert_eq!(counts["conversations"]["totalCount"], 4);
}

async fn words_with_a_question_request_nobody(app: &TestApp) {
    let site = app.site().create().await;

    for question in ["Hello!", "I want to talk to a human about order 12345", "Do you have human hair wigs?"] {
        let asked = ask(&site.visitor(), question).await;
        assert_eq!(asked["conversation"]["handoff"], Value::Null, "{question}");
    }
}

async fn a_session_that_others_began_gives_no_token(app: &TestApp) {
    let site = app.site().create().await;
    let named = json!({ "session": "user-42" });

    let first = site.visitor().graphql(REQUEST, named.clone()).await.ok()["requestHandoff"].take();
    let second = site.visitor().graphql(REQUEST, named).await.ok()["requestHandoff"].take();

    assert!(first["sessionToken"].is_string());
    assert_eq!(second["sessionToken"], Value::Null);
    assert_eq!(second["conversation"]["sessionId"], "user-42");
    assert_ne!(second["conversation"]["id"], first["conversation"]["id"]);
}
