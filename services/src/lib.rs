//! The use cases of HelpBot. GraphQL resolvers, the command line and the background workers call
//! them, and the same rules apply to each caller.
//!
//! A use case is a function `verb(services, viewer, …)` in the module of its noun. It reads
//! downward: check what the [`Viewer`] may do, check the input, load, decide, write in one
//! transaction (the rows with the events and jobs that they cause), then publish. No transaction is
//! open while anything but the database is awaited.
//!
//! Six folders: [`accounts`] (sites, keys, members), [`conversations`], [`knowledge`] (entries and
//! search indexes), [`sources`], [`webhooks`], and [`runtime`] (clock, events, jobs). [`batch_jobs`] joins the
//! large work of several of them. [`backups`] copies the whole installation.

pub mod accounts;
pub mod backups;
pub mod batch_jobs;
pub mod conversations;
pub mod knowledge;
pub mod runtime;
pub mod sources;
pub mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use helpbot_db::Db;
use helpbot_domain::Timestamp;
use helpbot_domain::blocked_visitor::BlockedSubjects;
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::limit::LimitKind;
use helpbot_domain::plan::{Plan, UNLIMITED_CREDITS};
use helpbot_domain::site::Site;
use helpbot_engine::Engine;
use tokio::sync::watch;
use url::Url;

use crate::runtime::metrics::Metrics;

pub use helpbot_db::{DatabaseLoad, PoolLoad};

pub use accounts::viewer::{ProvedSession, Viewer, ViewerMember};
pub use runtime::clock::{Clock, SystemClock};
pub use runtime::error::{Error, Result};

/// Marks a use case whose future is boxed, so that it is compiled once and in this crate.
///
/// The body of an `async fn` is otherwise compiled again, with all its queries, in each crate that
/// awaits it (docs/decisions/0018).
pub(crate) use async_recursion::async_recursion as boxed;

pub use helpbot_engine::AnswerSink;

/// Decides whether an address may be fetched or delivered to. The error contains the reason. The server
/// passes the policy of `outbound`.
pub type UrlPolicy = Arc<dyn Fn(&Url) -> Result<(), String> + Send + Sync>;

/// Settings of an installation.
#[derive(Clone)]
pub struct Settings {
    /// Plan of a new site when the operator names none.
    pub default_plan: Plan,
    /// Questions per month of a new site when the operator names none.
    pub default_credits: i64,
    /// How long events are stored. Older cursors expire.
    pub event_retention: Duration,
    /// Memory for the loaded indexes of all sites.
    pub index_memory_bytes: usize,
    /// Time between two mails to an owner about handoffs.
    pub handoff_mail_interval: Duration,
    /// How messages of the team are mailed to visitors who are not there. `None` when the installation sends no mail.
    pub reply_mails: Option<ReplyMailSettings>,
    /// Key that signs session tokens and seals stored secrets. All nodes must have the same one.
    pub secret_key: [u8; 32],
    /// Another secret key whose signatures and seals are accepted as well: the one from before a rotation, or the next
    /// one.
    pub previous_secret_key: Option<[u8; 32]>,
    /// Key with which client addresses and mailboxes are hashed. It is the first secret key of the installation, and a
    /// rotation does not change it.
    pub hash_key: [u8; 32],
}

/// How messages of the team are mailed to visitors who are not there.
#[derive(Debug, Clone)]
pub struct ReplyMailSettings {
    /// Time between a message and its mail. Messages that follow within it come in the same mail.
    pub delay: Duration,
    /// Domain of the addresses that visitors answer to. `None` when the installation receives no mail.
    pub inbound_domain: Option<String>,
}

impl Settings {
    /// Returns the default settings of a self-hosted installation.
    pub fn new(secret_key: [u8; 32]) -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self {
            default_plan: Plan::Scale,
            default_credits: UNLIMITED_CREDITS,
            event_retention: DAY * 90,
            // A human who answers within minutes is not reminded more often.
            handoff_mail_interval: Duration::from_secs(600),
            reply_mails: None,
            // Space for about 100,000 chunks, which leaves room for everything else on a small
            // machine.
            index_memory_bytes: 512 * 1024 * 1024,
            secret_key,
            previous_secret_key: None,
            hash_key: secret_key,
        }
    }

    /// The secret keys whose signatures and seals are accepted, the current one first.
    pub(crate) fn accepted_keys(&self) -> impl Iterator<Item = &[u8; 32]> {
        std::iter::once(&self.secret_key).chain(&self.previous_secret_key)
    }
}

/// All use cases over one database. Cloning is cheap.
#[derive(Clone)]
pub struct Services {
    db: Db,
    engine: Engine,
    indexes: Arc<knowledge::loaded_indexes::Indexes>,
    keys: Arc<accounts::key_cache::KeyCache>,
    sites: Arc<runtime::cache::TtlCache<SiteId, Arc<Site>>>,
    blocked: Arc<runtime::cache::TtlCache<SiteId, BlockedSubjects>>,
    /// Limits that the owner of a site was notified of, with the day.
    notified_limits: Arc<runtime::cache::TtlCache<(SiteId, LimitKind), i32>>,
    /// Addresses or file names of sources, which never change.
    source_names: Arc<runtime::cache::TtlCache<SourceId, String>>,
    topics: Arc<knowledge::topic_cache::TopicCache>,
    bus: runtime::bus::Bus,
    hints: runtime::hints::Hints,
    rates: Arc<runtime::shared_rates::SharedRates>,
    rooms: conversations::presence::Rooms,
    team: conversations::team_presence::TeamPresence,
    clock: Arc<dyn Clock>,
    url_policy: UrlPolicy,
    webhook_policy: UrlPolicy,
    settings: Arc<Settings>,
    jobs: Arc<watch::Sender<()>>,
    outbox: Arc<watch::Sender<()>>,
    metrics: Arc<Metrics>,
}

impl Services {
    /// Creates the use cases over `db`.
    pub fn new(db: Db, engine: Engine, clock: Arc<dyn Clock>, url_policy: UrlPolicy, settings: Settings) -> Self {
        let hints = runtime::hints::Hints::default();
        Self {
            db,
            engine,
            indexes: Arc::new(knowledge::loaded_indexes::Indexes::new(settings.index_memory_bytes)),
            keys: Arc::new(accounts::key_cache::KeyCache::new(hints.clone())),
            sites: Arc::default(),
            blocked: Arc::default(),
            notified_limits: Arc::default(),
            source_names: Arc::default(),
            topics: Arc::default(),
            bus: runtime::bus::Bus::default(),
            rooms: conversations::presence::Rooms::new(hints.clone()),
            team: conversations::team_presence::TeamPresence::new(hints.clone()),
            rates: runtime::shared_rates::SharedRates::new(&settings.hash_key, hints.clone()),
            hints,
            clock,
            webhook_policy: https_only(url_policy.clone()),
            url_policy,
            settings: Arc::new(settings),
            jobs: Arc::default(),
            outbox: Arc::default(),
            metrics: Arc::default(),
        }
    }

    /// Replaces the policy for the addresses of webhooks. The default allows the HTTPS addresses
    /// that may be fetched.
    pub fn with_webhook_policy(self, webhook_policy: UrlPolicy) -> Self {
        Self { webhook_policy, ..self }
    }

    /// Reads the plan and the blocked visitors of a site again, and checks its open subscriptions.
    pub(crate) fn access_changed(&self, site: SiteId) {
        self.forget_access(site);
        self.hints.tell(runtime::hints::Hint::Access(site));
    }

    /// Same as [`Services::access_changed`], for a change that another node made.
    pub(crate) fn forget_access(&self, site: SiteId) {
        self.sites.forget(&site);
        self.blocked.forget(&site);
        self.bus.recheck(site);
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the number of statements sent to the database. For tests.
    pub fn statements(&self) -> u64 {
        self.db.statements()
    }

    /// Lets running database work finish and refuses new work. For the end of the program.
    #[boxed]
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// Checks the whole database file for damage. Returns the findings of the database, which are
    /// empty when there is no damage.
    ///
    /// # Errors
    /// `Unavailable`.
    #[boxed]
    pub async fn damage(&self) -> Result<Vec<String>> {
        Ok(self.db.damage().await?)
    }

    /// Returns the number of committed transactions.
    pub fn commits(&self) -> u64 {
        self.db.commits()
    }

    /// Returns how busy the connections to the database are.
    pub fn database_load(&self) -> DatabaseLoad {
        self.db.load()
    }

    /// Returns the number of indexes in memory and their total size in bytes.
    pub fn loaded_indexes(&self) -> (usize, usize) {
        self.indexes.usage()
    }

    /// Returns the rate limits, which hold over all nodes.
    pub fn rates(&self) -> &Arc<runtime::shared_rates::SharedRates> {
        &self.rates
    }

    /// Whether it is certain that no other program uses the database for the work of nodes.
    pub(crate) fn is_alone(&self) -> bool {
        !self.db.has_nodes() || self.hints.is_alone()
    }

    /// Returns the counters of this process.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Checks that the database accepts writes. Nothing is changed.
    ///
    /// # Errors
    /// `Unavailable`; `Internal` when the database or its disk is full, read-only or damaged.
    #[boxed]
    pub async fn ready(&self) -> Result<()> {
        Ok(self.db.check_writable().await?)
    }
}

/// Runs work that takes milliseconds to seconds on a thread that does not answer requests.
///
/// # Errors
/// `Internal` when the work panics.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

fn https_only(policy: UrlPolicy) -> UrlPolicy {
    Arc::new(move |url| match url.scheme() {
        "https" => policy(url),
        _ => Err("url must use https.".into()),
    })
}
