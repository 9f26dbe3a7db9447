//! Tests of the inbox: who waits for a human, in which order, and what happens when a visitor asks again.

use std::time::Duration;

use helpbot_tests::{Client, TestApp, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    a_visitor_who_asks_again_after_the_conversation_was_closed_waits_again,
    a_second_request_while_the_handoff_is_open_is_not_announced,
    the_inbox_is_filtered_ordered_counted_and_paged_by_the_server,
    each_condition_selects_and_counts_its_conversations,
    an_unknown_assignee_has_no_conversations,
);

const HANDOFF: &str =
    "mutation ($id: ID!) { requestHandoff(input: { conversationId: $id }) { userErrors { message } } }";
const RESOLVE: &str =
    "mutation ($id: ID!) { resolveConversation(input: { conversationId: $id }) { userErrors { message } } }";
const EVENTS: &str = "subscription ($after: String) {
    conversationEvents(after: $after, types: [CONVERSATION_HANDOFF]) { type }
}";
const INBOX: &str = "query ($filter: ConversationFilter, $order: ConversationOrder, $first: Int, $after: String) {
    site { conversations(filter: $filter, orderBy: $order, first: $first, after: $after) {
        totalCount nodes { question } pageInfo { hasNextPage endCursor }
    } }
}";

async fn ask(visitor: &Client, question: &str) -> Value {
    let ask = "mutation ($question: String!) { askQuestion(input: { question: $question }) { conversation { id } } }";
    visitor.graphql(ask, json!({ "question": question })).await.ok()["askQuestion"]["conversation"]["id"].take()
}

async fn handoff_of(owner: &Client, id: &Value) -> Value {
    let query = "query ($id: ID!) { node(id: $id) { ... on Conversation { handoff { status assignee { name } } } } }";
    owner.graphql(query, json!({ "id": id })).await.ok()["node"]["handoff"].take()
}

fn questions(data: &Value) -> Vec<&str> {
    let nodes = data["site"]["conversations"]["nodes"].as_array().expect("a list");
    nodes.iter().filter_map(|node| node["question"].as_str()).collect()
}

async fn a_visitor_who_asks_again_after_the_conversation_was_closed_waits_again(app: &TestApp) {
    let site = app.site().create().await;
    let mut socket = site.owner().socket().await;
    let events = socket.subscribe(EVENTS, json!({ "after": site.beginning() })).await;
    for over_rest in [false, true] {
        let id = ask(&site.visitor(), "Is anybody there?").await;
        site.visitor().graphql(HANDOFF, json!({ "id": id })).await.ok();
        site.owner().graphql(RESOLVE, json!({ "id": id })).await.ok();

        if over_rest {
            let body = json!({ "conversationId": id, "customerEmail": "ann@example.com" });
            site.visitor().post("/api/v1/handoff", &body).await.ok();
        } else {
            site.visitor().graphql(HANDOFF, json!({ "id": id })).await.ok();
        }

        assert_eq!(handoff_of(&site.owner(), &id).await, json!({ "status": "REQUESTED", "assignee": null }));
        for _ in 0..2 {
            let event = socket.next(&events).await;
            assert_eq!(event["conversationEvents"]["type"], "CONVERSATION_HANDOFF");
        }
    }
}

async fn a_second_request_while_the_handoff_is_open_is_not_announced(app: &TestApp) {
    let site = app.site().create().await;
    let mut socket = site.owner().socket().await;
    let all = "subscription ($after: String) { conversationEvents(after: $after) { type } }";
    let events = socket.subscribe(all, json!({ "after": site.beginning() })).await;
    let id = ask(&site.visitor(), "Is anybody there?").await;

    for _ in 0..3 {
        site.visitor().graphql(HANDOFF, json!({ "id": id })).await.ok();
    }
    site.owner().graphql(RESOLVE, json!({ "id": id })).await.ok();

    let mut seen = Vec::new();
    while seen.last().is_none_or(|kind| kind != "CONVERSATION_RESOLVED") {
        seen.push(socket.next(&events).await["conversationEvents"]["type"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(seen.iter().filter(|kind| *kind == "CONVERSATION_HANDOFF").count(), 1, "{seen:?}");
}

async fn the_inbox_is_filtered_ordered_counted_and_paged_by_the_server(app: &TestApp) {
    let site = app.site().create().await;
    for number in 0..7 {
        app.pass(Duration::from_secs(1));
        let id = ask(&site.visitor(), &format!("Question {number}")).await;
        if number > 0 {
            site.visitor().graphql(HANDOFF, json!({ "id": id })).await.ok();
        }
        if number > 4 {
            site.owner().graphql(RESOLVE, json!({ "id": id })).await.ok();
        }
    }
    let filter = json!({ "handoffStatuses": ["REQUESTED"] });
    let page = async |after: &Value| {
        let variables = json!({ "filter": filter, "order": "HANDOFF_REQUESTED_AT_ASC", "first": 3, "after": after });
        site.owner().graphql(INBOX, variables).await.ok()
    };

    let first = page(&Value::Null).await;
    let second = page(&first["site"]["conversations"]["pageInfo"]["endCursor"]).await;

    assert_eq!(questions(&first), ["Question 1", "Question 2", "Question 3"]);
    assert_eq!(questions(&second), ["Question 4"]);
    assert_eq!(first["site"]["conversations"]["totalCount"], 4);
    // This order leaves out the conversation without a handoff, and the count does too.
    for (filter, count) in [(json!({}), 6), (json!({ "state": "HANDOFF" }), 6), (json!({ "state": "HELPFUL" }), 0)] {
        let ordered = json!({ "filter": filter, "order": "HANDOFF_REQUESTED_AT_DESC" });
        let found = site.owner().graphql(INBOX, ordered).await.ok();
        assert_eq!(found["site"]["conversations"]["totalCount"], count, "{filter}");
        assert_eq!(questions(&found).len(), count, "{filter}");
    }
    let closed = json!({ "filter": { "handoffStatuses": ["RESOLVED"] }, "order": "UPDATED_AT_DESC" });
    assert_eq!(questions(&site.owner().graphql(INBOX, closed).await.ok()), ["Question 6", "Question 5"]);
}

async fn each_condition_selects_and_counts_its_conversations(app: &TestApp) {
    const VOTE: &str = "mutation ($id: ID!) { submitFeedback(input: { conversationId: $id, feedback: HELPFUL }) {
        userErrors { code } } }";
    const ADD: &str = "mutation { addMember(input: { name: \"Ann\", email: \"ann@example.com\", role: AGENT }) {
        member { id } } }";
    const ASSIGN: &str = "mutation ($id: ID!, $member: ID!) {
        assignConversation(input: { conversationId: $id, memberId: $member }) { userErrors { code } } }";
    let site = app.site().create().await;
    let member = site.owner().graphql(ADD, json!({})).await.ok()["addMember"]["member"]["id"].take();
    let mut ids = Vec::new();
    for number in 0..4 {
        app.pass(Duration::from_secs(60));
        ids.push(ask(&site.visitor(), &format!("Question {number}")).await);
    }
    app.pass(Duration::from_secs(60));
    ask(&site.visitor(), "Hello!").await;
    site.visitor().graphql(VOTE, json!({ "id": ids[0] })).await.ok();
    for id in &ids[1..3] {
        site.visitor().graphql(HANDOFF, json!({ "id": id })).await.ok();
    }
    site.owner().graphql(ASSIGN, json!({ "id": ids[1], "member": member })).await.ok();
    let asked_at = "query ($id: ID!) { node(id: $id) { ... on Conversation { createdAt } } }";
    let third = site.owner().graphql(asked_at, json!({ "id": ids[2] })).await.ok()["node"]["createdAt"].take();

    for (filter, expected) in [
        (json!({ "outcomes": ["SMALL_TALK"] }), vec!["Hello!"]),
        (
            json!({ "outcomes": ["DECLINED", "SUGGESTED"] }),
            vec!["Question 3", "Question 2", "Question 1", "Question 0"],
        ),
        (json!({ "outcomes": [] }), vec![]),
        (json!({ "feedback": ["HELPFUL"] }), vec!["Question 0"]),
        (json!({ "feedback": ["UNHELPFUL"] }), vec![]),
        (json!({ "hasHandoff": true }), vec!["Question 2", "Question 1"]),
        (json!({ "hasHandoff": false, "outcomes": ["DECLINED", "SUGGESTED"] }), vec!["Question 3", "Question 0"]),
        (json!({ "isAssigned": true }), vec!["Question 1"]),
        (json!({ "isAssigned": false, "hasHandoff": true }), vec!["Question 2"]),
        (json!({ "until": third, "hasHandoff": true }), vec!["Question 1"]),
        (json!({ "languages": ["xx"] }), vec![]),
    ] {
        let found = site.owner().graphql(INBOX, json!({ "filter": filter })).await.ok();
        assert_eq!(questions(&found), expected, "{filter}");
        assert_eq!(found["site"]["conversations"]["totalCount"], expected.len(), "{filter}");
    }
}

async fn an_unknown_assignee_has_no_conversations(app: &TestApp) {
    let site = app.site().create().await;
    let id = ask(&site.visitor(), "Is anybody there?").await;
    site.visitor().graphql(HANDOFF, json!({ "id": id })).await.ok();

    for assignee in ["member_00000000000000000000000000", "nobody"] {
        let found = site.owner().graphql(INBOX, json!({ "filter": { "assigneeId": assignee } })).await.ok();

        assert_eq!(found["site"]["conversations"]["totalCount"], 0, "{assignee}");
    }
}
