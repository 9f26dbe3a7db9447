//! Tests of conversations with many messages: their limits, their pages and their events.

use std::time::Duration;

use helpbot_services::conversations::message_limits::{
    MESSAGES_MAX, VISITOR_MESSAGES_MAX, VISITOR_MESSAGES_PER_WINDOW,
};
use helpbot_tests::{Client, TestApp, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    a_visitor_cannot_write_faster_than_a_person,
    a_full_conversation_refuses_the_visitor_before_the_team,
    pages_of_messages_continue_from_every_cursor,
    an_event_contains_the_message_that_it_reports,
);

const SEND: &str = "mutation ($id: ID!, $text: String!) {
    sendMessage(input: { conversationId: $id, text: $text }) { message { seq } userErrors { code message } }
}";

/// Asks a question and requests a human. Returns the visitor and the ID of the conversation.
async fn handed_off(visitor: Client) -> (Client, Value) {
    let ask = "mutation { askQuestion(input: { question: \"Hello?\" }) { conversation { id } sessionToken } }";
    let asked = visitor.graphql(ask, json!({})).await.ok()["askQuestion"].take();
    let visitor = visitor.with_session(asked["sessionToken"].as_str().expect("a token"));
    let handoff = "mutation ($id: ID!) { requestHandoff(input: { conversationId: $id }) { userErrors { code } } }";
    visitor.graphql(handoff, json!({ "id": asked["conversation"]["id"] })).await.ok();
    (visitor, asked["conversation"]["id"].clone())
}

/// Writes a message and returns its number, or the code of the error.
async fn send(from: &Client, id: &Value, text: &str) -> Value {
    let mut sent = from.graphql(SEND, json!({ "id": id, "text": text })).await.ok();
    match sent["sendMessage"]["message"]["seq"].take() {
        Value::Null => sent["sendMessage"]["userErrors"][0]["code"].take(),
        seq => seq,
    }
}

async fn a_visitor_cannot_write_faster_than_a_person(app: &TestApp) {
    let site = app.site().create().await;
    let (visitor, id) = handed_off(site.visitor()).await;

    for number in 0..VISITOR_MESSAGES_PER_WINDOW {
        assert_eq!(send(&visitor, &id, "hello").await, json!(number + 3));
    }
    let refused = visitor.graphql(SEND, json!({ "id": id, "text": "too fast" })).await.reply.json();
    let extensions = &refused["errors"][0]["extensions"];
    assert_eq!((&extensions["code"], &extensions["retryAfter"]), (&json!("RATE_LIMITED"), &json!(60)));
    assert_eq!(send(&site.owner(), &id, "The team may write.").await, json!(VISITOR_MESSAGES_PER_WINDOW + 3));

    app.pass(Duration::from_secs(61));
    assert_eq!(send(&visitor, &id, "later").await, json!(VISITOR_MESSAGES_PER_WINDOW + 4));
}

async fn a_full_conversation_refuses_the_visitor_before_the_team(app: &TestApp) {
    let site = app.site().create().await;
    let (visitor, id) = handed_off(site.visitor()).await;
    let owner = site.owner();
    for seq in 3..VISITOR_MESSAGES_MAX {
        assert_eq!(send(&owner, &id, "hello").await, json!(seq));
    }

    assert_eq!(send(&visitor, &id, "the last one").await, json!(VISITOR_MESSAGES_MAX));
    assert_eq!(send(&visitor, &id, "too many").await, "LIMIT_REACHED");
    for seq in VISITOR_MESSAGES_MAX..MESSAGES_MAX {
        assert_eq!(send(&owner, &id, "hello").await, json!(seq + 1));
    }
    assert_eq!(send(&owner, &id, "too many").await, "LIMIT_REACHED");
}

async fn pages_of_messages_continue_from_every_cursor(app: &TestApp) {
    let site = app.site().create().await;
    let (visitor, id) = handed_off(site.visitor()).await;
    for _ in 0..5 {
        send(&visitor, &id, "hello").await;
    }
    let read = async |arguments: &str| {
        let query = format!(
            "query ($id: ID!) {{ node(id: $id) {{ ... on Conversation {{ messages({arguments}) {{
                totalCount nodes {{ seq }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
            }} }} }} }}"
        );
        visitor.graphql(&query, json!({ "id": id })).await.ok()["node"]["messages"].take()
    };
    let seqs = |page: &Value| {
        let nodes = page["nodes"].as_array().cloned().unwrap_or_default();
        nodes.iter().map(|node| node["seq"].as_i64().unwrap_or_default()).collect::<Vec<_>>()
    };

    let (mut forward, mut page) = (Vec::new(), read("first: 3").await);
    loop {
        assert_eq!(page["totalCount"], 7);
        forward.push(seqs(&page));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        page = read(&format!("first: 3, after: {}", page["pageInfo"]["endCursor"])).await;
    }
    let (mut backward, mut page) = (Vec::new(), read("last: 3").await);
    loop {
        backward.push(seqs(&page));
        if page["pageInfo"]["hasPreviousPage"] == false {
            break;
        }
        page = read(&format!("last: 3, before: {}", page["pageInfo"]["startCursor"])).await;
    }

    assert_eq!(forward, [vec![1, 2, 3], vec![4, 5, 6], vec![7]]);
    assert_eq!(backward, [vec![5, 6, 7], vec![2, 3, 4], vec![1]]);
}

async fn an_event_contains_the_message_that_it_reports(app: &TestApp) {
    let site = app.site().create().await;
    let (visitor, id) = handed_off(site.visitor()).await;
    let mut socket = visitor.socket().await;
    let watch = "subscription ($after: String) {
        conversationEvents(after: $after, types: [MESSAGE_CREATED]) { message { seq text } }
    }";
    for text in ["one", "two", "three"] {
        send(&visitor, &id, text).await;
    }

    let watching = socket.subscribe(watch, json!({ "after": site.beginning() })).await;

    for (seq, text) in [(3, "one"), (4, "two"), (5, "three")] {
        let event = socket.next(&watching).await;
        assert_eq!(event["conversationEvents"]["message"], json!({ "seq": seq, "text": text }));
    }
}
