//! One attempt against an endpoint on loopback, verified the way receivers verify it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use helpbot_delivery::{AttemptOutcome, AttemptResult, PendingDelivery, SigningKey, SigningKeys, attempt};
use helpbot_domain::Timestamp;
use helpbot_domain::envelope::wrap;
use helpbot_domain::ids::EventId;
use helpbot_outbound::{Client, Policy, UserAgent, WebhookLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;
use uuid::Uuid;

const ACTIVE: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const PREVIOUS: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: Timestamp = Timestamp::from_ms(1_705_314_600_999);
const LIMITS: WebhookLimits =
    WebhookLimits { first_byte: Duration::from_millis(400), total: Duration::from_millis(600), head_bytes: 64 };

/// An endpoint that gives one response and records the request.
struct Receiver {
    url: Url,
    received: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"}}") {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        break;
                    }
                }
                kept.lock().expect("no panic while held").push(String::from_utf8_lossy(&request).into_owned());
                let _ = stream.write_all(answer.as_bytes()).await;
                if answer.is_empty() {
                    // Says nothing until the sender gives up.
                    let _ = stream.read(&mut [0; 1]).await;
                }
            }
        });
        Self { url: Url::parse(&format!("http://{address}/hook")).expect("a URL"), received }
    }

    /// Returns the headers, with names in lower case, and the body of the request.
    fn request(&self) -> (Vec<(String, String)>, String) {
        let received = self.received.lock().expect("no panic while held");
        let [request] = &received[..] else { panic!("{} requests", received.len()) };
        let (head, body) = request.split_once("\r\n\r\n").expect("a head");
        let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        (headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(), body.to_owned())
    }
}

fn secret(text: &str) -> SigningKey {
    SigningKey::parse(text).expect("a secret")
}

fn claimed(url: &Url) -> PendingDelivery {
    PendingDelivery {
        delivery_id: Uuid::from_u128(0x018d_0c2e_7a4b_7000_8000_0000_0000_0001),
        event_id: EventId::from_uuid(Uuid::from_u128(0x018d_0c2e_7a4b_7000_8000_0000_0000_0002)),
        event: "conversation.feedback".to_owned(),
        sequence: Some(42),
        url: url.clone(),
        keys: SigningKeys { active: secret(ACTIVE), overlapping: Some(secret(PREVIOUS)) },
        body: wrap("conversation.feedback", NOW, "{\"conversationId\":\"conv_1\",\"helpful\":\"yes\"}").into(),
    }
}

/// The library compares with the system clock and accepts no other.
#[expect(clippy::disallowed_methods, reason = "the library under test reads the same clock")]
fn present() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Timestamp::from_ms(0).plus(since_epoch)
}

async fn deliver(url: &Url) -> AttemptResult {
    deliver_at(url, NOW).await
}

async fn deliver_at(url: &Url, now: Timestamp) -> AttemptResult {
    let agent = UserAgent::new("1", "https://helpbot.example").expect("plain characters");
    let policy = Policy::webhooks("127.0.0.1".parse().expect("an allow-list"));
    let client = Client::new(policy, &agent).expect("a client");
    attempt(&client, &claimed(url), now, &LIMITS).await
}

#[tokio::test]
async fn the_endpoint_receives_the_documented_headers_and_body() {
    let receiver = Receiver::start("HTTP/1.1 204 No Content\r\n\r\n").await;

    let made = deliver(&receiver.url).await;

    let (headers, body) = receiver.request();
    let sent = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    assert_eq!(made.outcome, AttemptOutcome::Delivered);
    assert_eq!(body.as_bytes(), claimed(&receiver.url).body);
    assert_eq!(sent("content-type"), Some("application/json"));
    assert_eq!(sent("x-helpbot-event"), Some("conversation.feedback"));
    assert_eq!(sent("x-helpbot-delivery"), Some("018d0c2e-7a4b-7000-8000-000000000001"));
    assert_eq!(sent("x-helpbot-sequence"), Some("42"));
    assert_eq!(sent("x-helpbot-signature"), Some(secret(ACTIVE).page_signature(body.as_bytes()).as_str()));
    assert_eq!(sent("webhook-timestamp"), Some("1705314600"));
    assert!(sent("webhook-id").is_some_and(|id| id.starts_with("evt_")));
    let trace = format!("00-{:032x}-", claimed(&receiver.url).event_id.uuid().as_u128());
    assert!(sent("traceparent").is_some_and(|parent| parent.starts_with(&trace) && parent.ends_with("-01")));
}

#[tokio::test]
async fn the_attempt_log_shows_the_request_without_secrets() {
    let receiver = Receiver::start("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;

    let made = deliver(&receiver.url).await;

    let (headers, _) = receiver.request();
    assert_eq!(made.request_headers.len(), 9);
    for header in &made.request_headers {
        assert!(headers.contains(header), "{header:?}");
    }
    assert!(made.request_headers.iter().all(|(_, value)| !value.contains("whsec_")));
    assert_eq!((made.status, made.response.as_str(), made.error), (Some(200), "ok", None));
    assert_eq!(made.response_headers, [("content-length".to_owned(), "2".to_owned())]);
}

#[tokio::test]
async fn the_standard_webhooks_library_verifies_both_secrets_of_a_rotation() {
    let receiver = Receiver::start("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;

    deliver_at(&receiver.url, present()).await;

    let (headers, body) = receiver.request();
    let headers = headers.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")));
    let headers: http::HeaderMap = headers.collect();
    let verify = |secret: &str, body: &str| {
        let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
        webhook.verify(body.as_bytes(), &headers)
    };
    assert!(verify(ACTIVE, &body).is_ok());
    assert!(verify(PREVIOUS, &body).is_ok());
    assert!(verify(ACTIVE, &body.replace("yes", "no")).is_err());
    assert!(verify("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", &body).is_err());
}

#[tokio::test]
async fn the_response_is_recorded_as_text_that_both_databases_accept() {
    let receiver = Receiver::start("HTTP/1.1 500 Oops\r\ncontent-length: 9\r\n\r\n<b>\0\u{fc}</b").await;

    let made = deliver(&receiver.url).await;

    assert_eq!((made.outcome, made.status), (AttemptOutcome::Failed, Some(500)));
    assert_eq!(made.response, "<b>\u{fffd}\u{fc}</b");
    assert!(made.timing.connect.is_some() && made.timing.first_byte.is_some());
}

#[tokio::test]
async fn each_response_has_its_outcome() {
    let outcome = async |answer| deliver(&Receiver::start(answer).await.url).await.outcome;

    assert_eq!(outcome("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await, AttemptOutcome::Gone);
    assert_eq!(
        outcome("HTTP/1.1 429 Slow\r\nretry-after: 3\r\ncontent-length: 0\r\n\r\n").await,
        AttemptOutcome::Throttled { retry_after: Some(Duration::from_secs(5)) }
    );
    assert_eq!(
        outcome("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n").await,
        AttemptOutcome::Failed
    );
    assert_eq!(outcome("SSH-2.0-OpenSSH\r\n").await, AttemptOutcome::Failed);
}

#[tokio::test]
async fn a_timeout_means_overload_and_private_addresses_are_never_contacted() {
    let silent = Receiver::start("").await;
    let inside = Url::parse("https://169.254.169.254/").expect("a URL");

    let waited = deliver(&silent.url).await;
    let refused = deliver(&inside).await;

    assert_eq!((waited.outcome, waited.status), (AttemptOutcome::Overloaded, None));
    assert_eq!(waited.error.map(|error| error.code()), Some("FIRST_BYTE_TIMEOUT"));
    assert_eq!(refused.outcome, AttemptOutcome::Failed);
    assert_eq!(refused.error.map(|error| error.code()), Some("URL_ADDRESS"));
}
