//! Bringing the tables up to date. The steps are compiled in from `migrations/`.

use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::pg::Pg;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{DatabaseUrl, Error, Result};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");
/// Older SQLite can lose commits in WAL mode with two connections (sqlite.org/wal.html#walresetbug).
const SQLITE_MIN: (u32, u32, u32) = (3, 51, 3);
/// Of the advisory lock that keeps two starting nodes from migrating at once: "HelpBot" in ASCII.
const PG_LOCK: i64 = 0x0048_656c_7042_6f74;

/// Applies what is missing.
///
/// # Errors
/// `Unavailable` when the database cannot be reached or written; `Schema` when a step fails or
/// the database has steps that this program does not know.
pub(crate) async fn up(url: &DatabaseUrl) -> Result<usize> {
    blocking(url, |url| match url {
        DatabaseUrl::Sqlite(path) => {
            // One transaction from look to last step: of two programs that start at once, one
            // migrates and the other finds it done.
            sqlite(path)?.immediate_transaction(|conn| {
                refuse_newer::<Sqlite>(conn, SQLITE)?;
                run(conn, SQLITE)
            })
        }
        DatabaseUrl::Postgres(url) => with_postgres(url, |conn| {
            refuse_newer::<Pg>(conn, POSTGRES)?;
            run(conn, POSTGRES)
        }),
    })
    .await
}

/// How many steps are missing.
///
/// # Errors
/// As [`up`].
pub(crate) async fn pending(url: &DatabaseUrl) -> Result<usize> {
    blocking(url, |url| match url {
        DatabaseUrl::Sqlite(path) => {
            let mut conn = sqlite(path)?;
            refuse_newer::<Sqlite>(&mut conn, SQLITE)?;
            Ok(conn.pending_migrations(SQLITE).map_err(schema)?.len())
        }
        DatabaseUrl::Postgres(url) => with_postgres(url, |conn| {
            refuse_newer::<Pg>(conn, POSTGRES)?;
            Ok(conn.pending_migrations(POSTGRES).map_err(schema)?.len())
        }),
    })
    .await
}

/// Undoes all steps: for the test that proves each `down.sql`.
///
/// # Errors
/// As [`up`].
pub(crate) async fn down(url: &DatabaseUrl) -> Result<()> {
    blocking(url, |url| match url {
        DatabaseUrl::Sqlite(path) => {
            sqlite(path)?.revert_all_migrations(SQLITE).map_err(schema)?;
            Ok(())
        }
        DatabaseUrl::Postgres(url) => with_postgres(url, |conn| {
            conn.revert_all_migrations(POSTGRES).map_err(schema)?;
            Ok(())
        }),
    })
    .await
}

impl crate::Db {
    /// Applies the missing migrations; gives how many there were.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached or written; `Schema` when a step fails
    /// or the database was written by a newer program.
    pub async fn migrate(url: &DatabaseUrl) -> Result<usize> {
        up(url).await
    }

    /// How many migrations are missing.
    ///
    /// # Errors
    /// As [`crate::Db::migrate`].
    pub async fn pending_migrations(url: &DatabaseUrl) -> Result<usize> {
        pending(url).await
    }

    /// Undoes all migrations, and with them all data.
    ///
    /// # Errors
    /// As [`crate::Db::migrate`].
    pub async fn revert_migrations(url: &DatabaseUrl) -> Result<()> {
        down(url).await
    }
}

/// Diesel runs migrations synchronously; they get a thread of their own.
async fn blocking<T: Send + 'static>(
    url: &DatabaseUrl,
    work: impl FnOnce(&DatabaseUrl) -> Result<T> + Send + 'static,
) -> Result<T> {
    let url = url.clone();
    tokio::task::spawn_blocking(move || work(&url))
        .await
        .map_err(|error| Error::Schema(format!("the migration was interrupted: {error}")))?
}

fn sqlite(path: &std::path::Path) -> Result<SqliteConnection> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())
        .map_err(|error| Error::Unavailable(format!("cannot open {}: {error}", path.display())))?;
    // Without foreign keys: a step that makes a table anew drops the old one, and with it would go
    // the rows of others that refer to it. Inside the transaction it could not be said any more.
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
        return Err(Error::Schema(format!("SQLite {version} can lose commits; {a}.{b}.{c} or newer is needed")));
    }
    Ok(())
}

/// Runs `work` on a synchronous view of a PostgreSQL connection, under the lock that keeps
/// other nodes from migrating meanwhile. Called on a blocking thread.
fn with_postgres<T>(
    url: &str,
    work: impl FnOnce(&mut AsyncMigrationHarness<AsyncPgConnection>) -> Result<T>,
) -> Result<T> {
    // The synchronous view needs a runtime with more than one thread, and it may not be the
    // caller's: a test may run on a single one.
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
    // The lock goes with the connection.
    work(&mut AsyncMigrationHarness::new(conn))
}

fn run<DB, H>(conn: &mut H, steps: EmbeddedMigrations) -> Result<usize>
where
    DB: diesel::backend::Backend,
    H: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    Ok(conn.run_pending_migrations(steps).map_err(schema)?.len())
}

fn refuse_newer<DB>(conn: &mut impl MigrationHarness<DB>, steps: EmbeddedMigrations) -> Result<()>
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
        Err(Error::Schema("the database was written by a newer helpbot; start that one".into()))
    }
}

fn schema(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Schema(format!("a migration failed: {error}"))
}
