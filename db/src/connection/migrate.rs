//! Migrations: creating and updating the tables. The SQL files are compiled in from `migrations/`.
//!
//! [`super::open`] picks a [`Step`] and runs it on a blocking thread. Migrations are never edited
//! after they landed.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::pg::Pg;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::postgres::PostgresServer;
use crate::error::{Error, Result};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");
/// Older SQLite can lose commits in WAL mode with two connections (sqlite.org/wal.html#walresetbug).
const SQLITE_MIN: (u32, u32, u32) = (3, 51, 3);
/// Key of the advisory lock that keeps two nodes from migrating at the same time: "HelpBot" in ASCII.
const PG_LOCK: i64 = 0x0048_656c_7042_6f74;
/// The table of Diesel in which both databases record the applied migrations.
const CREATE_VERSIONS: &str = "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (\
    version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";

/// What to do with the migrations of a database.
#[derive(Debug)]
pub(super) enum Step {
    /// Apply the pending ones.
    Up,
    /// Count the pending ones.
    Pending,
    /// Apply these to a database without tables.
    UpTo(Vec<String>),
    /// Revert all of them. Tests use this to prove each `down.sql`.
    Down,
}

/// Runs a step on an SQLite file. Blocks.
pub(super) fn sqlite(path: &Path, step: &Step) -> Result<usize> {
    let mut conn = open_sqlite(path)?;
    match step {
        // One transaction from the check to the last migration: of two programs that start at the
        // same time, one migrates and the other finds the work done.
        Step::Up | Step::UpTo(_) => conn.immediate_transaction(|conn| perform(conn, SQLITE, step)),
        Step::Pending | Step::Down => perform(&mut conn, SQLITE, step),
    }
}

/// Runs a step on a PostgreSQL database. Blocks.
///
/// Every statement is part of one transaction, so that it works behind a pooler, and so that the
/// lock that keeps other nodes away ends with the transaction. Migrations and lock use the simple
/// protocol, which needs no prepared statements. A role that may only read and write rows can run
/// every step that finds nothing to do.
///
/// # Errors
/// `Unavailable`; `Schema` when a migration fails, the role may not create tables, or a newer program
/// wrote the database.
pub(super) fn postgres(server: &PostgresServer, step: &Step) -> Result<usize> {
    // The synchronous view needs a multi-threaded runtime. The caller's runtime may have a single
    // thread, as in tests.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Error::Unavailable(error.to_string()))?;
    let conn = runtime.block_on(server.connect_for_migrations())?;
    let _inside = runtime.enter();
    let mut conn = PgView::from(conn);
    let known: Vec<Box<dyn Migration<Pg>>> = POSTGRES.migrations().map_err(schema)?;
    let applied = in_transaction(&mut conn, "BEGIN READ ONLY", |conn| known_applied(conn, &known))?;
    let pending = known.len() - applied.len();
    match step {
        Step::Pending => Ok(pending),
        Step::Up if pending == 0 => Ok(0),
        Step::Up => in_transaction(&mut conn, "BEGIN", |conn| apply(conn, &known)),
        Step::UpTo(versions) => {
            let all: Vec<String> = known.iter().map(|step| version_of(step.as_ref())).collect();
            if !must_apply(&applied, versions, &all)? {
                return Ok(0);
            }
            let wanted =
                known.into_iter().filter(|step| versions.contains(&version_of(step.as_ref()))).collect::<Vec<_>>();
            in_transaction(&mut conn, "BEGIN", |conn| apply(conn, &wanted))
        }
        Step::Down => in_transaction(&mut conn, "BEGIN", |conn| revert(conn, &known)),
    }
}

/// The synchronous view of a PostgreSQL connection that migrations need.
type PgView = AsyncConnectionWrapper<AsyncPgConnection>;

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    answer: bool,
}

fn in_transaction<T>(conn: &mut PgView, begin: &str, work: impl FnOnce(&mut PgView) -> Result<T>) -> Result<T> {
    conn.batch_execute(begin)?;
    match work(conn) {
        Ok(value) => {
            conn.batch_execute("COMMIT")?;
            Ok(value)
        }
        Err(error) => {
            // The connection is not used again, so a failure here changes nothing.
            let _ = conn.batch_execute("ROLLBACK");
            Err(error)
        }
    }
}

fn is_true(conn: &mut PgView, question: &str) -> Result<bool> {
    Ok(sql_query(format!("SELECT ({question}) AS answer")).get_result::<Answer>(conn)?.answer)
}

/// Returns the versions of the applied migrations, oldest first.
fn applied(conn: &mut PgView) -> Result<Vec<String>> {
    if !is_true(conn, "to_regclass('__diesel_schema_migrations') IS NOT NULL")? {
        return Ok(Vec::new());
    }
    let query = "SELECT version::text AS version FROM __diesel_schema_migrations ORDER BY version";
    let rows: Vec<Version> = sql_query(query).load(conn)?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

fn version_of(step: &dyn Migration<Pg>) -> String {
    step.name().version().to_string()
}

/// Returns the versions of the applied migrations, which are all known.
fn known_applied(conn: &mut PgView, known: &[Box<dyn Migration<Pg>>]) -> Result<Vec<String>> {
    let applied = applied(conn)?;
    if applied.iter().any(|version| !known.iter().any(|step| version_of(step.as_ref()) == *version)) {
        return Err(newer());
    }
    Ok(applied)
}

/// Returns whether a database with the migrations `applied` has to be brought to `wanted`.
///
/// # Errors
/// `Schema` when it has other tables already, or when a wanted migration is not among `known`.
fn must_apply(applied: &[String], wanted: &[String], known: &[String]) -> Result<bool> {
    if !wanted.iter().all(|version| known.contains(version)) {
        return Err(newer());
    }
    match applied {
        [] => Ok(true),
        applied if applied == wanted => Ok(false),
        _ => Err(Error::Schema(
            "the database already has tables, of another version of helpbot; use an empty database".into(),
        )),
    }
}

/// Applies the pending migrations and returns their number.
fn apply(conn: &mut PgView, known: &[Box<dyn Migration<Pg>>]) -> Result<usize> {
    if !is_true(conn, "coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)")? {
        let count = known.len() - known_applied(conn, known)?.len();
        return Err(Error::Schema(format!(
            "{count} migrations are pending, and the role of the database URL may not create tables: run `helpbot \
             migrate` with a role that may"
        )));
    }
    conn.batch_execute(&format!("SELECT pg_advisory_xact_lock({PG_LOCK})"))?;
    conn.batch_execute(CREATE_VERSIONS)?;
    // Another node may have applied some while this one waited for the lock.
    let applied = applied(conn)?;
    let mut steps: Vec<_> = known.iter().filter(|step| !applied.contains(&version_of(step.as_ref()))).collect();
    steps.sort_by_key(|step| version_of(step.as_ref()));
    for step in &steps {
        step.run(conn).map_err(schema)?;
        let version = version_of(step.as_ref());
        conn.batch_execute(&format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"))?;
    }
    Ok(steps.len())
}

/// Reverts all migrations and returns their number.
fn revert(conn: &mut PgView, known: &[Box<dyn Migration<Pg>>]) -> Result<usize> {
    conn.batch_execute(&format!("SELECT pg_advisory_xact_lock({PG_LOCK})"))?;
    let applied = applied(conn)?;
    for version in applied.iter().rev() {
        let step = known.iter().find(|step| version_of(step.as_ref()) == *version).ok_or_else(newer)?;
        step.revert(conn).map_err(schema)?;
        conn.batch_execute(&format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"))?;
    }
    Ok(applied.len())
}

fn perform<DB, H>(conn: &mut H, migrations: EmbeddedMigrations, step: &Step) -> Result<usize>
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
        Step::UpTo(versions) => {
            refuse_newer(conn, &migrations)?;
            let version = |version: &MigrationVersion<'_>| version.to_string();
            let mut applied: Vec<String> = conn.applied_migrations().map_err(schema)?.iter().map(version).collect();
            applied.sort_unstable();
            let known: Vec<Box<dyn Migration<DB>>> = migrations.migrations().map_err(schema)?;
            let all: Vec<String> = known.iter().map(|step| version(&step.name().version())).collect();
            if !must_apply(&applied, versions, &all)? {
                return Ok(0);
            }
            for step in conn.pending_migrations(migrations).map_err(schema)? {
                if versions.contains(&version(&step.name().version())) {
                    conn.run_migration(&*step).map_err(schema)?;
                }
            }
            Ok(versions.len())
        }
    }
}

fn open_sqlite(path: &Path) -> Result<SqliteConnection> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())
        .map_err(|error| Error::Unavailable(format!("cannot open {}: {error}", path.display())))?;
    // Foreign keys are off: a migration that recreates a table drops the old one, which would delete
    // the rows that refer to it. The setting cannot be changed inside a transaction.
    conn.batch_execute(
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

fn refuse_newer<DB>(conn: &mut impl MigrationHarness<DB>, steps: &EmbeddedMigrations) -> Result<()>
where
    DB: diesel::backend::Backend,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let known: Vec<Box<dyn Migration<DB>>> = steps.migrations().map_err(schema)?;
    let is_known = |version: &MigrationVersion<'_>| known.iter().any(|step| step.name().version() == *version);
    let applied = conn.applied_migrations().map_err(schema)?;
    if applied.iter().all(is_known) { Ok(()) } else { Err(newer()) }
}

fn newer() -> Error {
    Error::Schema("the database was written by a newer version of helpbot; start that version".into())
}

fn schema(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Schema(format!("a migration failed: {error}"))
}
