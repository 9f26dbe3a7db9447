//! A connection that sees the database as it was at one moment, for as long as it is held.

use std::ops::{Deref, DerefMut};

use super::conn::{Backend, Conn, SqliteHandle};
use super::readers::SqliteReader;

/// What other programs may do while a snapshot is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotKind<'a> {
    /// They read and write. The snapshot does not see their changes.
    Shared,
    /// They only read. On PostgreSQL, the tables with these names are locked; SQLite has one lock for all tables.
    Exclusive(&'a [&'a str]),
}

/// A connection in a transaction that only reads. Dropping it closes the connection, so that nobody continues the
/// transaction.
pub struct Snapshot(Option<Conn>);

impl Snapshot {
    pub(super) fn new(conn: Conn) -> Self {
        Self(Some(conn))
    }
}

impl Deref for Snapshot {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.0.as_ref().expect("taken only when the snapshot ends")
    }
}

impl DerefMut for Snapshot {
    fn deref_mut(&mut self) -> &mut Conn {
        self.0.as_mut().expect("taken only when the snapshot ends")
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        match self.0.take().map(|conn| conn.backend) {
            Some(Backend::Sqlite(SqliteHandle::Reader(reader))) => drop(SqliteReader::take(reader)),
            Some(Backend::Pg(handle)) => handle.discard(),
            Some(Backend::Sqlite(SqliteHandle::Writer(_))) | None => {}
        }
    }
}
