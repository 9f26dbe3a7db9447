//! Tests of the event log: concurrent writers leave no gaps.

use futures_util::future::{join, join_all};
use helpbot_db::events::NewEvent;
use helpbot_db::{Conn, Db, Error, Result, events};
use helpbot_domain::event::{Event, EventType};
use helpbot_domain::ids::SiteId;

use crate::make::{self, NOW, later};

on_both_backends!(
    five_writers_at_once_leave_no_gap_and_readers_never_see_one,
    a_write_that_fails_uses_no_number,
    events_are_read_as_written_in_pages,
    an_event_is_found_by_its_number,
    an_event_without_a_conversation_is_read_as_written,
    old_events_are_deleted_and_the_numbers_continue,
    old_events_are_deleted_in_groups,
    the_old_events_of_a_site_are_deleted_in_groups,
    each_site_has_its_own_log,
    a_missing_site_has_no_log,
);

fn seqs(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.seq).collect()
}

async fn append(db: &Db, site: SiteId, count: usize) -> Vec<Event> {
    let new = (0..count).map(|_| make::event()).collect();
    commit!(db, |c| events::append(c, site, NOW, new))
}

async fn five_writers_at_once_leave_no_gap_and_readers_never_see_one(db: &Db) {
    const TRANSACTIONS: usize = 20;
    /// Number of events of each writer, which appends 1, 2, 3, 1, 2, … of them in 20 transactions.
    const OF_ONE_WRITER: i64 = 39;
    let site = make::stored_site(db).await;

    let writer = || async {
        for n in 0..TRANSACTIONS {
            let stored = append(db, site, n % 3 + 1).await;
            assert!(stored.is_sorted_by(|a, b| a.seq + 1 == b.seq), "the events of one write stand together");
        }
    };
    let reader = async {
        let mut seen = 0;
        while seen < 5 * OF_ONE_WRITER {
            let news = read!(db, |c| events::after(c, site, seen, 1000));
            assert_eq!(seqs(&news), (seen + 1..).take(news.len()).collect::<Vec<_>>());
            seen = news.last().map_or(seen, |event| event.seq);
            // Lets the writers continue when one thread runs all tasks.
            tokio::task::yield_now().await;
        }
    };
    join(join_all((0..5).map(|_| writer())), reader).await;

    assert_eq!(read!(db, |c| events::last_seq(c, site)), Some(5 * OF_ONE_WRITER));
}

async fn an_event_without_a_conversation_is_read_as_written(db: &Db) {
    let site = make::stored_site(db).await;
    let new = NewEvent {
        event_type: EventType::EntryAdded,
        conversation_id: None,
        session_id: String::new(),
        ..make::event()
    };

    let stored = commit!(db, |c| events::append(c, site, NOW, vec![new]));

    assert_eq!((stored[0].event_type, stored[0].conversation_id), (EventType::EntryAdded, None));
    assert_eq!(read!(db, |c| events::after(c, site, 0, 9)), stored);
}

async fn an_event_is_found_by_its_number(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let stored = append(db, site, 2).await;

    assert_eq!(read!(db, |c| events::id_at(c, site, 2)), Some(stored[1].id));
    assert_eq!(read!(db, |c| events::id_at(c, site, 3)), None);
    assert_eq!(read!(db, |c| events::id_at(c, other, 1)), None);
}

async fn a_write_that_fails_uses_no_number(db: &Db) {
    async fn append_then_fail(c: &mut Conn, site: SiteId) -> Result<()> {
        events::append(c, site, NOW, vec![make::event(), make::event()]).await?;
        Err(Error::Overloaded)
    }
    let site = make::stored_site(db).await;
    append(db, site, 1).await;

    let failed = try_commit!(db, |c| append_then_fail(c, site));
    let next = append(db, site, 1).await;

    assert!(matches!(failed, Err(Error::Overloaded)));
    assert_eq!(seqs(&next), [2]);
    assert_eq!(seqs(&read!(db, |c| events::after(c, site, 0, 10))), [1, 2]);
}

async fn events_are_read_as_written_in_pages(db: &Db) {
    let site = make::stored_site(db).await;

    let stored = append(db, site, 5).await;

    assert_eq!(seqs(&stored), [1, 2, 3, 4, 5]);
    assert_eq!(stored[0].data, make::event().data);
    assert_eq!(read!(db, |c| events::after(c, site, 0, 10)), stored);
    assert_eq!(read!(db, |c| events::after(c, site, 2, 2)), stored[2..4]);
    assert_eq!(read!(db, |c| events::after(c, site, 5, 2)), []);
    assert_eq!(append(db, site, 0).await, []);
}

async fn old_events_are_deleted_and_the_numbers_continue(db: &Db) {
    let site = make::stored_site(db).await;
    append(db, site, 3).await;
    commit!(db, |c| events::append(c, site, later(10), vec![make::event()]));
    assert_eq!(read!(db, |c| events::first_seq(c, site)), Some(1));

    let forgotten = commit!(db, |c| events::delete_before(c, later(10), 10));

    assert_eq!(forgotten, 3);
    assert_eq!(read!(db, |c| events::first_seq(c, site)), Some(4));
    assert_eq!(commit!(db, |c| events::delete_before(c, later(11), 10)), 1);
    assert_eq!(read!(db, |c| events::first_seq(c, site)), None);
    assert_eq!(seqs(&append(db, site, 1).await), [5]);
}

async fn old_events_are_deleted_in_groups(db: &Db) {
    let site = make::stored_site(db).await;
    for second in 0..5 {
        commit!(db, |c| events::append(c, site, later(second), vec![make::event()]));
    }

    let groups = [
        commit!(db, |c| events::delete_before(c, later(4), 3)),
        commit!(db, |c| events::delete_before(c, later(4), 3)),
        commit!(db, |c| events::delete_before(c, later(4), 3)),
    ];

    assert_eq!(groups, [3, 1, 0]);
    assert_eq!(read!(db, |c| events::first_seq(c, site)), Some(5));
}

async fn each_site_has_its_own_log(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    append(db, site, 2).await;

    let first_of_other = append(db, other, 1).await;

    assert_eq!(seqs(&first_of_other), [1]);
    assert_eq!(read!(db, |c| events::after(c, other, 0, 10)), first_of_other);
    let mut last = read!(db, |c| events::last_seqs(c, &[site, other, make::site().id]));
    last.sort();
    assert_eq!(last, [(site, 2, 0), (other, 1, 0)]);
}

async fn a_missing_site_has_no_log(db: &Db) {
    let absent = make::site().id;

    let refused = try_commit!(db, |c| events::append(c, absent, NOW, vec![make::event()]));

    assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
    assert_eq!(read!(db, |c| events::last_seq(c, absent)), None);
}

async fn the_old_events_of_a_site_are_deleted_in_groups(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    for second in 0..5 {
        commit!(db, |c| events::append(c, site, later(second), vec![make::event()]));
    }
    append(db, other, 1).await;

    let groups = [
        commit!(db, |c| events::delete_of_site_before(c, site, later(4), 3)),
        commit!(db, |c| events::delete_of_site_before(c, site, later(4), 3)),
        commit!(db, |c| events::delete_of_site_before(c, site, later(4), 3)),
    ];

    assert_eq!(groups, [3, 1, 0]);
    assert_eq!(read!(db, |c| events::first_seq(c, site)), Some(5));
    assert_eq!(read!(db, |c| events::first_seq(c, other)), Some(1));
}
