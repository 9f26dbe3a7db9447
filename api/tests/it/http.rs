//! GraphQL over HTTP: every kind of request with the status and the error code of its response.

use std::num::NonZeroU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, StatusCode, header};
use helpbot_api::gateway::settings::{DocumentPolicy, GatewaySettings, Introspection};
use helpbot_api::gateway::trusted::TrustedDocuments;
use helpbot_api::limits::rates::RateSettings;
use helpbot_api::transport::settings::TransportSettings;
use serde_json::{Value, json};

use crate::app::{App, TRUSTED, soon};

const MODERN: &str = "application/graphql-response+json";
const PLAIN: &str = "application/json";

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl App {
    async fn answer(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.send(request).await.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { status: head.status, headers: head.headers, body }
    }

    fn request(&self, method: &str, uri: &str) -> Builder {
        let bearer = format!("Bearer {}", self.secret_key);
        Request::builder().method(method).uri(uri).header(header::AUTHORIZATION, bearer)
    }

    async fn post(&self, accept: &str, body: Value) -> Answer {
        let request =
            self.request("POST", "/graphql").header(header::CONTENT_TYPE, PLAIN).header(header::ACCEPT, accept);
        self.answer(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn get(&self, query: &str) -> Answer {
        self.answer(self.request("GET", &format!("/graphql?{query}")).body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn each_body_gets_the_status_that_the_specification_requires() {
    let app = App::start().await;
    let trusted = TrustedDocuments::id(TRUSTED);

    // body, status for the modern media type, status for the plain one, code ("" = executed)
    for (body, modern, plain, code) in [
        (json!({"query": "{ hello }"}), 200, 200, ""),
        (json!({"query": "query A { hello } query B { echo(n: 1) }", "operationName": "B"}), 200, 200, ""),
        (
            json!({"query": "query ($n: Int!) { echo(n: $n) }", "variables": {"n": 1}, "extensions": {"a": 1}}),
            200,
            200,
            "",
        ),
        (
            json!({"query": "{ hello }", "variables": null, "operationName": null, "extensions": null, "x": 1}),
            200,
            200,
            "",
        ),
        (json!({"query": "mutation { bump { bumps } }"}), 200, 200, ""),
        (json!({"documentId": trusted}), 200, 200, ""),
        (json!({"query": "{ fails hello }"}), 200, 200, "INTERNAL"),
        (json!({"query": "{"}), 400, 200, "GRAPHQL_PARSE_FAILED"),
        (json!({"query": "{ nothing }"}), 400, 200, "GRAPHQL_VALIDATION_FAILED"),
        (json!({"query": "query ($n: Int!) { echo(n: $n) }"}), 400, 200, "GRAPHQL_VALIDATION_FAILED"),
        (json!({"query": "query A { hello }", "operationName": "B"}), 400, 200, "GRAPHQL_VALIDATION_FAILED"),
        (json!({"query": "query A { hello } query B { hello }"}), 400, 200, "GRAPHQL_VALIDATION_FAILED"),
        (json!({"query": format!("{{ {} }}", "a: hello ".repeat(51))}), 400, 200, "COMPLEXITY_LIMIT"),
        (json!({"query": "{ list(first: 50000) { n } }"}), 400, 200, "COMPLEXITY_LIMIT"),
        (json!({"query": "subscription { count(to: 1) { n } }"}), 400, 400, "BAD_USER_INPUT"),
        (json!({"documentId": "sha256:00"}), 400, 400, "PERSISTED_QUERY_NOT_FOUND"),
        (json!({}), 400, 400, "BAD_USER_INPUT"),
        (json!({"query": null}), 400, 400, "BAD_USER_INPUT"),
        (json!({"query": {"a": 1}}), 400, 400, "BAD_USER_INPUT"),
        (json!({"query": "{ hello }", "operationName": 1}), 400, 400, "BAD_USER_INPUT"),
        (json!({"query": "{ hello }", "variables": "{}"}), 400, 400, "BAD_USER_INPUT"),
        (json!({"query": "{ hello }", "variables": []}), 400, 400, "BAD_USER_INPUT"),
        (json!({"query": "{ hello }", "extensions": 1}), 400, 400, "BAD_USER_INPUT"),
        (json!([{"query": "{ hello }"}]), 400, 400, "BAD_USER_INPUT"),
        (json!("{ hello }"), 400, 400, "BAD_USER_INPUT"),
    ] {
        for (accept, status) in [(MODERN, modern), (PLAIN, plain)] {
            let answer = app.post(accept, body.clone()).await;

            assert_eq!(answer.status, status, "{body} as {accept}: {}", answer.body);
            assert_eq!(answer.code(), code, "{body}");
            assert_eq!(answer.header("content-type"), format!("{accept}; charset=utf-8"));
            assert_eq!(answer.header("cache-control"), "no-store");
            let is_executed = matches!(code, "" | "INTERNAL");
            assert_eq!(answer.body.get("data").is_some(), is_executed, "{body}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn each_combination_of_headers_gets_the_status_that_the_specification_requires() {
    let app = App::start().await;

    // method, uri, content type, accept, status, Allow
    for (method, uri, content_type, accept, status, allow) in [
        ("GET", "/graphql?query={hello}", "", PLAIN, 200, ""),
        ("GET", "/graphql?query={hello}&operationName=&variables=&extensions=&documentId=", "", "", 200, ""),
        ("GET", "/graphql?query=query(%24n:Int!){echo(n:%24n)}&variables={%22n%22:1}", "", "*/*", 200, ""),
        ("HEAD", "/graphql?query={hello}", "", PLAIN, 200, ""),
        ("GET", "/graphql?query={", "", MODERN, 400, ""),
        ("GET", "/graphql", "", PLAIN, 400, ""),
        ("GET", "/graphql?query={hello}&variables=[1]", "", PLAIN, 400, ""),
        ("GET", "/graphql?query={hello}&variables=x", "", PLAIN, 400, ""),
        ("GET", "/graphql?query={hello}&query={hello}", "", PLAIN, 400, ""),
        ("GET", "/graphql?query=mutation{bump{bumps}}", "", MODERN, 405, "POST"),
        ("GET", "/graphql?query=subscription{silence}", "", PLAIN, 405, "POST"),
        ("PUT", "/graphql", PLAIN, PLAIN, 405, "GET, HEAD, POST, OPTIONS"),
        ("DELETE", "/graphql", PLAIN, PLAIN, 405, "GET, HEAD, POST, OPTIONS"),
        ("POST", "/graphql", "", PLAIN, 415, ""),
        ("POST", "/graphql", "text/plain", PLAIN, 415, ""),
        ("POST", "/graphql", "application/x-www-form-urlencoded", PLAIN, 415, ""),
        // An upload without the header that a form on a page cannot send.
        ("POST", "/graphql", "multipart/form-data; boundary=x", PLAIN, 400, ""),
        ("POST", "/graphql", "application/json; charset=utf-16", PLAIN, 415, ""),
        ("POST", "/graphql", PLAIN, "text/html", 406, ""),
        ("POST", "/graphql", PLAIN, "multipart/mixed", 406, ""),
        ("POST", "/graphql", "application/json; charset=utf-8", "application/*", 200, ""),
    ] {
        let mut request = app.request(method, &uri.replace('{', "%7B").replace('}', "%7D"));
        for (name, value) in [(header::CONTENT_TYPE, content_type), (header::ACCEPT, accept)] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let body = if method == "POST" { r#"{"query":"mutation { bump { bumps } }"}"# } else { "" };

        let answer = app.answer(request.body(Body::from(body)).unwrap()).await;

        let case = format!("{method} {uri} {content_type} {accept}: {}", answer.body);
        assert_eq!(answer.status, status, "{case}");
        assert_eq!(answer.header("allow"), allow, "{case}");
        assert_eq!(answer.body.is_null(), method == "HEAD", "{case}");
        assert!(method != "HEAD" || answer.header("content-length").parse::<u32>().unwrap() > 0, "{case}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{case}");
    }
    assert_eq!(app.traces.bumps.load(Ordering::SeqCst), 1, "only the POST with a JSON body was executed");
}

#[tokio::test]
async fn a_request_without_a_valid_api_key_is_rejected() {
    let app = App::start().await;
    let body = || Body::from(r#"{"query":"{ hello }"}"#);
    let anonymous = |uri: &str| Request::builder().method("POST").uri(uri).header(header::CONTENT_TYPE, PLAIN);

    for request in [
        anonymous("/graphql"),
        anonymous("/graphql").header(header::AUTHORIZATION, "Bearer sk_live_wrong123"),
        anonymous("/graphql").header(header::AUTHORIZATION, format!("Basic {}", app.secret_key)),
        anonymous(&format!("/graphql?apiKey={}", app.secret_key)),
    ] {
        let answer = app.answer(request.body(body()).unwrap()).await;

        assert_eq!(answer.status, 401, "{}", answer.body);
        assert_eq!(answer.code(), "UNAUTHENTICATED");
        assert_eq!(answer.body.get("data"), None);
        assert!(!answer.header("x-request-id").is_empty());
    }
    let lower = anonymous("/graphql").header(header::AUTHORIZATION, format!("bearer {}", app.widget_key));
    assert_eq!(app.answer(lower.body(body()).unwrap()).await.body["data"]["hello"], "world");
}

#[tokio::test]
async fn a_page_of_another_origin_may_send_requests_and_read_errors() {
    let app = App::start().await;
    let preflight = Request::builder()
        .method("OPTIONS")
        .uri("/graphql")
        .header(header::ORIGIN, "https://shop.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");

    let answer = app.answer(preflight.body(Body::empty()).unwrap()).await;

    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-allow-headers").contains("X-HelpBot-Session"));
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}

#[tokio::test]
async fn a_body_over_the_limit_is_rejected_with_and_without_content_length() {
    let app = App::start().await;
    let large = format!(r#"{{"query":"{{ hello }}","x":"{}"}}"#, "x".repeat(70 * 1024));
    let post = || app.request("POST", "/graphql").header(header::CONTENT_TYPE, PLAIN);

    let announced = post().header(header::CONTENT_LENGTH, large.len()).body(Body::from(large.clone())).unwrap();
    let chunks = large
        .clone()
        .into_bytes()
        .chunks(1_000)
        .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
        .collect::<Vec<_>>();
    let chunked = post().body(Body::from_stream(futures_util::stream::iter(chunks))).unwrap();

    for request in [announced, chunked] {
        let answer = app.answer(request).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::PAYLOAD_TOO_LARGE, "BAD_USER_INPUT"));
    }
}

#[tokio::test]
async fn a_response_contains_its_cost_its_rate_limit_and_its_request_id() {
    let app = App::start().await;
    let request = app.request("POST", "/graphql").header(header::CONTENT_TYPE, PLAIN).header("x-request-id", "abc-1");

    let answer = app.answer(request.body(Body::from(r#"{"query":"{ list(first: 7) { n cursor } }"}"#)).unwrap()).await;

    assert_eq!(
        answer.body["extensions"]["cost"],
        json!({"requested": 7, "actual": 3, "limit": 10_000, "remaining": 9_993, "restoreRate": null})
    );
    assert_eq!((answer.header("ratelimit-limit"), answer.header("ratelimit-remaining")), ("3000", "2999"));
    assert_eq!(answer.header("x-request-id"), "abc-1");
}

#[tokio::test]
async fn a_caller_over_its_rate_limit_learns_how_long_to_wait() {
    let rates = RateSettings { key: NonZeroU32::new(2), ..RateSettings::default() };
    let app = App::with(GatewaySettings { rates, ..GatewaySettings::default() }, TransportSettings::default()).await;
    let allowance = |answer: &Answer| {
        ["limit", "remaining", "reset"].map(|part| answer.header(&format!("ratelimit-{part}")).to_owned())
    };

    let first = app.get("query=%7Bhello%7D").await;
    let second = app.get("query=%7Bhello%7D").await;
    let answer = app.get("query=%7Bhello%7D").await;

    assert_eq!(
        (allowance(&first), allowance(&second)),
        (["2", "1", "30"].map(Into::into), ["2", "0", "60"].map(Into::into))
    );
    assert_eq!((answer.status, answer.code()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"));
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&seconds));
    assert_eq!(answer.body["errors"][0]["extensions"]["retryAfter"], seconds);
    assert_eq!(allowance(&answer), ["2", "0", "60"]);
    let upload = app.request("POST", "/graphql/upload").header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
    for request in [
        app.request("GET", "/graphql/stream?query=%7Bhello%7D").header(header::ACCEPT, "text/event-stream"),
        upload.header("graphql-require-preflight", "1"),
        app.request("GET", "/graphql/export/faq-entries.csv"),
    ] {
        let answer = app.answer(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"));
        assert_eq!(allowance(&answer), ["2", "0", "60"]);
    }
}

#[tokio::test]
async fn error_messages_do_not_reveal_the_schema_when_introspection_is_disabled() {
    let settings = GatewaySettings { introspection: Introspection::Refused, ..GatewaySettings::default() };
    let closed = App::with(settings, TransportSettings::default()).await;
    let open = App::start().await;

    let misspelt = json!({"query": "{ hell }"});
    let (suggested, kept) = (open.post(MODERN, misspelt.clone()).await, closed.post(MODERN, misspelt).await);
    let asked = closed.post(MODERN, json!({"query": "{ __schema { types { name } } }"})).await;

    assert!(suggested.body.to_string().contains("hello"), "{}", suggested.body);
    assert_eq!(kept.code(), "GRAPHQL_VALIDATION_FAILED");
    assert!(!kept.body.to_string().contains("hello"), "{}", kept.body);
    assert!(!asked.body.to_string().contains("\"name\""), "{}", asked.body);
}

#[tokio::test]
async fn internal_errors_are_masked_and_waits_are_reported() {
    let app = App::start().await;

    let failed = app.post(MODERN, json!({"query": "{ fails }"})).await;
    let panicked = app.post(MODERN, json!({"query": "{ panics }"})).await;
    let exhausted = app.post(MODERN, json!({"query": "{ exhausted }"})).await;
    let mistyped = app.post(MODERN, json!({"query": "{ echo(n: 1e99) }"})).await;

    assert_eq!(failed.body["errors"][0]["message"], "Internal server error");
    assert_eq!((panicked.status, panicked.code()), (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"));
    assert_eq!(exhausted.body["errors"][0]["extensions"], json!({"code": "CREDITS_EXHAUSTED", "retryAfter": 2}));
    assert_eq!(exhausted.body["errors"][0]["path"], json!(["exhausted"]));
    assert!(["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&mistyped.code()), "{}", mistyped.body);
}

#[tokio::test]
async fn an_operation_that_exceeds_its_deadline_is_abandoned() {
    let settings = GatewaySettings { deadline: Duration::from_millis(20), ..GatewaySettings::default() };
    let app = App::with(settings, TransportSettings::default()).await;

    let answer = soon(app.post(PLAIN, json!({"query": "{ never }"}))).await;

    assert_eq!((answer.status, answer.code()), (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"));
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn a_mutation_continues_when_its_client_disconnects() {
    let app = App::start().await;

    let has_disconnected = tokio::select! {
        biased;
        _ = app.post(PLAIN, json!({"query": "mutation { bump(slowly: true) { bumps } }"})) => false,
        () = tokio::time::sleep(Duration::from_millis(100)) => true,
    };
    app.traces.go.notify_one();

    assert!(has_disconnected);
    soon(async {
        while app.traces.bumps.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await
        }
    })
    .await;
}

#[tokio::test]
async fn a_document_that_was_sent_once_can_be_requested_by_its_hash() {
    const TEXT: &str = "query ($n: Int!) { echo(n: $n) }";
    let app = App::start().await;
    let id = TrustedDocuments::id(TEXT);
    let hash = id.trim_start_matches("sha256:");
    let persisted = json!({"persistedQuery": {"version": 1, "sha256Hash": hash}});
    let by_hash = json!({"variables": {"n": 7}, "extensions": persisted});
    let other = json!({"query": "{ hello }", "extensions": persisted});

    let unknown = app.post(PLAIN, by_hash.clone()).await;
    let mismatch = app.post(PLAIN, other).await;
    let sent = app.post(PLAIN, json!({"query": TEXT, "variables": {"n": 7}, "extensions": persisted})).await;
    let known = app.post(PLAIN, by_hash).await;

    assert_eq!(unknown.code(), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(unknown.body["errors"][0]["message"], "PersistedQueryNotFound");
    assert_eq!(mismatch.code(), "BAD_USER_INPUT");
    assert_eq!((&sent.body["data"]["echo"], &known.body["data"]["echo"]), (&json!(7), &json!(7)));
}

#[tokio::test]
async fn an_idempotency_key_must_be_valid() {
    let app = App::start().await;
    let ask = |name: &str, extensions: serde_json::Value| {
        let body = json!({"query": "mutation { bump { bumps } }", "extensions": extensions}).to_string();
        let request = app.request("POST", "/graphql").header(header::CONTENT_TYPE, PLAIN);
        app.answer(request.header("idempotency-key", name).body(Body::from(body)).unwrap())
    };

    let empty = ask("", json!({})).await;
    let non_ascii = ask("ü", json!({})).await;
    let long = ask("fine", json!({"idempotencyKey": "x".repeat(256)})).await;
    let number = ask("fine", json!({"idempotencyKey": 7})).await;
    let good = ask("", json!({"idempotencyKey": "fine"})).await;

    for rejected in [empty, non_ascii, long, number] {
        assert_eq!(rejected.code(), "BAD_USER_INPUT", "{}", rejected.body);
    }
    assert_eq!(good.body["data"]["bump"]["bumps"], 1);
}

#[tokio::test]
async fn only_trusted_documents_are_executed_when_the_installation_requires_it() {
    let settings = GatewaySettings { documents: DocumentPolicy::TrustedOnly, ..GatewaySettings::default() };
    let app = App::with(settings, TransportSettings::default()).await;

    let free = app.post(MODERN, json!({"query": "{ hello }"})).await;
    let trusted = app.get(&format!("documentId={}", TrustedDocuments::id(TRUSTED))).await;

    assert_eq!((free.status, free.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    assert_eq!(trusted.body["data"]["hello"], "world");
}

#[tokio::test]
async fn each_root_field_of_a_mutation_counts_against_the_rate_limit() {
    let rates = RateSettings { key: NonZeroU32::new(10), ..RateSettings::default() };
    let app = App::with(GatewaySettings { rates, ..GatewaySettings::default() }, TransportSettings::default()).await;
    let bumps = |count: usize| {
        let fields: String = (0..count).map(|n| format!("a{n}: bump {{ bumps }} ")).collect();
        json!({"query": format!("mutation {{ {fields} }}")})
    };

    let within = app.post(MODERN, bumps(6)).await;
    let beyond = app.post(MODERN, bumps(6)).await;

    assert_eq!(within.status, StatusCode::OK, "{}", within.body);
    assert_eq!((beyond.status, beyond.code()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"), "{}", beyond.body);
    assert!(beyond.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
    assert_eq!(app.traces.bumps.load(Ordering::SeqCst), 6, "a rejected mutation executes none of its fields");
}

#[tokio::test]
async fn the_number_of_root_fields_of_a_mutation_is_limited_by_the_kind_of_key() {
    const THREE: &str = "fragment F on Mutation { a: bump { bumps } b: bump { bumps } c: bump { bumps } }";
    let app = App::start().await;
    let send = |key: &str, fields: String| {
        let request = Request::builder().method("POST").uri("/graphql").header(header::CONTENT_TYPE, PLAIN);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        app.answer(request.body(Body::from(json!({ "query": fields }).to_string())).unwrap())
    };
    let mutation = |count: usize| {
        let fields: String = (0..count).map(|n| format!("a{n}: bump {{ bumps }} ")).collect();
        format!("mutation {{ {fields} }}")
    };
    let six = format!("mutation {{ ...F d: bump {{ bumps }} e: bump {{ bumps }} f: bump {{ bumps }} }} {THREE}");

    let widget = (send(&app.widget_key, mutation(5)).await, send(&app.widget_key, mutation(6)).await);
    let spread = send(&app.widget_key, six).await;
    let before = app.traces.bumps.load(Ordering::SeqCst);
    let repeated = send(&app.widget_key, format!("mutation {{ ...F ...F }} {THREE}")).await;
    let executed = app.traces.bumps.load(Ordering::SeqCst) - before;
    let secret = (send(&app.secret_key, mutation(25)).await, send(&app.secret_key, mutation(26)).await);

    for (accepted, rejected) in [widget, secret] {
        assert_eq!(accepted.code(), "", "{}", accepted.body);
        assert_eq!(rejected.code(), "COMPLEXITY_LIMIT", "{}", rejected.body);
        assert!(rejected.body.get("data").is_none());
    }
    assert_eq!(spread.code(), "COMPLEXITY_LIMIT", "fields in fragments count: {}", spread.body);
    assert_eq!(repeated.code(), "", "a field that is selected twice counts once: {}", repeated.body);
    assert_eq!(executed, 3);
}
