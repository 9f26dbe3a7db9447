//! Tests of credits: concurrent questions are counted exactly.

use std::time::Duration;

use futures_util::future::join_all;
use helpbot_db::usage::{Hold, Quota};
use helpbot_db::{Db, usage};
use helpbot_domain::ids::SiteId;

use crate::make::{self, NOW, later};

on_both_backends!(
    only_one_of_two_hundred_requests_gets_the_last_credit,
    only_one_of_forty_concurrent_holds_gets_the_last_credit,
    used_and_held_credits_together_never_exceed_the_limit,
    several_credits_are_taken_together_or_not_at_all,
    each_month_and_each_site_has_its_own_allowance,
    a_limit_of_zero_allows_nothing,
    a_hold_counts_until_it_is_released_or_expires,
    a_settled_hold_uses_one_credit,
);

const MONTH: Duration = Duration::from_secs(31 * 86_400);

fn hold(site: SiteId, id: impl Into<String>) -> Hold {
    Hold { site_id: site, id: id.into(), month: NOW.month(), expires_at: later(60) }
}

async fn take(db: &Db, site: SiteId, limit: i64) -> bool {
    commit!(db, |c| usage::take(c, site, NOW.month(), limit, NOW)).is_some()
}

async fn only_one_of_two_hundred_requests_gets_the_last_credit(db: &Db) {
    let site = make::stored_site(db).await;
    for _ in 0..4 {
        assert!(take(db, site, 5).await);
    }

    let taken = join_all((0..200).map(|_| take(db, site, 5))).await;

    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
    assert_eq!(read!(db, |c| usage::used(c, site, NOW.month())), 5);
}

async fn only_one_of_forty_concurrent_holds_gets_the_last_credit(db: &Db) {
    let site = make::stored_site(db).await;

    let held = join_all((0..40).map(|n| async move {
        let hold = hold(site, n.to_string());
        commit!(db, |c| usage::hold(c, &hold, 1, NOW))
    }))
    .await;

    assert_eq!(held.into_iter().filter(|held| *held).count(), 1);
    assert_eq!(read!(db, |c| usage::used(c, site, NOW.month())), 0);
    assert!(!take(db, site, 1).await);
}

async fn several_credits_are_taken_together_or_not_at_all(db: &Db) {
    let site = make::stored_site(db).await;
    let take_all =
        async |count| commit!(db, |c| usage::take_all(c, site, NOW.month(), Quota { count, limit: 10 }, NOW));
    let held = hold(site, "one");
    assert!(commit!(db, |c| usage::hold(c, &held, 10, NOW)));

    assert_eq!(take_all(6).await, Some(6));
    assert_eq!(read!(db, |c| usage::left(c, site, NOW.month(), 10, NOW)), 3);
    assert_eq!(take_all(4).await, None, "one of the four is held");
    assert_eq!(take_all(3).await, Some(9));
    assert_eq!(read!(db, |c| usage::left(c, site, NOW.month(), 10, NOW)), 0);
    assert_eq!(read!(db, |c| usage::left(c, site, NOW.month(), 5, NOW)), 0, "a limit that was lowered");
}

async fn used_and_held_credits_together_never_exceed_the_limit(db: &Db) {
    const LIMIT: i64 = 10;
    let site = make::stored_site(db).await;

    let given = join_all((0..60).map(|n| async move {
        if n % 2 == 0 {
            return take(db, site, LIMIT).await;
        }
        let hold = hold(site, n.to_string());
        commit!(db, |c| usage::hold(c, &hold, LIMIT, NOW))
    }))
    .await;

    assert_eq!(given.into_iter().filter(|given| *given).count(), 10);
    let used = read!(db, |c| usage::used(c, site, NOW.month()));
    assert!((0..=LIMIT).contains(&used), "{used} used");
}

async fn each_month_and_each_site_has_its_own_allowance(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let next = NOW.plus(MONTH);

    assert!(take(db, site, 1).await);
    assert!(!take(db, site, 1).await);
    assert!(take(db, other, 1).await);
    assert_eq!(commit!(db, |c| usage::take(c, site, next.month(), 1, next)), Some(1));

    assert_eq!(read!(db, |c| usage::used(c, site, NOW.month())), 1);
    assert_eq!(read!(db, |c| usage::used(c, site, next.plus(MONTH).month())), 0);
}

async fn a_limit_of_zero_allows_nothing(db: &Db) {
    let site = make::stored_site(db).await;
    let hold = hold(site, "h");

    assert!(!take(db, site, 0).await);
    assert!(!commit!(db, |c| usage::hold(c, &hold, 0, NOW)));

    assert_eq!(read!(db, |c| usage::used(c, site, NOW.month())), 0);
}

async fn a_hold_counts_until_it_is_released_or_expires(db: &Db) {
    let site = make::stored_site(db).await;
    let (first, second) = (hold(site, "first"), hold(site, "second"));
    let (asked, again) = (first.clone(), second.clone());
    assert!(commit!(db, |c| usage::hold(c, &asked, 1, NOW)));
    assert!(!commit!(db, |c| usage::hold(c, &again, 1, NOW)));
    assert!(!take(db, site, 1).await);

    commit!(db, |c| usage::release(c, &first));
    let again = second.clone();
    assert!(commit!(db, |c| usage::hold(c, &again, 1, NOW)));

    let just_before = later(60).minus(Duration::from_millis(1));
    assert_eq!(commit!(db, |c| usage::take(c, site, NOW.month(), 1, just_before)), None);
    assert_eq!(commit!(db, |c| usage::take(c, site, NOW.month(), 1, later(60))), Some(1));
    assert_eq!(read!(db, |c| usage::used(c, site, NOW.month())), 1);
}

async fn a_settled_hold_uses_one_credit(db: &Db) {
    async fn settle(c: &mut helpbot_db::Conn, hold: &Hold) -> helpbot_db::Result<bool> {
        usage::release(c, hold).await?;
        Ok(usage::take(c, hold.site_id, hold.month, 1, NOW).await?.is_some())
    }
    let site = make::stored_site(db).await;
    let hold = hold(site, "h");
    let asked = hold.clone();
    assert!(commit!(db, |c| usage::hold(c, &asked, 1, NOW)));

    let (settled, again) = (hold.clone(), hold);

    assert!(commit!(db, |c| settle(c, &settled)));
    assert!(!commit!(db, |c| usage::hold(c, &again, 1, NOW)));
    assert_eq!(read!(db, |c| usage::used(c, site, NOW.month())), 1);
}
