//! Tests of messages that visitors and members write after a handoff.

use helpbot_db::{Db, Error, messages};
use helpbot_domain::conversation::{Author, Message};

use crate::make;

on_both_backends!(
    messages_of_several_conversations_are_returned_in_order,
    a_taken_number_is_a_conflict,
    messages_of_another_site_are_not_found,
);

async fn messages_of_several_conversations_are_returned_in_order(db: &Db) {
    let site = make::stored_site(db).await;
    let member = make::stored_member(db, site).await;
    let first = make::stored(db, make::conversation(site, "a")).await;
    let second = make::stored(db, make::conversation(site, "b")).await;
    let of_second = make::stored_message(db, &second, 3).await;
    let reply = Message {
        author: Author::Agent,
        member_id: Some(member.id),
        agent_name: Some("Ann".into()),
        ..make::message(&first, 4)
    };
    let new = reply.clone();
    commit!(db, |c| messages::insert(c, &new));
    let of_first = make::stored_message(db, &first, 3).await;

    let both = read!(db, |c| messages::of(c, site, &[second.id, first.id]));

    assert_eq!(both, [of_first, reply, of_second.clone()]);
    assert_eq!(read!(db, |c| messages::of(c, site, &[second.id])), [of_second]);
    assert_eq!(read!(db, |c| messages::of(c, site, &[])), []);
}

async fn a_taken_number_is_a_conflict(db: &Db) {
    let site = make::stored_site(db).await;
    let conversation = make::stored(db, make::conversation(site, "a")).await;
    make::stored_message(db, &conversation, 3).await;

    let twice = make::message(&conversation, 3);
    let refused = try_commit!(db, |c| messages::insert(c, &twice));

    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
}

async fn messages_of_another_site_are_not_found(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let conversation = make::stored(db, make::conversation(site, "a")).await;
    make::stored_message(db, &conversation, 3).await;

    let planted = Message { site_id: other, ..make::message(&conversation, 4) };
    let refused = try_commit!(db, |c| messages::insert(c, &planted));

    assert!(refused.is_err(), "a message needs a conversation of its own site");
    assert_eq!(read!(db, |c| messages::of(c, other, &[conversation.id])), []);
}
