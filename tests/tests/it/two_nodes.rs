//! Tests of two nodes on PostgreSQL: presence and typing, which no database stores, reach those who are connected to the
//! other node.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use helpbot_domain::key::Role;
use helpbot_services::accounts::members;
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Socket, TestApp, in_time, wait_for};
use serde_json::{Value, json};

const ASK: &str = "mutation ($question: String!) {
    askQuestion(input: { question: $question }) { conversation { id } sessionToken }
}";
const ACTIVITY: &str = "subscription ($id: ID!) {
    conversationActivity(conversationId: $id) { isVisitorHere isTeamHere isVisitorTyping isTeamTyping typingMember }
}";
const TYPING: &str = "mutation ($id: ID!, $is: Boolean!) {
    setTyping(input: { conversationId: $id, isTyping: $is }) { userErrors { code } }
}";

async fn on_two_nodes(test: impl AsyncFnOnce(&TestApp, &TestApp)) {
    database::with(TestDatabase::postgres().await, async |database| {
        let start = || TestApp::start_with(database, |_, parts| parts.clock = None);
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
