//! Tests of the row about the installation: its key, and who creates its first site.

use futures_util::future::join_all;
use helpbot_db::{Db, installation};

use crate::make::{NOW, later};

on_both_backends!(
    the_first_fingerprint_of_the_key_stays,
    one_of_several_nodes_reserves_the_first_start_until_it_ends_or_expires,
    the_clock_of_the_database_is_that_of_its_server,
);

async fn the_first_fingerprint_of_the_key_stays(db: &Db) {
    assert_eq!(read!(db, |c| installation::key_fingerprint(c)), None);

    commit!(db, |c| installation::set_key_fingerprint(c, "one"));
    commit!(db, |c| installation::set_key_fingerprint(c, "two"));

    assert_eq!(read!(db, |c| installation::key_fingerprint(c)).as_deref(), Some("one"));
}

async fn one_of_several_nodes_reserves_the_first_start_until_it_ends_or_expires(db: &Db) {
    let claims = join_all(
        ["a", "b", "c", "d"]
            .map(|owner| async move { commit!(db, |c| installation::claim_first_start(c, owner, NOW, later(60))) }),
    )
    .await;
    let winner = ["a", "b", "c", "d"][claims.iter().position(|claimed| *claimed).expect("one of them")];

    assert_eq!(claims.iter().filter(|claimed| **claimed).count(), 1);
    commit!(db, |c| installation::end_first_start(c, "somebody else"));
    assert!(!commit!(db, |c| installation::claim_first_start(c, "e", NOW, later(60))));
    commit!(db, |c| installation::end_first_start(c, winner));
    assert!(commit!(db, |c| installation::claim_first_start(c, "e", NOW, later(60))));
    assert!(commit!(db, |c| installation::claim_first_start(c, "f", later(61), later(120))), "e has crashed");
}

async fn the_clock_of_the_database_is_that_of_its_server(db: &Db) {
    let first = read!(db, |c| installation::clock(c));
    let second = read!(db, |c| installation::clock(c));

    // SQLite has no clock of its own.
    assert_eq!(first.is_some(), second.is_some());
    if let (Some(first), Some(second)) = (first, second) {
        assert!(NOW < first && first <= second, "{first:?} {second:?}");
    }
}
