//! A model server that misbehaves in every way, behind the whole product: the visitor gets a true
//! answer or an honest one, and each question costs exactly one credit. (How long a silent server
//! is waited for is tested in `engine`, where time can be turned.)

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use helpbot_server::settings::ModelServer;
use helpbot_services::entries::{self, NewEntry};
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

/// A server that answers each request with the next of its responses.
struct Model {
    base_url: url::Url,
    responses: Arc<Mutex<VecDeque<Vec<u8>>>>,
    task: JoinHandle<()>,
}

impl Model {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let responses: Arc<Mutex<VecDeque<Vec<u8>>>> = Arc::default();
        let script = responses.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                read_request(&mut socket).await;
                let response = script.lock().expect("no panic").pop_front().unwrap_or_default();
                // A client that has had enough closes first.
                let _ = socket.write_all(&response).await;
            }
        });
        Self { base_url: format!("http://{address}/v1").parse().expect("an address"), responses, task }
    }

    fn says(&self, response: impl Into<Vec<u8>>) {
        self.responses.lock().expect("no panic").push_back(response.into());
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

#[tokio::test]
async fn however_the_server_behaves_the_answer_is_true_and_costs_one_credit() {
    let huge = "Two years [1]. And so on and on. ".repeat(32 * 1024);
    let mut garbled = EVENTS.as_bytes().to_vec();
    garbled.extend(b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe [1]\"}}]}\n\n");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("streams", stream(&["Two ", "years", " [1]."]).into(), "Two years [1]."),
        ("429", b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n".into(), OWN_WORDS),
        ("500", b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".into(), OWN_WORDS),
        ("streams again", stream(&["Two years [1]."]).into(), "Two years [1]."),
        ("half a stream", format!("{EVENTS}{}", delta("Two years [1], but")).into(), OWN_WORDS),
        ("invalid UTF-8", garbled, OWN_WORDS),
        ("says that it does not know", stream(&["NO_", "ANSWER"]).into(), "I couldn't find an answer"),
        ("1 MB in one token", stream(&[&huge]).into(), OWN_WORDS),
        ("1 MB in one line", format!("{EVENTS}data: {}", "a".repeat(1 << 20)).into(), OWN_WORDS),
        ("no JSON", format!("{EVENTS}data: <html>\n\n").into(), OWN_WORDS),
        ("a hostile link", stream(&["Pay [here](https://evil.example/) [1]."]).into(), OWN_WORDS),
        ("wrong citations", stream(&["Ten years [7], surely [99]."]).into(), OWN_WORDS),
        ("hangs up", Vec::new(), OWN_WORDS),
    ];
    with_model(async |model, site| {
        let count = cases.len();
        for (asked, (name, response, expected)) in (1..).zip(cases) {
            model.says(response);

            let reply = site.visitor().post("/api/v1/chat", &json!({ "question": QUESTION })).await.ok();

            let answer = reply["answer"].as_str().unwrap_or_default();
            assert!(answer.contains(expected) && !answer.contains("evil.example"), "{name}: {reply}");
            assert!(answer.len() < 6_000, "{name}");
            assert_eq!(used(site).await, json!({ "used": asked, "remaining": 1_000 - asked }), "{name}");
        }
        let stored = site.owner().graphql("{ site { conversations { totalCount } } }", json!({})).await.ok();
        assert_eq!(stored["site"]["conversations"]["totalCount"], count);
    })
    .await;
}

#[tokio::test]
async fn tokens_are_told_as_they_come_and_taken_back_when_they_do_not_hold() {
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
