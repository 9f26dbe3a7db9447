//! The pool of read-only connections to an SQLite file.

use deadpool::managed::{Manager, Metrics, Object, RecycleResult};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

const READER_PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; \
     PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096;";

/// Opens a connection and applies settings to it.
pub(super) fn connect(path: &str, pragmas: &str) -> diesel::ConnectionResult<SqliteConnection> {
    let mut conn = SqliteConnection::establish(path)?;
    conn.batch_execute(pragmas).map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Opens the connections of the pool of readers.
pub(crate) struct SqliteReaders {
    pub(super) path: String,
}

/// A connection of the pool of readers.
pub(crate) type SqliteReader = Object<SqliteReaders>;

impl Manager for SqliteReaders {
    type Type = SqliteConnection;
    type Error = diesel::ConnectionError;

    async fn create(&self) -> diesel::ConnectionResult<SqliteConnection> {
        connect(&self.path, READER_PRAGMAS)
    }

    /// A reader has no state that a failed statement could leave behind: each statement is a transaction of its own.
    async fn recycle(&self, _: &mut SqliteConnection, _: &Metrics) -> RecycleResult<diesel::ConnectionError> {
        Ok(())
    }
}
