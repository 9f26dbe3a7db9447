//! Live queries over the small schema: how results are shared, bounded and written.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::app::{App, soon};

const BUMPS: &str = r#"{"query":"query @live { bumps }"}"#;

/// A stream of server-sent events, as text.
async fn open(app: &App, uri: &str, body: &str) -> impl futures_util::Stream<Item = String> + Unpin {
    let request = Request::post(uri)
        .header(header::AUTHORIZATION, format!("Bearer {}", app.secret_key))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "text/event-stream");
    let response = app.send(request.body(Body::from(body.to_owned())).unwrap()).await;
    assert_eq!(response.status(), 200);
    let chunks = response.into_body().into_data_stream();
    chunks.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap()).boxed()
}

async fn next(stream: &mut (impl futures_util::Stream<Item = String> + Unpin)) -> Value {
    let text = soon(stream.next()).await.unwrap();
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or_else(|| panic!("no data: {text}"));
    serde_json::from_str(data).unwrap()
}

async fn bump(app: &App) {
    let request = Request::post("/graphql")
        .header(header::AUTHORIZATION, format!("Bearer {}", app.secret_key))
        .header(header::CONTENT_TYPE, "application/json");
    let body = Body::from(r#"{"query":"mutation { bump { bumps } }"}"#);
    assert_eq!(app.send(request.body(body).unwrap()).await.status(), 200);
}

#[tokio::test]
async fn viewers_with_the_same_rights_document_and_variables_share_each_execution() {
    let app = App::start().await;
    let mut crowd = Vec::new();
    for _ in 0..30 {
        crowd.push(open(&app, "/graphql/stream", BUMPS).await);
    }
    for stream in &mut crowd {
        assert_eq!(next(stream).await["data"], json!({ "bumps": 0 }));
    }
    let before = app.traces.reads.load(Ordering::SeqCst);
    assert_eq!(before, 1);

    bump(&app).await;

    for stream in &mut crowd {
        assert_eq!(next(stream).await["data"], json!({ "bumps": 1 }));
    }
    assert_eq!(app.traces.reads.load(Ordering::SeqCst), before + 1);
    drop(crowd);
    bump(&app).await;
    tokio::task::yield_now().await;
    assert_eq!(app.traces.reads.load(Ordering::SeqCst), before + 1, "nobody is left");
}

#[tokio::test]
async fn many_changes_are_sent_at_most_four_times_a_second_and_the_last_one_always() {
    let app = App::start().await;
    let mut stream = open(&app, "/graphql/stream", BUMPS).await;
    assert_eq!(next(&mut stream).await["isLive"], true);
    let began = tokio::time::Instant::now();

    let (mut results, mut changes) = (0, 0);
    while began.elapsed() < Duration::from_millis(900) {
        bump(&app).await;
        changes += 1;
        // A fast machine must not use up the requests that a key may send in a minute.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    loop {
        let result = next(&mut stream).await;
        results += 1;
        if result["data"]["bumps"] == changes {
            break;
        }
    }

    let most = began.elapsed().as_millis() / 250 + 1;
    assert!(changes > 10 && results <= most, "{results} results in {:?}", began.elapsed());
}

#[tokio::test]
async fn a_client_that_accepts_patches_gets_the_first_result_whole_and_then_patches() {
    let app = App::start().await;
    let body = r#"{"query":"query @live { bumps hello text: echo(n: 123456) }","extensions":{"livePatches":true}}"#;
    let mut stream = open(&app, "/graphql/stream", body).await;

    let first = next(&mut stream).await;
    bump(&app).await;
    let second = next(&mut stream).await;
    bump(&app).await;
    let third = next(&mut stream).await;

    assert_eq!((&first["revision"], &first["isLive"]), (&json!(1), &json!(true)));
    assert_eq!(first["data"]["bumps"], 0);
    let replace = |value: i32| json!([{ "op": "replace", "path": "", "value": { "bumps": value, "hello": "world", "text": 123_456 } }]);
    let small = |value: i32| json!([{ "op": "replace", "path": "/bumps", "value": value }]);
    assert!(second["patch"] == replace(1) || second["patch"] == small(1), "{second}");
    assert!(third["patch"] == replace(2) || third["patch"] == small(2), "{third}");
    assert_eq!((&second["revision"], &third["revision"]), (&json!(2), &json!(3)));
    assert!(second.get("data").is_none());
}

#[tokio::test]
async fn a_query_is_live_only_when_its_directive_says_so() {
    let app = App::start().await;
    let body = r#"{"query":"query ($live: Boolean) @live(if: $live) { hello }","variables":{"live":false}}"#;
    let once: Vec<String> = soon(open(&app, "/graphql/stream", body).await.collect()).await;
    let live = r#"{"query":"query ($live: Boolean = true) @live(if: $live, throttle: 100) { hello }"}"#;
    let mut live = open(&app, "/graphql/stream", live).await;
    let mutation = r#"{"query":"mutation @live { bump { bumps } }"}"#;
    let mutation: Vec<String> = soon(open(&app, "/graphql/stream", mutation).await.collect()).await;
    let invalid: Vec<String> =
        soon(open(&app, "/graphql/stream", r#"{"query":"query @live { nothing }"}"#).await.collect()).await;

    assert!(once.concat().contains("event: complete") && !once.concat().contains("isLive"), "{once:?}");
    assert_eq!(next(&mut live).await["isLive"], true);
    assert!(mutation.concat().contains("GRAPHQL_VALIDATION_FAILED"), "{mutation:?}");
    assert!(invalid.concat().contains("GRAPHQL_VALIDATION_FAILED"), "{invalid:?}");
    assert_eq!(app.traces.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_failed_field_is_reported_with_the_result_and_a_live_query_continues() {
    let app = App::start().await;
    let mut stream = open(&app, "/graphql/stream", r#"{"query":"query @live { bumps fails }"}"#).await;

    let first = next(&mut stream).await;
    bump(&app).await;
    let second = next(&mut stream).await;

    assert_eq!(first["data"]["bumps"], 0);
    assert_eq!(first["errors"][0]["extensions"]["code"], "INTERNAL");
    assert_eq!(second["data"]["bumps"], 1);
}

#[tokio::test]
async fn a_live_query_ends_when_its_key_is_revoked() {
    let app = App::start().await;
    let mut stream = open(&app, "/graphql/stream", BUMPS).await;
    next(&mut stream).await;

    app.revoke_secret_key().await;

    assert_eq!(soon(stream.next()).await, None, "the stream ends without complete");
}
