//! Tests of the stage of a large sync.

use helpbot_db::staging::{self, StagedPage, StagedSync};
use helpbot_db::{Db, sources};
use helpbot_domain::ids::JobId;

use crate::make;

on_both_backends!(a_stage_is_filled_published_and_emptied_in_groups, a_stage_is_deleted_with_its_source,);

const URL: &str = "https://example.com/help";

async fn a_stage_is_filled_published_and_emptied_in_groups(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let (id, job) = (source.id, JobId::from_uuid(make::uuid()));
    let page = |seq: i64| {
        let document = make::document(&source, &format!("{URL}/{seq}"));
        let (page, chunks) = (format!("{seq}"), vec![make::chunk(&document, 0)]);
        StagedPage { seq, document_id: document.id, is_replaced: seq != 1, page, chunks }
    };
    let pages: Vec<StagedPage> = (0..3).map(page).collect();
    let new = pages.clone();

    commit!(db, |c| staging::begin(c, site, id, job));
    commit!(db, |c| staging::add(c, site, id, &new));

    let unpublished = StagedSync { job_id: job, is_published: false };
    assert_eq!(read!(db, |c| staging::of_source(c, site, id)), Some(unpublished));
    assert_eq!(read!(db, |c| staging::published(c, site)), []);
    commit!(db, |c| staging::publish(c, site, id));
    assert_eq!(read!(db, |c| staging::published(c, site)), [id]);
    assert_eq!(read!(db, |c| staging::pages(c, site, id, -1, 2)), pages[..2]);
    assert_eq!(read!(db, |c| staging::pages(c, site, id, 1, 2)), pages[2..]);

    commit!(db, |c| staging::delete_to(c, site, id, 0));
    assert!(!commit!(db, |c| staging::delete_some(c, site, id, 1)));
    assert_eq!(read!(db, |c| staging::pages(c, site, id, -1, 9)), pages[2..]);
    assert!(commit!(db, |c| staging::delete_some(c, site, id, 2)));
    commit!(db, |c| staging::end(c, site, id));
    assert_eq!(read!(db, |c| staging::of_source(c, site, id)), None);
}

async fn a_stage_is_deleted_with_its_source(db: &Db) {
    let site = make::stored_site(db).await;
    let source = make::stored_source(db, site, URL).await;
    let (id, job) = (source.id, JobId::from_uuid(make::uuid()));
    let document_id = make::document(&source, URL).id;
    let page = StagedPage { seq: 0, document_id, is_replaced: false, page: "{}".into(), chunks: Vec::new() };
    commit!(db, |c| staging::begin(c, site, id, job));
    commit!(db, |c| staging::add(c, site, id, &[page]));

    commit!(db, |c| sources::delete(c, site, id));

    assert_eq!(read!(db, |c| staging::of_source(c, site, id)), None);
    assert_eq!(read!(db, |c| staging::pages(c, site, id, -1, 9)), []);
}
