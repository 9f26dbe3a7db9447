//! Tests of live events: none is lost or repeated, and no viewer receives an event without permission.

use helpbot_domain::key::{KeyKind, Role};
use helpbot_services::accounts::{keys, members};
use helpbot_tests::{Client, Socket, TestApp, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    a_watcher_that_is_cut_off_gets_exactly_what_it_missed,
    every_cursor_of_the_log_resumes_without_a_gap_or_a_repeat,
    a_visitor_sees_its_own_session_and_no_other,
    a_revoked_key_ends_its_live_connection,
    visitor_and_agent_write_to_each_other_after_a_handoff,
    an_invalid_cursor_is_refused,
    an_answer_is_streamed_and_stored,
    visitor_and_agent_see_each_other_come_type_and_go,
    each_side_counts_what_it_has_not_read,
    the_bot_keeps_silent_while_a_member_is_in_the_conversation,
    events_after_the_cursor_of_a_site_are_delivered,
);

const WATCH: &str = "subscription ($after: String) {
    conversationEvents(after: $after) { cursor type conversation { question } }
}";
const ASK: &str = "mutation ($question: String!, $session: String) {
    askQuestion(input: { question: $question, sessionId: $session }) {
        conversation { id sessionId } sessionToken userErrors { message }
    }
}";

async fn ask(visitor: &Client, question: &str) -> Value {
    let mut data = visitor.graphql(ASK, json!({ "question": question })).await.ok();
    data["askQuestion"].take()
}

async fn a_watcher_that_is_cut_off_gets_exactly_what_it_missed(app: &TestApp) {
    let site = app.site().create().await;
    let mut socket = site.owner().socket().await;
    let watching = socket.subscribe(WATCH, json!({ "after": site.beginning() })).await;
    ask(&site.visitor(), "first").await;
    let first = socket.next(&watching).await;
    let unanswered = socket.next(&watching).await;
    assert_eq!(first["conversationEvents"]["type"], "CONVERSATION_CREATED");
    assert_eq!(unanswered["conversationEvents"]["type"], "CONVERSATION_UNANSWERED");
    let cursor = unanswered["conversationEvents"]["cursor"].clone();

    socket.cut();
    for question in ["second", "third", "fourth"] {
        ask(&site.visitor(), question).await;
    }
    let mut socket = site.owner().socket().await;
    let watching = socket.subscribe(WATCH, json!({ "after": cursor })).await;

    for question in ["second", "third", "fourth"] {
        for kind in ["CONVERSATION_CREATED", "CONVERSATION_UNANSWERED"] {
            let event = socket.next(&watching).await;
            assert_eq!(event["conversationEvents"]["conversation"]["question"], question);
            assert_eq!(event["conversationEvents"]["type"], kind);
        }
    }
    ask(&site.visitor(), "live again").await;
    let live = socket.next(&watching).await;
    assert_eq!(live["conversationEvents"]["conversation"]["question"], "live again");
}

/// Five concurrent writers, and a reader that resumes from each position of the event log.
async fn every_cursor_of_the_log_resumes_without_a_gap_or_a_repeat(app: &TestApp) {
    const WRITERS: usize = 5;
    const QUESTIONS: usize = 12;
    let site = app.site().create().await;
    let mut socket = site.owner().socket().await;
    let live = socket.subscribe(WATCH, json!({ "after": site.beginning() })).await;
    let writers = (0..WRITERS).map(|writer| {
        let visitor = site.visitor();
        async move {
            for question in 0..QUESTIONS {
                ask(&visitor, &format!("writer {writer} question {question}")).await;
            }
        }
    });
    futures_util::future::join_all(writers).await;

    let mut log = Vec::new();
    // Each question has no answer here: two events.
    for _ in 0..WRITERS * QUESTIONS * 2 {
        log.push(socket.next(&live).await["conversationEvents"]["cursor"].as_str().expect("a cursor").to_owned());
    }
    let unique: std::collections::HashSet<_> = log.iter().collect();
    assert_eq!(unique.len(), log.len(), "no cursor comes twice");
    socket.complete(&live).await;
    for (at, cursor) in log.iter().enumerate().step_by(7) {
        let replay = socket.subscribe(WATCH, json!({ "after": cursor })).await;
        for expected in &log[at + 1..] {
            assert_eq!(socket.next(&replay).await["conversationEvents"]["cursor"], *expected);
        }
        socket.complete(&replay).await;
    }
}

async fn a_visitor_sees_its_own_session_and_no_other(app: &TestApp) {
    let site = app.site().create().await;
    let own = ask(&site.visitor(), "mine").await;
    let token = own["sessionToken"].as_str().expect("a token for a new session");
    let visitor = site.visitor().with_session(token);
    let mut socket = visitor.socket().await;
    let watching = socket.subscribe(WATCH, json!({ "after": site.beginning() })).await;

    ask(&site.visitor(), "someone else's").await;
    ask(&visitor, "mine again").await;

    for question in ["mine", "mine", "mine again", "mine again"] {
        assert_eq!(socket.next(&watching).await["conversationEvents"]["conversation"]["question"], question);
    }
    // A client that guesses the session's ID gets no token for it, and receives nothing without a token.
    let session = &own["conversation"]["sessionId"];
    let guess = site.visitor().graphql(ASK, json!({ "question": "whose?", "session": session })).await.ok();
    assert_eq!(guess["askQuestion"]["sessionToken"], Value::Null);
    let node = "query ($id: ID!) { node(id: $id) { ... on Conversation { question } } }";
    let hidden = site.visitor().graphql(node, json!({ "id": own["conversation"]["id"] })).await.ok();
    assert_eq!(hidden["node"], Value::Null);
    let shown = visitor.graphql(node, json!({ "id": own["conversation"]["id"] })).await.ok();
    assert_eq!(shown["node"]["question"], "mine");
}

async fn a_revoked_key_ends_its_live_connection(app: &TestApp) {
    let site = app.site().create().await;
    let (id, key) = site.key(KeyKind::Secret).create().await;
    let mut socket = app.client(&key).socket().await;
    socket.subscribe(WATCH, json!({})).await;

    keys::revoke(app.services(), app.operator(), Some(site.id), id).await.expect("a key to revoke");

    let closed = socket.closed().await;
    assert_eq!(closed.code, Some(4403), "{closed:?}");
}

async fn visitor_and_agent_write_to_each_other_after_a_handoff(app: &TestApp) {
    let site = app.site().create().await;
    let asked = ask(&site.visitor(), "When do you open?").await;
    let visitor = site.visitor().with_session(asked["sessionToken"].as_str().expect("a token"));
    let added = members::add(app.services(), app.operator(), Some(site.id), "Ann", "ann@example.com", Role::Agent);
    let agent = app.client(&added.await.expect("a member").1);
    let send = "mutation ($id: ID!, $text: String!) {
        sendMessage(input: { conversationId: $id, text: $text }) {
            message { seq author agentName text } conversation { handoff { status assignee { name } } } userErrors { code }
        }
    }";
    let id = &asked["conversation"]["id"];
    let early = visitor.graphql(send, json!({ "id": id, "text": "Hello?" })).await.ok();
    assert_eq!(early["sendMessage"]["userErrors"][0]["code"], "CONFLICT", "nobody was asked for yet");
    let hand_off = "mutation ($id: ID!) { requestHandoff(input: { conversationId: $id }) { userErrors { code } } }";
    visitor.graphql(hand_off, json!({ "id": id })).await.ok();
    let mut socket = visitor.socket().await;
    let watching = "subscription ($after: String) {
        conversationEvents(after: $after, types: [MESSAGE_CREATED]) { message { seq author text } }
    }";
    let live = socket.subscribe(watching, json!({ "after": site.beginning() })).await;
    let strangers = site.visitor().graphql(send, json!({ "id": id, "text": "let me in" })).await.ok();
    assert_eq!(strangers["sendMessage"]["userErrors"][0]["code"], "NOT_FOUND");

    let from_visitor = visitor.graphql(send, json!({ "id": id, "text": "Hello?" })).await.ok();
    let from_agent = agent.graphql(send, json!({ "id": id, "text": "Hi, Ann here" })).await.ok();

    assert_eq!(
        from_visitor["sendMessage"]["message"],
        json!({ "seq": 3, "author": "VISITOR", "agentName": null, "text": "Hello?" })
    );
    assert_eq!(
        from_agent["sendMessage"]["message"],
        json!({ "seq": 4, "author": "AGENT", "agentName": "Ann", "text": "Hi, Ann here" })
    );
    assert_eq!(
        from_agent["sendMessage"]["conversation"]["handoff"],
        json!({ "status": "ASSIGNED", "assignee": { "name": "Ann" } })
    );
    let messages = "query ($id: ID!) { node(id: $id) { ... on Conversation { messages(last: 3) { totalCount nodes { seq author } pageInfo { hasPreviousPage } } } } }";
    let read = visitor.graphql(messages, json!({ "id": id })).await.ok();
    assert_eq!(
        read["node"]["messages"],
        json!({
            "totalCount": 4,
            "nodes": [{ "seq": 2, "author": "BOT" }, { "seq": 3, "author": "VISITOR" }, { "seq": 4, "author": "AGENT" }],
            "pageInfo": { "hasPreviousPage": true }
        })
    );
    for expected in [("VISITOR", 3, "Hello?"), ("AGENT", 4, "Hi, Ann here")] {
        let event = socket.next(&live).await;
        let (author, seq, text) = expected;
        let message = json!({ "seq": seq, "author": author, "text": text });
        assert_eq!(event["conversationEvents"]["message"], message);
    }
}

async fn an_invalid_cursor_is_refused(app: &TestApp) {
    let site = app.site().create().await;
    let mut socket = site.owner().socket().await;

    let id = socket.subscribe(WATCH, json!({ "after": "yesterday" })).await;

    let frame = socket.frame().await.expect("a frame");
    assert_eq!(frame["id"], Value::String(id));
    assert!(frame.to_string().contains("BAD_USER_INPUT"), "{frame}");
}

async fn an_answer_is_streamed_and_stored(app: &TestApp) {
    let site = app.site().create().await;
    let mut socket = site.visitor().socket().await;
    let answer = "subscription { answer(input: { question: \"What is it?\" }) {
        ... on AnswerDelta { text } ... on AnswerFinished { payload { conversation { id answer } } }
    } }";

    let id = socket.subscribe(answer, json!({})).await;

    let mut text = String::new();
    let finished = loop {
        let mut event = socket.next(&id).await;
        match event["answer"]["text"].as_str() {
            Some(piece) => text.push_str(piece),
            None => break event["answer"]["payload"]["conversation"].take(),
        }
    };
    assert_eq!(finished["answer"], text);
    let owner = site.owner();
    let stored = owner.graphql(
        "query ($id: ID!) { node(id: $id) { ... on Conversation { answer } } }",
        json!({ "id": finished["id"] }),
    );
    assert_eq!(stored.await.ok()["node"]["answer"], text);
}

const ACTIVITY: &str = "subscription ($id: ID!) {
    conversationActivity(conversationId: $id) { isVisitorHere isTeamHere isVisitorTyping isTeamTyping typingMember }
}";
const TYPING: &str = "mutation ($id: ID!, $is: Boolean!) {
    setTyping(input: { conversationId: $id, isTyping: $is }) { userErrors { code } }
}";

/// The next state of a conversation that satisfies `wanted`; states before it are passed over.
async fn activity_until(socket: &mut Socket, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let mut state = socket.next(id).await;
        let state = state["conversationActivity"].take();
        if wanted(&state) {
            return state;
        }
    }
}

async fn visitor_and_agent_see_each_other_come_type_and_go(app: &TestApp) {
    let site = app.site().create().await;
    let own = ask(&site.visitor(), "Is anybody there?").await;
    let visitor = site.visitor().with_session(own["sessionToken"].as_str().expect("a token"));
    let variables = json!({ "id": own["conversation"]["id"] });
    let ann = members::add(app.services(), app.operator(), Some(site.id), "Ann", "ann@example.com", Role::Agent);
    let ann = app.client(&ann.await.expect("a member").1);

    let mut visitors = visitor.socket().await;
    let watching = visitors.subscribe(ACTIVITY, variables.clone()).await;
    let alone = activity_until(&mut visitors, &watching, |_| true).await;
    let mut anns = ann.socket().await;
    let anns_watch = anns.subscribe(ACTIVITY, variables.clone()).await;
    activity_until(&mut anns, &anns_watch, |state| state["isVisitorHere"] == true).await;
    activity_until(&mut visitors, &watching, |state| state["isTeamHere"] == true).await;
    let typing = |is: bool| json!({ "id": own["conversation"]["id"], "is": is });
    ann.graphql(TYPING, typing(true)).await.ok();
    let typed = activity_until(&mut visitors, &watching, |state| state["isTeamTyping"] == true).await;
    visitor.graphql(TYPING, typing(true)).await.ok();
    activity_until(&mut anns, &anns_watch, |state| state["isVisitorTyping"] == true).await;
    ann.graphql(TYPING, typing(false)).await.ok();
    activity_until(&mut visitors, &watching, |state| state["isTeamTyping"] == false).await;
    anns.cut();
    activity_until(&mut visitors, &watching, |state| state["isTeamHere"] == false).await;

    assert_eq!((&alone["isVisitorHere"], &alone["isTeamHere"]), (&json!(true), &json!(false)));
    assert_eq!(typed["typingMember"], "Ann");
    let stranger = site.visitor().graphql(TYPING, typing(true)).await.ok();
    assert_eq!(stranger["setTyping"]["userErrors"][0]["code"], "NOT_FOUND");
}

async fn each_side_counts_what_it_has_not_read(app: &TestApp) {
    const SEND: &str = "mutation ($id: ID!, $text: String!) {
        sendMessage(input: { conversationId: $id, text: $text }) { userErrors { message } }
    }";
    const UNREAD: &str = "query ($id: ID!) { node(id: $id) { ... on Conversation { unreadCount } } }";
    const READS: &str =
        "subscription ($after: String) { conversationEvents(after: $after, types: [CONVERSATION_READ]) {
        type conversation { id }
    } }";
    const READ: &str = "mutation ($id: ID!, $seq: Int) {
        markRead(input: { conversationId: $id, seq: $seq }) { conversation { unreadCount } userErrors { code } }
    }";
    let site = app.site().create().await;
    let own = ask(&site.visitor(), "Is anybody there?").await;
    let id = &own["conversation"]["id"];
    let visitor = site.visitor().with_session(own["sessionToken"].as_str().expect("a token"));
    let handoff = "mutation ($id: ID!) { requestHandoff(input: { conversationId: $id }) { userErrors { message } } }";
    visitor.graphql(handoff, json!({ "id": id })).await.ok();
    let send = async |from: &Client, text: &str| {
        let sent = from.graphql(SEND, json!({ "id": id, "text": text })).await.ok();
        assert_eq!(sent["sendMessage"]["userErrors"], json!([]));
    };
    let unread = async |of: &Client| of.graphql(UNREAD, json!({ "id": id })).await.ok()["node"]["unreadCount"].take();

    let mut sockets = [site.owner().socket().await, visitor.socket().await];
    let mut followed = Vec::new();
    for socket in &mut sockets {
        followed.push(socket.subscribe(READS, json!({ "after": site.beginning() })).await);
    }

    send(&visitor, "One").await;
    send(&visitor, "Two").await;
    assert_eq!((unread(&site.owner()).await, unread(&visitor).await), (json!(2), json!(0)));
    let read = site.owner().graphql(READ, json!({ "id": id, "seq": 3 })).await.ok();
    assert_eq!(read["markRead"]["conversation"]["unreadCount"], 1);
    send(&site.owner(), "Three").await;
    assert_eq!((unread(&site.owner()).await, unread(&visitor).await), (json!(0), json!(1)));
    visitor.graphql(READ, json!({ "id": id })).await.ok();
    visitor.graphql(READ, json!({ "id": id, "seq": 1 })).await.ok();
    assert_eq!(unread(&visitor).await, json!(0), "a mark never goes back");
    // One event for each time that somebody read more than before.
    let expected = json!({ "type": "CONVERSATION_READ", "conversation": { "id": id } });
    for (socket, followed) in sockets.iter_mut().zip(&followed) {
        for _ in 0..2 {
            assert_eq!(socket.next(followed).await["conversationEvents"], expected);
        }
    }
    let stranger = site.visitor().graphql(READ, json!({ "id": id })).await.ok();
    assert_eq!(stranger["markRead"]["userErrors"][0]["code"], "NOT_FOUND");
}

async fn the_bot_keeps_silent_while_a_member_is_in_the_conversation(app: &TestApp) {
    const STEP: &str = "mutation ($id: ID!) { STEP(input: { conversationId: $id }) { userErrors { message } } }";
    const AGAIN: &str = "mutation { askQuestion(input: { question: \"And now?\" }) {
        conversation { id } userErrors { code message }
    } }";
    let site = app.site().create().await;
    let own = ask(&site.visitor(), "Is anybody there?").await;
    let visitor = site.visitor().with_session(own["sessionToken"].as_str().expect("a token"));
    let ann = members::add(app.services(), app.operator(), Some(site.id), "Ann", "ann@example.com", Role::Agent);
    let ann = app.client(&ann.await.expect("a member").1);
    let step = async |by: &Client, name: &str| {
        let done = by.graphql(&STEP.replace("STEP", name), json!({ "id": own["conversation"]["id"] })).await.ok();
        assert_eq!(done[name]["userErrors"], json!([]));
    };
    let answered = async || visitor.graphql(AGAIN, json!({})).await.ok()["askQuestion"].take();

    step(&visitor, "requestHandoff").await;
    assert!(answered().await["conversation"].is_object(), "nobody has taken it yet");
    step(&ann, "assignConversation").await;
    let silent = answered().await;
    step(&ann, "resolveConversation").await;

    assert_eq!((&silent["conversation"], &silent["userErrors"][0]["code"]), (&Value::Null, &json!("CONFLICT")));
    assert!(answered().await["conversation"].is_object(), "the conversation is closed");
}

async fn events_after_the_cursor_of_a_site_are_delivered(app: &TestApp) {
    let site = app.site().create().await;
    ask(&site.visitor(), "before").await;
    let read = site.owner().graphql("{ site { eventCursor } }", json!({})).await.ok();
    ask(&site.visitor(), "after").await;

    let mut socket = site.owner().socket().await;
    let watching = socket.subscribe(WATCH, json!({ "after": read["site"]["eventCursor"] })).await;

    let event = socket.next(&watching).await;
    assert_eq!(event["conversationEvents"]["conversation"]["question"], "after");
}
