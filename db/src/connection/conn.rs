//! One connection to either database, and the macro that runs a query on it.
//!
//! `on!(conn, |c| query)` expands the query once per backend, so that Diesel type-checks it
//! against SQLite and against PostgreSQL while the surrounding function is written once.
//! `on!(conn, <B> |c| query)` also names the backend type, for boxed queries. Decision 0002
//! explains why this is neither a generic connection nor Diesel's own enum.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::SqliteConnection;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::postgres::handle::PgHandle;
use super::readers::SqliteReader;
use super::run::Runner;
use super::turns::Turn;
use crate::error::Result;

/// An SQLite connection: one of the readers, or the connection of the writer thread.
pub(crate) enum SqliteHandle {
    Reader(SqliteReader),
    Writer(Box<SqliteConnection>),
}

impl Deref for SqliteHandle {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            SqliteHandle::Reader(object) => object,
            SqliteHandle::Writer(conn) => conn,
        }
    }
}

impl DerefMut for SqliteHandle {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            SqliteHandle::Reader(object) => object,
            SqliteHandle::Writer(conn) => conn,
        }
    }
}

/// Counts the statements that were sent and the transactions that were committed. Tests use the
/// counts to bound the cost of a use case; on SQLite every commit waits for the disk.
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

/// Runs a query on the backend of a connection. See the module documentation.
macro_rules! on {
    ($conn:expr, |$c:ident| $query:expr) => {
        $crate::connection::conn::on!($conn, <_Backend> |$c| $query)
    };
    ($conn:expr, <$backend:ident> |$c:ident| $query:expr) => {{
        let conn: &mut $crate::connection::conn::Conn = $conn;
        conn.statements.add_one();
        $crate::connection::conn::on_backend!(conn, <$backend> |$c| $query)
    }};
}

/// Compiles an expression for both connection types. This is a fork only in types: both arms
/// contain the same query.
macro_rules! on_backend {
    ($conn:expr, <$backend:ident> |$c:ident| $query:expr) => {
        match &mut $conn.backend {
            $crate::connection::conn::Backend::Sqlite(handle) => {
                type $backend = diesel::sqlite::Sqlite;
                let $c: &mut diesel::SqliteConnection = &mut *handle;
                $query
            }
            $crate::connection::conn::Backend::Pg(object) => {
                type $backend = diesel::pg::Pg;
                let $c: &mut diesel_async::AsyncPgConnection = &mut *object;
                $query
            }
        }
    };
}
pub(crate) use {on, on_backend};

/// A connection to the installation's database. Every query function takes one.
pub struct Conn {
    pub(crate) backend: Backend,
    pub(crate) statements: StatementCount,
    /// Keeps the database open while the connection is in use. `None` for the connection of the
    /// writer thread, which outlives each use.
    pub(crate) _in_use: Option<TaskTrackerToken>,
    /// The turn of the site that the connection serves.
    pub(crate) _turn: Option<Turn>,
}

pub(crate) enum Backend {
    Sqlite(SqliteHandle),
    Pg(Box<PgHandle>),
}

impl Conn {
    /// Runs SQL statements that take no arguments and return no rows. They are not counted.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<()> {
        on_backend!(self, <_Backend> |c| Ok(c.run_all(sql).await?))
    }

    /// Returns whether this database keeps the conversation search index of `conversations::search`.
    /// Only SQLite does: PostgreSQL has a trigram index of its own, which its planner uses without
    /// our help.
    pub(crate) fn has_search_index(&self) -> bool {
        matches!(self.backend, Backend::Sqlite(_))
    }
}
