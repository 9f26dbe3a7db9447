//! Tests of contacts.

use std::collections::BTreeMap;

use helpbot_db::{Db, contacts};
use helpbot_domain::contact::Contact;
use helpbot_domain::ids::{ContactId, SiteId};
use helpbot_domain::page::PageRequest;

use crate::make;

on_both_backends!(
    a_contact_is_added_once_and_changed,
    contacts_are_searched_and_paged_newest_first,
    the_contacts_of_an_address_are_deleted,
);

fn contact(site_id: SiteId, external_id: &str, name: &str) -> Contact {
    Contact {
        site_id,
        id: ContactId::from_uuid(make::uuid()),
        external_id: external_id.into(),
        name: Some(name.into()),
        email: None,
        attributes: BTreeMap::from([("plan".into(), "gold".into())]),
        created_at: make::NOW,
        updated_at: make::NOW,
    }
}

async fn a_contact_is_added_once_and_changed(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let ann = contact(site, "1", "Ann");
    for (new, is_new) in [(ann.clone(), true), (contact(site, "1", "Eve"), false), (contact(other, "1", "Eve"), true)] {
        assert_eq!(commit!(db, |c| contacts::add(c, &new)), is_new);
    }

    let changed = Contact {
        email: Some("ann@example.com".into()),
        name: None,
        attributes: BTreeMap::new(),
        updated_at: make::later(1),
        ..ann.clone()
    };
    let new = changed.clone();
    assert!(commit!(db, |c| contacts::update(c, &new)));

    assert_eq!(commit!(db, |c| contacts::by_external_id_locked(c, site, "1")), Some(changed.clone()));
    assert_eq!(commit!(db, |c| contacts::by_external_id_locked(c, site, "2")), None);
    let id = [ann.id];
    assert_eq!(read!(db, |c| contacts::by_ids(c, site, &id)), [changed]);
    assert_eq!(read!(db, |c| contacts::by_ids(c, other, &id)), []);
    let [id] = id;
    assert!(!commit!(db, |c| contacts::delete(c, other, id)));
    assert!(commit!(db, |c| contacts::delete(c, site, id)));
    assert_eq!(read!(db, |c| contacts::count(c, site, None)), 0);
    assert_eq!(read!(db, |c| contacts::count(c, other, None)), 1);
}

async fn contacts_are_searched_and_paged_newest_first(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let email = |contact: Contact, email: &str| Contact { email: Some(email.into()), ..contact };
    for new in [
        contact(site, "u-1", "Jürgen Öz"),
        email(contact(site, "u-2", "Ben"), "ben@shop.example"),
        contact(site, "100%", "Ann"),
        contact(other, "u-1", "Ben"),
    ] {
        assert!(commit!(db, |c| contacts::add(c, &new)));
    }
    let found = async |words: Option<&str>, page| {
        let found = read!(db, |c| contacts::list(c, site, words, page));
        found.into_iter().map(|found| found.name.unwrap_or_default()).collect::<Vec<_>>()
    };

    for (words, expected) in [
        (None, vec!["Ann", "Ben", "Jürgen Öz"]),
        (Some("ÖZ"), vec!["Jürgen Öz"]),
        (Some("SHOP.example"), vec!["Ben"]),
        (Some("u-"), vec!["Ben", "Jürgen Öz"]),
        (Some("%"), vec!["Ann"]),
        (Some("_"), vec![]),
        // Nothing is found across two values.
        (Some("u-2 Ben"), vec![]),
    ] {
        assert_eq!(found(words, PageRequest::first(9)).await, expected, "{words:?}");
        let count = read!(db, |c| contacts::count(c, site, words));
        assert_eq!(usize::try_from(count), Ok(expected.len()), "{words:?}");
    }
    let first = read!(db, |c| contacts::list(c, site, None, PageRequest::first(1))).remove(0);
    assert_eq!(found(None, PageRequest::after(Some(first.id), 1)).await, ["Ben"]);
    let backward = |from| PageRequest { from, is_backward: true, limit: 2 };
    assert_eq!(found(None, backward(None)).await, ["Jürgen Öz", "Ben"]);
    assert_eq!(found(None, backward(Some(first.id))).await, [""; 0]);
}

async fn the_contacts_of_an_address_are_deleted(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let with =
        |site, name: &str, email: Option<&str>| Contact { email: email.map(Into::into), ..contact(site, name, name) };
    for new in [
        with(site, "ann", Some("Ann@Example.com")),
        with(site, "ann at work", Some("ann@example.com")),
        with(site, "ben", Some("ben@example.com")),
        with(site, "eve", None),
        with(other, "ann", Some("ann@example.com")),
    ] {
        assert!(commit!(db, |c| contacts::add(c, &new)));
    }

    commit!(db, |c| contacts::delete_of_email(c, site, "ann@example.com"));

    let mut left: Vec<String> = Vec::new();
    let page = PageRequest { from: None, is_backward: false, limit: 10 };
    for contact in read!(db, |c| contacts::list(c, site, None, page)) {
        left.push(contact.external_id);
    }
    left.sort();
    assert_eq!(left, ["ben", "eve"]);
    assert_eq!(read!(db, |c| contacts::count(c, other, None)), 1);
}
