//! Tests of the limits on one document of the real schema: the cost is computed before any data is read, with every list at
//! its maximum length.

use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{GraphqlReply, TestApp, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(documents_over_a_limit_are_refused_whole,);

/// Documents that each list multiplies past the limit, with what they are about.
const TOO_COSTLY: &[(&str, &str)] = &[
    ("a page of pages", "{ site { conversations(first: 100) { nodes { messages(first: 100) { nodes { text } } } } } }"),
    (
        "topics",
        "{ site { analytics { topQuestions(first: 100) { questions { conversation { citations { title } } } } } } }",
    ),
    (
        "webhooks",
        "{ site { webhooks { deliveries(first: 100) { nodes { attempts { nodes { requestHeaders { name } } } } } } } }",
    ),
    (
        "sites of sites",
        "{ sites(first: 100) { nodes { apiKeys(first: 50) { nodes { id } } members(first: 50) { nodes { id } } } } }",
    ),
    ("days", "{ sites(first: 50) { nodes { analytics { activity { date count } } } } }"),
];

/// Documents that a secret key may send, with their cost.
const AFFORDABLE: &[(&str, u64)] = &[
    (
        "{ site { conversations(first: 50) { nodes { messages(first: 20) { nodes { author } } } } } }",
        1 + 1 + 50 * (1 + 1 + 20),
    ),
    (
        "{ site { conversations(first: 100) { nodes { id question answer confidence createdAt feedback isUnanswered language outcome sessionId } } } }",
        1 + 1 + 100,
    ),
    ("{ site { sources { nodes { pages(first: 50) { nodes { url } } } } } }", 1 + 1 + 20 * (1 + 1 + 50)),
    (
        "{ site { webhooks { deliveries(first: 50) { nodes { attempts(first: 10) { nodes { number } } } } } } }",
        1 + 5 * (1 + 1 + 50 * (1 + 1 + 10)),
    ),
    ("query A { site { id } } query B { site { conversations { nodes { messages { nodes { id } } } } } }", 1),
];

/// Within the limits: what a dashboard asks for at once.
const FINE: &str = "{ site {
    apiKeys { nodes { id name scopes } } members { nodes { id name email role } } webhooks { id url events } waitingMails { nodes { kind } }
    analytics { overview { totalQuestions } activity { date count } unansweredTopics(first: 5) { label questions { text } } }
    conversations(first: 50) { nodes { id question } }
} }";

fn is_refused(reply: &GraphqlReply) -> bool {
    reply.codes() == ["COMPLEXITY_LIMIT"] && reply.data == Value::Null
}

async fn documents_over_a_limit_are_refused_whole(app: &TestApp) {
    let site = app.site().create().await;
    let owner = site.owner();
    // The deepest things of the schema are its own description.
    let types = |count: usize| format!("{} name {}", "ofType { ".repeat(count), "}".repeat(count));
    let deep = |count: usize| format!("{{ __schema {{ types {{ fields {{ type {{ {} }} }} }} }} }}", types(count));

    owner.graphql(FINE, json!({})).await.ok();
    owner.graphql(&deep(10), json!({})).await.ok();
    let too_deep = owner.graphql(&deep(11), json!({})).await;

    for (of, document) in TOO_COSTLY {
        let reply = owner.graphql(document, json!({})).await;
        assert!(is_refused(&reply), "{of}: {} {:?}", reply.data, reply.errors);
        let cost = &reply.errors[0]["extensions"]["cost"];
        assert!(
            cost["requested"].as_u64() > cost["limit"].as_u64() && cost["mostExpensiveField"].is_string(),
            "{cost}"
        );
    }
    for (document, cost) in AFFORDABLE {
        let name = document.starts_with("query A").then_some("A");
        let reply = owner.post("/graphql", &json!({ "query": document, "operationName": name })).await.json();
        let report = &reply["extensions"]["cost"];
        assert_eq!(report["requested"], *cost, "{document}: {reply}");
        assert!(report["actual"].as_u64() <= Some(*cost) && report["limit"] == 10_000, "{report}");
    }
    assert!(is_refused(&too_deep), "{:?}", too_deep.errors);
    assert!(too_deep.errors[0]["message"].as_str().is_some_and(|message| message.contains("deep")), "{too_deep:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_schema_cannot_be_queried() {
    database::with(Some(TestDatabase::sqlite()), async |database| {
        let app = TestApp::start_with(database, |settings, _| settings.has_introspection = false).await;
        let owner = app.site().create().await.owner();

        let asked = owner.graphql("{ __schema { types { name } } __type(name: \"Site\") { name } }", json!({})).await;
        let misspelt = owner.graphql("{ sit { id } }", json!({})).await;
        let misplaced = owner.graphql("{ viewer { king } }", json!({})).await;

        let told = format!("{} {:?}", asked.data, asked.errors);
        assert!(!told.contains("Site") && !told.contains("Query"), "{told}");
        for (reply, meant) in [(misspelt, "\"site"), (misplaced, "kind")] {
            assert_eq!(reply.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
            assert!(!reply.errors[0].to_string().contains(meant), "{:?}", reply.errors);
        }
        assert_eq!(owner.graphql("{ viewer { __typename } }", json!({})).await.ok()["viewer"]["__typename"], "Viewer");
        app.stop().await;
    })
    .await;
}
