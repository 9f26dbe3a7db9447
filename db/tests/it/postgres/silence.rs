//! A server that falls silent, as in a fail-over with dropped packets.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use helpbot_db::{Db, Error, sites};
use helpbot_test_support::database::{self, TestDatabase, server_client};
use helpbot_test_support::proxy::Proxy;

use super::url_with;
use crate::make;

/// Longest time after which a service must be back after a silent fail-over.
const BACK_WITHIN: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_fail_over_is_survived_within_30_seconds() {
    database::with(TestDatabase::postgres().await, async |database| {
        let proxy = Proxy::before(database).await;
        let db = Db::open(&url_with(&proxy.url(database), |_| ())).await.expect("an empty database opens");
        let id = make::stored_site(&db).await;
        // All connections of both pools are open and idle.
        join_all((0..32).map(|_| async { read!(db, |c| sites::by_id(c, id)) })).await;
        join_all((0..32).map(|_| async { commit!(db, |c| sites::by_id_locked(c, id)) })).await;
        tokio::time::sleep(Duration::from_millis(1_100)).await;

        proxy.fall_silent();
        let begun = Instant::now();
        let reads = join_all((0..32).map(|_| async { db.reader().await.map(drop) })).await;
        while try_commit!(db, |c| sites::by_id_locked(c, id)).is_err() {
            assert!(begun.elapsed() < BACK_WITHIN, "the pool never recovered");
        }

        assert!(begun.elapsed() < BACK_WITHIN, "{:?}", begun.elapsed());
        assert!(reads.iter().any(Result::is_ok), "{reads:?}");
        assert!(read!(db, |c| sites::by_id(c, id)).is_some());
        db.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_in_progress_fails_when_the_server_falls_silent() {
    database::with(TestDatabase::postgres().await, async |database| {
        let proxy = Proxy::before(database).await;
        let url = url_with(&proxy.url(database), |options| options.statement_timeout = Duration::from_secs(2));
        let db = Db::open(&url).await.expect("an empty database opens");
        let id = make::stored_site(&db).await;
        let (server, schema) = database.schema().expect("a server");
        let mut other = server_client(server).await;
        let holding = other.transaction().await.expect("a transaction");
        holding.batch_execute(&format!("SELECT * FROM {schema}.sites FOR UPDATE")).await.expect("locked");

        let writer = db.clone();
        let waiting = tokio::spawn(async move { try_commit!(writer, |c| sites::by_id_locked(c, id)) });
        tokio::time::sleep(Duration::from_millis(300)).await;
        proxy.fall_silent();
        let ended = tokio::time::timeout(BACK_WITHIN, waiting).await.expect("it ends").expect("no panic");

        assert!(matches!(ended, Err(Error::Unavailable(_))), "{ended:?}");
        holding.rollback().await.expect("the lock ends");
        assert!(commit!(db, |c| sites::by_id_locked(c, id)).is_some());
        db.close().await;
    })
    .await;
}
