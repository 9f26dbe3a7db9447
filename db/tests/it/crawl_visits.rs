//! Tests of the pages that a running sync has visited.

use helpbot_db::{Db, crawl_visits, sources};

use crate::make;

on_both_backends!(a_visit_is_stored_once_per_url, visits_are_deleted_with_their_sync_or_source);

const URL: &str = "https://example.com/help";

async fn a_visit_is_stored_once_per_url(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await.id;

    commit!(db, |c| crawl_visits::insert(c, site, source, "a", "1"));
    commit!(db, |c| crawl_visits::insert(c, site, source, "b", "2"));
    commit!(db, |c| crawl_visits::insert(c, site, source, "a", "3"));

    let mut visits = read!(db, |c| crawl_visits::of_source(c, site, source));
    visits.sort();
    assert_eq!(visits, [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
}

async fn visits_are_deleted_with_their_sync_or_source(db: &Db) {
    let site = make::stored_site(db).await;
    let (one, two) = (make::stored_source(db, site, URL).await.id, make::stored_source(db, site, "other").await.id);
    commit!(db, |c| crawl_visits::insert(c, site, one, "a", "1"));
    commit!(db, |c| crawl_visits::insert(c, site, two, "a", "1"));

    commit!(db, |c| crawl_visits::delete(c, site, one));
    assert!(read!(db, |c| crawl_visits::of_source(c, site, one)).is_empty());
    assert_eq!(read!(db, |c| crawl_visits::of_source(c, site, two)).len(), 1);

    commit!(db, |c| sources::delete(c, site, two));
    assert!(read!(db, |c| crawl_visits::of_source(c, site, two)).is_empty());
}
