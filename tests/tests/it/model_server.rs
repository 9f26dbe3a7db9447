//! Tests of the whole product with a model server that misbehaves in every way: the visitor gets a correct answer or an
//! "I don't know" within half a minute, and each question costs exactly one credit.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use helpbot_server::settings::ModelServer;
use helpbot_services::knowledge::entries::{self, NewEntry};
use helpbot_tests::database::TestDatabase;
use helpbot_tests::{TestApp, TestSite};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const QUESTION: &str = "Is there a warranty?";
const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
/// Of the extractive answer.
const OWN_WORDS: &str = "All devices have a warranty of two years.";
/// What a visitor waits at most, whatever the server does.
const MOST: Duration = Duration::from_secs(30);
/// Failures in a row after which the server is left alone.
const FAILURES_TO_OPEN: usize = 3;

/// What the server does with one request.
enum Response {
    /// Sends this and hangs up.
    Says(Vec<u8>),
    /// Sends this, and then nothing for as long as the client stays.
    Stalls(Vec<u8>),
}

impl From<Vec<u8>> for Response {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Says(bytes)
    }
}

impl From<String> for Response {
    fn from(text: String) -> Self {
        Self::Says(text.into_bytes())
    }
}

impl From<&str> for Response {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// A server that answers each request with the next of its responses.
struct Model {
    base_url: url::Url,
    responses: Arc<Mutex<VecDeque<Response>>>,
    task: JoinHandle<()>,
}

impl Model {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let responses: Arc<Mutex<VecDeque<Response>>> = Arc::default();
        let script = responses.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                read_request(&mut socket).await;
                let response = script.lock().expect("no panic").pop_front();
                // A client that has had enough closes first.
                match response {
                    Some(Response::Says(bytes)) => drop(socket.write_all(&bytes).await),
                    Some(Response::Stalls(bytes)) => {
                        let _ = socket.write_all(&bytes).await;
                        let _ = socket.read(&mut [0]).await;
                    }
                    None => {}
                }
            }
        });
        Self { base_url: format!("http://{address}/v1").parse().expect("an address"), responses, task }
    }

    fn says(&self, response: impl Into<Response>) {
        self.responses.lock().expect("no panic").push_back(response.into());
    }

    /// How many responses nobody has asked for yet.
    fn left(&self) -> usize {
        self.responses.lock().expect("no panic").len()
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read_request(socket: &mut TcpStream) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = socket.read(&mut buffer).await.unwrap_or(0);
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
        if count == 0 || text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length) {
            return;
        }
    }
}

fn delta(text: &str) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "delta": { "content": text } }] }))
}

fn stream(texts: &[&str]) -> String {
    let deltas: String = texts.iter().map(|text| delta(text)).collect();
    format!("{EVENTS}{deltas}data: [DONE]\n\n")
}

/// Starts the product with such a server and a site with one entry.
async fn with_model(test: impl AsyncFnOnce(&Model, &TestSite<'_>)) {
    let model = Model::start().await;
    let database = TestDatabase::sqlite();
    let server = ModelServer { base_url: model.base_url.clone(), model: "scripted".into(), api_key: None };
    let app = TestApp::start_with(&database, |settings, _| settings.model = Some(server)).await;
    let site = app.site().credits(1_000).create().await;
    let entry = NewEntry { question: QUESTION.into(), answer: OWN_WORDS.into(), phrasings: Vec::new(), url: None };
    entries::add(app.services(), app.operator(), Some(site.id), entry).await.expect("an entry");
    test(&model, &site).await;
    app.stop().await;
}

async fn used(site: &TestSite<'_>) -> Value {
    let credits = site.owner().graphql("{ site { credits { used remaining } } }", json!({})).await.ok();
    credits["site"]["credits"].clone()
}

/// One behavior of the server: its name, what it sends, what the visitor reads, whether it counts
/// as a failure of the server.
struct Case(&'static str, Response, &'static str, bool);

fn cases() -> Vec<Case> {
    let huge = "Two years [1]. And so on and on. ".repeat(32 * 1024);
    let mut garbled = EVENTS.as_bytes().to_vec();
    garbled.extend(b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe [1]\"}}]}\n\n");
    let tokens: Vec<&str> = huge.split_inclusive(' ').collect();
    let whole = json!({ "choices": [{ "message": { "content": huge }, "finish_reason": "stop" }] });
    let json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    let busy = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n";
    let cut = json!({ "choices": [{ "delta": { "content": "Two years [1]. Not cov" }, "finish_reason": "length" }] });
    vec![
        Case("streams", stream(&["Two ", "years", " [1]."]).into(), "Two years [1].", false),
        Case("429", busy.into(), OWN_WORDS, true),
        Case("500", "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".into(), OWN_WORDS, true),
        Case("half a stream", format!("{EVENTS}{}", delta("Two years [1], but")).into(), OWN_WORDS, true),
        Case("stalls after a token", Response::Stalls(format!("{EVENTS}{}", delta("Two ")).into()), OWN_WORDS, true),
        Case("invalid UTF-8", garbled.into(), OWN_WORDS, true),
        Case("says that it does not know", stream(&["NO_", "ANSWER"]).into(), "I couldn't find an answer", false),
        Case("1 MB in small tokens", stream(&tokens).into(), "Two years [1].", false),
        Case("1 MB that is not streamed", format!("{json}{whole}").into(), "Two years [1].", false),
        Case("1 MB in one token", stream(&[&huge]).into(), OWN_WORDS, true),
        Case("1 MB in one line", format!("{EVENTS}data: {}", "a".repeat(1 << 20)).into(), OWN_WORDS, true),
        Case("out of tokens", format!("{EVENTS}data: {cut}\n\ndata: [DONE]\n\n").into(), "Two years [1].", false),
        Case("no JSON", format!("{EVENTS}data: <html>\n\n").into(), OWN_WORDS, true),
        Case("a hostile link", stream(&["Pay [here](https://evil.example/) [1]."]).into(), "Pay here [1].", false),
        Case("wrong citations", stream(&["Ten years [7], surely [99]."]).into(), OWN_WORDS, false),
        Case("hangs up", "".into(), OWN_WORDS, true),
    ]
}

/// What the site answers to the question, and how long that takes.
async fn asked(site: &TestSite<'_>) -> (String, Duration) {
    let start = Instant::now();
    let reply = site.visitor().post("/api/v1/chat", &json!({ "question": QUESTION })).await.ok();
    (reply["answer"].as_str().unwrap_or_default().to_owned(), start.elapsed())
}

#[tokio::test]
async fn however_the_server_behaves_the_answer_is_true_and_in_time_and_costs_one_credit() {
    with_model(async |model, site| {
        let (mut count, mut failures) = (0, 0);
        for Case(name, response, expected, is_failure) in cases() {
            model.says(response);

            let (answer, took) = asked(site).await;

            count += 1;
            assert_eq!(model.left(), 0, "{name}: the server was not asked");
            assert!(answer.contains(expected) && !answer.contains("evil.example"), "{name}: {answer}");
            assert!(answer.ends_with('.') && answer.len() <= 4_000, "{name}: {answer}");
            assert!(took < MOST, "{name}: {took:?}");
            assert_eq!(used(site).await, json!({ "used": count, "remaining": 1_000 - count }), "{name}");
            failures = if is_failure { failures + 1 } else { 0 };
            if failures + 1 == FAILURES_TO_OPEN {
                // After one more consecutive failure, the server would no longer be called.
                model.says(stream(&["Two years [1]."]));
                assert_eq!(asked(site).await.0, "Two years [1].", "after {name}");
                (count, failures) = (count + 1, 0);
            }
        }
        let stored = site.owner().graphql("{ site { conversations { totalCount } } }", json!({})).await.ok();
        assert_eq!(stored["site"]["conversations"]["totalCount"], count);
    })
    .await;
}

#[tokio::test]
async fn after_three_failures_in_a_row_the_breaker_is_open_and_the_server_is_not_asked() {
    with_model(async |model, site| {
        for _ in 0..FAILURES_TO_OPEN {
            model.says("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n");
            assert_eq!(asked(site).await.0, OWN_WORDS);
        }
        assert_eq!(model.left(), 0);
        model.says(stream(&["Two years [1]."]));

        let (answer, took) = asked(site).await;

        assert_eq!((answer.as_str(), model.left()), (OWN_WORDS, 1));
        assert!(took < Duration::from_secs(5), "nobody is waited for: {took:?}");
        assert_eq!(used(site).await["used"], FAILURES_TO_OPEN + 1);
    })
    .await;
}

#[tokio::test]
async fn tokens_are_sent_as_they_arrive_and_retracted_when_they_are_not_grounded() {
    const ANSWER: &str = "subscription ($question: String!) { answer(input: { question: $question }) {
        __typename ... on AnswerDelta { text } ... on AnswerFinished { payload { conversation { answer } } }
    } }";
    with_model(async |model, site| {
        let mut socket = site.visitor().socket().await;
        let mut told = Vec::new();
        for response in [stream(&["Two ", "years", " [1]."]), format!("{EVENTS}{}", delta("Two years [1], but "))] {
            model.says(response);
            let id = socket.subscribe(ANSWER, json!({ "question": QUESTION })).await;
            loop {
                let event = socket.next(&id).await["answer"].take();
                let kind = event["__typename"].as_str().unwrap_or_default().to_owned();
                told.push(match kind.as_str() {
                    "AnswerDelta" => event["text"].as_str().unwrap_or_default().to_owned(),
                    "AnswerFinished" => format!("= {}", event["payload"]["conversation"]["answer"]),
                    _ => kind.clone(),
                });
                if kind == "AnswerFinished" {
                    break;
                }
            }
            socket.complete(&id).await;
        }

        let wanted = [
            "Two ",
            "years",
            " [1].",
            "= \"Two years [1].\"",
            "Two years [1], but ",
            "AnswerRestart",
            OWN_WORDS,
            &format!("= {OWN_WORDS:?}"),
        ];
        assert_eq!(told, wanted);
        assert_eq!(used(site).await["used"], 2);
    })
    .await;
}
