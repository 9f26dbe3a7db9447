//! DailyCounts by day.

use futures_util::future::join_all;
use helpbot_db::stats::DailyCounts;
use helpbot_db::{Db, stats};

use crate::make::{self, NOW};

on_both_backends!(
    concurrent_changes_of_a_day_add_up,
    days_are_returned_in_order_including_both_ends,
    expired_conversations_stay_in_the_counts_and_leave_the_totals,
);

async fn concurrent_changes_of_a_day_add_up(db: &Db) {
    let site = make::stored_site(db).await;
    let one = DailyCounts { questions: 1, unanswered: 2, handoffs: 3, helpful: 1, unhelpful: 0 };

    join_all((0..20).map(|_| async move { commit!(db, |c| stats::add(c, site, NOW.day(), one)) })).await;
    // A vote that was changed.
    let changed = DailyCounts { helpful: -1, unhelpful: 1, ..DailyCounts::default() };
    commit!(db, |c| stats::add(c, site, NOW.day(), changed));

    let sum = DailyCounts { questions: 20, unanswered: 40, handoffs: 60, helpful: 19, unhelpful: 1 };
    assert_eq!(read!(db, |c| stats::between(c, site, NOW.day(), NOW.day())), [(NOW.day(), sum)]);
}

async fn days_are_returned_in_order_including_both_ends(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let today = NOW.day();
    for days_ago in [0, 3, 1, 4] {
        let counts = DailyCounts { questions: i64::from(days_ago), ..DailyCounts::default() };
        commit!(db, |c| stats::add(c, site, today.minus(days_ago), counts));
    }

    let found = read!(db, |c| stats::between(c, site, today.minus(3), today));

    let days: Vec<_> = found.iter().map(|(day, counts)| (*day, counts.questions)).collect();
    assert_eq!(days, [(today.minus(3), 3), (today.minus(1), 1), (today, 0)]);
    assert_eq!(read!(db, |c| stats::between(c, other, today.minus(9), today)), []);
}

async fn expired_conversations_stay_in_the_counts_and_leave_the_totals(db: &Db) {
    let (site, today) = (make::stored_site(db).await, NOW.day());
    let all = DailyCounts { questions: 5, unanswered: 3, handoffs: 2, helpful: 2, unhelpful: 1 };
    let gone = DailyCounts { questions: 2, unanswered: 1, handoffs: 1, helpful: 1, unhelpful: 1 };
    commit!(db, |c| stats::add(c, site, today, all));

    commit!(db, |c| stats::expire(c, site, today, gone));

    let left = DailyCounts { questions: 3, unanswered: 2, handoffs: 1, helpful: 1, unhelpful: 0 };
    assert_eq!(read!(db, |c| stats::between(c, site, today, today)), [(today, all)]);
    assert_eq!(read!(db, |c| stats::stored_between(c, site, today, today)), [(today, left)]);
}
