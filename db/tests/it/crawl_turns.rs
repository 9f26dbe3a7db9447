//! Tests of the turns of nodes at hosts.

use helpbot_db::{Db, crawl_turns};
use helpbot_domain::Timestamp;

on_both_backends!(
    a_host_is_read_by_one_node_at_a_time_with_a_pause,
    a_node_that_waits_comes_next_while_it_asks,
    a_time_that_is_too_late_is_not_believed,
    old_turns_are_deleted,
);

const HOST: &str = "help.example.com:443";
/// Milliseconds for which a node that waits comes next.
const NEXT_FOR: i64 = 20;
/// Milliseconds from now after which no turn can end.
const BELIEVED: i64 = 1_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

async fn take(db: &Db, holder: &'static str, now: i64, until: i64) -> Option<Timestamp> {
    commit!(db, |c| crawl_turns::take(c, HOST, holder, at(now), at(until), at(now + NEXT_FOR), at(now + BELIEVED)))
}

async fn a_host_is_read_by_one_node_at_a_time_with_a_pause(db: &Db) {
    assert_eq!(take(db, "a", 0, 60).await, None);
    assert_eq!(take(db, "b", 10, 70).await, Some(at(60)));
    assert_eq!(take(db, "a", 20, 80).await, None, "the node has the turn already");
    assert_eq!(
        commit!(db, |c| crawl_turns::take(c, "other:80", "b", at(10), at(70), at(10 + NEXT_FOR), at(10 + BELIEVED))),
        None
    );

    commit!(db, |c| crawl_turns::give_back(c, HOST, "b", at(0)));
    assert_eq!(take(db, "b", 30, 90).await, Some(at(80)), "a turn is returned by its holder only");
    commit!(db, |c| crawl_turns::give_back(c, HOST, "a", at(40)));
    assert_eq!(take(db, "a", 39, 99).await, Some(at(40)), "the pause is for all nodes");
    assert_eq!(take(db, "b", 40, 100).await, None);
    assert_eq!(take(db, "a", 100, 160).await, None, "the lease of a lost node ends");

    let renewed = async |holder| commit!(db, |c| crawl_turns::renew(c, HOST, holder, at(200)));
    assert_eq!((renewed("a").await, renewed("b").await), (true, false));
    assert_eq!(take(db, "b", 170, 230).await, Some(at(200)), "a renewed turn lasts longer");
    commit!(db, |c| crawl_turns::give_back(c, HOST, "a", at(180)));
    assert!(!renewed("a").await, "a returned turn is not renewed");
}

async fn a_node_that_waits_comes_next_while_it_asks(db: &Db) {
    take(db, "a", 0, 60).await;
    assert_eq!(take(db, "b", 10, 70).await, Some(at(60)));
    assert_eq!(take(db, "c", 11, 71).await, Some(at(60)), "b comes next already");
    commit!(db, |c| crawl_turns::give_back(c, HOST, "a", at(20)));

    assert_eq!(take(db, "a", 25, 85).await, Some(at(30)), "the turn is kept for b");
    assert_eq!(take(db, "c", 26, 86).await, Some(at(30)));
    assert_eq!(take(db, "b", 29, 89).await, None);

    assert_eq!(take(db, "a", 40, 100).await, Some(at(89)));
    commit!(db, |c| crawl_turns::give_back(c, HOST, "b", at(50)));
    assert_eq!(take(db, "c", 59, 119).await, Some(at(60)), "a comes next until then");
    assert_eq!(take(db, "c", 60, 120).await, None, "a has not asked again");
}

async fn a_time_that_is_too_late_is_not_believed(db: &Db) {
    take(db, "a", 9_000, 9_060).await;
    assert_eq!(take(db, "b", 9_010, 9_070).await, Some(at(9_060)), "b comes next");

    // The clock was set back by eight seconds.
    assert_eq!(take(db, "c", 1_000, 1_060).await, None);
    assert_eq!(take(db, "a", 1_010, 1_070).await, Some(at(1_060)), "later turns are exclusive again");
}

async fn old_turns_are_deleted(db: &Db) {
    take(db, "a", 0, 60).await;

    assert_eq!(commit!(db, |c| crawl_turns::delete_before(c, at(60))), 0);
    assert_eq!(commit!(db, |c| crawl_turns::delete_before(c, at(61))), 1);
    assert_eq!(take(db, "b", 10, 70).await, None);
}
