//! Tests of the pages of sources.

use helpbot_db::{Db, Error, chunks, documents};
use helpbot_domain::ids::DocumentId;
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::{Document, PageOutcome};

use crate::make::{self, later};

on_both_backends!(
    a_page_is_stored_and_overwritten_by_id,
    two_pages_of_a_source_never_share_a_url,
    pages_are_listed_by_url_and_counted,
    deleting_a_page_deletes_its_chunks,
    a_page_of_another_site_is_not_found,
    the_links_of_a_page_survive_an_update,
);

const URL: &str = "https://example.com/help";

async fn a_page_is_stored_and_overwritten_by_id(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;
    assert_eq!(read!(db, |c| documents::by_url(c, site, source.id, URL)), Some(document.clone()));

    let changed = Document {
        title: None,
        language: Some("de".into()),
        outcome: PageOutcome::Failed,
        reason: Some("404 Not Found".into()),
        etag: None,
        last_modified: Some("Sun, 01 Mar 2026 12:00:00 GMT".into()),
        content_hash: None,
        chunk_count: 4,
        misses: 2,
        fetched_at: later(9),
        ..document
    };
    let new = changed.clone();
    commit!(db, |c| documents::put(c, &new, None));

    assert_eq!(read!(db, |c| documents::of_source(c, site, source.id, None, PageRequest::first(9))), [changed]);
}

async fn two_pages_of_a_source_never_share_a_url(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;

    let second = Document { id: DocumentId::from_uuid(make::uuid()), ..document };
    let refused = try_commit!(db, |c| documents::put(c, &second, None));

    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
}

async fn pages_are_listed_by_url_and_counted(db: &Db) {
    let site = make::stored_site(db).await;
    let (source, other) = (make::stored_source(db, site, URL).await, make::stored_source(db, site, "other").await);
    // In bytes, upper case sorts before lower case; in most languages, it sorts after it.
    for (url, chunk_count) in [("b", 2), ("B", 0), ("a", 3), ("ä", 1)] {
        let document = Document { chunk_count, ..make::document(&source, url) };
        commit!(db, |c| documents::put(c, &document, None));
    }
    make::stored_document(db, &other, "a").await;
    let urls = |pages: Vec<Document>| pages.into_iter().map(|page| page.url).collect::<Vec<_>>();

    assert_eq!(
        urls(read!(db, |c| documents::of_source(c, site, source.id, None, PageRequest::first(9)))),
        ["B", "a", "b", "ä"]
    );
    assert_eq!(
        urls(read!(db, |c| documents::of_source(c, site, source.id, None, PageRequest::after(Some("a"), 1)))),
        ["b"]
    );
    assert_eq!(read!(db, |c| documents::count(c, site, source.id, None)), 4);
    assert_eq!(read!(db, |c| documents::totals(c, site, source.id)), (3, 6));
}

async fn deleting_a_page_deletes_its_chunks(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let (gone, kept) = (make::stored_document(db, &source, "a").await, make::stored_document(db, &source, "b").await);
    make::stored_chunk(db, &gone, 0).await;
    let left = make::stored_chunk(db, &kept, 0).await;

    let id = gone.id;
    commit!(db, |c| documents::delete(c, site, id));

    assert_eq!(read!(db, |c| documents::of_source(c, site, source.id, None, PageRequest::first(9))), [kept]);
    assert_eq!(read!(db, |c| chunks::of_site(c, site, None, 9)), [left]);
}

async fn a_page_of_another_site_is_not_found(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;

    let id = document.id;
    commit!(db, |c| documents::delete(c, other, id));

    assert_eq!(read!(db, |c| documents::by_url(c, other, source.id, URL)), None);
    assert_eq!(read!(db, |c| documents::by_ids(c, other, &[id])), []);
    assert_eq!(read!(db, |c| documents::by_ids(c, site, &[id])), std::slice::from_ref(&document));
    assert_eq!(read!(db, |c| documents::of_source(c, other, source.id, None, PageRequest::first(9))), []);
    assert_eq!(read!(db, |c| documents::count(c, other, source.id, None)), 0);
    assert_eq!(read!(db, |c| documents::totals(c, other, source.id)), (0, 0));
    assert_eq!(read!(db, |c| documents::of_source(c, site, source.id, None, PageRequest::first(9))), [document]);
}

async fn the_links_of_a_page_survive_an_update(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;
    let links = vec!["https://example.com/a".to_owned(), "https://example.com/b".to_owned()];
    let id = document.id;
    assert!(read!(db, |c| documents::links(c, site, id)).is_empty());

    let (new, read) = (links.clone(), document.clone());
    commit!(db, |c| documents::put(c, &read, Some(&new)));
    let changed = Document { outcome: PageOutcome::Unchanged, ..document };
    commit!(db, |c| documents::put(c, &changed, None));

    assert_eq!(read!(db, |c| documents::links(c, site, id)), links);
    assert!(read!(db, |c| documents::links(c, make::stored_site(db).await, id)).is_empty());
}
