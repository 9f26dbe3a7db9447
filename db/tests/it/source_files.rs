//! The uploaded files of sources.

use helpbot_db::{Db, source_files};

use crate::make;

on_both_backends!(a_file_is_stored_unchanged_and_overwritten, a_file_of_another_site_is_not_found,);

const URL: &str = "https://example.com/help";

async fn a_file_is_stored_unchanged_and_overwritten(db: &Db) {
    let site = make::stored_site(db).await;
    let id = make::stored_source(db, site, URL).await.id;
    let bytes: Vec<u8> = (0..=255).cycle().take(2_500_000).collect();

    let first = bytes.clone();
    commit!(db, |c| source_files::put(c, site, id, "a.pdf", &first));
    assert_eq!(read!(db, |c| source_files::of_source(c, site, id)), Some(("a.pdf".into(), bytes)));

    commit!(db, |c| source_files::put(c, site, id, "b.pdf", b""));
    assert_eq!(read!(db, |c| source_files::of_source(c, site, id)), Some(("b.pdf".into(), Vec::new())));
}

async fn a_file_of_another_site_is_not_found(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let id = make::stored_source(db, site, URL).await.id;
    commit!(db, |c| source_files::put(c, site, id, "a.md", b"# A"));

    assert_eq!(read!(db, |c| source_files::of_source(c, other, id)), None);
}
