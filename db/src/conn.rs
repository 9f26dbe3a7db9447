//! One connection of either kind, and the macro that runs one query on both.
//!
//! `on!(conn, |c| query)` expands the query once per backend, so that Diesel type-checks it
//! against SQLite and against PostgreSQL, and the function around it is written once. Where the
//! two must differ, `on!(conn, sqlite |c| …, pg |c| …)` takes two expressions; the caller says
//! why. (docs/decisions/0002: why not a generic connection, why not Diesel's own enum.)

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::SqliteConnection;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::Result;

/// Runs a statement on the thread that asks for it. A statement of ours takes some ten to a few
/// hundred microseconds; a hop to another thread costs more (research: 8 to 11 hops a
/// transaction made writes eight times slower).
pub struct Inline;

impl SpawnBlocking for Inline {
    fn spawn_blocking<'a, R: Send + 'static>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn std::error::Error + Send + Sync + 'static>>> {
        std::future::ready(Ok(task())).boxed()
    }

    fn get_runtime() -> Self {
        Inline
    }
}

/// An SQLite connection behind the asynchronous interface.
pub type SqliteConn = SyncConnectionWrapper<SqliteConnection, Inline>;

/// An SQLite connection: one of the readers, or the writer's own.
pub(crate) enum SqliteHandle {
    Reader(Object<SqliteConn>),
    Writer(Box<SqliteConn>),
}

impl Deref for SqliteHandle {
    type Target = SqliteConn;

    fn deref(&self) -> &SqliteConn {
        match self {
            SqliteHandle::Reader(object) => object,
            SqliteHandle::Writer(conn) => conn,
        }
    }
}

impl DerefMut for SqliteHandle {
    fn deref_mut(&mut self) -> &mut SqliteConn {
        match self {
            SqliteHandle::Reader(object) => object,
            SqliteHandle::Writer(conn) => conn,
        }
    }
}

/// How many statements were sent, for the tests that count them, and how many transactions were
/// committed: on SQLite each of those waits for the disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatementCount(Arc<[AtomicU64; 2]>);

impl StatementCount {
    pub(crate) fn add_one(&self) {
        self.0[0].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0[0].load(Ordering::Relaxed)
    }

    pub(crate) fn add_commit(&self) {
        self.0[1].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn commits(&self) -> u64 {
        self.0[1].load(Ordering::Relaxed)
    }
}

/// A connection to whichever database the installation has. Every query function takes one.
pub struct Conn {
    pub(crate) backend: Backend,
    pub(crate) statements: StatementCount,
    /// Says that the database is in use; none for the writer's own connection, which outlives
    /// each use.
    pub(crate) _in_use: Option<TaskTrackerToken>,
}

pub(crate) enum Backend {
    Sqlite(SqliteHandle),
    Pg(Box<Object<AsyncPgConnection>>),
}

impl Conn {
    /// Runs statements that take no arguments and give no rows.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<()> {
        match &mut self.backend {
            Backend::Sqlite(handle) => Ok(handle.batch_execute(sql).await?),
            Backend::Pg(object) => Ok(object.batch_execute(sql).await?),
        }
    }
}

/// Runs one query on whichever database the connection is to; see the module.
macro_rules! on {
    ($conn:expr, |$c:ident| $query:expr) => {
        $crate::conn::on!($conn, sqlite | $c | $query, pg | $c | $query)
    };
    ($conn:expr, sqlite |$s:ident| $sqlite:expr, pg |$p:ident| $pg:expr) => {{
        let conn: &mut $crate::Conn = $conn;
        conn.statements.add_one();
        match &mut conn.backend {
            $crate::conn::Backend::Sqlite(handle) => {
                let $s: &mut $crate::conn::SqliteConn = &mut *handle;
                $sqlite
            }
            $crate::conn::Backend::Pg(object) => {
                let $p: &mut diesel_async::AsyncPgConnection = &mut *object;
                $pg
            }
        }
    }};
}
pub(crate) use on;
