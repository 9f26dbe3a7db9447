//! Hostile endpoints: exactly what each leaves in the rows, and that four other endpoints still get
//! all of their deliveries.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{Answer, BEGIN, Installation, Receiver};
use helpbot_domain::Timestamp;
use helpbot_domain::event::EventType;
use helpbot_domain::webhook::{Attempt, Delivery, DeliveryStatus, DisabledReason, Webhook};
use helpbot_outbound::WebhookLimits;
use helpbot_services::webhooks::deliveries;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Delays before the second and the third attempt.
const RETRIES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(300)];
/// Pause between two bytes of a slow endpoint. Many of them fit into the limits of these tests.
const DRIP: Duration = Duration::from_millis(50);
const TEN_GB: u64 = 10_000_000_000;
/// Maximum number of bytes of ten gigabytes that an endpoint can send: what we read, and the
/// buffers of two sockets.
const TAKEN_MAX: usize = 16 * 1024 * 1024;
const QUESTIONS: usize = 10;
/// Concurrent attempts to one endpoint.
const AT_ONCE: i32 = 4;

/// What an endpoint does with a request that it has read.
#[derive(Clone, Copy, Debug)]
enum Temper {
    /// It never responds.
    Silent,
    /// It sends a response byte by byte.
    DripsHead,
    /// It responds 200, and then sends the body byte by byte.
    DripsBody,
    /// It responds 200 with ten gigabytes.
    Huge,
    /// Closes the connection.
    Closes,
    /// It speaks another protocol.
    Babbles,
}

/// A hostile endpoint. It ends with the runtime of the test.
struct Hostile {
    url: Url,
    /// Number of bytes of response bodies that were read.
    taken: Arc<AtomicUsize>,
    /// Times at which the connections arrived.
    came: Arc<Mutex<Vec<Instant>>>,
}

impl Hostile {
    async fn start(temper: Temper) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("bound")).parse().expect("a URL");
        let taken = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&taken);
        let came = Arc::<Mutex<Vec<Instant>>>::default();
        let times = Arc::clone(&came);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                times.lock().expect("no panic").push(Instant::now());
                let count = Arc::clone(&count);
                // Ends when the sender closes the connection.
                tokio::spawn(async move { mistreat(stream, temper, &count).await });
            }
        });
        Self { url, taken, came }
    }
}

async fn mistreat(mut stream: TcpStream, temper: Temper, taken: &AtomicUsize) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"}}") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let drip = async |stream: &mut TcpStream, text: &[u8]| {
        for byte in text.iter().cycle() {
            stream.write_all(&[*byte]).await?;
            tokio::time::sleep(DRIP).await;
        }
        Ok::<(), std::io::Error>(())
    };
    match temper {
        Temper::Silent => drop(stream.read(&mut [0; 1]).await?),
        Temper::DripsHead => return drip(&mut stream, b"HTTP/1.1 200 OK and so on and on ").await,
        Temper::DripsBody => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await?;
            return drip(&mut stream, b"x").await;
        }
        Temper::Huge => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {TEN_GB}\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            let piece = vec![b'x'; 64 * 1024];
            loop {
                taken.fetch_add(stream.write(&piece).await?, Ordering::Relaxed);
            }
        }
        Temper::Closes => {}
        Temper::Babbles => stream.write_all(b"220 mail.example ESMTP\r\n").await?,
    }
    Ok(())
}

/// The state that one attempt leaves: of the delivery, the attempt and the endpoint.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    status: DeliveryStatus,
    /// HTTP status, or the code of the error.
    got: Result<i32, String>,
    /// Time until the next attempt, from the time of this one.
    due_in: Option<Duration>,
    paused_for: Option<Duration>,
    is_failing: bool,
}

impl Left {
    fn delivered() -> Self {
        Self { status: DeliveryStatus::Delivered, got: Ok(200), due_in: None, paused_for: None, is_failing: false }
    }

    fn waiting(got: Result<i32, &str>, due_in: Duration, paused_for: Option<Duration>) -> Self {
        let got = got.map_err(str::to_owned);
        Self { status: DeliveryStatus::Pending, got, due_in: Some(due_in), paused_for, is_failing: true }
    }
}

async fn attempts(home: &Installation, delivery: &Delivery) -> Vec<Attempt> {
    let site = Some(delivery.site_id);
    deliveries::attempts(&home.services, &home.viewer, site, &[delivery.id]).await.expect("the attempts")
}

/// Sends one event to an endpoint, and returns what attempt number `number` left at `now`.
async fn left(home: &Installation, webhook: &Webhook, number: i32, now: Timestamp) -> Left {
    let made = |found: &[Delivery]| found[0].attempts == number;
    let log = home.deliveries_once("the record of the attempt", webhook, made).await;
    let attempt = attempts(home, &log[0]).await.pop().expect("an attempt");
    let webhook = home.reload(webhook).await;
    let after = |moment: Timestamp| Duration::from_millis(u64::try_from(moment.as_ms() - now.as_ms()).expect("later"));
    Left {
        status: log[0].status,
        got: attempt.status.ok_or_else(|| attempt.error.unwrap_or_default()),
        due_in: (log[0].status == DeliveryStatus::Pending).then(|| after(log[0].due_at)),
        paused_for: webhook.paused_until.map(after),
        is_failing: webhook.failing.is_some(),
    }
}

/// Creates an endpoint for one of the two events of a question.
async fn endpoint(home: &Installation, url: &Url) -> Webhook {
    home.try_webhook(url.as_str(), &[EventType::ConversationCreated]).await.expect("a webhook").0
}

/// Returns what the first attempt at `url` leaves.
async fn first_left(url: &Url) -> Left {
    let home = Installation::new().await;
    let webhook = endpoint(&home, url).await;
    let _work = home.work("w");
    home.ask("Why?").await;
    left(&home, &webhook, 1, BEGIN).await
}

#[test]
fn an_attempt_may_take_at_most_twenty_seconds() {
    assert!(WebhookLimits::DEFAULT.total <= SECOND * 20);
    assert!(WebhookLimits::DEFAULT.first_byte < WebhookLimits::DEFAULT.total);
}

#[tokio::test]
async fn an_endpoint_with_truncated_responses_gets_one_attempt_at_a_time_with_pauses() {
    const REST: Duration = Duration::from_millis(50);
    let home = Installation::new().await;
    let endless = Hostile::start(Temper::Huge).await;
    let (webhook, _) = home.webhook(&endless.url).await;
    for number in 0..QUESTIONS {
        home.ask(&format!("Question {number}?")).await;
    }

    let _work = home.work("w");
    let all = |found: &[Delivery]| found.iter().all(|it| it.status == DeliveryStatus::Delivered);
    let log = home.deliveries_once("all of them", &webhook, all).await;

    let came = endless.came.lock().expect("no panic").clone();
    assert_eq!(came.len(), log.len(), "no connection is used twice");
    let first = usize::try_from(AT_ONCE).expect("a few");
    // Attempts that started together with the first ones could not know of the truncation.
    let gaps: Vec<Duration> = came[first..].windows(2).map(|two| two[1] - two[0]).collect();
    assert!(gaps.iter().all(|gap| *gap >= REST), "{gaps:?}");
    assert_eq!(gaps.len(), 2 * QUESTIONS - first - 1);
}

#[tokio::test]
async fn each_hostile_behavior_has_exactly_this_result() {
    let overrun = || Left::waiting(Err("FIRST_BYTE_TIMEOUT"), RETRIES[0], Some(MINUTE));
    for (temper, expected) in [
        (Temper::Silent, overrun()),
        (Temper::DripsHead, overrun()),
        (Temper::DripsBody, Left::delivered()),
        (Temper::Huge, Left::delivered()),
        (Temper::Closes, Left::waiting(Err("RESPONSE_BROKEN"), RETRIES[0], None)),
        (Temper::Babbles, Left::waiting(Err("RESPONSE_BROKEN"), RETRIES[0], None)),
    ] {
        let hostile = Hostile::start(temper).await;

        assert_eq!(first_left(&hostile.url).await, expected, "{temper:?}");

        let taken = hostile.taken.load(Ordering::Relaxed);
        assert!(taken <= TAKEN_MAX, "{taken} bytes were taken");
    }
}

#[tokio::test]
async fn an_endpoint_that_never_answers_is_retried_after_its_pause() {
    let (home, hostile) = (Installation::new().await, Hostile::start(Temper::Silent).await);
    let webhook = endpoint(&home, &hostile.url).await;
    let _work = home.work("w");
    home.ask("Why?").await;
    left(&home, &webhook, 1, BEGIN).await;

    // Due after five seconds, but its endpoint is paused for a minute.
    let now = BEGIN.plus(MINUTE);
    home.clock.set(now);

    let expected = Left::waiting(Err("FIRST_BYTE_TIMEOUT"), RETRIES[1], Some(MINUTE));
    assert_eq!(left(&home, &webhook, 2, now).await, expected);
}

#[tokio::test]
async fn a_redirect_fails_and_is_never_followed() {
    let canary = Receiver::ok().await;
    for to in ["http://169.254.169.254/latest/meta-data/", canary.url.as_str(), "//127.0.0.1/", "file:///etc/passwd"] {
        for status in [301, 302, 303, 307, 308] {
            let answer = Answer::With(status, "location", to.to_owned());
            let receiver = Receiver::start([], answer).await;
            let expected = Left::waiting(Ok(i32::from(status)), RETRIES[0], None);
            assert_eq!(first_left(&receiver.url).await, expected, "{status} to {to}");
        }
    }
    let mut canary = canary;
    assert!(canary.arrived().is_empty());
}

#[tokio::test]
async fn a_hostile_retry_after_is_limited_or_ignored() {
    let day = (DAY, Some(DAY));
    let soon = (RETRIES[0], Some(RETRIES[0]));
    let unknown = (RETRIES[0], Some(MINUTE));
    for (asked, (due_in, paused_for)) in [
        ("3", soon),
        ("0", soon),
        ("Thu, 01 Jan 1970 00:00:00 GMT", soon),
        ("120", (MINUTE * 2, Some(MINUTE * 2))),
        ("86401", day),
        ("99999999999999999999999999", day),
        ("Fri, 31 Dec 9999 23:59:59 GMT", day),
        ("-1", unknown),
        ("1e99", unknown),
        ("3.5", unknown),
        ("NaN", unknown),
        ("", unknown),
        ("soon", unknown),
        ("Thu, 99 Jan 1970 00:00:00 GMT", unknown),
    ] {
        for status in [429, 503] {
            let receiver = Receiver::start([], Answer::With(status, "retry-after", asked.to_owned())).await;
            let expected = Left::waiting(Ok(i32::from(status)), due_in, paused_for);
            assert_eq!(first_left(&receiver.url).await, expected, "{status} {asked:?}");
        }
    }
}

#[tokio::test]
async fn status_410_ends_all_deliveries_and_disables_the_endpoint() {
    let home = Installation::new().await;
    let receiver = Receiver::start([], Answer::Status(410)).await;
    let webhook = endpoint(&home, &receiver.url).await;
    for number in 0..QUESTIONS {
        home.ask(&format!("Question {number}?")).await;
    }
    let _work = home.work("w");

    let ended = |found: &[Delivery]| found.iter().all(|delivery| delivery.finished_at.is_some());
    let log = home.deliveries_once("the end of all", &webhook, ended).await;

    let count = |status| log.iter().filter(|delivery| delivery.status == status).count();
    let failed = count(DeliveryStatus::Failed);
    assert!((1..=usize::try_from(AT_ONCE).expect("few")).contains(&failed), "{failed} were attempted");
    assert_eq!(count(DeliveryStatus::Cancelled), QUESTIONS - failed);
    assert_eq!(home.reload(&webhook).await.disabled, Some(DisabledReason::Gone));
}

#[tokio::test]
async fn four_healthy_endpoints_get_all_deliveries_beside_each_hostile_one() {
    for temper in [Temper::Silent, Temper::DripsHead, Temper::DripsBody, Temper::Huge, Temper::Closes, Temper::Babbles]
    {
        let (home, hostile) = (Installation::new().await, Hostile::start(temper).await);
        let bad = endpoint(&home, &hostile.url).await;
        let mut healthy = Vec::new();
        for _ in 0..4 {
            let receiver = Receiver::ok().await;
            let webhook = endpoint(&home, &receiver.url).await;
            healthy.push((receiver, webhook));
        }
        for number in 0..QUESTIONS {
            home.ask(&format!("Question {number}?")).await;
        }

        let _work = home.work("w");
        for (receiver, webhook) in &mut healthy {
            let delivered = |found: &[Delivery]| found.iter().all(|it| it.status == DeliveryStatus::Delivered);
            let log = home.deliveries_once("what is theirs", webhook, delivered).await;
            assert!(log.iter().all(|it| it.attempts == 1), "{temper:?}");
            let arrived: BTreeSet<String> =
                receiver.arrived().iter().map(|it| it.header("x-helpbot-delivery").to_owned()).collect();
            assert_eq!(arrived, log.iter().map(|it| it.id.to_string()).collect(), "{temper:?}");
        }

        // Its clock does not move, so paused endpoints stay paused and failed deliveries wait.
        let log = home.deliveries(&bad).await;
        let is_overrun = matches!(temper, Temper::Silent | Temper::DripsHead);
        let attempted: i32 = log.iter().map(|it| it.attempts).sum();
        assert!(!is_overrun || attempted <= AT_ONCE, "{temper:?}: {attempted}");
        assert!(log.iter().all(|it| it.attempts <= 1), "{temper:?}");
    }
}
