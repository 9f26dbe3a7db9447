//! The use cases. GraphQL resolvers, the command line and background workers call these, and
//! the same rules hold for each of them.
//!
//! A use case reads downward: may the [`Viewer`] do this, is the input good, load, decide,
//! write in one transaction (the rows, the events and the jobs that they cause), tell the bus.
//! No transaction is open while anything but the database is waited for.

pub mod accounts;
pub mod conversations;
pub mod knowledge;
pub mod runtime;
pub mod sources;
pub mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use helpbot_db::Db;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::plan::{Plan, UNLIMITED_CREDITS};
use helpbot_domain::site::Site;
use helpbot_engine::Engine;
use tokio::sync::watch;
use url::Url;

use crate::runtime::metrics::Metrics;

pub use accounts::viewer::{MemberIdentity, Viewer};
pub use runtime::clock::{Clock, SystemClock};
pub use runtime::error::{Error, Result};

/// Stands on every use case: its future is boxed, and so compiled here and once.
///
/// The body of an `async fn` is compiled anew in each crate that awaits it, with all the queries
/// inside; the surface, the workers and the command line each had a copy of the whole house
/// (docs/decisions/0018).
pub(crate) use async_recursion::async_recursion as boxed;

pub use helpbot_engine::AnswerSink;

/// Says whether an address may be fetched or delivered to; the reason if not. The rule is
/// `outbound`'s, handed in by the wiring.
pub type UrlPolicy = Arc<dyn Fn(&Url) -> Result<(), String> + Send + Sync>;

/// What an installation sets.
#[derive(Clone)]
pub struct Settings {
    /// The plan of a site for which the operator names none.
    pub default_plan: Plan,
    /// Its questions a month.
    pub default_credits: i64,
    /// How long events are kept, and with them how old a cursor may be.
    pub event_retention: Duration,
    /// Memory for loaded indexes, over all sites.
    pub index_memory_bytes: usize,
    /// Signs session tokens and seals secrets at rest. The same on all nodes.
    pub secret_key: [u8; 32],
}

impl Settings {
    /// The defaults of a self-hosted installation, with its key.
    pub fn new(secret_key: [u8; 32]) -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self {
            default_plan: Plan::Scale,
            default_credits: UNLIMITED_CREDITS,
            event_retention: DAY * 90,
            // Room for some 100,000 chunks beside everything else on a small machine.
            index_memory_bytes: 512 * 1024 * 1024,
            secret_key,
        }
    }
}

/// All use cases over one database; cheap to clone.
#[derive(Clone)]
pub struct Services {
    db: Db,
    engine: Engine,
    indexes: Arc<knowledge::indexes::Indexes>,
    keys: Arc<accounts::access::KeyCache>,
    sites: Arc<runtime::cache::TtlCache<SiteId, Arc<Site>>>,
    /// What sources are called: the address or file name, which never changes.
    source_names: Arc<runtime::cache::TtlCache<SourceId, String>>,
    bus: runtime::bus::Bus,
    rooms: conversations::activity::Rooms,
    clock: Arc<dyn Clock>,
    url_policy: UrlPolicy,
    webhook_policy: UrlPolicy,
    settings: Arc<Settings>,
    jobs: Arc<watch::Sender<()>>,
    outbox: Arc<watch::Sender<()>>,
    metrics: Arc<Metrics>,
}

impl Services {
    /// The use cases over `db`.
    pub fn new(db: Db, engine: Engine, clock: Arc<dyn Clock>, url_policy: UrlPolicy, settings: Settings) -> Self {
        Self {
            db,
            engine,
            indexes: Arc::new(knowledge::indexes::Indexes::new(settings.index_memory_bytes)),
            keys: Arc::default(),
            sites: Arc::default(),
            source_names: Arc::default(),
            bus: runtime::bus::Bus::default(),
            rooms: conversations::activity::Rooms::default(),
            clock,
            webhook_policy: https_only(url_policy.clone()),
            url_policy,
            settings: Arc::new(settings),
            jobs: Arc::default(),
            outbox: Arc::default(),
            metrics: Arc::default(),
        }
    }

    /// With a rule of its own for where webhooks may be sent; without it, to the https addresses
    /// that may be fetched.
    pub fn with_webhook_policy(self, webhook_policy: UrlPolicy) -> Self {
        Self { webhook_policy, ..self }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Statements sent to the database so far; for the tests that count them.
    pub fn statements(&self) -> u64 {
        self.db.statements()
    }

    /// Lets what has begun on the database end, and nothing begin. For the end of the program.
    #[boxed]
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// What is damaged in the database's file, in its own words; empty when all is whole. Reads all
    /// of it.
    ///
    /// # Errors
    /// `Unavailable`.
    #[boxed]
    pub async fn damage(&self) -> Result<Vec<String>> {
        Ok(self.db.damage().await?)
    }

    /// Transactions committed so far.
    pub fn commits(&self) -> u64 {
        self.db.commits()
    }

    /// What this process has done so far.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// `Unavailable`.
    #[boxed]
    pub async fn ready(&self) -> Result<()> {
        Ok(self.db.ping().await?)
    }
}

/// Does work that takes milliseconds to seconds, as building an index or asking it a thousand
/// questions does: not on the threads that answer.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

fn https_only(policy: UrlPolicy) -> UrlPolicy {
    Arc::new(move |url| match url.scheme() {
        "https" => policy(url),
        _ => Err("the URL must use https".into()),
    })
}
