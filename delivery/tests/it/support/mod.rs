//! A small installation that delivers, and endpoints that receive.

#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use helpbot_db::{DatabaseUrl, Db};
use helpbot_delivery::worker::{self, Settings};
use helpbot_domain::Timestamp;
use helpbot_domain::event::EventType;
use helpbot_domain::ids::{ConversationId, KeyId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;
use helpbot_domain::webhook::{Delivery, DeliveryFilter, Webhook};
use helpbot_engine::{Engine, EngineSettings};
use helpbot_outbound::mail::{LogMailer, Mail, SendOutcome, Sending};
use helpbot_outbound::{Client, Mailer, Policy, UserAgent, WebhookLimits, check_url};
use helpbot_services::accounts::sites::{self, NewSite};
use helpbot_services::conversations::handoffs::{self, ReplyAddress};
use helpbot_services::conversations::{self, NewQuestion};
use helpbot_services::runtime::clock::ManualClock;
use helpbot_services::runtime::mail;
use helpbot_services::webhooks::deliveries;
use helpbot_services::webhooks::{self, NewWebhook};
use helpbot_services::{Clock, Services, Viewer};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

/// Time after which a test gives up waiting.
const DEADLINE: Duration = Duration::from_secs(30);
/// 2026-03-15T12:00:00Z.
pub const BEGIN: Timestamp = Timestamp::from_ms(1_773_576_000_000);
/// Short limits, so that a hanging endpoint does not delay the test.
const LIMITS: WebhookLimits =
    WebhookLimits { first_byte: Duration::from_millis(500), total: Duration::from_millis(800), head_bytes: 64 };

type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// The services of an installation with its own database file.
pub struct Installation {
    pub services: Services,
    pub site: Site,
    pub viewer: Viewer,
    pub clock: Arc<ManualClock>,
    pub directory: TempDir,
}

fn policy() -> Policy {
    Policy::webhooks("127.0.0.1".parse().expect("an allow-list"))
}

impl Installation {
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let url = DatabaseUrl::Sqlite(directory.path().join("helpbot.db"));
        let db = Db::open(&url).await.expect("an empty database opens");
        let clock = Arc::new(ManualClock::at(BEGIN));
        let settings = helpbot_services::Settings::new([7; 32]);
        let engine = Engine::new(EngineSettings::default());
        let shown: Arc<dyn Clock> = clock.clone();
        let may_send = |url: &Url| check_url(url, &policy()).map_err(|error| error.to_string());
        let services = Services::new(db, engine, shown, Arc::new(|_: &Url| Ok(())), settings)
            .with_webhook_policy(Arc::new(may_send));
        let viewer = Viewer::operator(KeyId::from_uuid(Uuid::from_u128(1)));
        let new =
            NewSite { name: "Bakery".into(), owner_email: "owner@example.com".into(), plan: None, credit_limit: None };
        let site = sites::create(&services, &viewer, new).await.expect("a site");
        Self { services, site, viewer, clock, directory }
    }

    /// Creates an endpoint for all events, and returns it with its secret.
    pub async fn webhook(&self, url: &Url) -> (Webhook, String) {
        self.try_webhook(url.as_str(), &EventType::WEBHOOK).await.expect("a webhook")
    }

    pub async fn try_webhook(&self, url: &str, events: &[EventType]) -> helpbot_services::Result<(Webhook, String)> {
        let new = NewWebhook { url: url.to_owned(), events: events.to_vec(), description: None };
        webhooks::create(&self.services, &self.viewer, Some(self.site.id), new).await
    }

    pub async fn reload(&self, webhook: &Webhook) -> Webhook {
        webhooks::get(&self.services, &self.viewer, Some(self.site.id), webhook.id).await.expect("the webhook")
    }

    /// Asks a question that has no answer, which causes two events.
    pub async fn ask(&self, question: &str) -> ConversationId {
        let new = NewQuestion { site: Some(self.site.id), question: question.to_owned(), ..NewQuestion::default() };
        let asked = conversations::ask(&self.services, &self.viewer, new, None).await.expect("a question");
        asked.conversation.id
    }

    pub async fn hand_off(&self, conversation: ConversationId) {
        let address = ReplyAddress::ById("ann@example.com".to_owned());
        handoffs::request(&self.services, &self.viewer, Some(self.site.id), conversation, address)
            .await
            .expect("a handoff");
    }

    /// Returns the deliveries of the endpoint, oldest first.
    pub async fn deliveries(&self, webhook: &Webhook) -> Vec<Delivery> {
        let page = PageRequest::first(1000);
        let mut found = deliveries::list(&self.services, &self.viewer, webhook, &DeliveryFilter::default(), page)
            .await
            .expect("the log");
        found.reverse();
        found
    }

    /// Waits until the endpoint's deliveries satisfy `wanted`, and returns them.
    pub async fn deliveries_once(
        &self,
        what: &str,
        webhook: &Webhook,
        wanted: impl Fn(&[Delivery]) -> bool,
    ) -> Vec<Delivery> {
        self.once(what, async || wanted(&self.deliveries(webhook).await)).await;
        self.deliveries(webhook).await
    }

    /// Waits until `condition` holds.
    pub async fn once(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        let holds = async {
            while !condition().await {
                pace.tick().await;
            }
        };
        in_time(what, holds).await;
    }

    /// Returns when the worker has claimed at least twice since the call, so that everything that
    /// was due before has been claimed. Two test deliveries to an endpoint of its own show that.
    pub async fn claim_twice(&self) {
        let mut receiver = Receiver::ok().await;
        let other = [EventType::ConversationHandoff];
        let (webhook, _) = self.try_webhook(receiver.url.as_str(), &other).await.expect("a webhook");
        for _ in 0..2 {
            deliveries::send_test(&self.services, &self.viewer, Some(self.site.id), webhook.id).await.expect("a test");
            receiver.next().await;
        }
    }

    /// Returns the number of mails that wait to be sent.
    pub async fn waiting_mails(&self) -> usize {
        mail::waiting(&self.services, &self.viewer, Some(self.site.id)).await.expect("the mail queue").len()
    }

    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn pass(&self, duration: Duration) {
        self.clock.set(self.clock.now().plus(duration));
    }

    /// Starts a worker that only logs its mails.
    pub fn work(&self, owner: &str) -> Work {
        self.work_with(owner, Arc::new(LogMailer))
    }

    pub fn work_with(&self, owner: &str, mailer: Arc<dyn Mailer>) -> Work {
        self.begin(owner, mailer, Arc::new(|| 0.0))
    }

    /// Starts a worker whose retries are spread by `jitter`.
    pub fn work_drawing(&self, owner: &str, jitter: Jitter) -> Work {
        self.begin(owner, Arc::new(LogMailer), jitter)
    }

    fn begin(&self, owner: &str, mailer: Arc<dyn Mailer>, jitter: Jitter) -> Work {
        let agent = UserAgent::new("1", "https://helpbot.example").expect("plain characters");
        let client = Client::new(policy(), &agent).expect("a client");
        let public_url = Url::parse("https://help.example/").expect("a URL");
        let settings = Settings { limits: LIMITS, jitter, ..Settings::new(owner.to_owned(), public_url) };
        let stop = CancellationToken::new();
        let run = worker::run(self.services.clone(), client, mailer, settings, stop.clone());
        Work { task: tokio::spawn(run), stop }
    }
}

/// A running worker. Dropping it aborts the worker, as a crash would.
pub struct Work {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Work {
    /// Stops the worker gracefully, as a signal would.
    pub async fn stop(mut self) {
        self.stop.cancel();
        in_time("the worker's end", &mut self.task).await.expect("no panic");
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns the result of `event`.
///
/// # Panics
/// Panics with `what` when the event does not happen in time.
pub async fn in_time<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, event).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not come within {DEADLINE:?}"),
    }
}

/// How an endpoint responds.
#[derive(Clone, Debug)]
pub enum Answer {
    Status(u16),
    /// Respond with this status and header.
    With(u16, &'static str, String),
    /// Never respond.
    Silence,
}

/// A request that an endpoint received.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

struct Script {
    next: Mutex<VecDeque<Answer>>,
    then: Answer,
    received: mpsc::UnboundedSender<Received>,
}

/// An endpoint on loopback.
pub struct Receiver {
    pub url: Url,
    received: mpsc::UnboundedReceiver<Received>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// Responds with these, and then always with `then`.
    pub async fn start(next: impl IntoIterator<Item = Answer>, then: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let (sender, received) = mpsc::unbounded_channel();
        let script = Arc::new(Script { next: Mutex::new(next.into_iter().collect()), then, received: sender });
        let router = Router::new().fallback(receive).with_state(script);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("the receiver serves") });
        Self { url: Url::parse(&format!("http://{address}/hook")).expect("a URL"), received, task }
    }

    pub async fn ok() -> Self {
        Self::start([], Answer::Status(200)).await
    }

    /// Returns the next request, in the order of arrival.
    pub async fn next(&mut self) -> Received {
        in_time("a delivery", self.received.recv()).await.expect("the receiver runs")
    }

    /// Returns all requests that have arrived since the last call.
    pub fn arrived(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

async fn receive(State(script): State<Arc<Script>>, headers: HeaderMap, body: Bytes) -> Response {
    let scripted = script.next.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let _ = script.received.send(Received { headers, body });
    match scripted.unwrap_or_else(|| script.then.clone()) {
        Answer::Status(status) => code(status).into_response(),
        Answer::With(status, name, value) => (code(status), [(name, value)]).into_response(),
        Answer::Silence => std::future::pending().await,
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status")
}

/// A mailer that accepts and stores mails.
#[derive(Default)]
pub struct KeptMail {
    pub mails: Mutex<Vec<Mail>>,
}

impl Mailer for KeptMail {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(async move {
            self.mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail.clone());
            Ok(SendOutcome::Accepted)
        })
    }
}

impl KeptMail {
    /// Waits for `count` mails and returns all mails.
    pub async fn first(&self, count: usize) -> Vec<Mail> {
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        let there = async {
            loop {
                pace.tick().await;
                let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if mails.len() >= count {
                    return mails;
                }
            }
        };
        in_time("a mail", there).await
    }
}

/// Acts as an installation without a mail server, and notices attempts to send.
#[derive(Default)]
pub struct UnsentMail {
    attempts: tokio::sync::Notify,
}

impl Mailer for UnsentMail {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        self.attempts.notify_one();
        LogMailer.send(mail)
    }
}

impl UnsentMail {
    /// Waits until the worker has tried to send a mail.
    pub async fn attempted(&self) {
        in_time("an attempt to send a mail", self.attempts.notified()).await;
    }
}
