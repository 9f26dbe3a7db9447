//! Timeouts of statements and locks, and a server that starts after the program.

use std::time::{Duration, Instant};

use helpbot_db::{Db, Error, sites};
use helpbot_test_support::database::{self, TestDatabase, server_client};
use helpbot_test_support::proxy::Proxy;
use tokio::net::TcpListener;

use super::{text_of, url_with};
use crate::make;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_waits_too_long_fails_and_the_connection_stays_usable() {
    database::with(TestDatabase::postgres().await, async |database| {
        let (server, schema) = database.schema().expect("a server");
        for (lock_ms, statement_ms) in [(200, 20_000), (20_000, 200)] {
            let url = url_with(text_of(database.url()), |options| {
                options.lock_timeout = Duration::from_millis(lock_ms);
                options.statement_timeout = Duration::from_millis(statement_ms);
            });
            let db = Db::open(&url).await.expect("the database opens");
            let id = make::stored_site(&db).await;
            let mut other = server_client(server).await;
            let holding = other.transaction().await.expect("a transaction");
            holding.batch_execute(&format!("SELECT * FROM {schema}.sites FOR UPDATE")).await.expect("locked");

            let begun = Instant::now();
            let waited = try_commit!(db, |c| sites::by_id_locked(c, id));

            assert!(matches!(waited, Err(Error::Unavailable(_))), "{waited:?}");
            assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
            holding.rollback().await.expect("the lock ends");
            assert!(commit!(db, |c| sites::by_id_locked(c, id)).is_some());
            db.close().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_waits_for_a_server_that_starts_later() {
    database::with(TestDatabase::postgres().await, async |database| {
        let free = TcpListener::bind("127.0.0.1:0").await.and_then(|it| it.local_addr()).expect("a free port");
        let (server, later) = (Proxy::server_of(database).await, Proxy::url_at(database, free));
        let url = url_with(&later, |options| options.start_wait = Duration::from_secs(30));

        let opening = tokio::spawn(async move { Db::open(&url).await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!opening.is_finished(), "there is no server yet");
        let _proxy = Proxy::at(free, server).await;

        let db = opening.await.expect("no panic").expect("the server is there now");
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_or_database_is_not_tried_again() {
    database::with(TestDatabase::postgres().await, async |database| {
        let absent = text_of(database.url()).replace("/postgres?", "/no_such_database?");
        let url = url_with(&absent, |options| options.start_wait = Duration::from_secs(60));

        let begun = Instant::now();
        let refused = Db::open(&url).await.err();

        let Some(Error::Unavailable(reason)) = refused else { panic!("{refused:?}") };
        assert!(reason.contains("no_such_database"), "{reason}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    })
    .await;
}
