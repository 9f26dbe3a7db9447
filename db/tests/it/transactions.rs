//! What a write promises: all or nothing, durable when it returns, whole without its caller.

use helpbot_domain::site::Site;
use std::time::Duration;

use futures_util::future::join_all;
use helpbot_db::{Conn, Db, Error, Result, sites};
use tokio::sync::oneshot;

use crate::make;

on_both_backends!(
    a_write_that_fails_halfway_leaves_nothing,
    a_write_that_panics_leaves_nothing_and_the_next_succeeds,
    a_write_finishes_when_its_caller_is_dropped,
    a_write_that_ignores_a_failed_statement_is_committed_or_rejected_but_never_lost,
    a_read_sees_every_write_that_was_acknowledged,
    more_readers_than_connections_all_get_a_connection,
);

/// A caller's own error: what `write` fails with is the caller's to choose.
#[derive(Debug, PartialEq)]
enum OwnError {
    Refused,
    Db(String),
}

impl From<Error> for OwnError {
    fn from(error: Error) -> Self {
        OwnError::Db(error.to_string())
    }
}

async fn a_write_that_fails_halfway_leaves_nothing(db: &Db) {
    let site = make::site();
    let id = site.id;

    let failed: Result<(), OwnError> = db
        .write(move |c| {
            Box::pin(async move {
                sites::insert(c, &site).await?;
                Err(OwnError::Refused)
            })
        })
        .await;

    assert_eq!(failed, Err(OwnError::Refused));
    assert_eq!(read!(db, |c| sites::by_id(c, id)), None);
}

async fn a_write_that_panics_leaves_nothing_and_the_next_succeeds(db: &Db) {
    async fn insert_then_panic(c: &mut Conn, site: &Site) -> Result<()> {
        sites::insert(c, site).await?;
        panic!("on purpose")
    }
    let site = make::site();

    let first = site.clone();
    let failed = try_commit!(db, |c| insert_then_panic(c, &first));

    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
    let second = site.clone();
    commit!(db, |c| sites::insert(c, &second));
    assert_eq!(read!(db, |c| sites::by_id(c, site.id)), Some(site));
}

async fn a_write_finishes_when_its_caller_is_dropped(db: &Db) {
    let site = make::site();
    let (begun, has_begun) = oneshot::channel();
    let id = site.id;
    let writer = db.clone();
    let caller = tokio::spawn(async move {
        writer
            .write::<_, Error, _>(move |c| {
                Box::pin(async move {
                    let _ = begun.send(());
                    sites::insert(c, &site).await
                })
            })
            .await
    });

    has_begun.await.expect("the write begins");
    caller.abort();
    let _ = caller.await;

    // The next write queues behind the abandoned one on SQLite; on PostgreSQL the rows tell.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while read!(db, |c| sites::by_id(c, id)).is_none() {
        assert!(tokio::time::Instant::now() < deadline, "the abandoned write is lost");
        tokio::task::yield_now().await;
    }
    assert_eq!(read!(db, |c| sites::index_version(c, id)), Some(0), "all of it is there");
}

async fn a_write_that_ignores_a_failed_statement_is_committed_or_rejected_but_never_lost(db: &Db) {
    async fn insert_both(c: &mut Conn, new: &Site, taken: &Site) -> Result<()> {
        sites::insert(c, new).await?;
        let _ = sites::insert(c, taken).await;
        Ok(())
    }
    let taken = make::stored_site(db).await;
    let new = make::site();

    let (first, second) = (new.clone(), Site { id: taken, ..make::site() });
    let outcome = try_commit!(db, |c| insert_both(c, &first, &second));

    let is_there = read!(db, |c| sites::by_id(c, new.id)).is_some();
    assert_eq!(outcome.is_ok(), is_there, "{outcome:?}");
}

async fn a_read_sees_every_write_that_was_acknowledged(db: &Db) {
    let writes = (0..50).map(|_| async move {
        let id = make::stored_site(db).await;
        assert!(read!(db, |c| sites::by_id(c, id)).is_some());
    });

    join_all(writes).await;

    assert_eq!(read!(db, |c| sites::count(c)), 50);
}

async fn more_readers_than_connections_all_get_a_connection(db: &Db) {
    let before = db.statements();

    let counts = join_all((0..100).map(|_| async move { read!(db, |c| sites::count(c)) })).await;

    assert_eq!(counts, [0; 100]);
    assert_eq!(db.statements(), before + 100);
}
