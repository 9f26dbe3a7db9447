//! Tests of live queries: a query with `@live` follows the state of the site, and each viewer sees only
//! its own view of it.

use helpbot_domain::key::Role;
use helpbot_services::accounts::members;
use helpbot_tests::{Client, Socket, TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    a_live_query_returns_its_result_at_once_and_after_each_change,
    patches_of_random_changes_with_cuts_equal_a_fresh_query,
    a_live_query_of_a_visitor_shows_its_own_conversations_only,
    an_operator_follows_the_site_that_the_query_names,
    a_change_without_an_event_reaches_a_live_query_of_the_same_node,
);

const LIST: &str = "query List @live { site {
    name conversations(first: 10) { totalCount nodes {
        id question feedback handoff { status } messages(last: 3) { nodes { seq author text } }
    } }
} }";
const ASK: &str = "mutation ($question: String!) {
    askQuestion(input: { question: $question }) { conversation { id } sessionToken userErrors { message } }
}";

async fn ask(visitor: &Client, question: &str) -> Value {
    let mut data = visitor.graphql(ASK, json!({ "question": question })).await.ok();
    data["askQuestion"].take()
}

/// Begins a live query of a client that accepts patches.
async fn follow(socket: &mut Socket, document: &str) {
    let payload = json!({ "query": document, "extensions": { "livePatches": true } });
    socket.send(json!({ "id": "live", "type": "subscribe", "payload": payload })).await;
}

/// The next payload of the live query.
async fn payload(socket: &mut Socket, id: &str) -> Value {
    let mut frame = socket.frame_of(id).await;
    assert_eq!(frame["type"], "next", "{frame}");
    assert_eq!(frame["payload"]["isLive"], true, "{frame}");
    frame["payload"].take()
}

async fn a_live_query_returns_its_result_at_once_and_after_each_change(app: &TestApp) {
    let site = app.site().create().await;
    let mut socket = site.owner().socket().await;

    let id = socket.subscribe(LIST, json!({})).await;
    let first = payload(&mut socket, &id).await;
    ask(&site.visitor(), "Is anybody there?").await;
    let second = payload(&mut socket, &id).await;

    let count = |payload: &Value| payload["data"]["site"]["conversations"]["totalCount"].clone();
    assert_eq!((count(&first), count(&second)), (json!(0), json!(1)));
    assert_eq!(second["data"]["site"]["conversations"]["nodes"][0]["question"], "Is anybody there?");
    assert!(first["extensions"]["cost"]["requested"].is_number(), "{first}");
    let once = site.owner().graphql("query @live { site { name } }", json!({})).await;
    assert!(once.reply.json().get("isLive").is_none(), "a response over HTTP is no live query");
}

/// Applies a patch as RFC 6902 requires.
fn apply(state: &mut Value, patch: &Value) {
    for operation in patch.as_array().expect("a list of operations") {
        let path = operation["path"].as_str().expect("a path");
        let Some((parent, step)) = path.rsplit_once('/') else {
            *state = operation["value"].clone();
            continue;
        };
        let step = step.replace("~1", "/").replace("~0", "~");
        let target = state.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}"));
        match (operation["op"].as_str(), target) {
            (Some("add"), Value::Array(items)) => {
                items.insert(step.parse().expect("an index"), operation["value"].clone())
            }
            (Some("remove"), Value::Array(items)) => drop(items.remove(step.parse().expect("an index"))),
            (Some("replace"), Value::Array(items)) => {
                items[step.parse::<usize>().expect("an index")] = operation["value"].clone();
            }
            (Some("replace"), Value::Object(fields)) => {
                assert!(fields.insert(step, operation["value"].clone()).is_some(), "nothing to replace at {path}");
            }
            other => panic!("{other:?} at {path}"),
        }
    }
}

/// What a client knows that follows a live query with patches, over connections that break.
struct Follower {
    client: Client,
    socket: Socket,
    state: Value,
    revision: u64,
}

impl Follower {
    async fn start(client: Client) -> Self {
        let mut socket = client.socket().await;
        follow(&mut socket, LIST).await;
        Self { client, socket, state: Value::Null, revision: 0 }
    }

    async fn read(&mut self) {
        let mut payload = payload(&mut self.socket, "live").await;
        assert_eq!(payload["revision"], self.revision + 1, "{payload}");
        self.revision += 1;
        match self.revision {
            1 => self.state = payload["data"].take(),
            _ => apply(&mut self.state, &payload["patch"]),
        }
    }

    async fn cut(self) -> Self {
        let client = self.client.clone();
        self.socket.cut();
        Self::start(client).await
    }

    /// Reads until the state is the one of a fresh query.
    async fn catch_up(&mut self) {
        let query = LIST.replace("@live", "");
        loop {
            let fresh = self.client.graphql(&query, json!({})).await.ok();
            if self.state == fresh {
                return;
            }
            self.read().await;
        }
    }
}

/// One change of a random kind.
async fn change(site: &TestSite<'_>, random: &mut fastrand::Rng, conversations: &mut Vec<(Value, Client)>) {
    let kind = if conversations.is_empty() { 0 } else { random.u8(0..6) };
    if kind == 0 {
        let asked = ask(&site.visitor(), &format!("Question {}?", conversations.len())).await;
        let visitor = site.visitor().with_session(asked["sessionToken"].as_str().expect("a token"));
        conversations.push((asked["conversation"]["id"].clone(), visitor));
        return;
    }
    let (id, visitor) = &conversations[random.usize(..conversations.len())];
    let owner = site.owner();
    let (by, document) = match kind {
        1 => (
            visitor,
            "mutation ($id: ID!) { submitFeedback(input: { conversationId: $id, feedback: VOTE }) { userErrors { code } } }",
        ),
        2 => {
            (visitor, "mutation ($id: ID!) { requestHandoff(input: { conversationId: $id }) { userErrors { code } } }")
        }
        3 => (
            &owner,
            "mutation ($id: ID!, $text: String!) { sendMessage(input: { conversationId: $id, text: $text }) { userErrors { code } } }",
        ),
        4 => (
            &owner,
            "mutation ($id: ID!) { resolveConversation(input: { conversationId: $id }) { userErrors { code } } }",
        ),
        _ => (
            &owner,
            "mutation ($id: ID!) { assignConversation(input: { conversationId: $id }) { userErrors { code } } }",
        ),
    };
    let vote = if random.bool() { "HELPFUL" } else { "UNHELPFUL" };
    let text = format!("message {}", random.u32(..));
    // Some changes are refused in some states, for example a message before a handoff.
    by.graphql(&document.replace("VOTE", vote), json!({ "id": id, "text": text })).await;
}

/// Random changes, with connections that are cut at random. `HELPBOT_LIVE_RUNS` makes it longer.
async fn patches_of_random_changes_with_cuts_equal_a_fresh_query(app: &TestApp) {
    const RUNS: usize = 12;
    const CHANGES: usize = 8;
    let runs = std::env::var("HELPBOT_LIVE_RUNS").map_or(RUNS, |runs| runs.parse().expect("a number of runs"));
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    eprintln!("seed {seed}, {runs} runs");
    let site = app.site().create().await;
    let mut conversations = Vec::new();
    let mut follower = Follower::start(site.owner()).await;

    for _ in 0..runs {
        for _ in 0..CHANGES {
            match random.u8(0..10) {
                0 => follower = follower.cut().await,
                1 | 2 => follower.catch_up().await,
                _ => change(&site, &mut random, &mut conversations).await,
            }
        }
        follower.catch_up().await;
    }

    assert!(follower.state["site"]["conversations"]["totalCount"].is_number());
}

async fn a_live_query_of_a_visitor_shows_its_own_conversations_only(app: &TestApp) {
    const OWN: &str = "query ($id: ID!) @live { node(id: $id) { ... on Conversation { question unreadCount } } }";
    let site = app.site().create().await;
    let own = ask(&site.visitor(), "mine").await;
    let visitor = site.visitor().with_session(own["sessionToken"].as_str().expect("a token"));
    let variables = json!({ "id": own["conversation"]["id"] });
    let handoff = "mutation ($id: ID!) { requestHandoff(input: { conversationId: $id }) { userErrors { message } } }";
    visitor.graphql(handoff, variables.clone()).await.ok();
    let send =
        "mutation ($id: ID!) { sendMessage(input: { conversationId: $id, text: \"Hi\" }) { userErrors { code } } }";

    let mut visitors = visitor.socket().await;
    let followed = visitors.subscribe(OWN, variables.clone()).await;
    let mut strangers = site.visitor().socket().await;
    let strange = strangers.subscribe(OWN, variables.clone()).await;
    let seen = payload(&mut visitors, &followed).await;
    let hidden = payload(&mut strangers, &strange).await;
    site.owner().graphql(send, variables).await.ok();
    let unread = payload(&mut visitors, &followed).await;

    assert_eq!(seen["data"]["node"], json!({ "question": "mine", "unreadCount": 0 }));
    assert_eq!(hidden["data"]["node"], Value::Null);
    assert_eq!(unread["data"]["node"], json!({ "question": "mine", "unreadCount": 1 }));
}

async fn an_operator_follows_the_site_that_the_query_names(app: &TestApp) {
    const COUNT: &str = "query ($site: ID!) @live { site(id: $site) { conversations { totalCount } } }";
    let site = app.site().create().await;
    let mut socket = app.operator_client().socket().await;
    let id = socket.subscribe(COUNT, json!({ "site": site.id.to_string() })).await;
    assert_eq!(payload(&mut socket, &id).await["data"]["site"]["conversations"]["totalCount"], 0);

    ask(&site.visitor(), "Is anybody there?").await;

    assert_eq!(payload(&mut socket, &id).await["data"]["site"]["conversations"]["totalCount"], 1);
}

async fn a_change_without_an_event_reaches_a_live_query_of_the_same_node(app: &TestApp) {
    const ADD: &str =
        "mutation { addFaqEntry(input: { question: \"Why?\", answer: \"Because.\" }) { userErrors { code } } }";
    const ENTRIES: &str = "query @live { site { faqEntries { totalCount } } }";
    let site = app.site().create().await;
    let ann = members::add(app.services(), app.operator(), Some(site.id), "Ann", "ann@example.com", Role::Admin);
    let ann = app.client(&ann.await.expect("a member").1);
    let mut socket = ann.socket().await;
    let id = socket.subscribe(ENTRIES, json!({})).await;
    assert_eq!(payload(&mut socket, &id).await["data"]["site"]["faqEntries"]["totalCount"], 0);

    site.owner().graphql(ADD, json!({})).await.ok();

    assert_eq!(payload(&mut socket, &id).await["data"]["site"]["faqEntries"]["totalCount"], 1);
}
