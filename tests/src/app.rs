//! A complete server for one test: it listens on a free loopback port, has its own database, a clock that only the test
//! moves, and outbound access to loopback. It is the product's own server, wired as in the binary.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use helpbot_domain::Timestamp;
use helpbot_server::settings::{LogFormat, MetricsAddress, StartMigrations};
use helpbot_server::{Parts, RunningServer, Settings};
use helpbot_services::accounts::keys;
use helpbot_services::runtime::clock::ManualClock;
use helpbot_services::{Clock as _, Services, Viewer};
use tempfile::TempDir;
use url::Url;

use crate::database::{self, TestDatabase};
use crate::{Client, SiteBuilder, in_time};

/// When every test begins: 2026-03-15T12:00:00Z, the middle of a month, a week and a day.
const BEGIN: Timestamp = Timestamp::from_ms(1_773_576_000_000);
/// Signs the session tokens of tests.
const SECRET_KEY: [u8; 32] = [7; 32];
/// What tests may reach: sites and endpoints of their own.
const ALLOWED: &str = "127.0.0.1";
const MAX_CONNECTIONS: usize = 1000;
const RETENTION_DAYS: u32 = 90;

/// A running server.
pub struct TestApp {
    base: Url,
    running: RunningServer,
    clock: Arc<ManualClock>,
    operator: Viewer,
    operator_key: String,
    _data: TempDir,
}

impl TestApp {
    /// Starts a server over `database`.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, |_, _| {}).await
    }

    /// Starts one with other settings, or with other parts of the world.
    pub async fn start_with(database: &TestDatabase, change: impl FnOnce(&mut Settings, &mut Parts)) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let clock = Arc::new(ManualClock::at(BEGIN));
        let mut settings = settings(data.path(), database);
        let mut parts = Parts { clock: Some(clock.clone()), pdf_program: Some(helpbot_binary()), ..Parts::default() };
        change(&mut settings, &mut parts);
        let running = helpbot_server::start(settings, parts).await.expect("an empty installation starts");
        let (key, operator_key) = keys::create_operator(running.services(), "tests").await.expect("an operator's key");
        let base = format!("http://{}/", running.address).parse().expect("a plain address");
        Self { base, running, clock, operator: Viewer::operator(key.id), operator_key, _data: data }
    }

    /// The use cases, for what a test wants to look at or set up behind the doors.
    pub fn services(&self) -> &Services {
        self.running.services()
    }

    /// The operator as a viewer, for use cases.
    pub fn operator(&self) -> &Viewer {
        &self.operator
    }

    /// The address of `path` on the server.
    pub fn url(&self, path: &str) -> Url {
        self.anonymous().url(path)
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Turns the clock on by `duration`.
    pub fn pass(&self, duration: Duration) {
        self.clock.set(self.clock.now().plus(duration));
    }

    /// A caller of the address that serves metrics.
    pub fn metrics(&self) -> Client {
        let address = self.running.metrics_address.expect("metrics are on");
        Client::new(format!("http://{address}/").parse().expect("a plain address"))
    }

    /// A caller without a key.
    pub fn anonymous(&self) -> Client {
        Client::new(self.base.clone())
    }

    /// A caller with `key`.
    pub fn client(&self, key: &str) -> Client {
        self.anonymous().with_key(key)
    }

    /// The operator as a caller.
    pub fn operator_client(&self) -> Client {
        self.client(&self.operator_key)
    }

    /// A site to be made: finish with [`SiteBuilder::create`].
    pub fn site(&self) -> SiteBuilder<'_> {
        SiteBuilder::new(self)
    }

    /// Ends the server as a signal does, and waits until it has ended.
    pub async fn stop(self) {
        in_time("the end of the server", self.running.shutdown()).await;
    }
}

/// Runs `test` on a server over SQLite.
pub async fn on_sqlite(test: impl AsyncFnOnce(&TestApp)) {
    database::with(Some(TestDatabase::sqlite()), started(test)).await;
}

/// Runs `test` on a server over PostgreSQL; says that it is skipped where there is none.
pub async fn on_postgres(test: impl AsyncFnOnce(&TestApp)) {
    database::with(TestDatabase::postgres().await, started(test)).await;
}

fn started(test: impl AsyncFnOnce(&TestApp)) -> impl AsyncFnOnce(&TestDatabase) {
    async move |database: &TestDatabase| {
        let app = TestApp::start(database).await;
        let outcome = AssertUnwindSafe(test(&app)).catch_unwind().await;
        // Before its database goes, also when the test has failed: workers write as they please.
        app.stop().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    }
}

/// The application in process: no port is listened on, nothing is fetched or delivered.
pub struct Offline {
    /// All routes, with everything around them.
    pub router: axum::Router,
    /// The use cases behind them.
    pub services: Services,
    _data: TempDir,
}

/// The application with `database` in process, for tests with more requests than a socket can carry.
pub async fn offline(database: &TestDatabase) -> Offline {
    let data = tempfile::tempdir().expect("a temporary directory");
    let parts = Parts { clock: Some(Arc::new(ManualClock::at(BEGIN))), ..Parts::default() };
    let bound = helpbot_server::bind(settings(data.path(), database), parts).await.expect("it opens");
    let router = bound.app().expect("the routes are wired");
    Offline { router, services: bound.installation().services.clone(), _data: data }
}

fn settings(data: &Path, database: &TestDatabase) -> Settings {
    Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        metrics_listen: Some(MetricsAddress::Set(SocketAddr::from(([127, 0, 0, 1], 0)))),
        data: data.to_path_buf(),
        database: database.url().clone(),
        database_start_wait: Duration::ZERO,
        drain: Duration::ZERO,
        migrate: StartMigrations::Apply,
        public_url: None,
        allow_private: ALLOWED.parse().expect("an address is an entry"),
        trusted_proxies: Vec::new(),
        model: None,
        embedder: None,
        smtp: None,
        authorities: Vec::new(),
        owner_email: "owner@example.com".into(),
        secret_key: Some(SECRET_KEY),
        previous_secret_key: None,
        max_connections: MAX_CONNECTIONS,
        max_connections_per_address: MAX_CONNECTIONS,
        crawl_delay_ms: 0,
        event_retention_days: RETENTION_DAYS,
        handoff_mail_interval_s: 600,
        reply_mail_delay_s: 60,
        inbound_mail_domain: None,
        inbound_mail_secret: None,
        has_demo: true,
        // Tests ask more in a second than visitors in an hour; those of the limits turn them on.
        has_rate_limits: false,
        costs: helpbot_api::limits::CostLimits::default(),
        cors_headers: Vec::new(),
        has_introspection: true,
        trusted_documents: None,
        has_only_trusted_documents: false,
        has_access_log: true,
        log: "off".into(),
        log_format: LogFormat::Text,
    }
}

/// The product's binary beside this test's own: PDF is read by a child, and the test itself
/// would not do as one. (Where it has not been built, a PDF source fails and says so.)
pub fn helpbot_binary() -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    // target/PROFILE/deps/NAME-HASH
    let profile = test.ancestors().nth(2).expect("tests stand in deps/");
    profile.join("helpbot")
}
