//! The model client against a scripted OpenAI-compatible server on a real socket: streaming,
//! refusing, breaking off, talking nonsense or without end.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use crate::support::{Received, ask, shop};
use helpbot_domain::conversation::Outcome;
use helpbot_engine::engine::Composer;
use helpbot_engine::model::{Embedder, ModelError};
use helpbot_engine::openai::{OpenAi, ServerSettings};
use helpbot_engine::{Answer, Engine, EngineSettings};
use helpbot_outbound::{Client, Policy, StreamLimits, UserAgent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

const QUESTION: &str = "Is there a warranty?";
const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
const JSON: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";

/// Answers every request with these bytes and closes; gives the address and the last request.
async fn serve(response: Vec<u8>) -> (Url, Arc<tokio::sync::Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/v1", listener.local_addr().unwrap())).unwrap();
    let seen = Arc::new(tokio::sync::Mutex::new(String::new()));
    let kept = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            *kept.lock().await = read_request(&mut socket).await;
            let _ = socket.write_all(&response).await;
        }
    });
    (url, seen)
}

/// Head and body of a request with a content-length.
async fn read_request(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = socket.read(&mut buffer).await.unwrap_or(0);
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let lower = text.to_ascii_lowercase();
        let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
        let is_whole = text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length);
        if is_whole || count == 0 {
            return text.into_owned();
        }
    }
}

fn model(url: Url) -> OpenAi {
    let agent = UserAgent::new("1", "https://helpbot.example").unwrap();
    let client = Client::new(Policy::operator(&url), &agent).unwrap();
    let limits = StreamLimits {
        first_byte: Duration::from_secs(2),
        idle: Duration::from_secs(1),
        total: Duration::from_secs(5),
        wire_bytes: 4 * 1024 * 1024,
    };
    OpenAi::new(client, ServerSettings { base_url: url, api_key: Some("k-1".into()), model: "m".into(), limits })
}

fn event(text: &str) -> String {
    format!("data: {}\n\n", serde_json::json!({ "choices": [{ "delta": { "content": text } }] }))
}

async fn answer_of(response: impl Into<Vec<u8>>) -> Answer {
    let (url, _) = serve(response.into()).await;
    let engine = Engine::new(EngineSettings { model: Some(Arc::new(model(url))), ..Default::default() });
    let received = Received::default();
    let answer = engine.answer(&shop(), &ask(QUESTION), Some(&received)).await.unwrap();
    assert_eq!(received.text(), answer.text);
    answer
}

#[tokio::test]
async fn a_streamed_answer_arrives_and_the_request_is_in_the_protocol() {
    let body = format!("{EVENTS}: hello\n\n{}{}data: [DONE]\n\n", event("Two years "), event("[1]."));
    let (url, seen) = serve(body.into_bytes()).await;
    let engine = Engine::new(EngineSettings { model: Some(Arc::new(model(url))), ..Default::default() });

    let answer = engine.answer(&shop(), &ask(QUESTION), None).await.unwrap();

    assert_eq!((answer.text.as_str(), answer.explain.composer), ("Two years [1].", Composer::Generative));
    let seen = seen.lock().await;
    assert!(seen.starts_with("POST /v1/chat/completions HTTP/1.1"));
    assert!(seen.contains("authorization: Bearer k-1"));
    assert!(seen.contains("\"stream\":true") && seen.contains("\"max_tokens\":600"));
}

#[tokio::test]
async fn a_server_that_does_not_stream_serves_too() {
    let answer = answer_of(format!("{JSON}{{\"choices\":[{{\"message\":{{\"content\":\"Two years [1].\"}}}}]}}")).await;

    assert_eq!(answer.text, "Two years [1].");
}

#[tokio::test]
async fn a_text_without_end_is_cut_whether_it_streams_or_not() {
    let content = "Two years [1]. And so on and so on. ".repeat(30_000);
    let whole = serde_json::json!({ "choices": [{ "message": { "content": content } }] });
    let tokens: String = content.split_inclusive(' ').take(8_000).map(event).collect();
    for (name, response) in [("one JSON", format!("{JSON}{whole}")), ("small tokens", format!("{EVENTS}{tokens}"))] {
        let answer = answer_of(response).await;

        assert_eq!(answer.explain.composer, Composer::Generative, "{name}");
        assert!((3_900..=4_000).contains(&answer.text.chars().count()), "{name}: {}", answer.text.len());
        assert!(answer.text.ends_with('.'), "{name}");
    }
}

#[tokio::test]
async fn a_finish_for_want_of_tokens_is_understood() {
    let half = |kind: &str| serde_json::json!({ "choices": [{ kind: { "content": "Two years [1]. But no" }, "finish_reason": "length" }] });
    let streamed = format!("{EVENTS}data: {}\n\ndata: [DONE]\n\n", half("delta"));

    assert_eq!(answer_of(streamed).await.text, "Two years [1].");
    assert_eq!(answer_of(format!("{JSON}{}", half("message"))).await.text, "Two years [1].");
}

#[tokio::test]
async fn every_failure_ends_in_the_extractive_answer() {
    let half = format!("{EVENTS}{}", event("Two years [1], but"));
    let mut garbled = EVENTS.as_bytes().to_vec();
    garbled.extend(b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe [1]\"}}]}\n\n");
    let endless = format!("{EVENTS}data: {}", "a".repeat(1024 * 1024));
    let stray = format!("{EVENTS}{}data: [DONE]\n\n", event("Surely [17]."));
    for (name, response) in [
        ("429", b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n".to_vec()),
        ("500", b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".to_vec()),
        ("redirect", b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec()),
        ("half a stream", half.into_bytes()),
        ("invalid UTF-8", garbled),
        ("an endless line", endless.into_bytes()),
        ("no JSON", format!("{EVENTS}data: <html>\n\n").into_bytes()),
        ("nothing", Vec::new()),
        ("a wrong citation", stray.into_bytes()),
    ] {
        let answer = answer_of(response).await;

        assert_eq!(answer.outcome, Outcome::Answered, "{name}");
        assert_eq!(answer.explain.composer, Composer::Extractive, "{name}");
        assert!(answer.text.contains("two years"), "{name}: {}", answer.text);
        assert!(answer.explain.model_problem.is_some(), "{name}");
    }
}

#[tokio::test]
async fn vectors_come_in_the_order_of_the_texts() {
    let body = r#"{"data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}]}"#;
    let (url, seen) = serve(format!("{JSON}{body}").into_bytes()).await;

    let vectors = model(url).embed("m", vec!["a".into(), "b".into()]).await.unwrap();

    assert_eq!(vectors, [vec![1.0, 0.0], vec![0.0, 1.0]]);
    assert!(seen.lock().await.contains("POST /v1/embeddings"));
}

#[tokio::test]
async fn missing_vectors_are_an_error() {
    let (url, _) = serve(format!("{JSON}{{\"data\":[]}}").into_bytes()).await;

    let result = model(url).embed("m", vec!["a".into()]).await;

    assert!(matches!(result, Err(ModelError::Protocol(_))));
}
