//! Tests of canned replies.

use helpbot_db::{Db, Error, canned_replies};
use helpbot_domain::ids::CannedReplyId;
use helpbot_domain::page::PageRequest;
use helpbot_domain::triage::CannedReply;

use crate::make;

on_both_backends!(a_name_of_a_canned_reply_is_taken_within_its_site,);

async fn a_name_of_a_canned_reply_is_taken_within_its_site(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let reply = |site_id, name: &str| CannedReply {
        site_id,
        id: CannedReplyId::from_uuid(make::uuid()),
        name: name.into(),
        text: "Hi".into(),
        created_at: make::NOW,
        updated_at: make::NOW,
    };
    let (refund, hours) = (reply(site, "refund"), reply(site, "hours"));
    for new in [refund.clone(), hours.clone(), reply(other, "refund")] {
        commit!(db, |c| canned_replies::insert(c, &new));
    }

    let again = reply(site, "refund");
    let taken = try_commit!(db, |c| canned_replies::insert(c, &again));
    assert!(matches!(taken, Err(Error::Conflict { .. })), "{taken:?}");
    let all = read!(db, |c| canned_replies::list(c, site, PageRequest::first(9)));
    assert_eq!(all, [hours.clone(), refund.clone()]);
    let changed = CannedReply { text: "We refund it.".into(), updated_at: make::later(1), ..refund };
    let (id, new) = (changed.id, changed.clone());
    assert!(commit!(db, |c| canned_replies::update(c, &new)));
    assert_eq!(read!(db, |c| canned_replies::by_id(c, site, id)), Some(changed));
    let found = [id, hours.id];
    assert_eq!(read!(db, |c| canned_replies::by_ids(c, site, &found)).len(), 2);
    assert_eq!(read!(db, |c| canned_replies::by_ids(c, other, &found)), []);
    assert!(commit!(db, |c| canned_replies::delete(c, site, id)));
    assert_eq!(read!(db, |c| canned_replies::count(c, site)), 1);
}
