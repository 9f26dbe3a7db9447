//! Closing a database: work in progress ends normally, and nothing new starts.

use helpbot_db::{Db, Error, sites};
use tokio::sync::oneshot;

use crate::make;
use helpbot_test_support::database::{self, TestDatabase};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_waits_for_a_write_whose_caller_is_gone_on_sqlite() {
    database::with(Some(TestDatabase::sqlite()), waits_for_an_abandoned_write).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_waits_for_a_write_whose_caller_is_gone_on_postgres() {
    database::with(TestDatabase::postgres().await, waits_for_an_abandoned_write).await;
}

async fn waits_for_an_abandoned_write(database: &TestDatabase) {
    let db = Db::open(database.url()).await.expect("an empty database opens");
    let site = make::site();
    let id = site.id;
    let (begun, has_begun) = oneshot::channel();
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let writer = db.clone();
    let caller = tokio::spawn(async move {
        let write = writer.write::<_, Error, _>(move |c| {
            Box::pin(async move {
                let _ = begun.send(());
                // The write waits, as it would for a slow server.
                tokio::task::block_in_place(|| may_go.recv()).expect("the test lets it go on");
                sites::insert(c, &site).await
            })
        });
        write.await
    });
    has_begun.await.expect("the write begins");
    caller.abort();

    let closing = tokio::spawn({
        let db = db.clone();
        async move { db.close().await }
    });
    while db.reader().await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!closing.is_finished(), "the write has not ended");
    go.send(()).expect("the write waits");
    closing.await.expect("no panic");

    let refused = try_commit!(db, |c| sites::count(c));
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    let again = Db::open(database.url()).await.expect("it opens again");
    assert_eq!(read!(again, |c| sites::by_id(c, id)).map(|site| site.id), Some(id), "the write is stored");
    again.close().await;
}
