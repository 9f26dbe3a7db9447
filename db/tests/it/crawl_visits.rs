//! Tests of the pages that a running sync has visited.

use helpbot_db::{Db, crawl_visits, sources};

use crate::make;

on_both_backends!(a_visit_is_stored_once_per_url, visits_are_deleted_in_groups_or_with_their_source);

const URL: &str = "https://example.com/help";

async fn a_visit_is_stored_once_per_url(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await.id;

    commit!(db, |c| crawl_visits::insert(c, site, source, "a", "1"));
    commit!(db, |c| crawl_visits::insert(c, site, source, "b", "2"));
    commit!(db, |c| crawl_visits::insert(c, site, source, "a", "3"));

    let mut urls = read!(db, |c| crawl_visits::urls(c, site, source));
    urls.sort();
    assert_eq!(urls, ["a", "b"]);
    assert_eq!(read!(db, |c| crawl_visits::by_url(c, site, source, "a")).as_deref(), Some("1"));
    assert_eq!(read!(db, |c| crawl_visits::by_url(c, site, source, "c")), None);
}

async fn visits_are_deleted_in_groups_or_with_their_source(db: &Db) {
    let site = make::stored_site(db).await;
    let (one, two) = (make::stored_source(db, site, URL).await.id, make::stored_source(db, site, "other").await.id);
    for url in ["a", "b", "c"] {
        commit!(db, |c| crawl_visits::insert(c, site, one, url, "1"));
    }
    commit!(db, |c| crawl_visits::insert(c, site, two, "a", "1"));

    assert!(!commit!(db, |c| crawl_visits::delete_some(c, site, one, 2)));
    assert_eq!(read!(db, |c| crawl_visits::urls(c, site, one)), ["c"]);
    assert!(commit!(db, |c| crawl_visits::delete_some(c, site, one, 2)));
    assert!(read!(db, |c| crawl_visits::urls(c, site, one)).is_empty());
    assert!(!read!(db, |c| crawl_visits::any(c, site, one)));
    assert!(read!(db, |c| crawl_visits::any(c, site, two)));
    assert_eq!(read!(db, |c| crawl_visits::urls(c, site, two)).len(), 1);

    commit!(db, |c| sources::delete(c, site, two));
    assert!(read!(db, |c| crawl_visits::urls(c, site, two)).is_empty());
}
