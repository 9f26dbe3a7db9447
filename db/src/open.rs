//! Opening a database and handing out its connections.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use diesel_async::pooled_connection::deadpool::{Object, Pool, PoolError};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio_util::task::TaskTracker;

use crate::conn::{Backend, Conn, SqliteConn, SqliteHandle, StatementCount};
use crate::work::{Settle, Work};
use crate::writer::Writer;
use crate::{Error, Result, idempotency, migrate, work};

/// Readers of an SQLite file: reads run on the runtime's own threads, so more than a few per
/// core would only wait.
const SQLITE_READERS: usize = 8;
/// Connections to PostgreSQL of one process; its own default limit is 100 for all of them.
const PG_CONNECTIONS: usize = 16;
/// A request that gets no connection for this long is answered "unavailable".
const POOL_WAIT: Duration = Duration::from_secs(5);

/// For the writer. FULL makes an acknowledged write survive a power cut; the group commit pays
/// for it. The rest is defence: foreign keys hold, a hostile schema cannot call functions.
const WRITER_PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; \
     PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;";
const READER_PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; \
     PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096;";

/// Which database an installation uses.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file; made when it is not there.
    Sqlite(PathBuf),
    /// A `postgres://` address.
    Postgres(String),
}

impl fmt::Display for DatabaseUrl {
    /// Without a password: for logs and `doctor`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseUrl::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                write!(f, "postgres://{}", host.split('?').next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(DatabaseUrl::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(DatabaseUrl::Postgres(text.to_owned()));
        }
        Err(Error::Schema("a database is sqlite:PATH or postgres://USER@HOST/NAME".into()))
    }
}

/// An open database; cheap to clone.
#[derive(Clone)]
pub struct Db {
    pools: Pools,
    statements: StatementCount,
    /// Connections that are handed out and writes that have begun; closed with the database.
    uses: TaskTracker,
}

#[derive(Clone)]
enum Pools {
    Sqlite { writer: Writer, readers: Pool<SqliteConn> },
    Pg(Pool<AsyncPgConnection>),
}

impl Db {
    /// Opens the database and brings its tables up to date.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be reached or its directory cannot be written; `Schema`
    /// when it was written by a newer program.
    pub async fn open(url: &DatabaseUrl) -> Result<Self> {
        migrate::up(url).await?;
        Self::connect(url).await
    }

    /// Opens the database as it is.
    ///
    /// # Errors
    /// As [`Db::open`]; `Schema` too when migrations are missing.
    pub async fn open_migrated(url: &DatabaseUrl) -> Result<Self> {
        let pending = migrate::pending(url).await?;
        if pending > 0 {
            return Err(Error::Schema(format!("{pending} migrations are missing: run `helpbot migrate`")));
        }
        Self::connect(url).await
    }

    async fn connect(url: &DatabaseUrl) -> Result<Self> {
        let statements = StatementCount::default();
        let pools = match url {
            DatabaseUrl::Sqlite(path) => {
                let path = path.to_string_lossy().into_owned();
                let conn = sqlite(&path, WRITER_PRAGMAS).await.map_err(unavailable)?;
                let writer = Writer::start(conn, statements.clone()).map_err(unavailable)?;
                Pools::Sqlite { writer, readers: pool(path, SQLITE_READERS, sqlite_reader())? }
            }
            DatabaseUrl::Postgres(url) => Pools::Pg(pool(url.clone(), PG_CONNECTIONS, ManagerConfig::default())?),
        };
        let db = Self { pools, statements, uses: TaskTracker::new() };
        db.reader().await?.run("SELECT 1").await?;
        Ok(db)
    }

    /// Statements sent since the database was opened.
    pub fn statements(&self) -> u64 {
        self.statements.get()
    }

    /// Transactions committed since the database was opened; a group of writes that SQLite commits
    /// at once is one.
    pub fn commits(&self) -> u64 {
        self.statements.commits()
    }

    /// A connection to read with; back in the pool when dropped.
    ///
    /// # Errors
    /// `Unavailable` when none comes free in time, the database is down or closed.
    pub fn reader(&self) -> BoxFuture<'_, Result<Conn>> {
        match self.uses.is_closed() {
            true => std::future::ready(Err(closed())).boxed(),
            false => self.checkout(),
        }
    }

    fn checkout(&self) -> BoxFuture<'_, Result<Conn>> {
        // Before the connection is asked for: who closes the database waits for either.
        let in_use = self.uses.token();
        Box::pin(async move {
            let backend = match &self.pools {
                Pools::Sqlite { readers, .. } => Backend::Sqlite(SqliteHandle::Reader(checkout(readers).await?)),
                Pools::Pg(pool) => Backend::Pg(Box::new(checkout(pool).await?)),
            };
            Ok(Conn { backend, statements: self.statements.clone(), _in_use: Some(in_use) })
        })
    }

    /// Runs `work` in one transaction and gives its result once that is durable. The work runs
    /// to its end even when the caller goes away. It must not wait for anything but `conn`.
    /// Inside an attempt at a named request ([`idempotency::in_turn`]) the transaction also notes
    /// that the request was carried out.
    ///
    /// # Errors
    /// What `work` failed with, after its changes were undone; `Overloaded` when too many
    /// writes wait; `Unavailable` when the database is down or the commit failed.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        let (work, answer) = work::erased(idempotency::current(), work);
        self.submit(work).await?;
        // The sender is dropped unused only when the work panicked.
        answer.await.map_err(|_| abandoned())?
    }

    /// Hands the work over; done when its caller has been or will be told.
    fn submit(&self, work: Work) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if self.uses.is_closed() {
                return Err(closed());
            }
            match &self.pools {
                Pools::Sqlite { writer, .. } => writer.submit(work),
                Pools::Pg(_) => {
                    let db = self.clone();
                    // A task of its own: it ends even when the caller goes away.
                    let task = self.uses.spawn(async move { db.transaction(work).await });
                    task.await.map_err(|_| abandoned())?
                }
            }
        })
    }

    /// Runs the work in one transaction on PostgreSQL, and tells its caller.
    ///
    /// # Errors
    /// When no transaction could begin: nothing was run, and nobody told.
    async fn transaction(&self, work: Work) -> Result<()> {
        let mut conn = self.checkout().await?;
        conn.run("BEGIN").await?;
        // A panic in `work` drops `conn` inside its transaction, and the pool must not hand it
        // out again: the guard takes it out of the pool unless the transaction has ended.
        let mut open = OpenTransaction(Some(conn));
        let conn = open.0.as_mut().expect("taken only below");
        // A failed statement that `work` passed over has aborted the transaction, and COMMIT would
        // then roll back and report success. The SELECT fails in that case, in the same round trip.
        let (ended, is_kept, tell) = match work(conn).await {
            Settle::Keep(tell) => (conn.run("SELECT 1; COMMIT").await, true, tell),
            Settle::Undo(tell) => (conn.run("ROLLBACK").await, false, tell),
        };
        if ended.is_ok() {
            if is_kept {
                self.statements.add_commit();
            }
            drop(open.0.take());
        }
        tell(ended);
        Ok(())
    }

    /// Refuses new work and returns when what has begun is over, also the writes whose callers
    /// are gone. To be called once nobody begins anything.
    pub async fn close(&self) {
        self.uses.close();
        if let Pools::Sqlite { writer, .. } = &self.pools {
            writer.settle().await;
        }
        // Not before: a write that has begun may yet ask for its connection.
        self.uses.wait().await;
        match &self.pools {
            Pools::Sqlite { readers, .. } => readers.close(),
            Pools::Pg(pool) => pool.close(),
        }
    }

    /// What is damaged, in SQLite's own words; empty when all is whole. Reads the whole file. On
    /// PostgreSQL always empty: it checks its pages itself as it reads them.
    ///
    /// # Errors
    /// `Unavailable`; a file that is damaged too much to be read gives that too.
    pub async fn damage(&self) -> Result<Vec<String>> {
        let mut conn = self.reader().await?;
        let found: Vec<Check> = match &mut conn.backend {
            Backend::Sqlite(handle) => {
                let check = diesel::sql_query("SELECT integrity_check AS text FROM pragma_integrity_check");
                diesel_async::RunQueryDsl::load(check, &mut **handle).await?
            }
            Backend::Pg(_) => Vec::new(),
        };
        Ok(found.into_iter().map(|check| check.text).filter(|text| text != "ok").collect())
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn ping(&self) -> Result<()> {
        self.reader().await?.run("SELECT 1").await
    }
}

/// One line of SQLite's check.
#[derive(diesel::QueryableByName)]
struct Check {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// Closes the connection instead of giving it back when a transaction is still open on it.
struct OpenTransaction(Option<Conn>);

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        if let Some(Conn { backend: Backend::Pg(object), .. }) = self.0.take() {
            drop(Object::take(*object));
        }
    }
}

async fn checkout<C>(pool: &Pool<C>) -> Result<Object<C>>
where
    C: diesel_async::pooled_connection::PoolableConnection + Send + 'static,
    AsyncDieselConnectionManager<C>:
        deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
{
    pool.get().await.map_err(|error| match error {
        PoolError::Timeout(_) => Error::Unavailable("no connection came free in time".into()),
        other => Error::Unavailable(other.to_string()),
    })
}

fn pool<C>(url: String, max_size: usize, mut config: ManagerConfig<C>) -> Result<Pool<C>>
where
    C: diesel_async::pooled_connection::PoolableConnection + Send + 'static,
    AsyncDieselConnectionManager<C>:
        deadpool::managed::Manager<Type = C, Error = diesel_async::pooled_connection::PoolError>,
{
    // A look at the connection's own state; a ping would cost every request a round trip.
    config.recycling_method = RecyclingMethod::Fast;
    Pool::builder(AsyncDieselConnectionManager::new_with_config(url, config))
        .max_size(max_size)
        .wait_timeout(Some(POOL_WAIT))
        .create_timeout(Some(POOL_WAIT))
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(unavailable)
}

fn sqlite_reader() -> ManagerConfig<SqliteConn> {
    let mut config = ManagerConfig::default();
    config.custom_setup = Box::new(|path| sqlite(path, READER_PRAGMAS).boxed());
    config
}

async fn sqlite(path: &str, pragmas: &str) -> diesel::ConnectionResult<SqliteConn> {
    let mut conn = SqliteConn::establish(path).await?;
    conn.batch_execute(pragmas).await.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

fn closed() -> Error {
    Error::Unavailable("the database is closed".into())
}

fn abandoned() -> Error {
    Error::Unavailable("the write was abandoned".into())
}

fn unavailable(error: impl fmt::Display) -> Error {
    Error::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let url: DatabaseUrl =
            "postgres://ann:secret@db.example:5432/helpbot?sslmode=disable".parse().expect("an address");

        assert_eq!(url.to_string(), "postgres://db.example:5432/helpbot");
        assert_eq!(format!("{url:?}"), url.to_string());
    }

    #[test]
    fn anything_else_is_refused_with_the_two_forms() {
        for text in ["", "sqlite:", "mysql://x", "helpbot.db"] {
            assert!(matches!(text.parse::<DatabaseUrl>(), Err(Error::Schema(_))), "{text}");
        }
    }
}
