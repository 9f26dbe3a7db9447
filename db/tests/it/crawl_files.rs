//! Tests of the stored robots.txt and sitemaps of the last crawl.

use helpbot_db::crawl_files::CrawlFile;
use helpbot_db::{Db, crawl_files, sources};

use crate::make;

on_both_backends!(crawl_files_are_replaced_together_and_deleted_with_their_source);

fn file(url: &str, content: &str) -> CrawlFile {
    let etag = Some("\"1\"".to_owned());
    CrawlFile { url: url.into(), etag, last_modified: None, content: content.into() }
}

async fn crawl_files_are_replaced_together_and_deleted_with_their_source(db: &Db) {
    let site = make::stored_site(db).await;
    let one = make::stored_source(db, site, "https://example.com/help").await.id;
    let two = make::stored_source(db, site, "https://example.com/other").await.id;

    commit!(db, |c| crawl_files::replace(c, site, one, &[file("a", "1"), file("b", "2")]));
    commit!(db, |c| crawl_files::replace(c, site, two, &[file("a", "3")]));
    commit!(db, |c| crawl_files::replace(c, site, one, &[file("b", "4")]));

    assert_eq!(read!(db, |c| crawl_files::of_source(c, site, one)), [file("b", "4")]);
    assert_eq!(read!(db, |c| crawl_files::of_source(c, site, two)), [file("a", "3")]);
    commit!(db, |c| sources::delete(c, site, one));
    assert!(read!(db, |c| crawl_files::of_source(c, site, one)).is_empty());
}
