//! Blocked visitors: stored once, found by subject, only in their own site.

use helpbot_db::{Db, blocked_visitors};
use helpbot_domain::blocked_visitor::{BlockKind, BlockedVisitor};
use helpbot_domain::ids::{BlockId, SiteId};

use crate::make::{self, later};

on_both_backends!(a_visitor_is_blocked_once_and_only_on_one_site, a_block_is_deleted_by_id_or_by_session,);

async fn blocked(db: &Db, site: SiteId, kind: BlockKind, subject: &str, second: u64) -> (BlockedVisitor, bool) {
    let conversation = make::stored(db, make::conversation(site, "Are you open?")).await.id;
    let new = BlockedVisitor {
        site_id: site,
        id: BlockId::from_uuid(make::uuid()),
        kind,
        subject: subject.to_owned(),
        conversation_id: conversation,
        note: Some("Insults".into()),
        created_at: later(second),
    };
    let row = new.clone();
    let is_new = commit!(db, |c| blocked_visitors::insert(c, &row));
    (new, is_new)
}

async fn a_visitor_is_blocked_once_and_only_on_one_site(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let (first, is_new) = blocked(db, site, BlockKind::Session, "s", 1).await;
    let (_, is_new_again) = blocked(db, site, BlockKind::Session, "s", 2).await;
    let (second, _) = blocked(db, site, BlockKind::Address, "s", 3).await;

    assert!(is_new && !is_new_again);
    assert_eq!(read!(db, |c| blocked_visitors::of(c, site, BlockKind::Session, "s")), Some(first.clone()));
    assert_eq!(read!(db, |c| blocked_visitors::of(c, other, BlockKind::Session, "s")), None);
    assert_eq!(read!(db, |c| blocked_visitors::all(c, site)), [second, first]);
    assert_eq!(read!(db, |c| blocked_visitors::count(c, site)), 2);
    assert_eq!(read!(db, |c| blocked_visitors::count(c, other)), 0);
}

async fn a_block_is_deleted_by_id_or_by_session(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let (session, _) = blocked(db, site, BlockKind::Session, "s", 1).await;
    let (address, _) = blocked(db, site, BlockKind::Address, "s", 2).await;

    assert!(!commit!(db, |c| blocked_visitors::delete(c, other, address.id)));
    assert_eq!(commit!(db, |c| blocked_visitors::delete_of(c, other, BlockKind::Session, "s")), 0);
    assert!(commit!(db, |c| blocked_visitors::delete(c, site, address.id)));
    assert_eq!(read!(db, |c| blocked_visitors::all(c, site)), [session]);
    assert_eq!(commit!(db, |c| blocked_visitors::delete_of(c, site, BlockKind::Session, "s")), 1);
    assert_eq!(read!(db, |c| blocked_visitors::all(c, site)), []);
}
