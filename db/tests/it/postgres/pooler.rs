//! PgBouncer in transaction mode: refused without the setting, and working with it.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use helpbot_db::{Db, Error, Pooler, sites};
use helpbot_test_support::database::server_client;

use super::url_with;
use crate::make;

const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// A running PgBouncer with a database of the test server.
struct PgBouncer {
    process: Child,
    url: String,
    server: String,
    database: String,
    _directory: tempfile::TempDir,
}

impl PgBouncer {
    /// `None` where PgBouncer or PostgreSQL is missing.
    async fn start() -> Option<Self> {
        let server = std::env::var("HELPBOT_TEST_POSTGRES").ok()?;
        if !Path::new(PROGRAM).is_file() {
            eprintln!("SKIPPED: {PROGRAM} is missing (package pgbouncer)");
            return None;
        }
        let database = format!("pooled_{}", std::process::id());
        let client = server_client(&server).await;
        client.batch_execute(&format!("CREATE DATABASE {database}")).await.expect("created");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port();
        let server_port = server.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()).expect("a port");
        let directory = tempfile::tempdir().expect("a directory");
        let config = directory.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n{database} = host=127.0.0.1 port={server_port} user=postgres\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = 4\nmax_client_conn = 200\nunix_socket_dir =\n"
        );
        std::fs::write(&config, text).expect("written");
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(directory.path(), open).expect("permissions");
        let mut command = Command::new(PROGRAM);
        if std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&config).expect("the file")) == 0 {
            command.args(["-u", "postgres"]);
        }
        let process = command.arg(&config).stderr(Stdio::null()).spawn().expect("the program starts");
        let url = format!("postgres://postgres@127.0.0.1:{port}/{database}");
        Some(Self { process, url, server, database, _directory: directory })
    }

    async fn stop(mut self) {
        self.process.kill().and_then(|()| self.process.wait()).expect("it ends");
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.database);
        server_client(&self.server).await.batch_execute(&drop).await.expect("removed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pgbouncer_in_transaction_mode_works_with_the_setting_and_is_refused_without() {
    let Some(pooler) = PgBouncer::start().await else { return };
    let plain = url_with(&pooler.url, |options| options.start_wait = Duration::from_secs(10));
    let pooled = url_with(&pooler.url, |options| {
        options.pooler = Pooler::Transaction;
        options.start_wait = Duration::from_secs(10);
    });

    // Migrating twice would hang if the first run left its lock behind.
    Db::migrate(&plain).await.expect("migrations work behind a pooler");
    Db::revert_migrations(&plain).await.expect("down");
    Db::migrate(&pooled).await.expect("up again");
    let refused = Db::open(&plain).await.err();
    let (one, two) = (Db::open(&pooled).await.expect("opens"), Db::open(&pooled).await.expect("opens"));
    let work = (0..60).map(|place| {
        let db = if place % 2 == 0 { one.clone() } else { two.clone() };
        async move {
            let id = make::stored_site(&db).await;
            assert_eq!(read!(db, |c| sites::by_id(c, id)).map(|site| site.id), Some(id));
            read!(db, |c| sites::index_version(c, id))
        }
    });
    let versions = join_all(work).await;

    assert_eq!(versions, [Some(0); 60]);
    assert_eq!(read!(one, |c| sites::count(c)), 60);
    let Some(Error::Schema(reason)) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("database_pooler"), "{reason}");
    one.close().await;
    two.close().await;
    pooler.stop().await;
}
