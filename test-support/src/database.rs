//! A database of its own for every test: an SQLite file in a temporary directory, or a schema
//! of the PostgreSQL server that `HELPBOT_TEST_POSTGRES` names (`scripts/postgres start`).
//!
//! Without such a server the PostgreSQL half of a suite says loudly that it is skipped; with
//! `CI=true` it fails.

use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection};
use futures_util::FutureExt as _;
use helpbot_db::DatabaseUrl;
use tempfile::TempDir;
use tokio_postgres::NoTls;

const SERVER: &str = "HELPBOT_TEST_POSTGRES";

/// An empty database, without tables yet.
pub struct TestDatabase {
    url: DatabaseUrl,
    place: Place,
}

enum Place {
    File(#[expect(dead_code, reason = "held for its drop")] TempDir),
    Schema { server: String, name: String },
}

impl TestDatabase {
    /// A file that goes when this is dropped.
    pub fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let url = DatabaseUrl::Sqlite(directory.path().join("helpbot.db"));
        Self { url, place: Place::File(directory) }
    }

    /// A schema of the test server; none, after saying so, when there is no server.
    ///
    /// # Panics
    /// Without a server when `CI=true`.
    pub async fn postgres() -> Option<Self> {
        // Test processes run side by side and tests within them: together these name one test.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let Ok(server) = std::env::var(SERVER) else {
            say_skipped();
            return None;
        };
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        run(&server, &format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).await;
        let and = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{and}options=-c%20search_path%3D{name}&application_name={name}");
        Some(Self { url: DatabaseUrl::Postgres(url.into()), place: Place::Schema { server, name } })
    }

    /// What to open.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// The server and the schema there, which is also the application name of every connection;
    /// none for a file.
    pub fn schema(&self) -> Option<(&str, &str)> {
        match &self.place {
            Place::File(_) => None,
            Place::Schema { server, name } => Some((server, name)),
        }
    }

    /// The file; none for a schema.
    pub fn file(&self) -> Option<&Path> {
        match &self.url {
            DatabaseUrl::Sqlite(path) => Some(path),
            DatabaseUrl::Postgres(_) => None,
        }
    }

    /// Runs statements that both databases accept, for rows that no use case would store so fast.
    ///
    /// # Panics
    /// When a statement fails.
    pub async fn execute(&self, sql: &str) {
        match &self.place {
            Place::Schema { server, name } => run(server, &format!("SET search_path = {name}; {sql}")).await,
            Place::File(_) => {
                let sql = format!("PRAGMA busy_timeout = 10000; {sql}");
                self.sqlite_connection().batch_execute(&sql).expect("the statements succeed");
            }
        }
    }

    /// Returns the number of rows of a table that meet a condition.
    ///
    /// # Panics
    /// When the query fails.
    pub async fn count(&self, table: &str, condition: &str) -> i64 {
        let sql = format!("SELECT count(*) AS n FROM {table} WHERE {condition}");
        match &self.place {
            Place::Schema { server, name } => {
                let client = server_client(server).await;
                client.batch_execute(&format!("SET search_path = {name}")).await.expect("the schema exists");
                client.query_one(&sql, &[]).await.expect("a count").get(0)
            }
            Place::File(_) => {
                diesel::sql_query(sql).get_result::<Count>(&mut self.sqlite_connection()).expect("a count").n
            }
        }
    }

    fn sqlite_connection(&self) -> SqliteConnection {
        let file = self.file().expect("a file").to_string_lossy().into_owned();
        SqliteConnection::establish(&file).expect("the file opens")
    }

    /// Removes it with all that it holds. (A drop cannot: it cannot wait.)
    ///
    /// What a test has left running there is ended first: a query whose caller is gone goes on
    /// at the server, and its locks and those of the removal would wait for each other.
    pub async fn remove(self) {
        if let Place::Schema { server, name } = &self.place {
            end_connections(server, name).await;
            run(server, &format!("DROP SCHEMA {name} CASCADE")).await;
        }
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Runs `test` on a database, then removes that, whatever the outcome.
pub async fn with(database: Option<TestDatabase>, test: impl AsyncFnOnce(&TestDatabase)) {
    let Some(database) = database else { return };
    let outcome = AssertUnwindSafe(test(&database)).catch_unwind().await;
    database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `test`, then `end`, whatever the outcome: for what must be over before the database goes.
pub async fn ended(test: impl Future<Output = ()>, end: impl Future<Output = ()>) {
    let outcome = AssertUnwindSafe(test).catch_unwind().await;
    end.await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Runs statements on the database with this URL, for tests that start programs on it.
///
/// # Panics
/// When a statement fails.
pub async fn execute_on(url: &str, sql: &str) {
    match url.strip_prefix("sqlite:") {
        Some(path) => {
            let mut connection = SqliteConnection::establish(path).expect("the file opens");
            connection.batch_execute(sql).expect("the statements succeed");
        }
        None => run(url, sql).await,
    }
}

/// A connection to the server itself, for what no query function offers.
pub async fn server_client(server: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await.expect("the test server answers");
    tokio::spawn(connection);
    client
}

/// Ends every connection of the application `name`, and returns when the server has none left.
///
/// # Panics
/// When one outlives its end by ten seconds.
pub async fn end_connections(server: &str, name: &str) {
    const DEADLINE_MS: i64 = 10_000;
    // It waits for each to be gone; what it says is also false of one that was gone before.
    let end = "SELECT count(pg_terminate_backend(pid, $2)) FROM pg_stat_activity WHERE application_name = $1";
    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
    let client = server_client(server).await;
    client.query_one(end, &[&name, &DEADLINE_MS]).await.expect("the test server obeys");
    let left: i64 = client.query_one(left, &[&name]).await.expect("the test server obeys").get(0);
    assert_eq!(left, 0, "connections of {name} survive their end");
}

async fn run(server: &str, sql: &str) {
    server_client(server).await.batch_execute(sql).await.expect("the test server obeys");
}

fn say_skipped() {
    static SAID: Once = Once::new();
    let is_gate = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!is_gate, "{SERVER} is not set: the PostgreSQL half of the tests cannot be skipped here");
    SAID.call_once(|| {
        // Past the test runner, which swallows what a passing test prints.
        let _ = writeln!(std::io::stderr(), "SKIPPED: tests on PostgreSQL ({SERVER} is not set; see scripts/postgres)");
    });
}
