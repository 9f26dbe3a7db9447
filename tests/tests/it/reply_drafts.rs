//! Tests of drafts of replies through the public interfaces, on both databases.

use std::time::Duration;

use helpbot_tests::{Client, TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    a_draft_answers_the_last_messages_of_the_visitor_and_stores_nothing,
    nothing_is_drafted_that_the_site_does_not_know,
    only_the_team_drafts_and_not_too_fast,
    a_sent_reply_is_kept_as_an_entry_with_a_question_of_its_own,
);

const TICK: Duration = Duration::from_millis(1);
const ENTRIES: [(&str, &str); 3] = [
    ("Do you deliver to Norway?", "Yes, within five working days."),
    ("How do I return a parcel?", "Put the slip into the box and post it."),
    ("Is there a warranty?", "All devices have a warranty of two years."),
];
const ADD: &str = "mutation ($question: String!, $answer: String!) {
    m: addFaqEntry(input: { question: $question, answer: $answer, url: \"https://shop.example/faq\" }) { userErrors { code } }
}";
const ASK: &str = "mutation ($question: String!) { m: askQuestion(input: { question: $question }) {
    conversation { id } sessionToken userErrors { code }
} }";
const HANDOFF: &str =
    "mutation ($id: ID!) { m: requestHandoff(input: { conversationId: $id }) { userErrors { code } } }";
const SAY: &str = "mutation ($id: ID!, $text: String!) {
    m: sendMessage(input: { conversationId: $id, text: $text }) { userErrors { code } }
}";
const DRAFT: &str = "mutation ($id: ID!) { m: draftReply(input: { conversationId: $id }) {
    draft { text questions citations { title url quote } } userErrors { code }
} }";
const STATE: &str = "query ($id: ID!) {
    site { eventCursor credits { used } conversations { totalCount } }
    node(id: $id) { ... on Conversation { messages { totalCount } updatedAt } }
}";

async fn run(client: &Client, document: &str, variables: Value) -> Value {
    let done = client.graphql(document, variables).await.ok()["m"].take();
    assert_eq!(done["userErrors"], json!([]), "{document}");
    done
}

/// A conversation whose visitor waits for a human, and the client of the visitor.
async fn waiting(app: &TestApp, site: &TestSite<'_>, question: &str) -> (Client, Value) {
    for (question, answer) in ENTRIES {
        run(&site.owner(), ADD, json!({ "question": question, "answer": answer })).await;
    }
    let asked = run(&site.visitor(), ASK, json!({ "question": question })).await;
    let visitor = site.visitor().with_session(asked["sessionToken"].as_str().expect("a token"));
    let id = asked["conversation"]["id"].clone();
    app.pass(TICK);
    run(&visitor, HANDOFF, json!({ "id": id })).await;
    (visitor, id)
}

async fn say(app: &TestApp, client: &Client, id: &Value, text: &str) {
    app.pass(TICK);
    run(client, SAY, json!({ "id": id, "text": text })).await;
}

async fn draft(site: &TestSite<'_>, id: &Value) -> Value {
    run(&site.owner(), DRAFT, json!({ "id": id })).await["draft"].take()
}

async fn a_draft_answers_the_last_messages_of_the_visitor_and_stores_nothing(app: &TestApp) {
    let site = app.site().create().await;
    let (visitor, id) = waiting(app, &site, "Who is the manager of the shop?").await;
    say(app, &visitor, &id, "Is there a warranty?").await;
    say(app, &site.owner(), &id, "Two years. Anything else?").await;
    say(app, &visitor, &id, "Do you deliver to Norway?").await;
    say(app, &visitor, &id, "How do I return a parcel?").await;
    say(app, &visitor, &id, "I want to talk to a human").await;
    let before = site.owner().graphql(STATE, json!({ "id": id })).await.ok();

    let drafted = draft(&site, &id).await;

    assert_eq!(drafted["text"], "Yes, within five working days.\n\nPut the slip into the box and post it.");
    assert_eq!(drafted["questions"], json!(["Do you deliver to Norway?", "How do I return a parcel?"]));
    let citations = drafted["citations"].as_array().expect("sources");
    assert_eq!(citations.len(), 2, "{drafted}");
    assert_eq!(citations[0]["url"], "https://shop.example/faq");
    assert_eq!(site.owner().graphql(STATE, json!({ "id": id })).await.ok(), before);
}

async fn nothing_is_drafted_that_the_site_does_not_know(app: &TestApp) {
    let site = app.site().create().await;
    let (visitor, id) = waiting(app, &site, "Do you deliver to Norway?").await;
    let known = draft(&site, &id).await;
    assert_eq!(known["questions"], json!(["Do you deliver to Norway?"]));

    say(app, &visitor, &id, "How do I calibrate the flux capacitor of a submarine?").await;
    assert_eq!(draft(&site, &id).await, Value::Null);
    say(app, &visitor, &id, "Hello!").await;

    assert_eq!(draft(&site, &id).await, Value::Null);
}

async fn only_the_team_drafts_and_not_too_fast(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let (visitor, id) = waiting(app, &site, "Do you deliver to Norway?").await;

    assert_eq!(visitor.graphql(DRAFT, json!({ "id": id })).await.codes(), ["FORBIDDEN"]);
    let stranger = other.owner().graphql(DRAFT, json!({ "id": id })).await.ok();
    assert_eq!(stranger["m"], json!({ "draft": null, "userErrors": [{ "code": "NOT_FOUND" }] }));
    // The limit of a minute passes by the real clock, so a slow machine gets a few more.
    let mut drafted = 0;
    while site.owner().graphql(DRAFT, json!({ "id": id })).await.codes() != ["RATE_LIMITED"] {
        drafted += 1;
        assert!(drafted < 60, "drafts are not limited");
    }
    assert!(drafted >= 20, "{drafted}");
}

async fn a_sent_reply_is_kept_as_an_entry_with_a_question_of_its_own(app: &TestApp) {
    const PROMOTE: &str = "mutation ($id: ID!, $question: String) {
        m: promoteToFaq(input: { conversationId: $id, question: $question }) {
            entry { question answer } userErrors { code field }
        }
    }";
    let site = app.site().create().await;
    let (visitor, id) = waiting(app, &site, "Who is the manager of the shop?").await;
    say(app, &visitor, &id, "Do you sell gift cards?").await;
    say(app, &site.owner(), &id, "Yes, at the counter.").await;

    let kept = run(&site.owner(), PROMOTE, json!({ "id": id, "question": "Do you sell gift cards?" })).await;
    let default = run(&site.owner(), PROMOTE, json!({ "id": id })).await;

    assert_eq!(kept["entry"], json!({ "question": "Do you sell gift cards?", "answer": "Yes, at the counter." }));
    assert_eq!(default["entry"]["question"], "Who is the manager of the shop?");
}
