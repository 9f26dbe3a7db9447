//! Tests of secret keys in places where others read them: GraphQL refuses them in URLs and from pages of other web sites.
//! REST keeps the rules of its contract.

use helpbot_domain::key::KeyKind;
use helpbot_tests::{Client, Reply, TestApp, on_both_backends};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

on_both_backends!(
    a_secret_key_in_the_url_of_graphql_is_refused_and_the_error_says_why,
    a_secret_key_is_refused_on_a_page_of_another_web_site,
);

const VIEWER: &str = r#"{"query":"{ viewer { kind } }"}"#;

async fn post(client: &Client, path: &str, origin: Option<&str>) -> Reply {
    let mut request = client.request(Method::POST, path).header("content-type", "application/json").body(VIEWER);
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    client.send(request).await
}

async fn a_secret_key_in_the_url_of_graphql_is_refused_and_the_error_says_why(app: &TestApp) {
    let site = app.site().create().await;
    let in_url = |key: &str| format!("/graphql?apiKey={key}");

    for client in [app.anonymous(), site.owner()] {
        let refused = post(&client, &in_url(&site.secret_key), None).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        let error = refused.json()["errors"][0].take();
        assert_eq!(error["extensions"]["code"], "UNAUTHENTICATED");
        assert!(error["message"].as_str().is_some_and(|text| text.contains("must not be part of a URL")), "{error}");
        assert!(!refused.text().contains(&site.secret_key));
    }
    for path in ["/graphql/stream", "/graphql/export/faq-entries.csv", "/graphql"] {
        let get = app.anonymous().request(Method::GET, &format!("{path}?apiKey={}&query=%7Ba%7D", site.secret_key));
        let accept = if path.ends_with("stream") { "text/event-stream" } else { "application/json" };
        let refused = app.anonymous().send(get.header("accept", accept)).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(refused.text().contains("must not be part of a URL"), "{path}: {}", refused.text());
    }
    let widget = post(&app.anonymous(), &in_url(&site.widget_key), None).await;
    assert!(widget.text().contains("does not read the API key from the URL"), "{}", widget.text());
    let config = app.anonymous().get(&format!("/api/v1/config?apiKey={}", site.secret_key)).await;
    assert_eq!(config.status, StatusCode::OK, "REST keeps its contract");
}

async fn a_secret_key_is_refused_on_a_page_of_another_web_site(app: &TestApp) {
    let site = app.site().create().await;
    let own = app.url("/").origin().ascii_serialization();
    let kind = |reply: &Reply| reply.json()["data"]["viewer"]["kind"].clone();

    for origin in ["https://shop.example", "null"] {
        for client in [site.owner(), app.operator_client()] {
            let refused = post(&client, "/graphql", Some(origin)).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{origin}");
            assert_eq!(refused.json()["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
            assert!(refused.text().contains("Use a widget key there"), "{}", refused.text());
        }
        let widget = post(&site.visitor(), "/graphql", Some(origin)).await;
        assert_eq!(kind(&widget), "WIDGET", "{origin}");
    }
    assert_eq!(kind(&post(&site.owner(), "/graphql", Some(&own)).await), "SECRET", "the dashboard");
    assert_eq!(kind(&post(&site.owner(), "/graphql", None).await), "SECRET", "a server");
    // An owner who names the origin wants the key to be used there.
    let (_, bound) = site.key(KeyKind::Secret).origin("https://desk.example").create().await;
    let bound = app.client(&bound);
    assert_eq!(kind(&post(&bound, "/graphql", Some("https://desk.example")).await), "SECRET");
    assert_eq!(post(&bound, "/graphql", Some("https://shop.example")).await.status, StatusCode::UNAUTHORIZED);
    let rest = site.owner().request(Method::GET, "/api/v1/config").header("origin", "https://shop.example");
    assert_eq!(site.owner().send(rest).await.status, StatusCode::OK, "REST keeps its contract");
    let body: Value = json!({ "question": "Hello?" });
    let chat = site.owner().request(Method::POST, "/api/v1/chat").header("origin", "https://shop.example");
    assert_eq!(site.owner().send(chat.body(body.to_string())).await.status, StatusCode::OK);
}
