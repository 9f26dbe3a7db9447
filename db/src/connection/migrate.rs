//! Migrations: creating and updating the tables. The SQL files are compiled in from `migrations/`.
//!
//! [`super::open`] picks a [`Step`] and runs it on a blocking thread. Migrations are never edited
//! after they landed.

use std::path::Path;

use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::{Error, Result};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");
/// Older SQLite can lose commits in WAL mode with two connections (sqlite.org/wal.html#walresetbug).
const SQLITE_MIN: (u32, u32, u32) = (3, 51, 3);
/// Key of the advisory lock that keeps two nodes from migrating at the same time: "HelpBot" in ASCII.
const PG_LOCK: i64 = 0x0048_656c_7042_6f74;

/// What to do with the migrations of a database.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Apply the pending ones.
    Up,
    /// Count the pending ones.
    Pending,
    /// Revert all of them. Tests use this to prove each `down.sql`.
    Down,
}

/// Runs a step on an SQLite file. Blocks.
pub(super) fn sqlite(path: &Path, step: Step) -> Result<usize> {
    let mut conn = open_sqlite(path)?;
    match step {
        // One transaction from the check to the last migration: of two programs that start at the
        // same time, one migrates and the other finds the work done.
        Step::Up => conn.immediate_transaction(|conn| perform(conn, SQLITE, step)),
        Step::Pending | Step::Down => perform(&mut conn, SQLITE, step),
    }
}

/// Runs a step on a PostgreSQL database. Blocks.
pub(super) fn postgres(url: &str, step: Step) -> Result<usize> {
    with_postgres(url, |conn| perform(conn, POSTGRES, step))
}

fn perform<DB, H>(conn: &mut H, migrations: EmbeddedMigrations, step: Step) -> Result<usize>
where
    DB: diesel::backend::Backend,
    H: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    match step {
        Step::Down => Ok(conn.revert_all_migrations(migrations).map_err(schema)?.len()),
        Step::Pending => {
            refuse_newer(conn, &migrations)?;
            Ok(conn.pending_migrations(migrations).map_err(schema)?.len())
        }
        Step::Up => {
            refuse_newer(conn, &migrations)?;
            Ok(conn.run_pending_migrations(migrations).map_err(schema)?.len())
        }
    }
}

fn open_sqlite(path: &Path) -> Result<SqliteConnection> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())
        .map_err(|error| Error::Unavailable(format!("cannot open {}: {error}", path.display())))?;
    // Foreign keys are off: a migration that recreates a table drops the old one, which would delete
    // the rows that refer to it. The setting cannot be changed inside a transaction.
    diesel::connection::SimpleConnection::batch_execute(
        &mut conn,
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;",
    )
    .map_err(|error| Error::Unavailable(format!("cannot open {}: {error}", path.display())))?;
    assert_sqlite_version(&mut conn)?;
    Ok(conn)
}

fn assert_sqlite_version(conn: &mut SqliteConnection) -> Result<()> {
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = diesel::sql_types::Text)]
        version: String,
    }
    let Version { version } = sql_query("SELECT sqlite_version() AS version").get_result(conn)?;
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    let found = (part(), part(), part());
    if found < SQLITE_MIN {
        let (a, b, c) = SQLITE_MIN;
        return Err(Error::Schema(format!(
            "SQLite {version} can lose commits; version {a}.{b}.{c} or newer is required"
        )));
    }
    Ok(())
}

/// Runs `work` on a synchronous view of a PostgreSQL connection, while holding the lock that keeps
/// other nodes from migrating.
fn with_postgres<T>(
    url: &str,
    work: impl FnOnce(&mut AsyncMigrationHarness<AsyncPgConnection>) -> Result<T>,
) -> Result<T> {
    // The synchronous view needs a multi-threaded runtime. The caller's runtime may have a single
    // thread, as in tests.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Error::Unavailable(error.to_string()))?;
    let conn = runtime.block_on(async {
        let mut conn = AsyncPgConnection::establish(url).await.map_err(|e| Error::Unavailable(e.to_string()))?;
        conn.batch_execute(&format!("SELECT pg_advisory_lock({PG_LOCK})")).await?;
        Ok::<_, Error>(conn)
    })?;
    let _inside = runtime.enter();
    // The lock is released when the connection closes.
    work(&mut AsyncMigrationHarness::new(conn))
}

fn refuse_newer<DB>(conn: &mut impl MigrationHarness<DB>, steps: &EmbeddedMigrations) -> Result<()>
where
    DB: diesel::backend::Backend,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let known: Vec<Box<dyn Migration<DB>>> = steps.migrations().map_err(schema)?;
    let is_known = |version: &MigrationVersion<'_>| known.iter().any(|step| step.name().version() == *version);
    let applied = conn.applied_migrations().map_err(schema)?;
    if applied.iter().all(is_known) {
        Ok(())
    } else {
        Err(Error::Schema("the database was written by a newer version of helpbot; start that version".into()))
    }
}

fn schema(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Schema(format!("a migration failed: {error}"))
}
