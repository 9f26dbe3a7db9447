//! Vectors of embedding models, beside the chunks that they are of.

use helpbot_db::chunks;
use helpbot_db::vectors::{self, ChunkVectors};
use helpbot_db::{Db, documents};
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::ids::SiteId;

use crate::make;

on_both_backends!(
    vectors_are_read_in_pages_and_replaced,
    vectors_are_deleted_with_their_chunk_and_not_stored_without_it,
    vectors_of_other_models_are_deleted,
    another_site_has_no_vectors,
);

const URL: &str = "https://example.com/help";

fn of(chunk: &StoredChunk, byte: u8) -> ChunkVectors {
    ChunkVectors { chunk_id: chunk.id, text_hash: format!("hash {byte}"), vector: vec![0, byte, 255] }
}

async fn stored(db: &Db, model: &'static str, chunk: &StoredChunk, byte: u8) -> bool {
    let (site, new) = (chunk.site_id, of(chunk, byte));
    commit!(db, |c| vectors::put(c, site, model, &new))
}

async fn three_chunks(db: &Db) -> (SiteId, Vec<StoredChunk>) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;
    let mut all = Vec::new();
    for position in 0..3 {
        all.push(make::stored_chunk(db, &document, position).await);
    }
    (site, all)
}

async fn vectors_are_read_in_pages_and_replaced(db: &Db) {
    let (site, all) = three_chunks(db).await;
    for (chunk, byte) in all.iter().zip(1..) {
        assert!(stored(db, "m", chunk, byte).await);
    }
    assert!(stored(db, "m", &all[1], 9).await);

    let first = read!(db, |c| vectors::of_site(c, site, "m", None, 2));
    let after = Some(all[1].id);
    let rest = read!(db, |c| vectors::of_site(c, site, "m", after, 2));

    assert_eq!((first, rest), (vec![of(&all[0], 1), of(&all[1], 9)], vec![of(&all[2], 3)]));
}

async fn vectors_are_deleted_with_their_chunk_and_not_stored_without_it(db: &Db) {
    let (site, all) = three_chunks(db).await;
    assert!(stored(db, "m", &all[0], 1).await && stored(db, "m", &all[1], 2).await);

    let gone = [all[0].id];
    commit!(db, |c| chunks::delete(c, site, &gone));

    assert!(!stored(db, "m", &all[0], 3).await);
    assert_eq!(read!(db, |c| vectors::of_site(c, site, "m", None, 9)), [of(&all[1], 2)]);
    let document = all[1].document_id;
    commit!(db, |c| documents::delete(c, site, document));
    assert_eq!(read!(db, |c| vectors::models(c, site)), []);
}

async fn vectors_of_other_models_are_deleted(db: &Db) {
    let (site, all) = three_chunks(db).await;
    for chunk in &all {
        assert!(stored(db, "old", chunk, 1).await);
    }
    assert!(stored(db, "new", &all[0], 2).await);
    assert_eq!(read!(db, |c| vectors::models(c, site)), [("new".to_owned(), 1), ("old".to_owned(), 3)]);

    assert_eq!(commit!(db, |c| vectors::keep_only(c, site, "new")), 3);

    assert_eq!(read!(db, |c| vectors::models(c, site)), [("new".to_owned(), 1)]);
    assert_eq!(commit!(db, |c| vectors::keep_only(c, site, "new")), 0);
}

async fn another_site_has_no_vectors(db: &Db) {
    let (site, all) = three_chunks(db).await;
    let other = make::stored_site(db).await;
    assert!(stored(db, "m", &all[0], 1).await);

    assert_eq!(read!(db, |c| vectors::of_site(c, other, "m", None, 9)), []);
    assert_eq!(commit!(db, |c| vectors::keep_only(c, other, "none")), 0);
    let foreign = of(&all[0], 2);
    assert!(!commit!(db, |c| vectors::put(c, other, "m", &foreign)));
    assert_eq!(read!(db, |c| vectors::of_site(c, site, "m", None, 9)), [of(&all[0], 1)]);
}
