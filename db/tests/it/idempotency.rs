//! Tests of requests that are executed at most once.

use futures_util::future::join_all;
use helpbot_db::idempotency::{IdempotentRequest, RequestAttempt};
use helpbot_db::{Db, Error, idempotency, sites};
use helpbot_domain::ids::KeyId;

use crate::make::{self, NOW, later};

on_both_backends!(
    only_one_of_fifty_concurrent_attempts_reserves_a_request,
    a_response_is_stored_only_when_the_request_was_executed,
    the_record_of_an_execution_is_rolled_back_with_its_effect,
    an_attempt_that_was_taken_over_writes_nothing,
    work_outside_of_an_attempt_is_not_recorded,
    old_requests_are_deleted,
    request_names_are_scoped_by_api_key,
);

fn turn(key: KeyId, holder: &str) -> RequestAttempt {
    RequestAttempt { key_id: key, name: "n".into(), holder: holder.into() }
}

async fn stored_key(db: &Db) -> KeyId {
    let site = make::stored_site(db).await;
    make::stored_key(db, site).await.id
}

async fn reserved(db: &Db, turn: &RequestAttempt) -> bool {
    let turn = turn.clone();
    commit!(db, |c| idempotency::reserve(c, &turn, "hash", NOW, later(60)))
}

async fn known(db: &Db, key: KeyId) -> Option<IdempotentRequest> {
    commit!(db, |c| idempotency::known(c, key, "n"))
}

/// Runs a write with an effect.
async fn write(db: &Db) -> Result<(), Error> {
    let site = make::site();
    try_commit!(db, |c| sites::insert(c, &site))
}

async fn end(db: &Db, turn: &RequestAttempt, answer: &'static [u8]) {
    let turn = turn.clone();
    commit!(db, |c| idempotency::end(c, &turn, Some(answer)));
}

async fn only_one_of_fifty_concurrent_attempts_reserves_a_request(db: &Db) {
    let key = stored_key(db).await;

    let first = join_all((0..50).map(|n| async move { reserved(db, &turn(key, &n.to_string())).await })).await;

    assert_eq!(first.iter().filter(|first| **first).count(), 1);
}

async fn a_response_is_stored_only_when_the_request_was_executed(db: &Db) {
    let key = stored_key(db).await;
    let (first, second) = (turn(key, "1"), turn(key, "2"));
    assert!(reserved(db, &first).await);

    end(db, &first, b"refused").await;
    assert_eq!(known(db, key).await, None, "it wrote nothing");

    assert!(reserved(db, &second).await);
    idempotency::in_attempt(second.clone(), write(db)).await.expect("the write succeeds");
    end(db, &second, b"done").await;
    let known = known(db, key).await.expect("it is kept");
    assert_eq!((known.is_carried_out, known.answer.as_deref()), (true, Some(&b"done"[..])));
    assert_eq!((known.request_hash.as_str(), known.created_at), ("hash", NOW));
}

async fn the_record_of_an_execution_is_rolled_back_with_its_effect(db: &Db) {
    let key = stored_key(db).await;
    let turn = turn(key, "1");
    assert!(reserved(db, &turn).await);

    let refused: Result<(), Error> =
        idempotency::in_attempt(turn, db.write(|_| Box::pin(async { Err(Error::Schema("a rule is broken".into())) })))
            .await;

    assert!(matches!(refused, Err(Error::Schema(_))));
    assert!(!known(db, key).await.expect("it is reserved").is_carried_out);
}

async fn an_attempt_that_was_taken_over_writes_nothing(db: &Db) {
    let key = stored_key(db).await;
    let (slow, second) = (turn(key, "slow"), turn(key, "second"));
    assert!(reserved(db, &slow).await);
    let taken = second.clone();
    commit!(db, |c| idempotency::take_over(c, &taken, "hash", later(61), later(121)));
    let site = make::site();
    let id = site.id;

    let late = idempotency::in_attempt(slow.clone(), async { try_commit!(db, |c| sites::insert(c, &site)) }).await;
    end(db, &slow, b"late").await;

    assert!(matches!(late, Err(Error::Unavailable(_))));
    assert!(read!(db, |c| sites::by_ids(c, &[id])).is_empty());
    assert_eq!(known(db, key).await.map(|known| (known.holder, known.answer)), Some(("second".into(), None)));
}

async fn work_outside_of_an_attempt_is_not_recorded(db: &Db) {
    let key = stored_key(db).await;
    let turn = turn(key, "1");
    assert!(reserved(db, &turn).await);

    idempotency::in_attempt(turn, idempotency::apart(write(db))).await.expect("the write succeeds");

    assert!(!known(db, key).await.expect("it is reserved").is_carried_out);
}

async fn old_requests_are_deleted(db: &Db) {
    let (old, new) = (stored_key(db).await, stored_key(db).await);
    let (first, second) = (turn(old, "1"), turn(new, "1"));
    commit!(db, |c| idempotency::reserve(c, &first, "hash", NOW, later(60)));
    commit!(db, |c| idempotency::reserve(c, &second, "hash", later(1), later(61)));

    assert_eq!(commit!(db, |c| idempotency::delete_before(c, later(1), 10)), 1);

    assert_eq!(known(db, old).await, None);
    assert!(known(db, new).await.is_some());
}

async fn request_names_are_scoped_by_api_key(db: &Db) {
    let (mine, theirs) = (stored_key(db).await, stored_key(db).await);
    assert!(reserved(db, &turn(mine, "1")).await);
    assert!(reserved(db, &turn(theirs, "2")).await);

    end(db, &turn(theirs, "2"), b"").await;

    assert_eq!(known(db, mine).await.map(|known| known.holder), Some("1".into()));
    assert_eq!(known(db, theirs).await, None);
}
