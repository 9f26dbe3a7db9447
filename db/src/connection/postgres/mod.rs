//! PostgreSQL: two pools of connections, one for reading and one for writing, and one task and
//! transaction per write. Writes that can be batched share transactions ([`lanes`]), and no site can
//! use all connections ([`SiteTurns`]).
//!
//! [`parameters`] merges the URL with libpq's environment variables, [`connect`] opens one
//! connection, [`pool`] keeps them, and [`pooler`] looks for PgBouncer in between.

mod address;
mod channel;
mod connect;
mod environment;
pub(super) mod handle;
mod lanes;
mod parameters;
mod pool;
mod pooler;
mod snapshot;
mod stall;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::batch::BatchEntry;
use super::channel::Channel;
use super::conn::{Backend, Conn};
use super::load::DatabaseLoad;
use super::migrate::{self, Step};
use super::snapshot::SnapshotKind;
use super::store::{Driver, POOL_WAIT, Shared, Store, abandoned, unavailable};
use super::turns::{SiteTurns, Turn};
use super::work::{TransactionWork, WorkEnd};
use crate::error::{Error, Result};
use channel::PostgresChannel;
use connect::SessionLimits;
use helpbot_domain::ids::SiteId;
use lanes::Lanes;
use parameters::Parameters;
use pool::PostgresPool;

pub use address::{Pooler, PostgresOptions, PostgresUrl};

/// How much longer than a statement may run the server may take to respond.
const STALL_MARGIN: Duration = Duration::from_secs(5);
/// Time between two attempts to reach a server that is down at the start.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// Maximum number of callers of a site that wait for a turn to read or write. Further ones are asked to
/// try again.
const WAITING_MAX: usize = 256;
/// Commits. A failed statement whose error was ignored has aborted the transaction; COMMIT alone would
/// then roll back and still report success. SELECT fails in that case, in the same round trip.
const COMMIT: &str = "SELECT 1; COMMIT";

/// A PostgreSQL database and the parameters of its connections.
pub(super) struct PostgresServer {
    url: PostgresUrl,
}

impl PostgresServer {
    pub(super) fn new(url: PostgresUrl) -> Self {
        Self { url }
    }

    fn parameters(&self) -> Result<Parameters> {
        Parameters::resolve(&self.url).map_err(Error::Schema)
    }

    /// The limits of ordinary connections.
    fn limits(&self) -> SessionLimits {
        let options = &self.url.options;
        SessionLimits {
            statement_timeout: options.statement_timeout,
            lock_timeout: options.lock_timeout,
            stall: Some(options.statement_timeout + STALL_MARGIN),
        }
    }

    /// Connects without limits, for migrations. A server that is down or starting is tried again for
    /// as long as the options say.
    ///
    /// # Errors
    /// `Unavailable` with the reasons of all hosts.
    pub(super) async fn connect_for_migrations(&self) -> Result<AsyncPgConnection> {
        let parameters = self.parameters()?;
        let give_up = Instant::now() + self.url.options.start_wait;
        let mut is_reported = false;
        loop {
            match connect::connect(&parameters, SessionLimits::NONE, Pooler::Transaction).await {
                Ok(connected) => return Ok(connected.conn),
                Err(error) if error.is_temporary && Instant::now() < give_up => {
                    if !std::mem::replace(&mut is_reported, true) {
                        tracing::warn!(%error, "the database cannot be reached yet; trying again");
                    }
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                Err(error) => return Err(unavailable(error)),
            }
        }
    }
}

impl Driver for PostgresServer {
    fn public_name(&self) -> String {
        self.url.public_name()
    }

    fn migrate(&self, step: &Step) -> Result<usize> {
        migrate::postgres(self, step)
    }

    fn open(&self, shared: Shared) -> BoxFuture<'_, Result<Arc<dyn Store>>> {
        async move {
            let parameters = Arc::new(self.parameters()?);
            let (limits, options) = (self.limits(), &self.url.options);
            if options.pooler == Pooler::None {
                pooler::refuse_transaction_mode(&parameters, limits).await?;
            }
            let readers = (options.connections / 2).max(1);
            let writers = options.connections.saturating_sub(readers).max(1);
            let pool = |size: usize| PostgresPool::new(&parameters, limits, options.pooler, size);
            let store = PostgresStore {
                readers: pool(readers)?,
                writers: pool(writers)?,
                // Half of the readers, so that two busy sites still leave each other some. The groups of a
                // site use one more of the writers.
                read_turns: SiteTurns::new((readers / 2).max(1), WAITING_MAX, POOL_WAIT),
                write_turns: SiteTurns::new((writers / 4).max(1), WAITING_MAX, POOL_WAIT),
                lanes: Lanes::default(),
                parameters: Arc::clone(&parameters),
                pooler: options.pooler,
                begin: match options.pooler {
                    Pooler::None => "BEGIN".into(),
                    Pooler::Transaction => format!("BEGIN; {}", limits.as_sql("LOCAL")).into(),
                },
                shared,
            };
            Ok(Arc::new(store) as Arc<dyn Store>)
        }
        .boxed()
    }
}

#[derive(Clone)]
struct PostgresStore {
    readers: PostgresPool,
    writers: PostgresPool,
    read_turns: SiteTurns,
    write_turns: SiteTurns,
    lanes: Lanes,
    parameters: Arc<Parameters>,
    pooler: Pooler,
    /// Statements that begin a transaction.
    begin: Arc<str>,
    shared: Shared,
}

impl Store for PostgresStore {
    fn checkout(&self) -> BoxFuture<'_, Result<Backend>> {
        async move { Ok(Backend::Pg(Box::new(self.readers.reader().await?))) }.boxed()
    }

    fn snapshot<'a>(&'a self, kind: SnapshotKind<'a>) -> BoxFuture<'a, Result<Backend>> {
        async move {
            let mut handle = self.writers.writer().await?;
            match handle.batch_execute(&snapshot::begin(kind)).await {
                Ok(()) => Ok(Backend::Pg(Box::new(handle))),
                Err(error) => {
                    handle.discard();
                    Err(snapshot::refused(error))
                }
            }
        }
        .boxed()
    }

    fn submit(&self, work: TransactionWork) -> BoxFuture<'_, Result<()>> {
        let store = self.clone();
        // A separate task, so that the write finishes even when its caller is dropped.
        let task = self.shared.uses.spawn(async move { store.transaction(work).await });
        async move { task.await.map_err(|_| abandoned())? }.boxed()
    }

    fn submit_batched(&self, site: SiteId, entry: BatchEntry) -> Result<()> {
        self.add_to_lane(site, entry)
    }

    fn read_turn(&self, site: SiteId) -> BoxFuture<'_, Result<Option<Turn>>> {
        async move { self.read_turns.take(site).await.map(Some) }.boxed()
    }

    fn write_turn(&self, site: SiteId) -> BoxFuture<'_, Result<Option<Turn>>> {
        async move { self.write_turns.take(site).await.map(Some) }.boxed()
    }

    fn channel(&self) -> BoxFuture<'_, Result<Option<Box<dyn Channel>>>> {
        async move {
            match self.pooler {
                Pooler::None => Ok(Some(Box::new(PostgresChannel::open(&self.parameters).await?) as Box<dyn Channel>)),
                Pooler::Transaction => Ok(None),
            }
        }
        .boxed()
    }

    fn has_groups(&self) -> bool {
        true
    }

    fn load(&self) -> DatabaseLoad {
        DatabaseLoad {
            kind: "postgres",
            pools: vec![self.readers.load("read"), self.writers.load("write")],
            waiting_writes: self.lanes.waiting(),
            writes: self.shared.writes.state(),
        }
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }

    fn close(&self) {
        self.readers.close();
        self.writers.close();
    }

    /// The disk belongs to the PostgreSQL server, which reports when it is full.
    fn check_space(&self) -> BoxFuture<'_, Result<()>> {
        std::future::ready(Ok(())).boxed()
    }

    /// PostgreSQL verifies its pages whenever it reads them, so there is nothing to check here.
    fn damage<'a>(&'a self, _: &'a mut Conn) -> BoxFuture<'a, Result<Vec<String>>> {
        std::future::ready(Ok(Vec::new())).boxed()
    }
}

impl PostgresStore {
    /// Takes a connection and begins a transaction on it.
    async fn begin(&self) -> Result<Conn> {
        let backend = Backend::Pg(Box::new(self.writers.writer().await?));
        let statements = self.shared.statements.clone();
        let mut conn = Conn { backend, statements, _in_use: Some(self.shared.uses.token()), _turn: None };
        conn.run(&self.begin).await?;
        Ok(conn)
    }

    /// Runs the work in one transaction and notifies its caller.
    ///
    /// # Errors
    /// Returns an error when no transaction could begin. The work did not run then, and its caller
    /// was not notified.
    async fn transaction(&self, work: TransactionWork) -> Result<()> {
        let conn = self.begin().await?;
        // A panic in `work` drops `conn` inside its transaction. The guard then removes the
        // connection from the pool, so that nobody else continues that transaction.
        let mut open = OpenTransaction(Some(conn));
        let conn = open.0.as_mut().expect("taken only below");
        let (ended, is_kept, tell) = match work(conn).await {
            WorkEnd::Commit(tell) => (conn.run(COMMIT).await, true, tell),
            WorkEnd::RollBack(tell) => (conn.run("ROLLBACK").await, false, tell),
        };
        if ended.is_ok() {
            if is_kept {
                self.shared.statements.add_commit();
            }
            drop(open.0.take());
        }
        tell(ended);
        Ok(())
    }
}

/// Closes the connection, instead of returning it to the pool, while a transaction is open on it.
struct OpenTransaction(Option<Conn>);

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        if let Some(Conn { backend: Backend::Pg(handle), .. }) = self.0.take() {
            handle.discard();
        }
    }
}
