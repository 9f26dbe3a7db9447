//! Tests of the stored handoffs.

use helpbot_db::{Db, conversations, handoffs};
use helpbot_domain::conversation::Conversation;
use helpbot_domain::handoff::{HandoffRecord, HandoffStep};
use helpbot_domain::ids::SiteId;
use helpbot_domain::satisfaction::Rating;

use crate::make;

on_both_backends!(
    a_handoff_is_stored_in_place_of_the_one_with_its_number,
    handoffs_are_found_by_conversation_and_by_time_within_their_site,
    handoffs_are_deleted_with_their_conversation,
);

/// A handoff that began a number of seconds after [`make::NOW`].
fn handoff(of: &Conversation, number: i64, seconds: u64) -> HandoffRecord {
    HandoffRecord { number, ..HandoffRecord::after(None, of, HandoffStep::Request, make::later(seconds)) }
}

async fn stored(db: &Db, site: SiteId) -> Conversation {
    make::stored(db, make::conversation(site, "A human, please?")).await
}

async fn save(db: &Db, record: &HandoffRecord) {
    let record = record.clone();
    commit!(db, |c| handoffs::save(c, &record));
}

async fn a_handoff_is_stored_in_place_of_the_one_with_its_number(db: &Db) {
    let conversation = stored(db, make::stored_site(db).await).await;
    let begun = handoff(&conversation, 1, 0);
    let at = |seconds| Some(make::later(seconds));
    let rated = HandoffRecord {
        assigned_at: at(10),
        first_reply_at: at(20),
        resolved_at: at(30),
        member_id: Some(make::stored_member(db, conversation.site_id).await.id),
        rating: Some(Rating::checked(4).expect("a rating")),
        comment: Some("Quick.".to_owned()),
        rated_at: at(40),
        ..begun.clone()
    };

    for record in [&begun, &rated] {
        save(db, record).await;
        let last = read!(db, |c| handoffs::last(c, conversation.site_id, conversation.id));
        assert_eq!(last.as_ref(), Some(record));
    }

    assert_eq!(read!(db, |c| handoffs::of(c, conversation.site_id, &[conversation.id])), [rated]);
}

async fn handoffs_are_found_by_conversation_and_by_time_within_their_site(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let (one, two, foreign) = (stored(db, site).await, stored(db, site).await, stored(db, other).await);
    let all = [handoff(&one, 1, 0), handoff(&one, 2, 20), handoff(&two, 1, 10), handoff(&foreign, 1, 5)];
    for record in &all {
        save(db, record).await;
    }

    assert_eq!(read!(db, |c| handoffs::of(c, site, &[one.id, foreign.id])), all[..2]);
    assert_eq!(read!(db, |c| handoffs::last(c, site, one.id)).as_ref(), Some(&all[1]));
    assert_eq!(read!(db, |c| handoffs::last(c, other, one.id)), None);
    let until = make::later(20);
    let both = read!(db, |c| handoffs::between(c, site, make::NOW, until, 10));
    assert_eq!(both, [all[2].clone(), all[0].clone()], "the one that began at the end is not part of it");
    assert_eq!(read!(db, |c| handoffs::between(c, site, make::NOW, until, 1)), both[..1]);
}

async fn handoffs_are_deleted_with_their_conversation(db: &Db) {
    let site = make::stored_site(db).await;
    let (gone, kept) = (stored(db, site).await, stored(db, site).await);
    for of in [&gone, &kept] {
        save(db, &handoff(of, 1, 0)).await;
    }

    commit!(db, |c| conversations::delete(c, site, &[gone.id]));

    let left = read!(db, |c| handoffs::of(c, site, &[gone.id, kept.id]));
    assert_eq!(left.iter().map(|record| record.conversation_id).collect::<Vec<_>>(), [kept.id]);
}
