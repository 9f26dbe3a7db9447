//! Tests of the statuses that every route can return, on every route, with whole bodies: missing key, missing permission, body
//! too large, and an internal error. Statuses of single routes are tested in the files of their families.

use std::time::Duration;

use helpbot_domain::key::{KeyKind, Scope};
use helpbot_tests::database::{self, TestDatabase, server_client};
use helpbot_tests::{Client, Reply, TestApp, on_both_backends};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::rest::{asked, refusal, told};

on_both_backends!(
    each_route_401_without_a_key_and_with_a_wrong_one,
    each_route_403_for_a_key_without_the_right,
    each_route_413_for_a_body_over_64_kib,
    the_routes_here_are_those_of_the_document,
);

/// Each route with a request that is right but for the id in it.
const ROUTES: [(Method, &str, &str); 15] = [
    (Method::POST, "/api/v1/chat", r#"{"question":"Is it open?"}"#),
    (Method::POST, "/api/v1/feedback", r#"{"conversationId":"ID","helpful":"yes"}"#),
    (Method::POST, "/api/v1/handoff", r#"{"conversationId":"ID"}"#),
    (Method::GET, "/api/v1/sources", ""),
    (Method::POST, "/api/v1/sources", r#"{"url":"https://example.com/"}"#),
    (Method::DELETE, "/api/v1/sources?id=src_00000000000000000000000000", ""),
    (Method::POST, "/api/v1/sources/rescrape", r#"{"sourceId":"src_00000000000000000000000000"}"#),
    (Method::GET, "/api/v1/config", ""),
    (Method::PATCH, "/api/v1/config", r#"{"botName":"Ada"}"#),
    (Method::GET, "/api/v1/analytics/overview", ""),
    (Method::GET, "/api/v1/analytics/activity", ""),
    (Method::GET, "/api/v1/conversations", ""),
    (Method::GET, "/api/v1/webhooks", ""),
    (Method::POST, "/api/v1/webhooks", r#"{"url":"https://example.com/","events":["conversation.created"]}"#),
    (Method::DELETE, "/api/v1/webhooks?id=wh_00000000000000000000000000", ""),
];

async fn send(client: &Client, method: &Method, path: &str, body: String) -> Reply {
    client.send(client.request(method.clone(), path).body(body)).await
}

async fn each_route_401_without_a_key_and_with_a_wrong_one(app: &TestApp) {
    for (method, path, body) in &ROUTES {
        let without = send(&app.anonymous(), method, path, (*body).to_owned()).await;
        let wrong = send(&app.client("sk_live_wrong"), method, path, (*body).to_owned()).await;

        let refused = |words: &str| refusal(StatusCode::UNAUTHORIZED, words, "UNAUTHENTICATED");
        assert_eq!(told(&without), refused("Missing API key"), "{method} {path}");
        assert_eq!(told(&wrong), refused("Invalid API key"), "{method} {path}");
        assert_eq!(without.header("www-authenticate"), Some("Bearer"), "{method} {path}");
    }
}

async fn each_route_403_for_a_key_without_the_right(app: &TestApp) {
    let site = app.site().create().await;
    // A right that no route asks for: it opens, and opens nothing.
    let (_, narrow) = site.key(KeyKind::Secret).scopes(&[Scope::WriteConversations]).create().await;

    for (method, path, body) in &ROUTES {
        let reply = send(&app.client(&narrow), method, path, (*body).to_owned()).await;

        let (status, told) = told(&reply);
        let words = told["error"].as_str().unwrap_or_default();
        assert!(words.starts_with("This API key is not allowed to "), "{method} {path}: {told}");
        assert_eq!((status, &told), (403, &json!({"error": words, "code": "FORBIDDEN"})), "{method} {path}");
    }
}

async fn each_route_413_for_a_body_over_64_kib(app: &TestApp) {
    let site = app.site().create().await;
    let large = "x".repeat(64 * 1024 + 1);
    let expected =
        refusal(StatusCode::PAYLOAD_TOO_LARGE, "The body must not be larger than 64 KiB", "PAYLOAD_TOO_LARGE");

    for (method, path, _) in &ROUTES {
        let reply = send(&site.owner(), method, path, large.clone()).await;
        assert_eq!(told(&reply), expected, "{method} {path}");
    }
}

async fn the_routes_here_are_those_of_the_document(app: &TestApp) {
    let document = app.anonymous().get("/api/openapi.json").await.ok();

    let mut described: Vec<String> = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        described.extend(item.as_object().expect("methods").keys().map(|method| format!("{method} {path}")));
    }
    let of = |(method, path, _): &(Method, &str, &str)| {
        format!("{} {}", method.as_str().to_lowercase(), path.split('?').next().unwrap_or_default())
    };
    let mut here: Vec<String> = ROUTES.iter().map(of).collect();
    described.sort();
    here.sort();
    assert_eq!(here, described);
}

/// On PostgreSQL alone, whose tables can be taken away from outside.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_route_500_says_internal_server_error_and_nothing_else() {
    database::with(TestDatabase::postgres().await, async |database| {
        let app = TestApp::start(database).await;
        let site = app.site().create().await;
        let id = asked(&site).await;
        let owner = site.owner();
        owner.get("/api/v1/config").await.ok();
        let (server, schema) = database.schema().expect("a PostgreSQL database");
        let gone = format!("ALTER TABLE {schema}.sites RENAME TO a; ALTER TABLE {schema}.conversations RENAME TO b;");
        server_client(server).await.batch_execute(&gone).await.expect("the test server obeys");
        // What was looked up is believed for less than a second.
        app.pass(Duration::from_secs(1));

        for (method, path, body) in &ROUTES {
            let reply = send(&owner, method, path, body.replace("ID", &id)).await;
            let expected = refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error", "INTERNAL");
            assert_eq!(told(&reply), expected, "{method} {path}");
            assert!(reply.header("x-request-id").is_some(), "{method} {path}");
        }
        app.stop().await;
    })
    .await;
}
