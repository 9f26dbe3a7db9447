//! How a snapshot begins on PostgreSQL.
//!
//! A node holds a shared advisory lock on the connection of its channel. A program that needs the database
//! for itself takes the same lock exclusively, and locks the tables against writers that have no channel.

use crate::connection::snapshot::SnapshotKind;
use crate::error::Error;

/// Takes the lock that shows that a node is running. Advisory locks belong to the database, and a
/// database may contain several installations, each in a schema.
pub(super) const TAKE_NODE_LOCK: &str =
    "SELECT pg_try_advisory_lock_shared(1752132976, hashtext(current_schema()::text))";

/// Fails while a node holds [`TAKE_NODE_LOCK`], and keeps new ones away until the transaction ends.
const KEEP_NODES_AWAY: &str = "DO $$ BEGIN \
     IF NOT pg_try_advisory_xact_lock(1752132976, hashtext(current_schema()::text)) THEN \
     RAISE EXCEPTION 'a node of this installation is running'; END IF; END $$";

/// A batch may wait for the disk of the copy for longer than requests may take.
const LIMITS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

/// Returns the statements that begin a snapshot.
pub(super) fn begin(kind: SnapshotKind<'_>) -> String {
    match kind {
        SnapshotKind::Shared => {
            format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {LIMITS}; SELECT id FROM installation")
        }
        // The locks come before the first query, which decides what the transaction sees.
        SnapshotKind::Exclusive(tables) => {
            let quoted: Vec<String> = tables.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
            format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ; {LIMITS}; LOCK TABLE {} IN SHARE MODE NOWAIT; {KEEP_NODES_AWAY}",
                quoted.join(", ")
            )
        }
    }
}

/// The error of a snapshot that could not begin.
pub(super) fn refused(error: diesel::result::Error) -> Error {
    match error {
        diesel::result::Error::DatabaseError(_, info) if is_in_use(info.message()) => {
            Error::Unavailable(format!("other programs use the database: {}", info.message()))
        }
        other => other.into(),
    }
}

fn is_in_use(message: &str) -> bool {
    message.contains("could not obtain lock") || message.contains("is running")
}
