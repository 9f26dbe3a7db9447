//! Tests of blocked visitors: everything that a visitor can do is refused, over GraphQL and REST, open subscriptions end, and
//! other visitors are not affected. And the other way in which a subscription ends: the plan no longer includes it.

use std::collections::BTreeSet;

use helpbot_domain::key::KeyKind;
use helpbot_domain::plan::Plan;
use helpbot_services::accounts::sites::{self, SitePatch};
use helpbot_tests::{Client, Reply, Socket, TestApp, TestSite, on_both_backends};
use reqwest::Method;
use serde_json::{Value, json};

on_both_backends!(
    a_blocked_session_can_do_nothing,
    a_blocked_address_can_begin_no_new_session,
    a_blocked_email_address_reaches_no_human,
    blocks_belong_to_one_site_and_can_be_removed,
    open_subscriptions_of_a_blocked_visitor_end,
    a_subscription_ends_when_the_plan_no_longer_includes_it,
);

const ASK: &str = "mutation ($question: String!, $session: String) {
    askQuestion(input: { question: $question, sessionId: $session }) { conversation { id } sessionToken }
}";
const BLOCK: &str = "mutation ($id: ID!, $by: BlockedBy) {
    blockVisitor(input: { conversationId: $id, by: $by, note: \"spam\" }) {
        blockedVisitor { id by note conversation { id } } userErrors { code field }
    }
}";
const UNBLOCK: &str = "mutation ($id: ID!) { unblockVisitor(input: { id: $id }) { removedId userErrors { code } } }";
const LIST: &str = "{ site { blockedVisitors { nodes { id by note conversation { id } } } } }";
const EVENTS: &str = "subscription ($id: ID, $after: String) {
    conversationEvents(conversationId: $id, after: $after) { type }
}";
const ACTIVITY: &str = "subscription ($id: ID!) { conversationActivity(conversationId: $id) { isTeamHere } }";

/// What a visitor can do to a conversation.
const DEEDS: [&str; 5] = [
    "mutation ($id: ID!) { submitFeedback(input: { conversationId: $id, feedback: HELPFUL }) { userErrors { code } } }",
    "mutation ($id: ID!) { requestHandoff(input: { conversationId: $id }) { userErrors { code } } }",
    "mutation ($id: ID!) { sendMessage(input: { conversationId: $id, text: \"Hi\" }) { userErrors { code } } }",
    "mutation ($id: ID!) { setTyping(input: { conversationId: $id, isTyping: true }) { userErrors { code } } }",
    "mutation ($id: ID!) {
        requestTranscriptCode(input: { conversationId: $id, email: \"a@b.example\" }) { userErrors { code } }
    }",
];

/// A visitor at `address` who has asked a question.
struct Visitor {
    client: Client,
    address: &'static str,
    session: String,
    id: Value,
}

impl Visitor {
    async fn of(site: &TestSite<'_>, address: &'static str, session: &str) -> Self {
        let new = Self { client: site.visitor(), address, session: session.to_owned(), id: Value::Null };
        let asked = new.graphql(ASK, json!({ "question": "Hello?", "session": session })).await.ok();
        let asked = &asked["data"]["askQuestion"];
        let token = asked["sessionToken"].as_str().expect("a token");
        Self { client: site.visitor().with_session(token), id: asked["conversation"]["id"].clone(), ..new }
    }

    async fn graphql(&self, document: &str, variables: Value) -> Reply {
        self.post("/graphql", &json!({ "query": document, "variables": variables })).await
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        let request = self.client.request(Method::POST, path).header("content-type", "application/json");
        self.client.send(request.header("x-forwarded-for", self.address).body(body.to_string())).await
    }

    /// The code of the error of a GraphQL operation, null when there is none.
    async fn code_of(&self, document: &str) -> Value {
        let variables = json!({ "id": self.id, "question": "And now?", "session": self.session });
        self.graphql(document, variables).await.json()["errors"][0]["extensions"]["code"].clone()
    }
}

async fn block(site: &TestSite<'_>, of: &Visitor, by: &str) -> Value {
    let mut blocked = site.owner().graphql(BLOCK, json!({ "id": of.id, "by": by })).await.ok();
    assert_eq!(blocked["blockVisitor"]["userErrors"], json!([]));
    blocked["blockVisitor"]["blockedVisitor"].take()
}

/// Reads events until one has this type.
async fn until(socket: &mut Socket, events: &str, wanted: &str) {
    while socket.next(events).await["conversationEvents"]["type"] != wanted {}
}

async fn a_blocked_session_can_do_nothing(app: &TestApp) {
    let site = app.site().create().await;
    let visitor = Visitor::of(&site, "192.0.2.1", "visitor-1").await;
    let neighbor = Visitor::of(&site, "192.0.2.1", "visitor-2").await;
    for deed in DEEDS {
        assert_eq!(visitor.code_of(deed).await, Value::Null, "{deed}");
    }

    let blocked = block(&site, &visitor, "SESSION").await;

    assert_eq!((&blocked["by"], &blocked["note"]), (&json!("SESSION"), &json!("spam")));
    assert_eq!(blocked["conversation"]["id"], visitor.id);
    for deed in DEEDS.iter().chain([&ASK]) {
        assert_eq!(visitor.code_of(deed).await, "VISITOR_BLOCKED", "{deed}");
    }
    // The session is known by its name or by the conversation, also without the token.
    let unproved =
        Visitor { client: site.visitor(), session: visitor.session.clone(), id: visitor.id.clone(), ..visitor };
    for deed in [DEEDS[0], DEEDS[1], ASK] {
        assert_eq!(unproved.code_of(deed).await, "VISITOR_BLOCKED", "{deed}");
    }
    let rest = [
        ("/api/v1/chat", json!({ "question": "And now?", "sessionId": "visitor-1" })),
        ("/api/v1/feedback", json!({ "conversationId": unproved.id, "helpful": "no" })),
        ("/api/v1/handoff", json!({ "conversationId": unproved.id })),
    ];
    for (path, body) in rest {
        let reply = unproved.post(path, &body).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (401, &json!("VISITOR_BLOCKED")), "{path}");
        assert!(reply.json()["error"].is_string(), "{path}");
    }
    // The team still writes in the conversation, and others are not affected.
    let reply = site.owner().graphql(DEEDS[2], json!({ "id": unproved.id })).await.ok();
    assert_eq!(reply["sendMessage"]["userErrors"], json!([]));
    for deed in DEEDS.iter().chain([&ASK]) {
        assert_eq!(neighbor.code_of(deed).await, Value::Null, "{deed}");
    }
    let credits = site.owner().graphql("{ site { credits { used } } }", json!({})).await.ok();
    assert_eq!(credits["site"]["credits"]["used"], 3, "refused questions cost nothing");
}

async fn a_blocked_address_can_begin_no_new_session(app: &TestApp) {
    let site = app.site().create().await;
    let visitor = Visitor::of(&site, "2001:db8::1", "visitor-1").await;
    let other = Visitor::of(&site, "2001:db8:1::1", "visitor-2").await;

    block(&site, &visitor, "ADDRESS").await;

    let moved = Visitor { client: site.visitor(), address: "2001:db8::2", session: "fresh".into(), id: Value::Null };
    assert_eq!(moved.code_of(ASK).await, "VISITOR_BLOCKED", "the same network");
    let elsewhere = Visitor { address: "2001:db8:2::1", ..moved };
    assert_eq!(elsewhere.code_of(ASK).await, Value::Null);
    assert_eq!(other.code_of(ASK).await, Value::Null);
    // A question with a secret key has no visitor's address.
    let by_server = site.owner().graphql(ASK, json!({ "question": "Hello?", "session": "server" })).await.ok();
    let variables = json!({ "id": by_server["askQuestion"]["conversation"]["id"], "by": "ADDRESS" });
    let refused = site.owner().graphql(BLOCK, variables).await.ok();
    assert_eq!(refused["blockVisitor"]["userErrors"][0], json!({ "code": "BAD_USER_INPUT", "field": ["input", "by"] }));
}

async fn a_blocked_email_address_reaches_no_human(app: &TestApp) {
    const HANDOFF: &str = "mutation ($id: ID!, $email: String) {
        requestHandoff(input: { conversationId: $id, customerEmail: $email }) { userErrors { code } }
    }";
    const CODE: &str = "mutation ($id: ID!, $email: String!) {
        requestTranscriptCode(input: { conversationId: $id, email: $email }) { userErrors { code } }
    }";
    let site = app.site().create().await;
    let visitor = Visitor::of(&site, "192.0.2.1", "visitor-1").await;
    let refused = site.owner().graphql(BLOCK, json!({ "id": visitor.id, "by": "EMAIL" })).await.ok();
    assert_eq!(refused["blockVisitor"]["userErrors"][0], json!({ "code": "BAD_USER_INPUT", "field": ["input", "by"] }));
    visitor.graphql(HANDOFF, json!({ "id": visitor.id, "email": "Bob@example.com" })).await.ok();

    let blocked = block(&site, &visitor, "EMAIL").await;

    assert_eq!(blocked["by"], "EMAIL");
    let again = Visitor::of(&site, "198.51.100.7", "visitor-2").await;
    for (deed, email, code) in [
        (HANDOFF, json!("b.ob+2@EXAMPLE.com"), json!("VISITOR_BLOCKED")),
        (CODE, json!("bob@example.com"), json!("VISITOR_BLOCKED")),
        (HANDOFF, json!("rob@example.com"), Value::Null),
        (ASK, Value::Null, Value::Null),
    ] {
        let variables = json!({ "id": again.id, "email": email, "question": "And now?", "session": again.session });
        let reply = again.graphql(deed, variables).await.json();
        assert_eq!(reply["errors"][0]["extensions"]["code"], code, "{deed} {email}");
    }
    let body = json!({ "conversationId": again.id, "customerEmail": "bob@example.com" });
    assert_eq!(again.post("/api/v1/handoff", &body).await.json()["code"], "VISITOR_BLOCKED");
    site.owner().graphql(UNBLOCK, json!({ "id": blocked["id"] })).await.ok();
    assert_eq!(again.post("/api/v1/handoff", &body).await.status, 200);
}

async fn blocks_belong_to_one_site_and_can_be_removed(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let visitor = Visitor::of(&site, "192.0.2.1", "visitor-1").await;
    let same = Visitor::of(&other, "192.0.2.1", "visitor-1").await;
    let blocked = block(&site, &visitor, "SESSION").await;
    let again = block(&site, &visitor, "SESSION").await;
    block(&site, &visitor, "ADDRESS").await;

    assert_eq!(blocked["id"], again["id"], "blocking again changes nothing");
    assert_eq!(same.code_of(ASK).await, Value::Null, "another site");
    let by_stranger = other.owner().graphql(UNBLOCK, json!({ "id": blocked["id"] })).await.ok();
    assert_eq!(by_stranger["unblockVisitor"]["userErrors"][0]["code"], "NOT_FOUND");
    let listed = site.owner().graphql(LIST, json!({})).await.ok();
    // Both were blocked in the same millisecond, so their order is that of their IDs.
    let kinds: BTreeSet<_> = listed["site"]["blockedVisitors"]["nodes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| it["by"].to_string())
        .collect();
    assert_eq!(kinds, BTreeSet::from(["\"ADDRESS\"".to_owned(), "\"SESSION\"".to_owned()]));
    assert_eq!(site.visitor().graphql(LIST, json!({})).await.codes(), ["FORBIDDEN"]);

    for block in listed["site"]["blockedVisitors"]["nodes"].as_array().expect("a list") {
        let removed = site.owner().graphql(UNBLOCK, json!({ "id": block["id"] })).await.ok();
        assert_eq!(removed["unblockVisitor"]["removedId"], block["id"]);
    }
    assert_eq!(visitor.code_of(ASK).await, Value::Null);
}

async fn open_subscriptions_of_a_blocked_visitor_end(app: &TestApp) {
    let site = app.site().create().await;
    let (visitor, other) =
        (Visitor::of(&site, "192.0.2.1", "visitor-1").await, Visitor::of(&site, "192.0.2.2", "visitor-2").await);
    let (mut socket, mut others) = (visitor.client.socket().await, other.client.socket().await);
    let events = socket.subscribe(EVENTS, json!({ "after": site.beginning() })).await;
    let activity = socket.subscribe(ACTIVITY, json!({ "id": visitor.id })).await;
    let of_other = others.subscribe(EVENTS, json!({ "after": site.beginning() })).await;
    socket.next(&activity).await;

    block(&site, &visitor, "SESSION").await;

    let ended = loop {
        let frame = socket.frame_of(&events).await;
        if frame["type"] == "next" && frame["payload"]["errors"].is_null() {
            continue;
        }
        break frame;
    };
    assert!(ended.to_string().contains("VISITOR_BLOCKED"), "{ended}");
    while socket.frame_of(&activity).await["type"] != "complete" {}
    let again = socket.subscribe(EVENTS, json!({ "after": site.beginning() })).await;
    assert!(socket.frame_of(&again).await.to_string().contains("VISITOR_BLOCKED"));
    other.code_of(DEEDS[0]).await;
    until(&mut others, &of_other, "CONVERSATION_FEEDBACK").await;
}

async fn a_subscription_ends_when_the_plan_no_longer_includes_it(app: &TestApp) {
    let site = app.site().create().await;
    let visitor = Visitor::of(&site, "192.0.2.1", "visitor-1").await;
    let (mut team, mut own) = (site.owner().socket().await, visitor.client.socket().await);
    let all = team.subscribe(EVENTS, json!({ "after": site.beginning() })).await;
    let one = team.subscribe(EVENTS, json!({ "id": visitor.id, "after": site.beginning() })).await;
    let of_visitor = own.subscribe(EVENTS, json!({ "after": site.beginning() })).await;
    visitor.code_of(DEEDS[1]).await;
    until(&mut team, &all, "CONVERSATION_HANDOFF").await;

    let patch = SitePatch { plan: Some(Plan::Starter), ..SitePatch::default() };
    sites::update(app.services(), app.operator(), site.id, patch).await.expect("a smaller plan");

    let ended = team.frame_of(&all).await;
    assert!(ended.to_string().contains("PLAN_REQUIRED"), "{ended}");
    let refused = team.subscribe(EVENTS, json!({ "after": site.beginning() })).await;
    assert!(team.frame_of(&refused).await.to_string().contains("PLAN_REQUIRED"));
    // Handoffs are part of every plan, and so is following one conversation.
    visitor.code_of(DEEDS[2]).await;
    until(&mut team, &one, "MESSAGE_CREATED").await;
    until(&mut own, &of_visitor, "MESSAGE_CREATED").await;
    let (_, key) = site.key(KeyKind::Secret).create().await;
    let patch = SitePatch { plan: Some(Plan::Growth), ..SitePatch::default() };
    sites::update(app.services(), app.operator(), site.id, patch).await.expect("a larger plan");
    let mut later = app.client(&key).socket().await;
    let all = later.subscribe(EVENTS, json!({ "after": site.beginning() })).await;
    visitor.code_of(DEEDS[2]).await;
    until(&mut later, &all, "MESSAGE_CREATED").await;
}
