//! Tests of previews of changes.

use std::time::Duration;

use helpbot_db::{Db, change_previews};
use helpbot_domain::change_preview::{
    ChangePreview, ContentVersion, EffectCounts, PreviewEffect, PreviewStatus, PreviewedAnswer, PreviewedQuestion,
    SiteChange,
};
use helpbot_domain::conversation::Outcome;
use helpbot_domain::ids::{ChunkId, PreviewId, SiteId};
use helpbot_domain::page::PageRequest;

use crate::make::{self, NOW};

on_both_backends!(
    a_preview_runs_and_is_completed_with_its_questions,
    a_canceled_preview_stays_canceled,
    old_previews_are_deleted_with_their_questions,
    a_preview_of_another_site_is_not_found,
);

fn preview(site: SiteId) -> ChangePreview {
    let id = ChunkId::from_uuid(make::uuid());
    ChangePreview {
        site_id: site,
        id: PreviewId::from_uuid(make::uuid()),
        change: SiteChange::AddPhrasing { id, phrasing: "Wann? 🥐".into() },
        content: None,
        status: PreviewStatus::Running,
        done_questions: 0,
        total_questions: None,
        counts: EffectCounts::default(),
        created_at: NOW,
    }
}

async fn stored(db: &Db, preview: ChangePreview) -> ChangePreview {
    let new = preview.clone();
    commit!(db, |c| change_previews::insert(c, &new));
    preview
}

fn question(seq: i64, effect: PreviewEffect) -> PreviewedQuestion {
    let answer = |outcome| PreviewedAnswer { outcome, confidence: 0.25, title: Some("Hours".into()), url: None };
    let (before, after) = (answer(Outcome::Declined), answer(Outcome::Answered));
    PreviewedQuestion { seq, effect, question: format!("Offen {seq}? 🥐"), count: 3, before, after }
}

fn content() -> ContentVersion {
    ContentVersion { index_version: 7, answer_settings: "{}".into() }
}

async fn a_preview_runs_and_is_completed_with_its_questions(db: &Db) {
    let site = make::stored_site(db).await;
    let preview = stored(db, preview(site)).await;
    let id = preview.id;
    let found =
        [question(1, PreviewEffect::Lost), question(2, PreviewEffect::Gained), question(3, PreviewEffect::Gained)];
    let counts = EffectCounts { gained: 2, lost: 1, changed: 0 };

    assert_eq!(read!(db, |c| change_previews::by_id(c, site, id)), Some(preview.clone()));
    let (begun, questions) = (content(), found.clone());
    assert!(commit!(db, |c| change_previews::begin(c, site, id, &begun, 9)));
    assert!(commit!(db, |c| change_previews::record_progress(c, site, id, 5)));
    commit!(db, |c| change_previews::insert_questions(c, site, id, &questions));
    assert!(commit!(db, |c| change_previews::complete(c, site, id, 9, counts)));

    let ready = ChangePreview {
        content: Some(content()),
        status: PreviewStatus::Ready,
        done_questions: 9,
        total_questions: Some(9),
        counts,
        ..preview
    };
    assert_eq!(read!(db, |c| change_previews::by_id(c, site, id)), Some(ready));
    let page = PageRequest::first(2);
    assert_eq!(read!(db, |c| change_previews::questions(c, site, id, None, page)), found[..2]);
    let page = PageRequest::after(Some(2), 2);
    assert_eq!(read!(db, |c| change_previews::questions(c, site, id, None, page)), found[2..]);
    let page = PageRequest { from: None, is_backward: true, limit: 1 };
    let gained = Some(PreviewEffect::Gained);
    assert_eq!(read!(db, |c| change_previews::questions(c, site, id, gained, page)), found[2..]);
    let begun = content();
    assert!(!commit!(db, |c| change_previews::begin(c, site, id, &begun, 9)), "it has ended");
}

async fn a_canceled_preview_stays_canceled(db: &Db) {
    let site = make::stored_site(db).await;
    let id = stored(db, preview(site)).await.id;

    assert_eq!(commit!(db, |c| change_previews::cancel_running(c, site)), 1);

    assert!(!commit!(db, |c| change_previews::record_progress(c, site, id, 5)));
    assert!(!commit!(db, |c| change_previews::complete(c, site, id, 9, EffectCounts::default())));
    let (from, to) = (PreviewStatus::Ready, PreviewStatus::Published);
    assert!(!commit!(db, |c| change_previews::change_status(c, site, id, from, to)));
    let found = read!(db, |c| change_previews::by_id(c, site, id)).map(|preview| preview.status);
    assert_eq!(found, Some(PreviewStatus::Canceled));
}

async fn old_previews_are_deleted_with_their_questions(db: &Db) {
    let site = make::stored_site(db).await;
    let old = stored(db, preview(site)).await.id;
    let new = ChangePreview { created_at: NOW.plus(Duration::from_millis(1)), ..preview(site) };
    let new = stored(db, new).await.id;
    commit!(db, |c| change_previews::insert_questions(c, site, old, &[question(1, PreviewEffect::Lost)]));

    let before = NOW.plus(Duration::from_millis(1));
    assert_eq!(commit!(db, |c| change_previews::delete_before(c, site, before)), 1);

    assert_eq!(read!(db, |c| change_previews::by_id(c, site, old)), None);
    assert_eq!(read!(db, |c| change_previews::questions(c, site, old, None, PageRequest::first(9))), []);
    assert!(read!(db, |c| change_previews::by_id(c, site, new)).is_some());
}

async fn a_preview_of_another_site_is_not_found(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let id = stored(db, preview(site)).await.id;
    commit!(db, |c| change_previews::insert_questions(c, site, id, &[question(1, PreviewEffect::Lost)]));

    assert_eq!(read!(db, |c| change_previews::by_id(c, other, id)), None);
    assert_eq!(read!(db, |c| change_previews::by_ids(c, other, &[id])), []);
    assert_eq!(read!(db, |c| change_previews::by_ids(c, site, &[id])).len(), 1);
    assert_eq!(read!(db, |c| change_previews::questions(c, other, id, None, PageRequest::first(9))), []);
    assert_eq!(commit!(db, |c| change_previews::cancel_running(c, other)), 0);
}
