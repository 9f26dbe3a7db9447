//! Tests of the work of the team: priority, tags, notes and canned replies, which no visitor sees, and taking over and
//! returning conversations.

use helpbot_domain::key::Role;
use helpbot_services::accounts::members;
use helpbot_tests::{Client, TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    priority_and_tags_are_changed_filtered_and_counted,
    invalid_and_too_many_tags_are_refused,
    notes_belong_to_their_authors,
    visitors_see_neither_triage_nor_notes_nor_their_events,
    canned_replies_are_rendered_for_a_conversation,
    a_canned_reply_has_a_name_of_its_own,
    a_member_takes_over_any_conversation_and_returns_it,
    events_name_the_member_who_acted,
);

const ASK: &str = "mutation ($question: String!) { askQuestion(input: { question: $question }) {
    conversation { id } sessionToken userErrors { code }
} }";
const UPDATE: &str = "mutation ($id: ID!, $priority: ConversationPriority, $add: [String!], $remove: [String!]) {
    m: updateConversation(input: { conversationId: $id, priority: $priority, addTags: $add, removeTags: $remove }) {
        conversation { priority tags } userErrors { code field }
    }
}";
const NOTE: &str = "mutation ($id: ID!, $text: String!) { m: addNote(input: { conversationId: $id, text: $text }) {
    note { id text authorName author { name } } userErrors { code }
} }";
const DELETE_NOTE: &str =
    "mutation ($id: ID!) { m: deleteNote(input: { noteId: $id }) { deletedId userErrors { code } } }";
const LIST: &str = "query ($filter: ConversationFilter) { site { conversations(filter: $filter) {
    totalCount nodes { question }
} } }";
const TRIAGE: &str =
    "query ($id: ID!) { node(id: $id) { ... on Conversation { question priority tags notes { nodes { text } } } } }";
const HANDOFF: &str = "mutation ($id: ID!, $email: String) {
    m: requestHandoff(input: { conversationId: $id, customerEmail: $email }) { userErrors { code } }
}";
const ASSIGN: &str = "mutation ($id: ID!) { m: assignConversation(input: { conversationId: $id }) {
    conversation { handoff { status assignee { name } } } userErrors { code }
} }";
const UNASSIGN: &str = "mutation ($id: ID!) { m: unassignConversation(input: { conversationId: $id }) {
    conversation { handoff { status assignee { name } } } userErrors { code }
} }";

async fn ask(site: &TestSite<'_>, question: &str) -> (Client, Value) {
    let asked = site.visitor().graphql(ASK, json!({ "question": question })).await.ok();
    let token = asked["askQuestion"]["sessionToken"].as_str().expect("a token");
    (site.visitor().with_session(token), asked["askQuestion"]["conversation"]["id"].clone())
}

async fn agent(app: &TestApp, site: &TestSite<'_>, name: &str) -> Client {
    let email = format!("{name}@example.com");
    let added = members::add(app.services(), app.operator(), Some(site.id), name, &email, Role::Agent).await;
    app.client(&added.expect("a member").1)
}

async fn run(client: &Client, document: &str, variables: Value) -> Value {
    client.graphql(document, variables).await.ok()["m"].take()
}

async fn priority_and_tags_are_changed_filtered_and_counted(app: &TestApp) {
    let site = app.site().create().await;
    let (_, first) = ask(&site, "First?").await;
    let (_, second) = ask(&site, "Second?").await;
    ask(&site, "Third?").await;

    let changed =
        run(&site.owner(), UPDATE, json!({ "id": first, "priority": "URGENT", "add": ["Billing", " back  order "] }))
            .await;
    assert_eq!(changed["conversation"], json!({ "priority": "URGENT", "tags": ["back order", "billing"] }));
    let changed = run(
        &site.owner(),
        UPDATE,
        json!({ "id": first, "add": ["vip", "billing"], "remove": ["BACK order", "unknown"] }),
    )
    .await;
    assert_eq!(changed["conversation"], json!({ "priority": "URGENT", "tags": ["billing", "vip"] }));
    run(&site.owner(), UPDATE, json!({ "id": second, "add": ["billing"] })).await;
    run(&site.visitor(), HANDOFF, json!({ "id": second })).await;

    for (filter, expected) in [
        (json!({ "tags": ["billing"] }), vec!["Second?", "First?"]),
        (json!({ "tags": ["VIP", "other"] }), vec!["First?"]),
        (json!({ "tags": [] }), vec![]),
        (json!({ "priorities": ["URGENT", "HIGH"] }), vec!["First?"]),
        (json!({ "priorities": ["NORMAL"], "tags": ["billing"] }), vec!["Second?"]),
        (json!({ "tags": ["billing"], "hasHandoff": true }), vec!["Second?"]),
        (json!({ "tags": ["billing"], "search": "first" }), vec!["First?"]),
    ] {
        let found = site.owner().graphql(LIST, json!({ "filter": filter })).await.ok()["site"]["conversations"].take();
        let mut questions: Vec<&str> =
            found["nodes"].as_array().expect("a list").iter().filter_map(|node| node["question"].as_str()).collect();
        // All were asked in the same millisecond.
        questions.sort_by_key(|question| std::cmp::Reverse(*question));
        assert_eq!(questions, expected, "{filter}");
        assert_eq!(found["totalCount"], expected.len(), "{filter}");
    }
    let tags = site.owner().graphql("{ site { conversationTags { name count } } }", json!({})).await.ok();
    let expected = json!([{ "name": "billing", "count": 2 }, { "name": "vip", "count": 1 }]);
    assert_eq!(tags["site"]["conversationTags"], expected);
}

async fn invalid_and_too_many_tags_are_refused(app: &TestApp) {
    let site = app.site().create().await;
    let (_, id) = ask(&site, "First?").await;
    let many: Vec<String> = (0..21).map(|number| format!("tag {number}")).collect();

    for wrong in ["", "a,b", &"x".repeat(41)] {
        let refused = run(&site.owner(), UPDATE, json!({ "id": id, "add": [wrong] })).await;
        assert_eq!(
            refused["userErrors"],
            json!([{ "code": "BAD_USER_INPUT", "field": ["input", "addTags"] }]),
            "{wrong}"
        );
    }
    let refused = run(&site.owner(), UPDATE, json!({ "id": id, "add": many })).await;
    assert_eq!(refused["userErrors"], json!([{ "code": "LIMIT_REACHED", "field": null }]));
    run(&site.owner(), UPDATE, json!({ "id": id, "add": many[..20] })).await;
    let exchanged = run(&site.owner(), UPDATE, json!({ "id": id, "add": ["last"], "remove": ["tag 0"] })).await;
    assert_eq!(exchanged["userErrors"], json!([]));
    let unknown = run(&site.owner(), UPDATE, json!({ "id": "x", "add": ["last"] })).await;
    assert_eq!(unknown["userErrors"], json!([{ "code": "NOT_FOUND", "field": null }]));
}

async fn notes_belong_to_their_authors(app: &TestApp) {
    let site = app.site().create().await;
    let (ann, bob) = (agent(app, &site, "Ann").await, agent(app, &site, "Bob").await);
    let (_, id) = ask(&site, "First?").await;

    let note = run(&ann, NOTE, json!({ "id": id, "text": " Calls every week. " })).await["note"].take();
    let of_key = run(&site.owner(), NOTE, json!({ "id": id, "text": "By a key." })).await["note"].take();

    assert_eq!(note["text"], "Calls every week.");
    assert_eq!((&note["authorName"], &note["author"]["name"]), (&json!("Ann"), &json!("Ann")));
    assert_eq!((&of_key["authorName"], &of_key["author"]), (&Value::Null, &Value::Null));
    assert_eq!(
        run(&ann, NOTE, json!({ "id": id, "text": " " })).await["userErrors"],
        json!([{ "code": "BAD_USER_INPUT" }])
    );
    assert_eq!(bob.graphql(DELETE_NOTE, json!({ "id": note["id"] })).await.codes(), ["FORBIDDEN"]);
    assert_eq!(run(&ann, DELETE_NOTE, json!({ "id": note["id"] })).await["deletedId"], note["id"]);
    assert_eq!(
        run(&ann, DELETE_NOTE, json!({ "id": note["id"] })).await["userErrors"],
        json!([{ "code": "NOT_FOUND" }])
    );
    let left = site.owner().graphql(TRIAGE, json!({ "id": id })).await.ok();
    assert_eq!(left["node"]["notes"]["nodes"], json!([{ "text": "By a key." }]));
}

async fn visitors_see_neither_triage_nor_notes_nor_their_events(app: &TestApp) {
    const EVENTS: &str = "subscription ($after: String) { conversationEvents(after: $after) { type } }";
    let site = app.site().create().await;
    let (visitor, id) = ask(&site, "First?").await;
    let mut theirs = visitor.socket().await;
    let watched = theirs.subscribe(EVENTS, json!({ "after": site.beginning() })).await;
    let mut ours = site.owner().socket().await;
    let ours_watched = ours.subscribe(EVENTS, json!({ "after": site.beginning() })).await;

    run(&site.owner(), UPDATE, json!({ "id": id, "priority": "HIGH" })).await;
    run(&site.owner(), NOTE, json!({ "id": id, "text": "Difficult person." })).await;
    run(&visitor, HANDOFF, json!({ "id": id })).await;

    let mut seen = Vec::new();
    while seen.last().is_none_or(|kind| kind != "CONVERSATION_HANDOFF") {
        seen.push(theirs.next(&watched).await["conversationEvents"]["type"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(seen, ["CONVERSATION_CREATED", "CONVERSATION_UNANSWERED", "CONVERSATION_HANDOFF"]);
    for kind in ["CONVERSATION_CREATED", "CONVERSATION_UNANSWERED", "CONVERSATION_UPDATED", "NOTE_CHANGED"] {
        assert_eq!(ours.next(&ours_watched).await["conversationEvents"]["type"], kind);
    }
    let read = visitor.graphql(TRIAGE, json!({ "id": id })).await;
    let hidden = json!({ "question": "First?", "priority": null, "tags": null, "notes": null });
    assert_eq!(read.data["node"], hidden);
    assert_eq!(read.codes(), ["FORBIDDEN", "FORBIDDEN", "FORBIDDEN"]);
}

async fn canned_replies_are_rendered_for_a_conversation(app: &TestApp) {
    const ADD: &str = "mutation ($text: String!) { m: addCannedReply(input: { name: \"hello\", text: $text }) {
        cannedReply { id } userErrors { code } } }";
    const RENDER: &str =
        "query ($id: ID!) { site { cannedReplies { nodes { text renderedText(conversationId: $id) } } } }";
    let site = app.site().create().await;
    let ann = agent(app, &site, "Ann").await;
    let (visitor, id) = ask(&site, "{{site.name}}?").await;
    run(&visitor, HANDOFF, json!({ "id": id, "email": "bob@home.example" })).await;
    let text =
        "Dear {{visitor.email}}, you asked {{conversation.question}} {{unknown}} {{ agent.name }}, {{site.name}}";
    assert_eq!(run(&ann, ADD, json!({ "text": text })).await["userErrors"], json!([]));

    let rendered = ann.graphql(RENDER, json!({ "id": id })).await.ok()["site"]["cannedReplies"]["nodes"][0].take();
    let by_key = site.owner().graphql(RENDER, json!({ "id": id })).await.ok();
    let missing = ann.graphql(RENDER, json!({ "id": "x" })).await;

    // What a visitor wrote is not searched for placeholders.
    let expected = "Dear bob@home.example, you asked {{site.name}}? {{unknown}} Ann, Bäckerei Müller";
    assert_eq!(rendered, json!({ "text": text, "renderedText": expected }));
    let by_key = by_key["site"]["cannedReplies"]["nodes"][0]["renderedText"].as_str().expect("a text").to_owned();
    assert!(by_key.ends_with("Bäckerei Müller, Bäckerei Müller"), "{by_key}");
    assert_eq!(missing.ok()["site"]["cannedReplies"]["nodes"][0]["renderedText"], json!(null));
}

async fn a_canned_reply_has_a_name_of_its_own(app: &TestApp) {
    const ADD: &str = "mutation ($name: String!) { m: addCannedReply(input: { name: $name, text: \"Hi\" }) {
        cannedReply { id name text } userErrors { code field } } }";
    const UPDATE: &str = "mutation ($id: ID!, $name: String, $text: String) {
        m: updateCannedReply(input: { cannedReplyId: $id, name: $name, text: $text }) {
            cannedReply { name text } userErrors { code field } } }";
    const DELETE: &str =
        "mutation ($id: ID!) { m: deleteCannedReply(input: { cannedReplyId: $id }) { deletedId userErrors { code } } }";
    const NAMES: &str = "{ site { cannedReplies { totalCount nodes { name } } } }";
    let (site, other) = (app.site().create().await, app.site().create().await);
    let owner = site.owner();
    let first = run(&owner, ADD, json!({ "name": "refund" })).await["cannedReply"].take();
    let id = &first["id"];
    run(&owner, ADD, json!({ "name": "hours" })).await;

    assert_eq!(run(&owner, ADD, json!({ "name": "refund" })).await["userErrors"][0]["code"], "CONFLICT");
    assert_eq!(run(&owner, UPDATE, json!({ "id": id, "name": "hours" })).await["userErrors"][0]["code"], "CONFLICT");
    let empty = json!([{ "code": "BAD_USER_INPUT", "field": ["input", "name"] }]);
    assert_eq!(run(&owner, ADD, json!({ "name": " " })).await["userErrors"], empty);
    assert_eq!(
        run(&other.owner(), UPDATE, json!({ "id": id, "text": "No" })).await["userErrors"][0]["code"],
        "NOT_FOUND"
    );
    let changed = run(&owner, UPDATE, json!({ "id": id, "text": "We refund it." })).await["cannedReply"].take();
    assert_eq!(changed, json!({ "name": "refund", "text": "We refund it." }));
    let listed = owner.graphql(NAMES, json!({})).await.ok();
    assert_eq!(
        listed["site"]["cannedReplies"],
        json!({ "totalCount": 2, "nodes": [{ "name": "hours" }, { "name": "refund" }] })
    );
    assert_eq!(run(&owner, DELETE, json!({ "id": id })).await["deletedId"], *id);
    assert_eq!(run(&owner, DELETE, json!({ "id": id })).await["userErrors"], json!([{ "code": "NOT_FOUND" }]));
}

async fn a_member_takes_over_any_conversation_and_returns_it(app: &TestApp) {
    const COUNT: &str = "{ site { conversations(filter: { state: HANDOFF }) { totalCount } analytics(range: ALL) { overview { handoffCount } } } }";
    let site = app.site().create().await;
    let ann = agent(app, &site, "Ann").await;
    let (visitor, id) = ask(&site, "First?").await;

    let taken = run(&ann, ASSIGN, json!({ "id": id })).await;
    assert_eq!(taken["conversation"]["handoff"], json!({ "status": "ASSIGNED", "assignee": { "name": "Ann" } }));
    let silent = visitor.graphql(ASK, json!({ "question": "And now?" })).await.ok();
    assert_eq!(silent["askQuestion"]["userErrors"], json!([{ "code": "CONFLICT" }]));

    let returned = run(&ann, UNASSIGN, json!({ "id": id })).await;
    assert_eq!(returned["conversation"]["handoff"], json!({ "status": "REQUESTED", "assignee": null }));
    let answered = visitor.graphql(ASK, json!({ "question": "And now?" })).await.ok();
    assert_eq!(answered["askQuestion"]["userErrors"], json!([]));
    assert_eq!(run(&ann, UNASSIGN, json!({ "id": id })).await["userErrors"], json!([{ "code": "CONFLICT" }]));
    let counted = site.owner().graphql(COUNT, json!({})).await.ok()["site"].take();
    assert_eq!(
        (&counted["conversations"]["totalCount"], &counted["analytics"]["overview"]["handoffCount"]),
        (&json!(1), &json!(1))
    );
}

async fn events_name_the_member_who_acted(app: &TestApp) {
    const EVENTS: &str = "subscription ($after: String) { conversationEvents(after: $after) { type actor { name } } }";
    const SEND: &str = "mutation ($id: ID!) { m: sendMessage(input: { conversationId: $id, text: \"Hello\" }) { userErrors { code } } }";
    const RESOLVE: &str =
        "mutation ($id: ID!) { m: resolveConversation(input: { conversationId: $id }) { userErrors { code } } }";
    let site = app.site().create().await;
    let (ann, bob) = (agent(app, &site, "Ann").await, agent(app, &site, "Bob").await);
    let (visitor, id) = ask(&site, "First?").await;
    let mut socket = site.owner().socket().await;
    let watched = socket.subscribe(EVENTS, json!({ "after": site.beginning() })).await;

    run(&visitor, HANDOFF, json!({ "id": id })).await;
    run(&ann, ASSIGN, json!({ "id": id })).await;
    run(&bob, UPDATE, json!({ "id": id, "priority": "LOW" })).await;
    run(&bob, NOTE, json!({ "id": id, "text": "I know them." })).await;
    run(&bob, SEND, json!({ "id": id })).await;
    run(&site.owner(), RESOLVE, json!({ "id": id })).await;

    for (kind, actor) in [
        ("CONVERSATION_CREATED", None),
        ("CONVERSATION_UNANSWERED", None),
        ("CONVERSATION_HANDOFF", None),
        ("CONVERSATION_ASSIGNED", Some("Ann")),
        ("CONVERSATION_UPDATED", Some("Bob")),
        ("NOTE_CHANGED", Some("Bob")),
        ("MESSAGE_CREATED", Some("Bob")),
        ("CONVERSATION_RESOLVED", None),
    ] {
        let event = socket.next(&watched).await["conversationEvents"].take();
        assert_eq!(event, json!({ "type": kind, "actor": actor.map(|name| json!({ "name": name })) }));
    }
}
