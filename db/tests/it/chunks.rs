//! Tests of chunks: questions with their answers, and passages.

use helpbot_db::{Db, Error, chunks};
use helpbot_domain::chunk::{Chunk, ChunkKind, StoredChunk};

use crate::make;

on_both_backends!(
    chunks_are_returned_in_the_order_of_their_page,
    an_index_is_read_in_pages,
    a_chunk_moves_without_changing_its_content,
    phrasings_are_kept_in_order,
    a_taken_id_is_a_conflict,
    many_chunks_are_stored_like_one,
    a_chunk_of_another_site_is_not_found,
);

const URL: &str = "https://example.com/help";

async fn chunks_are_returned_in_the_order_of_their_page(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;
    let second = make::stored_chunk(db, &document, 1).await;
    let mut first = make::chunk(&document, 0);
    first.chunk = Chunk {
        kind: ChunkKind::Passage,
        question: None,
        heading: Vec::new(),
        url: None,
        page_title: None,
        language: None,
        phrasings: vec!["Can I bring it back?".into()],
        ..first.chunk
    };
    let new = first.clone();
    commit!(db, |c| chunks::insert(c, &new));

    assert_eq!(read!(db, |c| chunks::of_document(c, site, document.id)), [first.clone(), second.clone()]);
    let id = second.id;
    assert_eq!(read!(db, |c| chunks::by_ids(c, site, &[id])), [second]);
    commit!(db, |c| chunks::delete(c, site, &[id]));
    assert_eq!(read!(db, |c| chunks::of_document(c, site, document.id)), [first]);
}

async fn many_chunks_are_stored_like_one(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;
    // More rows than one statement inserts.
    let new: Vec<StoredChunk> = (0..501).map(|position| make::chunk(&document, position)).collect();
    let (stored, again) = (new.clone(), new.clone());

    commit!(db, |c| chunks::insert_all(c, &stored));

    assert_eq!(read!(db, |c| chunks::of_document(c, site, document.id)), new);
    let refused = try_commit!(db, |c| chunks::insert_all(c, &again));
    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
}

async fn an_index_is_read_in_pages(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;
    let mut all = Vec::new();
    for position in 0..5 {
        all.push(make::stored_chunk(db, &document, position).await);
    }

    assert_eq!(read!(db, |c| chunks::of_site(c, site, None, 3)), all[..3]);
    assert_eq!(read!(db, |c| chunks::of_site(c, site, Some(all[2].id), 3)), all[3..]);
    assert_eq!(read!(db, |c| chunks::of_site(c, site, Some(all[4].id), 3)), []);
}

async fn a_chunk_moves_without_changing_its_content(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;
    let mut moved = make::stored_chunk(db, &document, 0).await;
    moved.position = 7;
    moved.url = Some("https://example.com/help#returns".into());
    moved.page_title = Some("Help".into());
    moved.language = None;

    let mut new = moved.clone();
    new.text = "not written".into();
    commit!(db, |c| chunks::update_place(c, &new));

    assert_eq!(read!(db, |c| chunks::of_document(c, site, document.id)), [moved]);
}

async fn phrasings_are_kept_in_order(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;
    let mut asked = make::stored_chunk(db, &document, 0).await;
    asked.phrasings = vec!["Zurück?".to_owned(), "a \"b\"".to_owned()];

    let (id, new) = (asked.id, asked.clone());
    assert!(commit!(db, |c| chunks::update_words(c, &new)));

    assert_eq!(read!(db, |c| chunks::by_ids(c, site, &[id])), [asked]);
}

async fn a_taken_id_is_a_conflict(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;
    let chunk = make::stored_chunk(db, &document, 0).await;

    let refused = try_commit!(db, |c| chunks::insert(c, &chunk));

    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
}

async fn a_chunk_of_another_site_is_not_found(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;
    let chunk = make::stored_chunk(db, &document, 0).await;
    let id = chunk.id;

    let stolen = StoredChunk { site_id: other, position: 9, ..chunk.clone() };
    commit!(db, |c| chunks::update_place(c, &stolen));
    commit!(db, |c| chunks::delete(c, other, &[id]));
    let mut reworded = StoredChunk { site_id: other, ..chunk.clone() };
    reworded.phrasings = vec!["mine".to_owned()];
    assert!(!commit!(db, |c| chunks::update_words(c, &reworded)));

    assert_eq!(read!(db, |c| chunks::by_ids(c, other, &[id])), []);
    assert_eq!(read!(db, |c| chunks::of_document(c, other, document.id)), []);
    assert_eq!(read!(db, |c| chunks::of_site(c, other, None, 9)), []);
    assert_eq!(read!(db, |c| chunks::by_ids(c, site, &[id])), [chunk]);
}
