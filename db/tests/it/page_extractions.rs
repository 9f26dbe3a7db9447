//! Tests of the extractions of pages.

use helpbot_db::{Db, page_extractions};

use crate::make;

on_both_backends!(an_extraction_keeps_its_last_change_until_the_next_one);

const URL: &str = "https://example.com/help";

async fn an_extraction_keeps_its_last_change_until_the_next_one(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let (page, never_read) = (make::stored_document(db, &source, URL).await.id, make::document(&source, URL).id);

    commit!(db, |c| page_extractions::put(c, site, page, "[1]", Some("{}")));
    commit!(db, |c| page_extractions::put(c, site, page, "[2]", None));

    let found = read!(db, |c| page_extractions::of_pages(c, site, &[page, never_read]));
    let extraction = found.first().expect("one extraction");
    assert_eq!((found.len(), extraction.document_id), (1, page));
    assert_eq!((extraction.omitted.as_str(), extraction.last_change.as_deref()), ("[2]", Some("{}")));
}
