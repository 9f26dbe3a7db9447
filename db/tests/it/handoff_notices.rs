//! Notices of handoffs: counted by mail, listed in their order, gone with time and with their conversation.

use helpbot_db::handoff_notices::{self, HandoffNotice};
use helpbot_db::{Db, sites};
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::limit::MailRequester;
use uuid::Uuid;

use crate::make::{self, NOW, later};

on_both_backends!(
    a_mail_lists_its_handoffs_in_order_and_counts_the_others,
    requesters_and_mails_are_found_by_time,
    notices_go_with_their_site_and_with_time,
);

async fn noticed(
    db: &Db,
    site: SiteId,
    mail: Option<(Uuid, Timestamp)>,
    is_listed: bool,
    second: u64,
) -> ConversationId {
    let conversation = make::stored(db, make::conversation(site, "A human, please")).await;
    let new = HandoffNotice {
        site_id: site,
        id: make::uuid(),
        conversation_id: conversation.id,
        session_id: format!("session {second}"),
        mailbox: Some("ann@example.com".into()),
        address_key: None,
        is_listed,
        mail,
        created_at: later(second),
    };
    commit!(db, |c| handoff_notices::insert(c, &new));
    conversation.id
}

async fn a_mail_lists_its_handoffs_in_order_and_counts_the_others(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let mail = (make::uuid(), later(10));
    let second = noticed(db, site, Some(mail), true, 2).await;
    let first = noticed(db, site, Some(mail), true, 1).await;
    let counted = noticed(db, site, Some(mail), false, 3).await;

    let listed = read!(db, |c| handoff_notices::listed_in(c, site, mail.0, 5));
    let limited = read!(db, |c| handoff_notices::listed_in(c, site, mail.0, 1));

    assert_eq!(listed.into_iter().map(|conversation| conversation.id).collect::<Vec<_>>(), [first, second]);
    assert_eq!(limited.into_iter().map(|conversation| conversation.id).collect::<Vec<_>>(), [first]);
    assert_eq!(read!(db, |c| handoff_notices::count_in(c, site, mail.0)), 3);
    assert_eq!(read!(db, |c| handoff_notices::count_in(c, other, mail.0)), 0);
    assert_eq!(read!(db, |c| handoff_notices::mails_of(c, site, &[counted])), [mail.0]);
}

async fn requesters_and_mails_are_found_by_time(db: &Db) {
    let site = make::stored_site(db).await;
    let (early, late) = ((make::uuid(), later(5)), (make::uuid(), later(9)));
    noticed(db, site, Some(early), true, 1).await;
    noticed(db, site, Some(late), true, 6).await;
    noticed(db, site, Some(late), false, 7).await;
    noticed(db, site, None, false, 8).await;

    let requesters = read!(db, |c| handoff_notices::requesters_since(c, site, later(3)));

    let expected = MailRequester {
        session_id: Some("session 6".into()),
        mailbox: Some("ann@example.com".into()),
        address_key: None,
    };
    assert_eq!(requesters, [expected]);
    assert_eq!(read!(db, |c| handoff_notices::newest_mail(c, site)), Some(late));
    assert_eq!(read!(db, |c| handoff_notices::mails_since(c, site, NOW)), 2);
    assert_eq!(read!(db, |c| handoff_notices::mails_since(c, site, later(5))), 1);
}

async fn notices_go_with_their_site_and_with_time(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let mail = (make::uuid(), later(5));
    noticed(db, site, Some(mail), true, 1).await;
    noticed(db, other, Some(mail), true, 1).await;
    noticed(db, other, Some(mail), true, 4).await;

    assert!(commit!(db, |c| sites::delete(c, site)));

    assert_eq!(read!(db, |c| handoff_notices::newest_mail(c, site)), None);
    assert_eq!(commit!(db, |c| handoff_notices::delete_before(c, later(2), 100)), 1);
    assert_eq!(read!(db, |c| handoff_notices::count_in(c, other, mail.0)), 1);
}
