//! SQLite: one file, one writer thread, and a pool of read-only connections.

use std::path::PathBuf;
use std::sync::Arc;

use deadpool::managed::Pool;
use diesel::{QueryableByName, RunQueryDsl};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::conn::{Backend, Conn, SqliteHandle};
use super::load::{DatabaseLoad, PoolWait};
use super::migrate::{self, Step};
use super::readers::{SqliteReaders, connect};
use super::snapshot::SnapshotKind;
use super::store::{Driver, Shared, Store, checkout, pool, unavailable};
use super::work::TransactionWork;
use super::writer::SqliteWriter;
use crate::error::Result;

/// Read connections of one process. Reads run on the threads of the async runtime, so more than a
/// few connections per core would only wait for each other.
const READERS: usize = 8;

/// Settings of the writer. `synchronous = FULL` makes an acknowledged write survive a power cut;
/// group commit pays for it. The other settings are defensive: foreign keys are enforced, and a
/// hostile schema cannot call functions.
const WRITER_PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; \
     PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;";

/// Size of the file that tests whether the disk has space. The write of a message or an answer is smaller.
const PROBE_BYTES: usize = 64 * 1024;

/// The path of an SQLite file.
pub(super) struct SqliteFile(pub(super) PathBuf);

impl Driver for SqliteFile {
    fn public_name(&self) -> String {
        format!("sqlite:{}", self.0.display())
    }

    fn migrate(&self, step: &Step) -> Result<usize> {
        migrate::sqlite(&self.0, step)
    }

    fn open(&self, shared: Shared) -> BoxFuture<'_, Result<Arc<dyn Store>>> {
        async move {
            let path = self.0.to_string_lossy().into_owned();
            let conn = connect(&path, WRITER_PRAGMAS).map_err(unavailable)?;
            let writer = SqliteWriter::start(conn, shared.statements.clone()).map_err(unavailable)?;
            let readers = pool(SqliteReaders { path: path.clone() }, READERS)?;
            let store: Arc<dyn Store> =
                Arc::new(SqliteStore { writer, readers, read_wait: PoolWait::default(), path, shared });
            Ok(store)
        }
        .boxed()
    }
}

struct SqliteStore {
    path: String,
    writer: SqliteWriter,
    readers: Pool<SqliteReaders>,
    read_wait: PoolWait,
    shared: Shared,
}

impl Store for SqliteStore {
    fn checkout(&self) -> BoxFuture<'_, Result<Backend>> {
        async move { Ok(Backend::Sqlite(SqliteHandle::Reader(checkout(&self.readers, &self.read_wait).await?))) }
            .boxed()
    }

    fn snapshot<'a>(&'a self, kind: SnapshotKind<'a>) -> BoxFuture<'a, Result<Backend>> {
        async move {
            let mut reader = checkout(&self.readers, &self.read_wait).await?;
            diesel::connection::SimpleConnection::batch_execute(
                &mut *reader,
                match kind {
                    // The first statement that reads decides what the transaction sees.
                    SnapshotKind::Shared => "BEGIN; SELECT id FROM installation",
                    SnapshotKind::Exclusive(_) => {
                        "PRAGMA query_only = OFF; BEGIN IMMEDIATE; SELECT id FROM installation"
                    }
                },
            )?;
            Ok(Backend::Sqlite(SqliteHandle::Reader(reader)))
        }
        .boxed()
    }

    fn submit(&self, work: TransactionWork) -> BoxFuture<'_, Result<()>> {
        std::future::ready(self.writer.submit(work)).boxed()
    }

    fn load(&self) -> DatabaseLoad {
        DatabaseLoad {
            kind: "sqlite",
            pools: vec![self.read_wait.load("read", &self.readers)],
            waiting_writes: self.writer.waiting(),
            writes: self.shared.writes.state(),
        }
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        self.writer.settle().boxed()
    }

    fn close(&self) {
        self.readers.close();
    }

    fn check_space(&self) -> BoxFuture<'_, Result<()>> {
        let path = PathBuf::from(format!("{}-probe-{}", self.path, std::process::id()));
        async move {
            let write = move || {
                let written = std::fs::write(&path, [b' '; PROBE_BYTES]);
                written.and(std::fs::remove_file(&path)).map_err(|error| format!("{}: {error}", path.display()))
            };
            let written = tokio::task::spawn_blocking(write).await.map_err(unavailable)?;
            written.map_err(unavailable)
        }
        .boxed()
    }

    fn damage<'a>(&'a self, conn: &'a mut Conn) -> BoxFuture<'a, Result<Vec<String>>> {
        async move {
            let Backend::Sqlite(handle) = &mut conn.backend else { return Ok(Vec::new()) };
            let check = diesel::sql_query("SELECT integrity_check AS text FROM pragma_integrity_check");
            let found: Vec<Check> = check.load(&mut **handle)?;
            Ok(found.into_iter().map(|check| check.text).filter(|text| text != "ok").collect())
        }
        .boxed()
    }
}

/// One line of the integrity check.
#[derive(QueryableByName)]
struct Check {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}
