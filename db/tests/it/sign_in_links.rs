//! Links that are mailed to members: used once, counted by mailbox, and gone with time. Requests are counted by mailbox
//! and client address.

use std::time::Duration;

use helpbot_db::{Db, sign_in_links};
use helpbot_domain::ids::{MemberId, SiteId};
use helpbot_domain::sign_in::{SignInLink, SignInRequest};

use crate::make::{self, NOW, later};

on_both_backends!(
    links_are_found_on_their_site_and_end_with_their_member,
    requests_are_counted_by_mailbox_and_address,
    links_and_requests_go_with_time,
);

async fn stored(db: &Db, site: SiteId, member: MemberId, second: u64) -> SignInLink {
    let new = SignInLink {
        site_id: site,
        id: make::uuid(),
        member_id: member,
        mailbox_key: format!("mailbox {second}"),
        browser_hash: Some("hash".into()),
        created_at: later(second),
        used_at: None,
    };
    let row = new.clone();
    commit!(db, |c| sign_in_links::insert(c, &row));
    new
}

async fn request(db: &Db, mailbox: &str, address: Option<&str>, second: u64) -> SignInRequest {
    let new = SignInRequest {
        id: make::uuid(),
        mailbox_key: mailbox.into(),
        address_key: address.map(str::to_owned),
        created_at: later(second),
    };
    let row = new.clone();
    commit!(db, |c| sign_in_links::insert_request(c, &row));
    new
}

async fn links_are_found_on_their_site_and_end_with_their_member(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let (ann, ben) = (MemberId::from_uuid(make::uuid()), MemberId::from_uuid(make::uuid()));
    let (first, second, third) =
        (stored(db, site, ann, 1).await, stored(db, site, ann, 2).await, stored(db, site, ben, 3).await);

    let (first_id, third_id) = (first.id, third.id);
    assert_eq!(commit!(db, |c| sign_in_links::by_id_locked(c, site, first_id)), Some(first.clone()));
    assert_eq!(read!(db, |c| sign_in_links::by_id(c, other, first_id)), None);
    commit!(db, |c| sign_in_links::mark_used(c, site, first_id, later(4)));
    commit!(db, |c| sign_in_links::end_of_member(c, site, ann, later(5)));

    let used = |link: SignInLink, second| SignInLink { used_at: Some(later(second)), ..link };
    assert_eq!(read!(db, |c| sign_in_links::by_id(c, site, first_id)), Some(used(first, 4)));
    assert_eq!(read!(db, |c| sign_in_links::by_id(c, site, second.id)), Some(used(second, 5)));
    assert_eq!(read!(db, |c| sign_in_links::by_id(c, site, third_id)), Some(third));
    let mut mailboxes = read!(db, |c| sign_in_links::mailboxes_since(c, site, later(1)));
    mailboxes.sort();
    assert_eq!(mailboxes, ["mailbox 2", "mailbox 3"]);
}

async fn requests_are_counted_by_mailbox_and_address(db: &Db) {
    request(db, "ann", Some("home"), 1).await;
    request(db, "ann", None, 2).await;
    request(db, "ben", Some("home"), 3).await;
    let of = request(db, "ann", Some("home"), 4).await;
    let nowhere = SignInRequest { address_key: None, ..of.clone() };

    assert_eq!(read!(db, |c| sign_in_links::count_requests(c, &of, NOW)), (3, 3));
    assert_eq!(read!(db, |c| sign_in_links::count_requests(c, &of, later(2))), (1, 2));
    assert_eq!(read!(db, |c| sign_in_links::count_requests(c, &nowhere, NOW)), (3, 0));
}

async fn links_and_requests_go_with_time(db: &Db) {
    let site = make::stored_site(db).await;
    let member = MemberId::from_uuid(make::uuid());
    stored(db, site, member, 1).await;
    let kept = stored(db, site, member, 2).await;
    request(db, "ann", None, 1).await;
    let last = request(db, "ann", None, 2).await;

    let before = NOW.plus(Duration::from_secs(2));
    assert_eq!(commit!(db, |c| sign_in_links::delete_before(c, before, 9)), 1);
    assert_eq!(commit!(db, |c| sign_in_links::delete_requests_before(c, before, 9)), 1);
    assert_eq!(read!(db, |c| sign_in_links::by_id(c, site, kept.id)), Some(kept));
    assert_eq!(read!(db, |c| sign_in_links::count_requests(c, &last, NOW)), (1, 0));
}
