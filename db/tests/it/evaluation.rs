//! Tests of evaluation cases.

use helpbot_db::{Db, evaluation};
use helpbot_domain::evaluation::Case;
use helpbot_domain::ids::{CaseId, SiteId, SourceId};
use helpbot_domain::page::PageRequest;

use crate::make::{self, NOW};

on_both_backends!(
    cases_are_listed_oldest_first_in_pages,
    a_case_remains_when_its_expected_source_is_deleted,
    a_case_of_another_site_is_neither_found_nor_deleted,
);

fn case(site: SiteId, question: &str) -> Case {
    Case {
        site_id: site,
        id: CaseId::from_uuid(make::uuid()),
        question: question.into(),
        expected_source_id: None,
        expected_url: None,
        expected_question: None,
        created_at: NOW,
    }
}

async fn stored(db: &Db, case: Case) -> Case {
    let new = case.clone();
    commit!(db, |c| evaluation::insert(c, &new));
    case
}

async fn cases_are_listed_oldest_first_in_pages(db: &Db) {
    let site = make::stored_site(db).await;
    let first = stored(db, case(site, "Wann? 🥐")).await;
    let second = Case {
        expected_url: Some("https://example.com/#hours".into()),
        expected_question: Some("When?".into()),
        ..case(site, "Where?")
    };
    let second = stored(db, second).await;

    assert_eq!(read!(db, |c| evaluation::list(c, site, PageRequest::first(1))), std::slice::from_ref(&first));
    assert_eq!(
        read!(db, |c| evaluation::list(c, site, PageRequest::after(Some(first.id), 9))),
        std::slice::from_ref(&second)
    );
    assert_eq!(read!(db, |c| evaluation::count(c, site)), 2);
    let id = first.id;
    assert!(commit!(db, |c| evaluation::delete(c, site, id)));
    assert_eq!(read!(db, |c| evaluation::list(c, site, PageRequest::first(9))), [second]);
}

async fn a_case_remains_when_its_expected_source_is_deleted(db: &Db) {
    let site = make::stored_site(db).await;
    let gone = SourceId::from_uuid(make::uuid());

    let kept = stored(db, Case { expected_source_id: Some(gone), ..case(site, "Where?") }).await;

    assert_eq!(read!(db, |c| evaluation::list(c, site, PageRequest::first(9))), [kept]);
}

async fn a_case_of_another_site_is_neither_found_nor_deleted(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let own = stored(db, case(site, "Where?")).await;

    let id = own.id;
    assert!(!commit!(db, |c| evaluation::delete(c, other, id)));

    assert_eq!(read!(db, |c| evaluation::list(c, other, PageRequest::first(9))), []);
    assert_eq!(read!(db, |c| evaluation::by_ids(c, other, &[id])), []);
    assert_eq!(read!(db, |c| evaluation::by_ids(c, site, &[id])), std::slice::from_ref(&own));
    assert_eq!(read!(db, |c| evaluation::count(c, other)), 0);
    assert_eq!(read!(db, |c| evaluation::list(c, site, PageRequest::first(9))), [own]);
}
