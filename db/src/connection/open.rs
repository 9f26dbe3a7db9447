//! An open database: read connections, writes, migrations and shutdown.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use helpbot_domain::ids::SiteId;
use tokio::time::Instant;

use super::batch::{BatchEntry, Batched, run_alone};
use super::channel::Channel;
use super::conn::Conn;
use super::database_url::DatabaseUrl;
use super::load::DatabaseLoad;
use super::migrate::{Step, refuse_pending};
use super::snapshot::{Snapshot, SnapshotKind};
use super::store::{Shared, Store, abandoned};
use super::work::{self, TransactionWork};
use crate::accounts::audit_log;
use crate::error::{Error, Result};
use crate::runtime::idempotency;

/// An open database. Cloning is cheap.
#[derive(Clone)]
pub struct Db {
    store: Arc<dyn Store>,
    shared: Shared,
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").finish_non_exhaustive()
    }
}

impl Db {
    /// Opens the database and applies pending migrations.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached or its directory cannot be written;
    /// `Schema` when a newer version of the program wrote the database.
    pub async fn open(url: &DatabaseUrl) -> Result<Self> {
        migrate(url, Step::Up).await?;
        Self::connect(url).await
    }

    /// Opens the database without applying migrations.
    ///
    /// # Errors
    /// Same as [`Db::open`]; also `Schema` when migrations are pending.
    pub async fn open_migrated(url: &DatabaseUrl) -> Result<Self> {
        refuse_pending(migrate(url, Step::Pending).await?)?;
        Self::connect(url).await
    }

    /// Opens the database, and applies all migrations if it has no tables yet.
    ///
    /// # Errors
    /// Same as [`Db::open`]; also `Schema` when migrations are pending.
    pub async fn open_or_create(url: &DatabaseUrl) -> Result<Self> {
        migrate(url, Step::UpIfEmpty).await?;
        Self::connect(url).await
    }

    /// Opens the database and brings its tables to the state of these migrations, of which a backup has a list.
    /// Only a database without tables is changed.
    ///
    /// # Errors
    /// Same as [`Db::open`]; also `Schema` when the database has other tables, or when this program does not know
    /// one of the migrations.
    pub async fn open_at(url: &DatabaseUrl, migrations: &[String]) -> Result<Self> {
        migrate(url, Step::UpTo(migrations.to_vec())).await?;
        Self::connect(url).await
    }

    async fn connect(url: &DatabaseUrl) -> Result<Self> {
        let shared = Shared::default();
        let db = Self { store: url.driver().open(shared.clone()).await?, shared };
        db.reader().await?.run("SELECT 1").await?;
        Ok(db)
    }

    /// Applies pending migrations and returns their number.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached or written; `Schema` when a migration
    /// fails or a newer version of the program wrote the database.
    pub async fn migrate(url: &DatabaseUrl) -> Result<usize> {
        migrate(url, Step::Up).await
    }

    /// Returns the number of pending migrations.
    ///
    /// # Errors
    /// Same as [`Db::migrate`].
    pub async fn pending_migrations(url: &DatabaseUrl) -> Result<usize> {
        migrate(url, Step::Pending).await
    }

    /// Reverts all migrations, which deletes all data.
    ///
    /// # Errors
    /// Same as [`Db::migrate`].
    pub async fn revert_migrations(url: &DatabaseUrl) -> Result<()> {
        migrate(url, Step::Down).await.map(drop)
    }

    /// Returns the number of statements sent since the database was opened.
    pub fn statements(&self) -> u64 {
        self.shared.statements.get()
    }

    /// Returns the number of transactions committed since the database was opened. A group of
    /// writes that SQLite commits together counts once.
    pub fn commits(&self) -> u64 {
        self.shared.statements.commits()
    }

    /// Returns how busy the connections are.
    pub fn load(&self) -> DatabaseLoad {
        self.store.load()
    }

    /// Returns a connection for reading. Dropping it returns it to the pool.
    ///
    /// # Errors
    /// `Unavailable` when no connection becomes free in time, or the database is down or closed.
    pub fn reader(&self) -> BoxFuture<'_, Result<Conn>> {
        self.checkout(None)
    }

    /// Returns a connection that sees the database as it is now, and not what is written afterwards. It is closed
    /// when it is dropped. On SQLite, the write-ahead log grows while it is held.
    ///
    /// # Errors
    /// Same as [`Db::reader`]; also `Unavailable` when [`SnapshotKind::Exclusive`] is wanted and another program writes
    /// or, on PostgreSQL, a node is running.
    pub async fn snapshot(&self, kind: SnapshotKind<'_>) -> Result<Snapshot> {
        if self.shared.uses.is_closed() {
            return Err(closed());
        }
        let in_use = self.shared.uses.token();
        let backend = self.store.snapshot(kind).await?;
        let statements = self.shared.statements.clone();
        Ok(Snapshot::new(Conn { backend, statements, _in_use: Some(in_use), _turn: None }))
    }

    /// Same as [`Db::reader`], for a query of one site. On PostgreSQL, no site can use all connections.
    ///
    /// # Errors
    /// Same as [`Db::reader`]; `Overloaded` when too many readers of the site wait.
    pub fn reader_of(&self, site: SiteId) -> BoxFuture<'_, Result<Conn>> {
        self.checkout(Some(site))
    }

    fn checkout(&self, site: Option<SiteId>) -> BoxFuture<'_, Result<Conn>> {
        if self.shared.uses.is_closed() {
            return std::future::ready(Err(closed())).boxed();
        }
        // Taken before the connection is, so that closing the database waits for both.
        let in_use = self.shared.uses.token();
        async move {
            let turn = match site {
                Some(site) => self.store.read_turn(site).await?,
                None => None,
            };
            let backend = self.store.checkout().await?;
            Ok(Conn { backend, statements: self.shared.statements.clone(), _in_use: Some(in_use), _turn: turn })
        }
        .boxed()
    }

    /// Runs `work` in one transaction and returns its result once that is durable.
    ///
    /// The work finishes even when the caller is dropped. It must not wait for anything but
    /// `conn`. Within an attempt at an idempotent request ([`idempotency::in_attempt`]), the
    /// transaction also records that the request was executed.
    ///
    /// # Errors
    /// The error of `work`, after its changes were rolled back; `Overloaded` when too many writes
    /// are waiting; `Unavailable` when the database is down or the commit failed.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        let started = Instant::now();
        let (work, answer) = work::erased(idempotency::current(), audit_log::pending(), work);
        self.submit(work).await?;
        let answer = answer.await;
        self.shared.writes.record(started.elapsed());
        // The sender is dropped without a result only when the work panicked.
        answer.map_err(|_| abandoned())?
    }

    /// Same as [`Db::write`], for a write of one site. On PostgreSQL, no site can use all connections.
    ///
    /// # Errors
    /// Same as [`Db::write`]; `Overloaded` when too many writes of the site wait.
    pub async fn write_of<T, E, F>(&self, site: SiteId, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        let _turn = self.store.write_turn(site).await?;
        self.write(work).await
    }

    /// Carries out a write of a site in one transaction, and returns its result once that is durable. On
    /// PostgreSQL, writes of the same kind and site that wait share a transaction. It finishes even when the
    /// caller is dropped, and counts as executed for an idempotent request like [`Db::write`].
    ///
    /// # Errors
    /// The error of the write, which does not affect the others; `Overloaded` when too many writes of
    /// the site wait; `Unavailable`.
    pub async fn write_batched<W: Batched>(&self, site: SiteId, write: W) -> Result<W::Output, W::Error> {
        if !self.store.has_groups() {
            return self.write(move |c| run_alone(c, write).boxed()).await;
        }
        if self.shared.uses.is_closed() {
            return Err(closed().into());
        }
        let (entry, answer) = BatchEntry::new(write, idempotency::current());
        let started = Instant::now();
        self.store.submit_batched(site, entry)?;
        let answer = answer.await;
        self.shared.writes.record(started.elapsed());
        answer.map_err(|_| abandoned())?
    }

    /// Whether several nodes may share this database.
    pub fn has_nodes(&self) -> bool {
        self.store.has_groups()
    }

    /// Opens a channel to the other nodes of the installation, on a connection of its own. `None` on SQLite, and
    /// behind a pooler in transaction mode, which cannot carry one.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn channel(&self) -> Result<Option<Box<dyn Channel>>> {
        self.store.channel().await
    }

    fn submit(&self, work: TransactionWork) -> BoxFuture<'_, Result<()>> {
        if self.shared.uses.is_closed() {
            return std::future::ready(Err(closed())).boxed();
        }
        self.store.submit(work)
    }

    /// Rejects new work and returns when all work in progress is done, including writes whose
    /// callers are gone. Call it when nothing starts new work anymore.
    pub async fn close(&self) {
        self.shared.uses.close();
        self.store.settle().await;
        // The pool closes last: a write in progress may still need a connection.
        self.shared.uses.wait().await;
        self.store.close();
    }

    /// Lists damage to the database file, in the words of SQLite. Empty when there is none, and
    /// always empty on PostgreSQL. Reads the whole file.
    ///
    /// # Errors
    /// `Unavailable`. A file that is too damaged to read fails as well.
    pub async fn damage(&self) -> Result<Vec<String>> {
        let mut conn = self.reader().await?;
        self.store.damage(&mut conn).await
    }

    /// Checks that the database accepts writes: changes a row, rolls that back, and on SQLite also
    /// writes a file beside the database, because a full disk shows only at a commit.
    ///
    /// # Errors
    /// `Unavailable` or `Overloaded`; `Query` when the database is read-only or damaged.
    pub async fn check_writable(&self) -> Result<()> {
        let written: Result<(), Probe> = self
            .write(|c| Box::pin(async move { Err(c.run(PROBE).await.map_or_else(Probe::Failed, |()| Probe::Written)) }))
            .await;
        match written {
            Err(Probe::Failed(error)) => Err(error),
            Ok(()) | Err(Probe::Written) => self.store.check_space().await,
        }
    }
}

/// A change of one row. It is always rolled back.
const PROBE: &str = "UPDATE __diesel_schema_migrations SET run_on = run_on";

/// How the transaction of [`Db::check_writable`] ends. Both ends are errors, so that it is rolled back.
enum Probe {
    Written,
    Failed(Error),
}

impl From<Error> for Probe {
    fn from(error: Error) -> Self {
        Probe::Failed(error)
    }
}

fn closed() -> Error {
    Error::Unavailable("the database is closed".into())
}

/// Runs a migration step and returns the number of migrations that were applied, pending or
/// reverted.
async fn migrate(url: &DatabaseUrl, step: Step) -> Result<usize> {
    let driver = url.driver();
    // Diesel runs migrations synchronously, so they need a thread of their own.
    tokio::task::spawn_blocking(move || driver.migrate(&step))
        .await
        .map_err(|error| Error::Schema(format!("the migration was interrupted: {error}")))?
}
