//! The audit log: an entry is stored with the first transaction of its change, listed newest first, and deleted with time.

use helpbot_db::{Db, Error, audit_log, canned_replies};
use helpbot_domain::audit::{AuditEntry, AuditFilter};
use helpbot_domain::ids::{CannedReplyId, KeyId, MemberId, SiteId};
use helpbot_domain::key::KeyKind;
use helpbot_domain::page::PageRequest;
use helpbot_domain::triage::CannedReply;

use crate::make::{self, NOW, later};

on_both_backends!(
    an_entry_is_stored_with_the_first_transaction_that_commits,
    entries_are_filtered_and_listed_newest_first,
    old_entries_are_deleted_in_groups,
);

fn entry(action: &str, second: u64) -> AuditEntry {
    AuditEntry {
        id: make::uuid(),
        action: action.into(),
        key_kind: KeyKind::SignIn,
        key_id: KeyId::from_uuid(make::uuid()),
        member_id: Some(MemberId::from_uuid(make::uuid())),
        member_name: Some("Ann".into()),
        object_id: None,
        address: Some("192.0.2.1".into()),
        user_agent: Some("Desk 1.0".into()),
        created_at: later(second),
    }
}

async fn stored(db: &Db, site: SiteId, action: &str, second: u64) -> AuditEntry {
    let new = entry(action, second);
    let row = new.clone();
    commit!(db, |c| audit_log::insert(c, site, &row));
    new
}

async fn all(db: &Db, site: SiteId) -> Vec<AuditEntry> {
    read!(db, |c| audit_log::list(c, site, &AuditFilter::default(), PageRequest::first(99)))
}

fn reply(site: SiteId, name: &str) -> CannedReply {
    let id = CannedReplyId::from_uuid(make::uuid());
    CannedReply { site_id: site, id, name: name.into(), text: "Hi".into(), created_at: NOW, updated_at: NOW }
}

async fn an_entry_is_stored_with_the_first_transaction_that_commits(db: &Db) {
    let site = make::stored_site(db).await;
    let (first, second) = (reply(site, "first"), reply(site, "second"));
    let (created, pending) = (first.id, entry("addCannedReply", 1));

    audit_log::recorded(site, pending.clone(), async {
        let (new, again) = (first.clone(), first);
        commit!(db, |c| async {
            audit_log::name_object(&new.id);
            canned_replies::insert(c, &new).await
        });
        // Neither a further transaction nor one that fails stores the entry again.
        commit!(db, |c| canned_replies::insert(c, &second));
        assert!(matches!(try_commit!(db, |c| canned_replies::insert(c, &again)), Err(Error::Conflict { .. })));
    })
    .await;
    audit_log::recorded(site, entry("addCannedReply", 2), async {
        let taken = reply(site, "first");
        assert!(try_commit!(db, |c| canned_replies::insert(c, &taken)).is_err());
        assert_eq!(read!(db, |c| canned_replies::count(c, site)), 2);
    })
    .await;
    audit_log::name_object(&"outside of a change");

    assert_eq!(all(db, site).await, [AuditEntry { object_id: Some(created.to_string()), ..pending }]);
}

async fn entries_are_filtered_and_listed_newest_first(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let first = stored(db, site, "addMember", 1).await;
    let second = stored(db, site, "removeMember", 2).await;
    let third = stored(db, site, "addMember", 3).await;
    stored(db, other, "addMember", 2).await;

    assert_eq!(all(db, site).await, [third.clone(), second.clone(), first.clone()]);
    let after = PageRequest { from: Some(third.id), is_backward: false, limit: 1 };
    assert_eq!(read!(db, |c| audit_log::list(c, site, &AuditFilter::default(), after)), std::slice::from_ref(&second));
    let last = PageRequest { from: None, is_backward: true, limit: 2 };
    assert_eq!(read!(db, |c| audit_log::list(c, site, &AuditFilter::default(), last)), [first.clone(), second.clone()]);
    let cases = [
        (AuditFilter { action: Some("addMember".into()), ..AuditFilter::default() }, vec![&third, &first]),
        (AuditFilter { member_id: second.member_id, ..AuditFilter::default() }, vec![&second]),
        (AuditFilter { key_id: Some(first.key_id), ..AuditFilter::default() }, vec![&first]),
        (AuditFilter { from: Some(later(2)), before: Some(later(3)), ..AuditFilter::default() }, vec![&second]),
    ];
    for (filter, expected) in cases {
        let found = read!(db, |c| audit_log::list(c, site, &filter, PageRequest::first(9)));
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter:?}");
        assert_eq!(read!(db, |c| audit_log::count(c, site, &filter)), expected.len() as i64);
    }
}

async fn old_entries_are_deleted_in_groups(db: &Db) {
    let site = make::stored_site(db).await;
    for second in 1..=3 {
        stored(db, site, "addMember", second).await;
    }
    let kept = stored(db, site, "addMember", 4).await;

    assert_eq!(commit!(db, |c| audit_log::delete_before(c, later(4), 2)), 2);
    assert_eq!(commit!(db, |c| audit_log::delete_before(c, later(4), 2)), 1);
    assert_eq!(commit!(db, |c| audit_log::delete_before(c, later(4), 2)), 0);
    assert_eq!(all(db, site).await, [kept]);
}
