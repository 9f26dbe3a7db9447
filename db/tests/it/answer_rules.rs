//! Tests of answer rules.

use helpbot_db::{Db, answer_rules};
use helpbot_domain::answer_rule::{AnswerRule, RuleKind};
use helpbot_domain::ids::{ChunkId, RuleId, SiteId, SourceId};
use helpbot_domain::page::PageRequest;

use crate::make::{self, NOW};

on_both_backends!(rules_are_listed_oldest_first_in_pages, a_rule_of_another_site_is_neither_found_nor_deleted,);

fn rule(site: SiteId, kind: RuleKind, question: &str) -> AnswerRule {
    AnswerRule {
        site_id: site,
        id: RuleId::from_uuid(make::uuid()),
        kind,
        question: question.into(),
        entry_id: ChunkId::from_uuid(make::uuid()),
        source_id: SourceId::from_uuid(make::uuid()),
        entry_question: "Wann habt ihr geöffnet? 🥐".into(),
        created_at: NOW,
    }
}

async fn stored(db: &Db, rule: AnswerRule) -> AnswerRule {
    let new = rule.clone();
    commit!(db, |c| answer_rules::insert(c, &new));
    rule
}

async fn rules_are_listed_oldest_first_in_pages(db: &Db) {
    let site = make::stored_site(db).await;
    let first = stored(db, rule(site, RuleKind::Pin, "Wann? 🥐")).await;
    let second = stored(db, rule(site, RuleKind::Forbid, "Where?")).await;

    assert_eq!(read!(db, |c| answer_rules::list(c, site, PageRequest::first(1))), std::slice::from_ref(&first));
    assert_eq!(
        read!(db, |c| answer_rules::list(c, site, PageRequest::after(Some(first.id), 9))),
        std::slice::from_ref(&second)
    );
    assert_eq!(read!(db, |c| answer_rules::count(c, site)), 2);
    let id = first.id;
    assert!(commit!(db, |c| answer_rules::delete(c, site, id)));
    assert_eq!(read!(db, |c| answer_rules::list(c, site, PageRequest::first(9))), [second]);
}

async fn a_rule_of_another_site_is_neither_found_nor_deleted(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let kept = stored(db, rule(site, RuleKind::Pin, "Where?")).await;

    let id = kept.id;
    assert!(!commit!(db, |c| answer_rules::delete(c, other, id)));
    assert_eq!(read!(db, |c| answer_rules::list(c, other, PageRequest::first(9))), []);
    assert_eq!(read!(db, |c| answer_rules::by_ids(c, other, &[id])), []);
    assert_eq!(read!(db, |c| answer_rules::by_ids(c, site, &[id])), std::slice::from_ref(&kept));
    assert_eq!(read!(db, |c| answer_rules::list(c, site, PageRequest::first(9))), [kept]);
}
