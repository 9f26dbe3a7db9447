//! Migrations of an SQLite file, in one transaction.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource as _};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{Connection as _, OptionalExtension as _, QueryableByName, RunQueryDsl as _, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::{HAS_REQUIREMENT, REQUIREMENT, Step, known_among, must_apply, refuse_pending, schema, store_requirement};
use crate::error::{Error, Result};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
/// Older SQLite can lose commits in WAL mode with two connections (sqlite.org/wal.html#walresetbug).
const SQLITE_MIN: (u32, u32, u32) = (3, 51, 3);

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

/// Runs a step on an SQLite file. Blocks.
pub(in crate::connection) fn sqlite(path: &Path, step: &Step) -> Result<usize> {
    let mut conn = open_sqlite(path)?;
    match step {
        // One transaction from the check to the last migration: of two programs that start at the
        // same time, one migrates and the other finds the work done.
        Step::Up | Step::UpIfEmpty | Step::UpTo(_) => conn.immediate_transaction(|conn| perform(conn, step)),
        Step::Pending | Step::Down => perform(&mut conn, step),
    }
}

fn perform(conn: &mut SqliteConnection, step: &Step) -> Result<usize> {
    if matches!(step, Step::Down) {
        return Ok(conn.revert_all_migrations(SQLITE).map_err(schema)?.len());
    }
    let migrations: Vec<Box<dyn Migration<Sqlite>>> = SQLITE.migrations().map_err(schema)?;
    let known: Vec<String> = migrations.iter().map(|step| step.name().version().to_string()).collect();
    let mut applied: Vec<String> = conn.applied_migrations().map_err(schema)?.iter().map(ToString::to_string).collect();
    applied.sort_unstable();
    let applied = known_among(applied, &known, || requirement(conn))?;
    let pending = known.len() - applied.len();
    match step {
        Step::Pending => Ok(pending),
        Step::UpIfEmpty if !applied.is_empty() => refuse_pending(pending).map(|()| 0),
        Step::UpTo(versions) if !must_apply(&applied, versions, &known)? => Ok(0),
        Step::UpTo(versions) => run(conn, &migrations, versions),
        Step::Up | Step::UpIfEmpty | Step::Down => {
            let wanted: Vec<String> = known.into_iter().filter(|version| !applied.contains(version)).collect();
            run(conn, &migrations, &wanted)
        }
    }
}

/// Applies the migrations with these versions, and returns their number.
fn run(conn: &mut SqliteConnection, all: &[Box<dyn Migration<Sqlite>>], wanted: &[String]) -> Result<usize> {
    let mut steps: Vec<_> = all.iter().filter(|step| wanted.contains(&step.name().version().to_string())).collect();
    steps.sort_by_key(|step| step.name().version().to_string());
    for step in &steps {
        conn.run_migration(&***step).map_err(schema)?;
    }
    if steps.last().is_some_and(|step| *step.name().version().to_string() >= *HAS_REQUIREMENT) {
        conn.batch_execute(&store_requirement())?;
    }
    Ok(steps.len())
}

/// The newest migration that a program must know.
fn requirement(conn: &mut SqliteConnection) -> Result<Option<String>> {
    let row: Option<Version> = sql_query(REQUIREMENT).get_result(conn).optional()?;
    Ok(row.map(|row| row.version))
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
