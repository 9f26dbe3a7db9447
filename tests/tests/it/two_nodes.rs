//! Tests of two nodes on PostgreSQL: presence and typing, which no database stores, reach those who are connected to the
//! other node, and nothing is mailed to a visitor who is connected to another node.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use helpbot_domain::key::{KeyKind, Role};
use helpbot_services::accounts::members;
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Socket, TestApp, in_time, wait_for};
use serde_json::{Value, json};

use crate::mail_server::MailServer;

const ASK: &str = "mutation ($question: String!) {
    askQuestion(input: { question: $question }) { conversation { id } sessionToken }
}";
const ACTIVITY: &str = "subscription ($id: ID!) {
    conversationActivity(conversationId: $id) { isVisitorHere isTeamHere isVisitorTyping isTeamTyping typingMember }
}";
const TYPING: &str = "mutation ($id: ID!, $is: Boolean!) {
    setTyping(input: { conversationId: $id, isTyping: $is }) { userErrors { code } }
}";

/// Runs `test` on two nodes that send their mail to a mail server.
pub(crate) async fn on_two_nodes(test: impl AsyncFnOnce(&TestApp, &TestApp)) {
    database::with(TestDatabase::postgres().await, async |database| {
        let mail = MailServer::start().await;
        let start = || {
            TestApp::start_with(database, |settings, parts| {
                parts.clock = None;
                settings.smtp = Some(mail.smtp());
            })
        };
        let (first, second) = (start().await, start().await);
        let outcome = AssertUnwindSafe(test(&first, &second)).catch_unwind().await;
        first.stop().await;
        second.stop().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hints_are_counted_with_their_delay() {
    on_two_nodes(async |first, second| {
        let nodes = [first, second].map(|node| node.services().metrics());

        // Nodes greet each other at their start.
        for counted in nodes {
            let arrived = async || (counted.hint_delay.state().count > 0).then_some(());
            wait_for("a hint of the other node", arrived).await;
        }

        for counted in nodes {
            let delay = counted.hint_delay.state();
            assert!(counted.hints_sent.get() > 0 && counted.hints_received.get() > 0);
            assert_eq!(delay.at_most[10], delay.count, "no hint takes 30 seconds: {delay:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn visitor_and_agent_on_two_nodes_see_each_other_come_type_and_go() {
    on_two_nodes(async |first, second| {
        let site = first.site().create().await;
        let own = site.visitor().graphql(ASK, json!({ "question": "Is anybody there?" })).await.ok();
        let own = &own["askQuestion"];
        let visitor = site.visitor().with_session(own["sessionToken"].as_str().expect("a token"));
        let variables = json!({ "id": own["conversation"]["id"] });
        let ann =
            members::add(first.services(), first.operator(), Some(site.id), "Ann", "ann@example.com", Role::Agent);
        let ann = second.client(&ann.await.expect("a member").1);
        let typing = |is: bool| json!({ "id": own["conversation"]["id"], "is": is });

        let mut visitors = visitor.socket().await;
        let watching = visitors.subscribe(ACTIVITY, variables.clone()).await;
        let mut anns = ann.socket().await;
        let anns_watch = anns.subscribe(ACTIVITY, variables.clone()).await;
        until(&mut anns, &anns_watch, |state| state["isVisitorHere"] == true).await;
        until(&mut visitors, &watching, |state| state["isTeamHere"] == true).await;
        ann.graphql(TYPING, typing(true)).await.ok();
        let typed = until(&mut visitors, &watching, |state| state["isTeamTyping"] == true).await;
        visitor.graphql(TYPING, typing(true)).await.ok();
        until(&mut anns, &anns_watch, |state| state["isVisitorTyping"] == true).await;
        ann.graphql(TYPING, typing(false)).await.ok();
        until(&mut visitors, &watching, |state| state["isTeamTyping"] == false).await;
        visitors.cut();
        let left = until(&mut anns, &anns_watch, |state| state["isVisitorHere"] == false).await;

        assert_eq!(typed["typingMember"], "Ann");
        assert_eq!(left["isVisitorTyping"], false);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_mailed_to_a_visitor_who_is_connected_to_another_node() {
    const HANDOFF: &str = "mutation ($id: ID!) {
        requestHandoff(input: { conversationId: $id, customerEmail: \"ann@home.example\" }) { userErrors { code } }
    }";
    const SEND: &str = "mutation ($id: ID!) {
        sendMessage(input: { conversationId: $id, text: \"Hello\" }) { userErrors { code } }
    }";
    const IS_HERE: &str = "query ($id: ID!) { node(id: $id) { ... on Conversation { isVisitorHere } } }";
    on_two_nodes(async |first, second| {
        let site = first.site().create().await;
        let asked = site.visitor().graphql(ASK, json!({ "question": "Is anybody there?" })).await.ok();
        let asked = &asked["askQuestion"];
        let visitor = site.visitor().with_session(asked["sessionToken"].as_str().expect("a token"));
        let id = json!({ "id": asked["conversation"]["id"] });
        visitor.graphql(HANDOFF, id.clone()).await.ok();
        let (_, secret) = site.key(KeyKind::Secret).create().await;
        let team = second.client(&secret);
        let is_here = async || team.graphql(IS_HERE, id.clone()).await.ok()["node"]["isVisitorHere"] == true;
        let send = async || {
            let sent = team.graphql(SEND, id.clone()).await.ok();
            assert_eq!(sent["sendMessage"]["userErrors"], json!([]));
            let waiting = team.graphql("{ site { waitingMails { nodes { kind } } } }", json!({})).await.ok();
            let kinds = waiting["site"]["waitingMails"]["nodes"].as_array().expect("a list").clone();
            kinds.into_iter().filter(|mail| mail["kind"] == "REPLY").count()
        };

        let mut socket = visitor.socket().await;
        let watching = socket.subscribe(ACTIVITY, id.clone()).await;
        socket.next(&watching).await;
        wait_for("the visitor on the other node", async || is_here().await.then_some(())).await;
        let mailed_while_here = send().await;
        socket.cut();
        wait_for("the end of the visit", async || (!is_here().await).then_some(())).await;
        let mailed_when_gone = send().await;

        assert_eq!((mailed_while_here, mailed_when_gone), (0, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_is_here_while_a_member_is_connected_to_any_node() {
    on_two_nodes(async |first, second| {
        let site = first.site().create().await;
        let ann =
            members::add(first.services(), first.operator(), Some(site.id), "Ann", "ann@example.com", Role::Agent);
        let ann = second.client(&ann.await.expect("a member").1);
        let visitor = site.visitor();
        let is_here = async || {
            let found = visitor.graphql("{ site { expectedReply { isTeamHere } } }", json!({})).await.ok();
            found["site"]["expectedReply"]["isTeamHere"] == true
        };
        assert!(!is_here().await);

        let mut socket = ann.socket().await;
        socket.subscribe("subscription { conversationEvents { type } }", json!({})).await;
        wait_for("the member on the other node", async || is_here().await.then_some(())).await;
        socket.cut();
        wait_for("the end of the stay", async || (!is_here().await).then_some(())).await;
    })
    .await;
}

/// The next state of a conversation that satisfies `wanted`.
async fn until(socket: &mut Socket, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    in_time("the state", async {
        loop {
            let mut state = socket.next(id).await;
            let state = state["conversationActivity"].take();
            if wanted(&state) {
                return state;
            }
        }
    })
    .await
}
