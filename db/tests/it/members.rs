//! Tests of the members of a site's team.

use helpbot_db::{Db, Error, members, site_deletion};
use helpbot_domain::ids::MemberId;
use helpbot_domain::key::Role;
use helpbot_domain::member::Member;

use crate::make;

on_both_backends!(
    members_are_returned_in_the_order_of_joining,
    an_email_address_is_unique_among_the_members_of_a_site,
    a_member_is_read_as_it_was_updated,
    a_member_of_another_site_is_neither_found_nor_removed,
    members_of_all_sites_are_found_by_an_address_in_any_case,
);

async fn members_are_returned_in_the_order_of_joining(db: &Db) {
    let site = make::stored_site(db).await;
    let first = make::stored_member(db, site).await;
    let second = Member { role: Role::Admin, name: "Bob 🥐".into(), ..make::member(site) };
    let new = second.clone();
    commit!(db, |c| members::insert(c, &new));

    assert_eq!(read!(db, |c| members::list(c, site)), [first.clone(), second.clone()]);
    assert_eq!(read!(db, |c| members::by_id(c, site, second.id)), Some(second.clone()));
    let id = second.id;
    assert!(commit!(db, |c| members::delete(c, site, id)));
    assert!(!commit!(db, |c| members::delete(c, site, id)));
    assert_eq!(read!(db, |c| members::list(c, site)), [first]);
}

async fn an_email_address_is_unique_among_the_members_of_a_site(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let member = make::stored_member(db, site).await;

    let again = Member { id: MemberId::from_uuid(make::uuid()), ..member.clone() };
    let elsewhere = Member { site_id: other, ..again.clone() };

    assert!(!commit!(db, |c| members::insert(c, &again)));
    assert!(commit!(db, |c| members::insert(c, &elsewhere)));
    assert_eq!(read!(db, |c| members::list(c, site)), [member]);
}

async fn a_member_is_read_as_it_was_updated(db: &Db) {
    let site = make::stored_site(db).await;
    let (first, other) = (make::stored_member(db, site).await, make::member(site));
    let other = Member { email: "other@example.com".into(), ..other };
    let new = other.clone();
    commit!(db, |c| members::insert(c, &new));
    let changed = Member {
        name: "Renamed".into(),
        email: "new@example.com".into(),
        role: Role::Admin,
        invitation_expires_at: Some(make::later(9)),
        ..first
    };

    let (new, taken) = (changed.clone(), Member { email: other.email.clone(), ..changed.clone() });
    commit!(db, |c| members::update(c, &new));
    let refused = try_commit!(db, |c| members::update(c, &taken));

    assert_eq!(read!(db, |c| members::list(c, site)), [changed, other]);
    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
}

async fn a_member_of_another_site_is_neither_found_nor_removed(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let member = make::stored_member(db, site).await;

    let id = member.id;
    assert!(!commit!(db, |c| members::delete(c, other, id)));

    assert_eq!(read!(db, |c| members::by_ids(c, other, &[id])), []);
    assert_eq!(read!(db, |c| members::list(c, other)), []);
    assert_eq!(read!(db, |c| members::list(c, site)), [member]);
}

async fn members_of_all_sites_are_found_by_an_address_in_any_case(db: &Db) {
    let (site, other, gone) = (make::stored_site(db).await, make::stored_site(db).await, make::stored_site(db).await);
    let mut expected = Vec::new();
    for (site, email) in [(site, "Ann@Example.com"), (other, "ann@example.com"), (gone, "ann@example.com")] {
        let member = Member { email: email.into(), ..make::member(site) };
        let new = member.clone();
        commit!(db, |c| members::insert(c, &new));
        expected.push(member);
    }
    make::stored_member(db, site).await;
    commit!(db, |c| site_deletion::mark(c, gone, make::later(1)));
    expected.truncate(2);

    assert_eq!(read!(db, |c| members::by_email(c, "ANN@example.COM", 9)), expected);
    assert_eq!(read!(db, |c| members::by_email(c, "ann@example.com", 1)), expected[..1]);
    assert_eq!(read!(db, |c| members::by_email(c, "ann@example.org", 9)), []);
}
