//! Tests of API keys: found by hash alone, and otherwise by site.

use helpbot_db::{Db, Error, keys};
use helpbot_domain::ids::KeyId;
use helpbot_domain::key::{Key, KeyKind, Scope};

use crate::make::{self, NOW, later};

on_both_backends!(
    a_key_is_read_as_it_was_written,
    a_taken_hash_is_a_conflict,
    a_revoked_key_keeps_its_time_and_stays_in_the_list,
    a_key_of_another_site_is_neither_listed_nor_revoked,
    an_operator_key_belongs_to_no_site,
    a_use_is_noted,
    a_key_is_read_as_it_was_updated,
    only_expired_sign_ins_are_deleted,
);

async fn a_key_is_read_as_it_was_written(db: &Db) {
    let site = make::stored_site(db).await;
    let member = make::stored_member(db, site).await;
    let key = Key {
        kind: KeyKind::Member,
        scopes: vec![Scope::ReadConversations, Scope::Chat],
        origins: vec!["https://example.com".into()],
        member_id: Some(member.id),
        expires_at: Some(later(60)),
        ..make::key(site)
    };

    let new = key.clone();
    commit!(db, |c| keys::insert(c, &new));

    assert_eq!(read!(db, |c| keys::by_hash(c, &key.hash)), Some(key.clone()));
    assert_eq!(read!(db, |c| keys::by_hash(c, &key.hash.to_uppercase())), None);
    assert_eq!(read!(db, |c| keys::list(c, site)), [key]);
}

async fn a_taken_hash_is_a_conflict(db: &Db) {
    let site = make::stored_site(db).await;
    let key = make::stored_key(db, site).await;

    let twice = Key { id: KeyId::from_uuid(make::uuid()), ..key };
    let refused = try_commit!(db, |c| keys::insert(c, &twice));

    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
}

async fn a_revoked_key_keeps_its_time_and_stays_in_the_list(db: &Db) {
    let site = make::stored_site(db).await;
    let id = make::stored_key(db, site).await.id;

    let first = commit!(db, |c| keys::revoke(c, site, id, later(1)));
    let second = commit!(db, |c| keys::revoke(c, site, id, later(2)));

    assert_eq!(first.and_then(|key| key.revoked_at), Some(later(1)));
    assert_eq!(second.and_then(|key| key.revoked_at), Some(later(1)));
    assert_eq!(read!(db, |c| keys::list(c, site)).len(), 1);
}

async fn a_key_of_another_site_is_neither_listed_nor_revoked(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let key = make::stored_key(db, site).await;

    let id = key.id;
    let revoked = commit!(db, |c| keys::revoke(c, other, id, NOW));

    assert_eq!(revoked, None);
    assert_eq!(read!(db, |c| keys::list(c, other)), []);
    assert_eq!(read!(db, |c| keys::by_hash(c, &key.hash)).and_then(|key| key.revoked_at), None);
}

async fn an_operator_key_belongs_to_no_site(db: &Db) {
    let site = make::stored_site(db).await;
    let operator = Key { kind: KeyKind::Operator, site_id: None, ..make::key(site) };
    let new = operator.clone();
    commit!(db, |c| keys::insert(c, &new));

    assert_eq!(read!(db, |c| keys::list(c, site)), []);
    assert_eq!(read!(db, |c| keys::by_hash(c, &operator.hash)), Some(operator));
}

async fn a_use_is_noted(db: &Db) {
    let site = make::stored_site(db).await;
    let key = make::stored_key(db, site).await;

    let id = key.id;
    commit!(db, |c| keys::touch(c, id, later(5)));

    let noted = Key { last_used_at: Some(later(5)), ..key };
    assert_eq!(read!(db, |c| keys::list(c, site)), [noted]);
}

async fn a_key_is_read_as_it_was_updated(db: &Db) {
    let site = make::stored_site(db).await;
    let (key, other) = (make::stored_key(db, site).await, make::stored_key(db, site).await);
    let changed = Key {
        name: "Renamed".into(),
        scopes: vec![Scope::Chat],
        origins: vec!["https://new.example".into()],
        expires_at: Some(later(60)),
        ..key
    };

    let new = changed.clone();
    commit!(db, |c| keys::update(c, &new));

    assert_eq!(read!(db, |c| keys::list(c, site)), [changed, other]);
}

async fn only_expired_sign_ins_are_deleted(db: &Db) {
    let site = make::stored_site(db).await;
    let mut kept = Vec::new();
    for (kind, second) in [(KeyKind::SignIn, 1), (KeyKind::SignIn, 9), (KeyKind::Secret, 1)] {
        let key = Key { kind, expires_at: Some(later(second)), ..make::key(site) };
        let new = key.clone();
        commit!(db, |c| keys::insert(c, &new));
        kept.push(key);
    }

    assert_eq!(commit!(db, |c| keys::delete_sign_ins_before(c, later(5), 9)), 1);
    assert_eq!(commit!(db, |c| keys::delete_sign_ins_before(c, later(5), 9)), 0);
    assert_eq!(read!(db, |c| keys::list(c, site)), kept[1..]);
}
