//! Tests of messages that visitors and members write after a handoff.

use helpbot_db::{Db, Error, messages};
use helpbot_domain::conversation::{Author, Conversation, Message};
use helpbot_domain::page::PageRequest;

use crate::make;

on_both_backends!(
    messages_of_several_conversations_are_returned_in_order,
    a_taken_number_is_a_conflict,
    messages_of_another_site_are_not_found,
    a_page_contains_only_the_messages_of_its_range,
    a_message_is_found_by_its_id_and_by_its_author,
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

async fn a_page_contains_only_the_messages_of_its_range(db: &Db) {
    let site = make::stored_site(db).await;
    let long = make::stored(db, Conversation { message_count: 9, ..make::conversation(site, "a") }).await;
    let short = make::stored(db, Conversation { message_count: 4, ..make::conversation(site, "b") }).await;
    for seq in 3..=9 {
        make::stored_message(db, &long, seq).await;
    }
    for seq in 3..=4 {
        make::stored_message(db, &short, seq).await;
    }
    let page = async |from, is_backward, limit| {
        let part = PageRequest { from, is_backward, limit };
        let rows = read!(db, |c| messages::page(c, site, &[long.id, short.id], part));
        let of = |id| rows.iter().filter(|row| row.conversation_id == id).map(|row| row.seq).collect::<Vec<_>>();
        (of(long.id), of(short.id))
    };

    assert_eq!(page(None, false, 4).await, (vec![3, 4], vec![3, 4]));
    assert_eq!(page(Some(6), false, 2).await, (vec![7, 8], vec![]));
    assert_eq!(page(Some(-9), false, 3).await, (vec![3], vec![3]));
    assert_eq!(page(None, true, 2).await, (vec![9, 8], vec![4, 3]));
    assert_eq!(page(Some(6), true, 2).await, (vec![5, 4], vec![4, 3]));
    assert_eq!(page(Some(99), true, 1).await, (vec![9], vec![4]));
    assert_eq!(page(Some(i64::MIN), true, 3).await, (vec![], vec![]));
    assert_eq!(page(Some(i64::MAX), false, 3).await, (vec![], vec![]));
}

async fn a_message_is_found_by_its_id_and_by_its_author(db: &Db) {
    let site = make::stored_site(db).await;
    let one = make::stored(db, make::conversation(site, "a")).await;
    let other = make::stored(db, make::conversation(site, "b")).await;
    let third = make::stored_message(db, &one, 3).await;
    let reply = Message { author: Author::Agent, ..make::message(&one, 4) };
    let new = reply.clone();
    commit!(db, |c| messages::insert(c, &new));
    let fifth = make::stored_message(db, &one, 5).await;
    let nth = async |author, newer| read!(db, |c| messages::nth_last_of_author(c, site, one.id, author, newer));

    assert_eq!(read!(db, |c| messages::by_id(c, site, one.id, third.id)), Some(third.clone()));
    assert_eq!(read!(db, |c| messages::by_id(c, site, other.id, third.id)), None);
    assert_eq!(nth(Author::Visitor, 0).await, Some(fifth));
    assert_eq!(nth(Author::Visitor, 1).await, Some(third));
    assert_eq!(nth(Author::Visitor, 2).await, None);
    assert_eq!(nth(Author::Agent, 0).await, Some(reply));
}
