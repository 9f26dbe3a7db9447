//! What an operation selects is executed as the specification says: each response key once, in the order of the
//! document, fragments at the root of a subscription too, and an object of which nothing is selected as an object.

use std::sync::atomic::Ordering;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::app::{App, soon};

impl App {
    async fn text_of(&self, path: &str, accept: &str, body: &Value) -> (StatusCode, String) {
        let request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.secret_key))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, accept);
        let response = self.send(request.body(Body::from(body.to_string())).unwrap()).await;
        let status = response.status();
        let bytes = soon(to_bytes(response.into_body(), usize::MAX)).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// The text of `data`.
    async fn data_of(&self, query: &str, variables: Value) -> String {
        let body = json!({ "query": query, "variables": variables });
        let (_, text) = self.text_of("/graphql", "application/json", &body).await;
        text.split_once(r#","extensions""#).map_or(text.clone(), |(data, _)| format!("{data}}}"))
    }

    async fn events_of(&self, query: &str, variables: Value) -> Vec<String> {
        let body = json!({ "query": query, "variables": variables });
        let (_, text) = self.text_of("/graphql/stream", "text/event-stream", &body).await;
        text.lines().filter_map(|line| line.strip_prefix("data: ")).map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn a_mutation_that_is_selected_twice_is_executed_once() {
    let app = App::start().await;
    for (query, bumps) in [
        ("mutation { bump { bumps } bump { userErrors { code } } }", 1),
        (
            "mutation { ...A ...B } fragment A on Mutation { bump { bumps } } fragment B on Mutation { bump { userErrors { code } } }",
            1,
        ),
        ("mutation { ...A ... { ...A } } fragment A on Mutation { bump { bumps } }", 1),
        ("mutation { a: bump { bumps } b: bump { bumps } }", 2),
        ("mutation { bump @skip(if: true) { bumps } bump { bumps } }", 1),
        ("mutation { bump @include(if: false) { bumps } }", 0),
    ] {
        let before = app.traces.bumps.load(Ordering::SeqCst);

        let text = app.data_of(query, json!({})).await;

        assert_eq!(app.traces.bumps.load(Ordering::SeqCst) - before, bumps, "{query} {text}");
        assert!(!text.contains("\"-\""), "{query} {text}");
    }
}

#[tokio::test]
async fn fields_have_the_order_of_the_document_and_empty_objects_stay_objects() {
    let app = App::start().await;
    for (query, expected) in [
        ("{ bumps hello }", r#"{"data":{"bumps":0,"hello":"world"}}"#),
        ("{ ...F hello } fragment F on Query { bumps hello }", r#"{"data":{"bumps":0,"hello":"world"}}"#),
        ("{ list(first: 2) { n @skip(if: true) } hello }", r#"{"data":{"list":[{},{}],"hello":"world"}}"#),
        ("{ list(first: 1) { n } list(first: 1) { cursor n } }", r#"{"data":{"list":[{"n":0,"cursor":"0"}]}}"#),
        ("{ hello @skip(if: true) }", r#"{"data":{}}"#),
        ("{ ...F } fragment F on Query { hello @include(if: false) }", r#"{"data":{}}"#),
    ] {
        assert_eq!(app.data_of(query, json!({})).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_variable_without_a_value_is_an_absent_argument() {
    let app = App::start().await;
    let query = "mutation ($slowly: Boolean) { bump(slowly: $slowly) { bumps } }";

    assert_eq!(app.data_of(query, json!({})).await, r#"{"data":{"bump":{"bumps":1}}}"#);
    let null = json!({ "query": query, "variables": { "slowly": null } });
    assert!(app.text_of("/graphql", "application/json", &null).await.1.contains(r#""data":null"#));
}

#[tokio::test]
async fn a_subscription_starts_its_field_once_in_whatever_fragment_it_is() {
    let app = App::start().await;
    for query in [
        "subscription { count(to: 1) { n cursor } }",
        "subscription { ...A } fragment A on Events { count(to: 1) { n cursor } }",
        "subscription { ... on Events { ... { count(to: 1) { n cursor } } } }",
        "subscription { count(to: 1) { n } count(to: 1) { cursor } }",
        "subscription { ...A ...B } fragment A on Events { count(to: 1) { n } } fragment B on Events { count(to: 1) { cursor } }",
    ] {
        assert_eq!(app.events_of(query, json!({})).await, [r#"{"data":{"count":{"n":1,"cursor":"1"}}}"#], "{query}");
    }
    let nothing = "subscription ($n: Boolean!) { count(to: 1) { n @include(if: $n) } }";
    assert_eq!(app.events_of(nothing, json!({ "n": false })).await, [r#"{"data":{"count":{}}}"#]);
}

#[tokio::test]
async fn each_wrong_variable_is_reported_with_its_place() {
    let app = App::start().await;
    let query = "query ($n: Int!,\n$first: Int!) { echo(n: $n) list(first: $first) { n } }";
    let body = json!({ "query": query, "variables": { "first": "two" } });

    let (status, text) = app.text_of("/graphql", "application/graphql-response+json", &body).await;

    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(answer["errors"][0]["locations"], json!([{ "line": 1, "column": 8 }]), "{text}");
    assert_eq!(answer["errors"][1]["locations"], json!([{ "line": 2, "column": 1 }]), "{text}");
}

#[tokio::test]
async fn an_empty_operation_name_is_no_name() {
    let app = App::start().await;
    for (query, is_executed) in
        [("{ hello }", true), ("query A { hello }", true), ("query A { hello } query B { hello }", false)]
    {
        let body = json!({ "query": query, "operationName": "" });
        let (_, text) = app.text_of("/graphql", "application/json", &body).await;
        assert_eq!(text.contains("world"), is_executed, "{query} {text}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused_with_the_reason() {
    let app = App::start().await;
    for (coding, status) in [("gzip", 415), ("br, gzip", 415), ("identity", 200), ("", 200)] {
        let request = Request::post("/graphql")
            .header(header::AUTHORIZATION, format!("Bearer {}", app.secret_key))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_ENCODING, coding);
        let response = app.send(request.body(Body::from(r#"{"query":"{ hello }"}"#)).unwrap()).await;
        assert_eq!(response.status().as_u16(), status, "{coding}");
    }
}
