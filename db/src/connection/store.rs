//! What SQLite and PostgreSQL must each provide: a [`Driver`] for a database URL and a [`Store`]
//! for an open database. [`super::open`] uses them without knowing which database it has.

use std::fmt;
use std::sync::Arc;

use deadpool::managed::{Manager, Object, Pool, PoolError, QueueMode};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use helpbot_domain::ids::SiteId;
use helpbot_domain::measurement::Histogram;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::batch::BatchEntry;
use super::channel::Channel;
use super::conn::{Backend, Conn, StatementCount};
use super::load::{DatabaseLoad, PoolWait};
use super::migrate::Step;
use super::snapshot::SnapshotKind;
use super::turns::Turn;
use super::work::TransactionWork;
use crate::error::{Error, Result};

/// How long a request waits for a free connection before it fails with `Unavailable`.
pub(super) const POOL_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

/// A database that can be opened.
pub(super) trait Driver: Send + Sync {
    /// Returns the URL without its password.
    fn public_name(&self) -> String;

    /// Runs a migration step and returns the number of migrations that were applied, pending or
    /// reverted. Blocks.
    fn migrate(&self, step: &Step) -> Result<usize>;

    /// Opens the database as it is.
    fn open(&self, shared: Shared) -> BoxFuture<'_, Result<Arc<dyn Store>>>;
}

/// An open database.
pub(super) trait Store: Send + Sync {
    /// Takes a connection for reading from the pool.
    fn checkout(&self) -> BoxFuture<'_, Result<Backend>>;

    /// Takes a connection and begins a transaction on it that sees the database as it is now.
    ///
    /// # Errors
    /// `Unavailable`, also when another program holds a lock that the kind of snapshot excludes.
    fn snapshot<'a>(&'a self, kind: SnapshotKind<'a>) -> BoxFuture<'a, Result<Backend>>;

    /// Runs `work` in a transaction. Returns once the caller of the work was notified or certainly
    /// will be.
    fn submit(&self, work: TransactionWork) -> BoxFuture<'_, Result<()>>;

    /// Adds a write to the next group of its site, if [`Store::has_groups`].
    ///
    /// # Errors
    /// `Overloaded` when too many writes of the site wait.
    fn submit_batched(&self, _site: SiteId, _entry: BatchEntry) -> Result<()> {
        Err(Error::Overloaded)
    }

    /// Waits until the site may use a connection for reading. `None` when there is no limit per site:
    /// reads of SQLite do not wait for another machine.
    fn read_turn(&self, _site: SiteId) -> BoxFuture<'_, Result<Option<Turn>>> {
        std::future::ready(Ok(None)).boxed()
    }

    /// Waits until the site may use a connection for writing. `None` when there is no limit per site:
    /// SQLite has one writer, which each write occupies for less than a millisecond.
    fn write_turn(&self, _site: SiteId) -> BoxFuture<'_, Result<Option<Turn>>> {
        std::future::ready(Ok(None)).boxed()
    }

    /// Whether [`Store::submit_batched`] forms groups.
    fn has_groups(&self) -> bool {
        false
    }

    /// Opens a channel to the other nodes. `None` when this database has none.
    fn channel(&self) -> BoxFuture<'_, Result<Option<Box<dyn Channel>>>> {
        std::future::ready(Ok(None)).boxed()
    }

    /// How busy the connections are. [`Shared`] counts the writes.
    fn load(&self) -> DatabaseLoad;

    /// Waits for queued writes to finish.
    fn settle(&self) -> BoxFuture<'_, ()>;

    /// Closes the pool.
    fn close(&self);

    /// Checks that the disk of the database has space, as far as this process can know.
    fn check_space(&self) -> BoxFuture<'_, Result<()>>;

    /// Lists damage to the stored data, in the words of the database. Empty when there is none.
    fn damage<'a>(&'a self, conn: &'a mut Conn) -> BoxFuture<'a, Result<Vec<String>>>;
}

/// State that a [`Store`] shares with its [`super::Db`].
#[derive(Clone, Default)]
pub(super) struct Shared {
    pub(super) statements: StatementCount,
    /// Connections in use and writes in progress. Closed together with the database.
    pub(super) uses: TaskTracker,
    /// Time from handing over a write until it was durable or had failed.
    pub(super) writes: Arc<Histogram>,
}

pub(super) async fn checkout<M>(pool: &Pool<M>, wait: &PoolWait) -> Result<Object<M>>
where
    M: Manager<Error: fmt::Display>,
{
    let started = Instant::now();
    let taken = pool.get().await;
    wait.0.record(started.elapsed());
    taken.map_err(|error| match error {
        PoolError::Timeout(_) => Error::Unavailable("no database connection became free in time".into()),
        other => Error::Unavailable(other.to_string()),
    })
}

pub(super) fn pool<M: Manager>(manager: M, max_size: usize) -> Result<Pool<M>> {
    Pool::builder(manager)
        .max_size(max_size)
        // The connection that was used last has its pages and statements in the caches of the processor.
        .queue_mode(QueueMode::Lifo)
        .wait_timeout(Some(POOL_WAIT))
        .create_timeout(Some(POOL_WAIT))
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(unavailable)
}

pub(super) fn unavailable(error: impl fmt::Display) -> Error {
    Error::Unavailable(error.to_string())
}

/// The error of a write whose task ended without a result.
pub(super) fn abandoned() -> Error {
    Error::Unavailable("the write was abandoned".into())
}
