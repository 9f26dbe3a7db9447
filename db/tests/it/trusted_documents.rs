//! Trusted documents: stored once for each ID, found and deleted only in their own site.

use helpbot_db::{Db, trusted_documents};
use helpbot_domain::ids::SiteId;
use helpbot_domain::page::PageRequest;
use helpbot_domain::trusted_document::TrustedDocument;

use crate::make::{self, later};

on_both_backends!(a_document_is_stored_once_and_found_only_in_its_site, documents_are_listed_by_id_and_deleted,);

async fn stored(db: &Db, site: SiteId, id: &str, body: &str) -> (TrustedDocument, bool) {
    let new = TrustedDocument { site_id: site, id: id.into(), body: body.into(), created_at: later(1) };
    let row = new.clone();
    (new, commit!(db, |c| trusted_documents::insert(c, &row)))
}

async fn a_document_is_stored_once_and_found_only_in_its_site(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);

    let (first, is_new) = stored(db, site, "a", "{ site { id } }").await;
    let (_, is_new_again) = stored(db, site, "a", "{ viewer { kind } }").await;

    assert!(is_new && !is_new_again);
    assert_eq!(read!(db, |c| trusted_documents::by_id(c, site, "a")), Some(first));
    assert_eq!(read!(db, |c| trusted_documents::by_id(c, site, "A")), None);
    assert_eq!(read!(db, |c| trusted_documents::by_id(c, other, "a")), None);
}

async fn documents_are_listed_by_id_and_deleted(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    for id in ["c", "a", "b"] {
        stored(db, site, id, "{ site { id } }").await;
    }
    stored(db, other, "a", "{ site { id } }").await;
    let page = |from: Option<&str>| PageRequest { from: from.map(str::to_owned), is_backward: false, limit: 2 };
    let ids = |rows: Vec<TrustedDocument>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();

    assert_eq!(ids(read!(db, |c| trusted_documents::list(c, site, page(None)))), ["a", "b"]);
    assert_eq!(ids(read!(db, |c| trusted_documents::list(c, site, page(Some("b"))))), ["c"]);
    let named = ["a".to_owned(), "c".to_owned(), "x".to_owned()];
    assert_eq!(commit!(db, |c| trusted_documents::delete(c, site, &named)), 2);
    assert_eq!(read!(db, |c| trusted_documents::count(c, site)), 1);
    assert_eq!(read!(db, |c| trusted_documents::count(c, other)), 1);
}
