//! Migrations of a PostgreSQL database, in transactions. Indexes of tables that may be large are created outside of them, so that
//! nobody waits.
//!
//! One node migrates at a time. The lock belongs to a transaction of a second connection, so that it works behind a pooler, ends
//! with the program, and covers steps that run outside a transaction. Migrations and lock use the simple protocol, which needs no
//! prepared statements.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource as _};
use diesel::pg::Pg;
use diesel::{OptionalExtension as _, QueryableByName, RunQueryDsl as _, sql_query};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use tokio::runtime::Runtime;

use super::{
    HAS_REQUIREMENT, REQUIREMENT, Step, known_among, must_apply, newer, refuse_pending, schema, store_requirement,
};
use crate::connection::postgres::PostgresServer;
use crate::error::{Error, Result};

const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");
/// Key of the advisory lock that keeps two nodes from migrating at the same time: "HelpBot" in ASCII.
const PG_LOCK: i64 = 0x0048_656c_7042_6f74;
/// Pause between two attempts to get the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(200);
/// The table of Diesel in which both databases record the applied migrations.
const CREATE_VERSIONS: &str = "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (\
    version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";

/// A migration that does nothing but create an index of a table that may be large.
struct IndexStep {
    version: &'static str,
    index: &'static str,
    /// The statement of the migration.
    sql: &'static str,
}

/// Migrations that create an index without blocking writes (`CREATE INDEX CONCURRENTLY`) in a database that is in use. An empty one has
/// nothing to index.
const INDEX_STEPS: &[IndexStep] = &[
    IndexStep {
        version: "0241",
        index: "conversations_email",
        sql: include_str!("../../../../migrations/postgres/0241_conversation_emails/up.sql"),
    },
    IndexStep {
        version: "0281",
        index: "conversations_statistics",
        sql: include_str!("../../../../migrations/postgres/0281_statistics_index/up.sql"),
    },
];

/// The synchronous view of a PostgreSQL connection that migrations need.
type PgView = AsyncConnectionWrapper<AsyncPgConnection>;
type PgStep = Box<dyn Migration<Pg>>;

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

/// Runs a step on a PostgreSQL database. Blocks. A role that may only read and write rows can run every step that finds nothing to
/// do.
///
/// # Errors
/// `Unavailable`; `Schema` when a migration fails, the role may not create tables, or a newer program
/// wrote the database.
pub(in crate::connection) fn postgres(server: &PostgresServer, step: &Step) -> Result<usize> {
    // The synchronous view needs a multi-threaded runtime. The caller's runtime may have a single
    // thread, as in tests.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Error::Unavailable(error.to_string()))?;
    let conn = runtime.block_on(server.connect_for_migrations())?;
    let mut run = MigrationRun { server, runtime: &runtime, conn: PgView::from(conn) };
    let _inside = runtime.enter();
    let known: Vec<PgStep> = POSTGRES.migrations().map_err(schema)?;
    let applied = run.applied(&known)?;
    let pending = known.len() - applied.len();
    match step {
        Step::Pending => Ok(pending),
        Step::Up | Step::UpIfEmpty if pending == 0 => Ok(0),
        Step::Up => run.apply(known),
        Step::UpIfEmpty if applied.is_empty() => run.apply(known),
        // Another node may be migrating an empty database at this moment. Its lock ends when all is done.
        Step::UpIfEmpty => run.locked(|run| refuse_pending(known.len() - run.applied(&known)?.len())).map(|()| 0),
        Step::UpTo(versions) => {
            let all: Vec<String> = known.iter().map(|step| version_of(step.as_ref())).collect();
            if !must_apply(&applied, versions, &all)? {
                return Ok(0);
            }
            run.apply(known.into_iter().filter(|step| versions.contains(&version_of(step.as_ref()))).collect())
        }
        Step::Down => run.locked(|run| run.revert(&known)),
    }
}

/// The connections of one run.
struct MigrationRun<'a> {
    server: &'a PostgresServer,
    runtime: &'a Runtime,
    conn: PgView,
}

impl MigrationRun<'_> {
    /// Does `work` while no other program migrates the database.
    fn locked<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let mut lock = PgView::from(self.runtime.block_on(self.server.connect_for_migrations())?);
        let is_free = format!("pg_try_advisory_xact_lock({PG_LOCK})");
        // Waiting inside a transaction would hold a connection of a pooler, which the program with the lock may need.
        loop {
            lock.batch_execute("BEGIN")?;
            if is_true(&mut lock, &is_free)? {
                // The portal of the query above keeps its snapshot, for which creating an index concurrently would wait
                // forever. A query with the simple protocol closes it.
                lock.batch_execute("SELECT 1")?;
                break;
            }
            lock.batch_execute("ROLLBACK")?;
            std::thread::sleep(LOCK_PAUSE);
        }
        let done = work(self);
        // It also ends with the connection, so a failure here changes nothing.
        let _ = lock.batch_execute("ROLLBACK");
        done
    }

    /// Returns the versions of the applied migrations that are known, oldest first.
    fn applied(&mut self, known: &[PgStep]) -> Result<Vec<String>> {
        let known: Vec<String> = known.iter().map(|step| version_of(step.as_ref())).collect();
        in_transaction(&mut self.conn, "BEGIN READ ONLY", |conn| {
            let applied = applied(conn)?;
            known_among(applied, &known, || {
                let row: Option<Version> = sql_query(REQUIREMENT).get_result(conn).optional()?;
                Ok(row.map(|row| row.version))
            })
        })
    }

    /// Applies those of the migrations that are pending and returns their number.
    fn apply(&mut self, mut steps: Vec<PgStep>) -> Result<usize> {
        let may_create = "coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)";
        if !in_transaction(&mut self.conn, "BEGIN READ ONLY", |conn| is_true(conn, may_create))? {
            let count = steps.len() - self.applied(&steps)?.len();
            return Err(Error::Schema(format!(
                "{count} migrations are pending, and the role of the database URL may not create tables: run `helpbot \
                 migrate` with a role that may"
            )));
        }
        steps.sort_by_key(|step| version_of(step.as_ref()));
        self.locked(|run| {
            in_transaction(&mut run.conn, "BEGIN", |conn| Ok(conn.batch_execute(CREATE_VERSIONS)?))?;
            // Another node may have applied some while this one waited for the lock.
            let applied = in_transaction(&mut run.conn, "BEGIN READ ONLY", applied)?;
            steps.retain(|step| !applied.contains(&version_of(step.as_ref())));
            run.apply_pending(&steps, applied.is_empty())
        })
    }

    /// Applies the migrations. Those between two [`INDEX_STEPS`] share a transaction.
    fn apply_pending(&mut self, steps: &[PgStep], is_empty: bool) -> Result<usize> {
        let alone = |step: &PgStep| {
            let version = version_of(step.as_ref());
            INDEX_STEPS.iter().find(|index| !is_empty && index.version == version)
        };
        let mut left = steps;
        while let Some(first) = left.first() {
            let count = match alone(first) {
                Some(index) => {
                    self.create_index(index)?;
                    1
                }
                None => {
                    let together = left.iter().take_while(|step| alone(step).is_none()).count();
                    in_transaction(&mut self.conn, "BEGIN", |conn| run_all(conn, &left[..together]))?;
                    together
                }
            };
            left = &left[count..];
        }
        Ok(steps.len())
    }

    /// Creates an index while others write. An index that an interrupted program has left behind unfinished is created again.
    fn create_index(&mut self, step: &IndexStep) -> Result<()> {
        let IndexStep { version, index, sql } = step;
        let state = |run: &mut Self, condition: &str| {
            let found = format!(
                "EXISTS (SELECT 1 FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid \
                 WHERE i.relname = '{index}' AND i.relnamespace = current_schema()::regnamespace AND {condition})"
            );
            in_transaction(&mut run.conn, "BEGIN READ ONLY", |conn| is_true(conn, &found))
        };
        if state(self, "NOT x.indisvalid")? {
            tracing::warn!(index, "an interrupted migration has left an index unfinished; it is created again");
            self.conn.batch_execute(&format!("DROP INDEX CONCURRENTLY {index}"))?;
        }
        if !state(self, "x.indisvalid")? {
            tracing::info!(index, "creating an index, while which the database can be used");
            let sql = sql.replacen("CREATE INDEX ", "CREATE INDEX CONCURRENTLY ", 1);
            self.conn.batch_execute(&sql).map_err(schema)?;
        }
        in_transaction(&mut self.conn, "BEGIN", |conn| record(conn, version))
    }

    /// Reverts all migrations and returns their number.
    fn revert(&mut self, known: &[PgStep]) -> Result<usize> {
        in_transaction(&mut self.conn, "BEGIN", |conn| {
            let applied = applied(conn)?;
            for version in applied.iter().rev() {
                let step = known.iter().find(|step| version_of(step.as_ref()) == *version).ok_or_else(newer)?;
                step.revert(conn).map_err(schema)?;
                conn.batch_execute(&format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"))?;
            }
            Ok(applied.len())
        })
    }
}

fn run_all(conn: &mut PgView, steps: &[PgStep]) -> Result<()> {
    for step in steps {
        step.run(conn).map_err(schema)?;
        record(conn, &version_of(step.as_ref()))?;
    }
    Ok(())
}

/// Records that a migration is applied, and what the database requires of programs now.
fn record(conn: &mut PgView, version: &str) -> Result<()> {
    conn.batch_execute(&format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"))?;
    if version >= HAS_REQUIREMENT {
        conn.batch_execute(&store_requirement())?;
    }
    Ok(())
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

/// Returns the versions of all applied migrations, oldest first.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_outside_a_transaction_is_one_statement_that_creates_its_index() {
        let known: Vec<PgStep> = POSTGRES.migrations().expect("the migrations are compiled in");
        for step in INDEX_STEPS {
            let statements = step.sql.lines().filter(|line| !line.starts_with("--")).collect::<String>();
            assert_eq!(statements.matches(';').count(), 1, "{statements}");
            assert!(statements.starts_with(&format!("CREATE INDEX {} ON ", step.index)), "{statements}");
            assert!(known.iter().any(|known| version_of(known.as_ref()) == step.version), "{}", step.version);
        }
    }
}
