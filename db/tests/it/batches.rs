//! Tests of writes that share a transaction: each has its own result, and their events are numbered without gaps.

use futures_util::future::{BoxFuture, join_all};
use helpbot_db::{BatchEnd, Batched, Conn, Db, Error, Result, events};
use helpbot_domain::ids::SiteId;

use crate::make::{self, NOW};

on_both_backends!(
    writes_at_once_share_commits_and_get_numbers_without_gaps,
    a_refused_write_uses_no_number_and_does_not_affect_the_others,
    a_batch_that_fails_is_carried_out_one_by_one,
    a_batch_that_cannot_be_shared_is_carried_out_one_by_one,
    the_writes_of_two_sites_do_not_wait_for_each_other,
    a_batched_write_finishes_when_its_caller_is_dropped,
);

/// Appends one event to the log of a site.
#[derive(Clone)]
struct Append {
    site: SiteId,
    fate: Fate,
}

/// What happens to a write or to the batch that contains it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stored,
    Refused,
    /// The batch fails after its events were appended.
    Failing,
    /// The batch cannot be shared.
    Alone,
}

impl Batched for Append {
    type Output = i64;
    type Error = Error;

    fn run(c: &mut Conn, batch: Vec<Self>) -> BoxFuture<'_, Result<BatchEnd<i64, Error>>> {
        Box::pin(async move {
            let has = |fate| batch.iter().any(|write| write.fate == fate);
            let stored = batch.iter().filter(|write| write.fate != Fate::Refused);
            let new = stored.map(|_| make::event()).collect();
            let mut appended = events::append(c, batch[0].site, NOW, new).await?.into_iter();
            if has(Fate::Failing) {
                return Err(Error::Corrupt { what: "write", value: "on purpose".into() });
            }
            if batch.len() > 1 && has(Fate::Alone) {
                return Ok(BatchEnd::Alone);
            }
            let result = |write: &Self| match write.fate {
                Fate::Refused => Err(Error::Overloaded),
                _ => Ok(appended.next().expect("one event for each stored write").seq),
            };
            Ok(BatchEnd::Done(batch.iter().map(result).collect()))
        })
    }
}

async fn append_all(db: &Db, site: SiteId, fates: impl IntoIterator<Item = Fate>) -> Vec<Result<i64>> {
    join_all(fates.into_iter().map(|fate| db.write_batched(site, Append { site, fate }))).await
}

/// Checks that the log contains exactly the events with the numbers that the writes returned, without gaps.
async fn require_whole_log(db: &Db, site: SiteId, results: &[Result<i64>], count: i64) {
    let mut returned: Vec<i64> = results.iter().filter_map(|result| result.as_ref().ok().copied()).collect();
    returned.sort_unstable();
    let stored = read!(db, |c| events::after(c, site, 0, 1000));

    assert_eq!(returned, (1..=count).collect::<Vec<_>>());
    assert_eq!(stored.iter().map(|event| event.seq).collect::<Vec<_>>(), returned);
}

async fn writes_at_once_share_commits_and_get_numbers_without_gaps(db: &Db) {
    let site = make::stored_site(db).await;
    let before = db.commits();

    let results = append_all(db, site, [Fate::Stored; 200]).await;

    require_whole_log(db, site, &results, 200).await;
    assert!(db.commits() - before < 100, "{} commits", db.commits() - before);
}

async fn a_refused_write_uses_no_number_and_does_not_affect_the_others(db: &Db) {
    let site = make::stored_site(db).await;
    let fates = (0..60).map(|place| if place % 3 == 1 { Fate::Refused } else { Fate::Stored });

    let results = append_all(db, site, fates).await;

    require_whole_log(db, site, &results, 40).await;
    let refused = |place: usize| matches!(results[place], Err(Error::Overloaded));
    assert!((0..60).all(|place| refused(place) == (place % 3 == 1)), "{results:?}");
}

async fn a_batch_that_fails_is_carried_out_one_by_one(db: &Db) {
    let site = make::stored_site(db).await;
    let fates = (0..30).map(|place| if place == 17 { Fate::Failing } else { Fate::Stored });

    let results = append_all(db, site, fates).await;

    require_whole_log(db, site, &results, 29).await;
    assert!(matches!(results[17], Err(Error::Corrupt { .. })), "{:?}", results[17]);
}

async fn a_batch_that_cannot_be_shared_is_carried_out_one_by_one(db: &Db) {
    let site = make::stored_site(db).await;
    let fates = (0..30).map(|place| if place == 17 { Fate::Alone } else { Fate::Stored });

    let results = append_all(db, site, fates).await;

    require_whole_log(db, site, &results, 30).await;
}

async fn the_writes_of_two_sites_do_not_wait_for_each_other(db: &Db) {
    let (one, two) = (make::stored_site(db).await, make::stored_site(db).await);

    let all = join_all([one, two].map(|site| async move { append_all(db, site, [Fate::Stored; 50]).await })).await;

    require_whole_log(db, one, &all[0], 50).await;
    require_whole_log(db, two, &all[1], 50).await;
}

async fn a_batched_write_finishes_when_its_caller_is_dropped(db: &Db) {
    let site = make::stored_site(db).await;
    let writer = db.clone();
    let mut dropped = Box::pin(async move { writer.write_batched(site, Append { site, fate: Fate::Stored }).await });

    // One poll submits the write.
    let _ended = futures_util::poll!(&mut dropped);
    drop(dropped);
    let next = db.write_batched(site, Append { site, fate: Fate::Stored }).await;

    assert_eq!(next.expect("the write succeeds"), 2, "the write of the dropped caller came first");
}
