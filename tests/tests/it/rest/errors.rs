//! Tests of requests that are refused before a route is called, and of the headers of every response.

use helpbot_tests::{Client, Reply, TestApp, in_time, on_both_backends};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rest::{refusal, told};

on_both_backends!(
    a_body_that_is_not_a_json_object_is_400_before_the_key_is_looked_at,
    an_invalid_key_in_the_header_is_401_before_the_body_arrives,
    a_body_of_more_than_64_kib_is_413,
    a_body_of_any_size_is_413_in_json,
    a_method_that_a_path_does_not_know_is_405,
    an_unknown_path_is_404,
    options_is_204_without_a_key,
    head_answers_as_get_without_a_body,
    every_answer_carries_its_id_and_the_cors_headers,
    no_text_that_a_caller_sends_is_a_fault,
    the_openapi_document_names_the_methods_of_each_path,
    the_reference_page_needs_neither_script_nor_network,
);

async fn raw(client: &Client, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Reply {
    client.send(client.request(method, path).body(body)).await
}

async fn a_body_that_is_not_a_json_object_is_400_before_the_key_is_looked_at(app: &TestApp) {
    let bad = |error: &str| refusal(StatusCode::BAD_REQUEST, error, "BAD_USER_INPUT");
    let bodies: [(&[u8], &str); 9] = [
        (b"", "The body is not valid JSON"),
        (b"{", "The body is not valid JSON"),
        (b"{\"question\":\"a\"} x", "The body is not valid JSON"),
        (b"question=hello", "The body is not valid JSON"),
        (b"{\"question\":\"\\ud800\"}", "The body is not valid JSON"),
        (b"{\"question\":\"\xff\"}", "The body is not valid JSON"),
        (b"[]", "The body must be a JSON object"),
        (b"null", "The body must be a JSON object"),
        (b"\"question\"", "The body must be a JSON object"),
    ];

    for (method, path) in [(Method::POST, "/api/v1/chat"), (Method::PATCH, "/api/v1/config")] {
        for (body, error) in bodies {
            let reply = raw(&app.anonymous(), method.clone(), path, body.to_vec()).await;
            assert_eq!(told(&reply), bad(error), "{method} {path} {}", String::from_utf8_lossy(body));
        }
    }
    let site = app.site().create().await;
    let marked =
        raw(&site.visitor(), Method::POST, "/api/v1/chat", b"\xef\xbb\xbf{\"question\":\"Hi?\"}".to_vec()).await;
    assert_eq!(marked.status, StatusCode::OK, "a byte order mark is skipped");
}

async fn an_invalid_key_in_the_header_is_401_before_the_body_arrives(app: &TestApp) {
    for (header, query) in [("Authorization: Bearer sk_live_wrong\r\n", ""), ("", "?apiKey=sk_live_wrong")] {
        let url = app.url("/");
        let address = (url.host_str().expect("a host"), url.port().expect("a port"));
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let head = format!("POST /api/v1/chat{query} HTTP/1.1\r\nHost: a\r\n{header}Content-Length: 60000\r\n\r\n{{");
        stream.write_all(head.as_bytes()).await.expect("sent");

        let mut status = [0; 12];
        in_time("the response", stream.read_exact(&mut status)).await.expect("a response");

        assert_eq!(&status, b"HTTP/1.1 401", "{header}{query}");
    }
}

async fn a_body_of_more_than_64_kib_is_413(app: &TestApp) {
    let site = app.site().create().await;
    let of = |bytes: usize| format!("{{\"question\":\"Hi?\",\"pad\":\"{}\"}}", "x".repeat(bytes - 27));
    let too_large =
        refusal(StatusCode::PAYLOAD_TOO_LARGE, "The body must not be larger than 64 KiB", "PAYLOAD_TOO_LARGE");

    let largest = raw(&site.visitor(), Method::POST, "/api/v1/chat", of(64 * 1024)).await;
    let larger = raw(&site.visitor(), Method::POST, "/api/v1/chat", of(64 * 1024 + 1)).await;

    assert_eq!(largest.status, StatusCode::OK);
    assert_eq!(told(&larger), too_large);
    assert_eq!(larger.header("access-control-allow-origin"), Some("*"));
}

async fn a_body_of_any_size_is_413_in_json(app: &TestApp) {
    let reply = raw(&app.anonymous(), Method::POST, "/api/v1/chat", "x".repeat(300 * 1024)).await;

    let expected =
        refusal(StatusCode::PAYLOAD_TOO_LARGE, "The body must not be larger than 64 KiB", "PAYLOAD_TOO_LARGE");
    assert_eq!(told(&reply), expected);
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
}

async fn a_method_that_a_path_does_not_know_is_405(app: &TestApp) {
    let not_allowed =
        refusal(StatusCode::METHOD_NOT_ALLOWED, "This route does not support this method", "METHOD_NOT_ALLOWED");

    for (method, path, allowed) in [
        (Method::GET, "/api/v1/chat", "POST"),
        (Method::PUT, "/api/v1/sources", "DELETE,GET,HEAD,POST"),
        (Method::DELETE, "/api/v1/config/", "GET,HEAD,PATCH"),
    ] {
        let reply = raw(&app.anonymous(), method, path, "").await;
        assert_eq!(told(&reply), not_allowed, "{path}");
        assert_eq!(sorted(reply.header("allow")), allowed, "{path}");
    }
}

fn sorted(list: Option<&str>) -> String {
    let mut items: Vec<&str> = list.unwrap_or_default().split(',').map(str::trim).collect();
    items.sort_unstable();
    items.join(",")
}

async fn an_unknown_path_is_404(app: &TestApp) {
    let nothing = refusal(StatusCode::NOT_FOUND, "No route exists for this path", "NOT_FOUND");

    for path in
        ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/chat", "/api/v1/chats", "/api/v1/chat/1", "/api/v1/CHAT"]
    {
        assert_eq!(told(&app.anonymous().get(path).await), nothing, "{path}");
        assert_eq!(told(&app.anonymous().post(path, &json!({})).await), nothing, "{path}");
    }
}

async fn options_is_204_without_a_key(app: &TestApp) {
    for path in ["/api/v1/chat", "/api/v1/config/", "/api/v1/nothing"] {
        let reply = raw(&app.anonymous(), Method::OPTIONS, path, "").await;

        assert_eq!((reply.status, reply.text().as_str()), (StatusCode::NO_CONTENT, ""), "{path}");
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", "GET, POST, PATCH, DELETE, OPTIONS"),
            ("access-control-allow-headers", "Authorization, Content-Type, Idempotency-Key"),
            ("access-control-max-age", "7200"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path}");
        }
        assert_eq!(reply.header("access-control-allow-credentials"), None);
    }
}

async fn head_answers_as_get_without_a_body(app: &TestApp) {
    let site = app.site().create().await;

    let get = site.visitor().get("/api/v1/config").await;
    let head = raw(&site.visitor(), Method::HEAD, "/api/v1/config", "").await;

    assert_eq!((head.status, head.text().as_str()), (StatusCode::OK, ""));
    for name in ["etag", "content-type", "content-length", "cache-control"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
}

async fn every_answer_carries_its_id_and_the_cors_headers(app: &TestApp) {
    let site = app.site().create().await;
    let named = site.visitor().request(Method::GET, "/api/v1/config").header("x-request-id", "mine-7");

    let named = site.visitor().send(named).await;
    assert_eq!(named.header("x-request-id"), Some("mine-7"));

    for (client, method, path, status) in [
        (site.visitor(), Method::GET, "/api/v1/config", 200),
        (app.anonymous(), Method::GET, "/api/v1/config", 401),
        (site.visitor(), Method::GET, "/api/v1/sources", 403),
        (app.anonymous(), Method::GET, "/api/v1/nothing", 404),
        (app.anonymous(), Method::PUT, "/api/v1/config", 405),
    ] {
        let reply = raw(&client, method, path, "").await;
        assert_eq!(reply.status.as_u16(), status, "{path}");
        assert!(reply.header("x-request-id").is_some_and(|id| !id.is_empty()), "{path} {status}");
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "{path} {status}");
        let exposed = reply.header("access-control-expose-headers").unwrap_or_default();
        assert!(exposed.contains("Retry-After") && exposed.contains("X-Request-Id"), "{exposed}");
    }
}

async fn no_text_that_a_caller_sends_is_a_fault(app: &TestApp) {
    let site = app.site().create().await;
    let odd =
        ["a\u{0}b", "\u{feff}", "\u{202e}x", "%00", "' OR 1=1 --", "\u{1f469}\u{200d}\u{1f4bb}", "\u{fffd}", "\\u0000"];

    for text in odd {
        for (method, path, body) in [
            (Method::POST, "/api/v1/chat", json!({"question": text, "sessionId": text, "language": text})),
            (Method::POST, "/api/v1/feedback", json!({"conversationId": text, "helpful": "yes"})),
            (Method::POST, "/api/v1/handoff", json!({"conversationId": text, "customerEmail": text})),
            (Method::POST, "/api/v1/sources", json!({"url": text})),
            (Method::POST, "/api/v1/sources/rescrape", json!({"sourceId": text})),
            (Method::PATCH, "/api/v1/config", json!({"greeting": text, "aiLanguage": text})),
        ] {
            let reply = raw(&site.owner(), method, path, body.to_string()).await;
            assert!(reply.status.as_u16() < 500, "{path} {body}: {} {}", reply.status, reply.text());
        }
    }
    for query in
        ["search=%00", "search=%ff", "sessionId=%00", "page=%00", "search=%25_%5C", "filter=%00&sort=%00&range=%00"]
    {
        let reply = site.owner().get(&format!("/api/v1/conversations?{query}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{query}: {}", reply.text());
    }
    assert_eq!(site.owner().delete("/api/v1/sources?id=%00").await.status, StatusCode::NOT_FOUND);
}

async fn the_openapi_document_names_the_methods_of_each_path(app: &TestApp) {
    let document = app.anonymous().get("/api/openapi.json").await.ok();
    let same = app.anonymous().get("/openapi.json").await.ok();

    assert_eq!(document, same);
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().expect("paths");
    assert!(!paths.is_empty());
    for (path, item) in paths {
        let mut described: Vec<String> =
            item.as_object().expect("methods").keys().map(|name| name.to_uppercase()).collect();
        if described.contains(&"GET".to_owned()) {
            described.push("HEAD".to_owned());
        }
        described.sort();
        let reply = raw(&app.anonymous(), Method::PUT, path, "").await;
        assert_eq!(sorted(reply.header("allow")), described.join(","), "{path}");
    }
    assert_eq!(document["components"]["schemas"]["Error"]["required"], json!(["error", "code"]));
}

async fn the_reference_page_needs_neither_script_nor_network(app: &TestApp) {
    let page = app.anonymous().get("/docs").await;
    let style = app.anonymous().get("/docs/reference.css").await;

    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
    assert!(page.text().contains("/api/v1/sources/rescrape") && !page.text().contains("<script"));
    assert_eq!((style.status, style.header("content-type")), (StatusCode::OK, Some("text/css; charset=utf-8")));
}
