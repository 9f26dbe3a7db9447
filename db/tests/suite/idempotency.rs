//! Answers kept for requests that are sent twice.

use futures_util::future::join_all;
use helpbot_db::idempotency::Kept;
use helpbot_db::{Db, idempotency};

use crate::make::{self, NOW, later};

on_both_backends!(
    of_fifty_requests_with_one_key_one_goes_first,
    the_second_request_gets_what_the_first_was_answered,
    a_request_that_failed_may_be_sent_again,
    old_answers_are_forgotten,
    each_site_has_its_own_keys,
);

async fn of_fifty_requests_with_one_key_one_goes_first(db: &Db) {
    let site = make::stored_site(db).await;

    let known =
        join_all((0..50).map(|_| async move { commit!(db, |c| idempotency::begin(c, site, "k", "h", NOW)) })).await;

    assert_eq!(known.iter().filter(|known| known.is_none()).count(), 1);
}

async fn the_second_request_gets_what_the_first_was_answered(db: &Db) {
    let site = make::stored_site(db).await;
    let running = Kept { request_hash: "h".into(), answer: None, created_at: NOW };

    assert_eq!(commit!(db, |c| idempotency::begin(c, site, "k", "h", NOW)), None);
    assert_eq!(commit!(db, |c| idempotency::begin(c, site, "k", "other", later(1))), Some(running.clone()));
    commit!(db, |c| idempotency::finish(c, site, "k", r#"{"ok":1}"#));

    let answered = Kept { answer: Some(r#"{"ok":1}"#.into()), ..running };
    assert_eq!(commit!(db, |c| idempotency::begin(c, site, "k", "h", later(2))), Some(answered));
}

async fn a_request_that_failed_may_be_sent_again(db: &Db) {
    let site = make::stored_site(db).await;
    commit!(db, |c| idempotency::begin(c, site, "k", "h", NOW));

    commit!(db, |c| idempotency::forget(c, site, "k"));

    assert_eq!(commit!(db, |c| idempotency::begin(c, site, "k", "h2", NOW)), None);
}

async fn old_answers_are_forgotten(db: &Db) {
    let site = make::stored_site(db).await;
    commit!(db, |c| idempotency::begin(c, site, "old", "h", NOW));
    commit!(db, |c| idempotency::begin(c, site, "new", "h", later(1)));

    assert_eq!(commit!(db, |c| idempotency::delete_before(c, later(1))), 1);

    assert_eq!(commit!(db, |c| idempotency::begin(c, site, "old", "h", later(2))), None);
    assert!(commit!(db, |c| idempotency::begin(c, site, "new", "h", later(2))).is_some());
}

async fn each_site_has_its_own_keys(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    commit!(db, |c| idempotency::begin(c, site, "k", "h", NOW));

    assert_eq!(commit!(db, |c| idempotency::begin(c, other, "k", "h", NOW)), None);
    commit!(db, |c| idempotency::finish(c, other, "k", "theirs"));
    commit!(db, |c| idempotency::forget(c, other, "k"));

    let kept = commit!(db, |c| idempotency::begin(c, site, "k", "h", NOW));
    assert_eq!(kept.map(|kept| kept.answer), Some(None));
}
