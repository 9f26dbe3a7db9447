//! Tests of the fields that lists resolve directly: they have the same values as when their
//! resolvers are called, in lists of conversations, messages and citations.

use helpbot_tests::{TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    plain_fields_have_the_values_of_their_resolvers,
    the_fields_of_a_result_have_the_order_of_the_selection,
);

/// A directive makes async-graphql call the resolvers of all fields of the object.
const RESOLVED: &str = "@include(if: true)";

/// A query that selects `typename` with `directive` on each type, and all plain fields, also in fragments
/// and twice.
fn query(directive: &str) -> String {
    format!(
        "{{ site {{ conversations(first: 10, orderBy: CREATED_AT_ASC) {{ nodes {{
            kind: __typename {directive} id ...Asked answer question: question outcome isUnanswered
            ... on Conversation {{ id confidence feedback feedbackReason feedbackComment language }} ... {{ createdAt updatedAt }}
            handoff {{ status }} unreadCount sources
            citations {{ kind: __typename {directive} quote url title score textFragment source {{ kind: __typename {directive} type: kind id title url status error pageCount }} }}
            messages(first: 5) {{ nodes {{ kind: __typename {directive} id seq author agentName text createdAt }} }}
        }} }} }} }}
        fragment Asked on Conversation {{ question sessionId id }}"
    )
}

/// A site with one conversation that was answered and voted on, and one without an answer.
async fn filled(app: &TestApp) -> TestSite<'_> {
    let site = app.site().create().await;
    let entry = "mutation { addFaqEntry(input: { question: \"When are you open?\", answer: \"From 8 to 11.\" }) { entry { id } } }";
    site.owner().graphql(entry, json!({})).await.ok();
    let asked = json!({ "question": "When are you open?", "sessionId": "s1" });
    let answered = site.visitor().post("/api/v1/chat", &asked).await.ok();
    let vote = "mutation ($id: ID!) { submitFeedback(input: {
        conversationId: $id, feedback: UNHELPFUL, reason: OUTDATED, comment: \"Closed.\" }) { userErrors { message } } }";
    site.owner().graphql(vote, json!({ "id": answered["conversationId"] })).await.ok();
    site.visitor().post("/api/v1/chat", &json!({ "question": "Xyzzy plugh?" })).await.ok();
    site
}

fn nodes(data: &Value) -> &Vec<Value> {
    data["site"]["conversations"]["nodes"].as_array().expect("a list")
}

async fn plain_fields_have_the_values_of_their_resolvers(app: &TestApp) {
    let site = filled(app).await;

    let plain = site.owner().graphql(&query(""), json!({})).await.ok();
    let resolved = site.owner().graphql(&query(RESOLVED), json!({})).await.ok();

    assert_eq!(plain, resolved);
    assert_eq!(nodes(&plain).len(), 2);
    assert_eq!(nodes(&plain)[0]["kind"], "Conversation");
    // Both were asked in the same millisecond, so their order is that of their IDs.
    let answered = nodes(&plain).iter().find(|node| node["isUnanswered"] == false).expect("the answered one");
    assert_eq!(answered["citations"][0]["kind"], "Citation");
    assert_eq!(answered["messages"]["nodes"][1]["kind"], "Message");
}

async fn the_fields_of_a_result_have_the_order_of_the_selection(app: &TestApp) {
    let site = filled(app).await;
    let mixed = "{ site { conversations(first: 1) { nodes { messages(first: 1) { nodes { seq } } id unreadCount outcome } } } }";

    let answer = site.owner().graphql(mixed, json!({})).await;

    let text = answer.reply.text();
    let places: Vec<usize> =
        ["messages", "\"id\"", "unreadCount", "outcome"].iter().filter_map(|field| text.find(field)).collect();
    assert!(places.len() == 4 && places.is_sorted(), "{text}");
}
