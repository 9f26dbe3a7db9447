//! Sources.

use helpbot_db::{Db, chunks, documents, source_files, sources};
use helpbot_domain::ids::SourceId;
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::{Source, SourceFilter, SourceKind, SourceStatus};

use crate::make::{self, NOW, later};

on_both_backends!(
    a_source_is_read_as_it_was_written,
    a_url_is_unique_among_the_sources_of_a_kind_and_site,
    an_update_keeps_kind_and_address,
    the_list_can_be_paged_in_both_directions,
    due_sources_are_returned_longest_overdue_first,
    deleting_a_source_deletes_its_pages_chunks_and_file,
    a_source_of_another_site_is_not_found,
);

const URL: &str = "https://example.com/help";

async fn a_source_is_read_as_it_was_written(db: &Db) {
    let site = make::stored_site(db).await;
    let source = Source {
        title: None,
        status: SourceStatus::Failed,
        error: Some("The page is empty".into()),
        document_count: 2,
        chunk_count: 30,
        options: r#"{"depth":2}"#.into(),
        next_scrape_at: Some(later(60)),
        last_scraped_at: Some(NOW),
        crawl: Some(r#"{"planned":3}"#.into()),
        ..make::source(site, URL)
    };

    let new = source.clone();
    assert!(commit!(db, |c| sources::insert(c, &new)));

    assert_eq!(read!(db, |c| sources::by_id(c, site, source.id)), Some(source.clone()));
    assert_eq!(read!(db, |c| sources::by_url(c, site, SourceKind::Url, URL)), Some(source.clone()));
    assert_eq!(read!(db, |c| sources::by_url(c, site, SourceKind::File, URL)), None);
    let id = source.id;
    assert_eq!(commit!(db, |c| sources::by_id_locked(c, site, id)), Some(source));
}

async fn a_url_is_unique_among_the_sources_of_a_kind_and_site(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let first = make::stored_source(db, site, URL).await;

    let again = make::source(site, URL);
    let as_file = Source { kind: SourceKind::File, ..make::source(site, URL) };
    let elsewhere = make::source(other, URL);

    assert!(!commit!(db, |c| sources::insert(c, &again)));
    assert!(commit!(db, |c| sources::insert(c, &as_file)));
    assert!(commit!(db, |c| sources::insert(c, &elsewhere)));
    assert_eq!(read!(db, |c| sources::by_url(c, site, SourceKind::Url, URL)).map(|s| s.id), Some(first.id));
    assert_eq!(read!(db, |c| sources::count(c, site, &SourceFilter::default())), 2);
}

async fn an_update_keeps_kind_and_address(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let changed = Source {
        kind: SourceKind::Text,
        url: "https://example.com/elsewhere".into(),
        title: Some("Hilfe".into()),
        status: SourceStatus::Indexed,
        document_count: 1,
        chunk_count: 7,
        last_scraped_at: Some(later(1)),
        updated_at: later(1),
        ..source.clone()
    };

    let (new, absent) = (changed.clone(), make::source(site, "https://example.com/absent"));
    assert!(commit!(db, |c| sources::update(c, &new)));
    assert!(!commit!(db, |c| sources::update(c, &absent)));

    let kept = Source { kind: source.kind, url: source.url, ..changed };
    assert_eq!(read!(db, |c| sources::by_id(c, site, source.id)), Some(kept));
}

async fn the_list_can_be_paged_in_both_directions(db: &Db) {
    let site = make::stored_site(db).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(make::stored_source(db, site, &format!("https://example.com/{n}")).await.id);
    }
    async fn walk(db: &Db, site: helpbot_domain::ids::SiteId, page: PageRequest<SourceId>) -> Vec<SourceId> {
        read!(db, |c| sources::list(c, site, &SourceFilter::default(), page))
            .into_iter()
            .map(|source| source.id)
            .collect()
    }

    let forward = PageRequest::first(2);
    assert_eq!(walk(db, site, forward).await, ids[..2]);
    assert_eq!(walk(db, site, PageRequest { from: Some(ids[1]), ..forward }).await, ids[2..4]);
    let backward = PageRequest { is_backward: true, ..forward };
    assert_eq!(walk(db, site, backward).await, [ids[4], ids[3]]);
    assert_eq!(walk(db, site, PageRequest { from: Some(ids[3]), ..backward }).await, [ids[2], ids[1]]);
}

async fn due_sources_are_returned_longest_overdue_first(db: &Db) {
    let site = make::stored_site(db).await;
    for (url, due) in [("a", Some(later(5))), ("b", Some(later(3))), ("c", None), ("d", Some(later(6)))] {
        let source = Source { next_scrape_at: due, ..make::source(site, url) };
        commit!(db, |c| sources::insert(c, &source));
    }

    let due = read!(db, |c| sources::due(c, later(5), 10));

    assert_eq!(due.into_iter().map(|source| source.url).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(read!(db, |c| sources::due(c, later(5), 1)).len(), 1);
}

async fn deleting_a_source_deletes_its_pages_chunks_and_file(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let document = make::stored_document(db, &source, URL).await;
    let chunk = make::stored_chunk(db, &document, 0).await;
    let id = source.id;
    commit!(db, |c| source_files::put(c, site, id, "a.md", b"# A"));

    assert!(commit!(db, |c| sources::delete(c, site, id)));
    assert!(!commit!(db, |c| sources::delete(c, site, id)));

    assert_eq!(read!(db, |c| documents::count(c, site, id, None)), 0);
    assert_eq!(read!(db, |c| chunks::by_ids(c, site, &[chunk.id])), []);
    assert_eq!(read!(db, |c| source_files::of_source(c, site, id)), None);
}

async fn a_source_of_another_site_is_not_found(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let source = make::stored_source(db, site, URL).await;
    let id = source.id;

    let stolen = Source { site_id: other, title: Some("stolen".into()), ..source.clone() };
    assert!(!commit!(db, |c| sources::update(c, &stolen)));
    assert!(!commit!(db, |c| sources::delete(c, other, id)));

    assert_eq!(read!(db, |c| sources::by_ids(c, other, &[id])), []);
    assert_eq!(commit!(db, |c| sources::by_id_locked(c, other, id)), None);
    assert_eq!(read!(db, |c| sources::by_url(c, other, SourceKind::Url, URL)), None);
    assert_eq!(read!(db, |c| sources::list(c, other, &SourceFilter::default(), PageRequest::first(9))), []);
    assert_eq!(read!(db, |c| sources::count(c, other, &SourceFilter::default())), 0);
    assert_eq!(read!(db, |c| sources::by_id(c, site, id)), Some(source));
}
