//! Tests of the times until the first reply.

use helpbot_db::{Db, conversations, messages, reply_times};
use helpbot_domain::conversation::{Author, Conversation, HandoffStatus, Message};

use crate::make::{self, later};

on_both_backends!(the_first_reply_after_a_handoff_counts,);

async fn the_first_reply_after_a_handoff_counts(db: &Db) {
    let site = make::stored_site(db).await;
    let mut handed = Vec::new();
    for seconds in [10, 20] {
        let new = make::stored(db, make::conversation(site, "help")).await;
        let open = Conversation { handoff: Some(HandoffStatus::Requested), handoff_at: Some(later(seconds)), ..new };
        let changed = open.clone();
        commit!(db, |c| conversations::update(c, &changed));
        handed.push(open);
    }
    for (seq, author, seconds) in
        [(3, Author::Agent, 5), (4, Author::Visitor, 12), (5, Author::Agent, 40), (6, Author::Agent, 50)]
    {
        let new = Message { author, created_at: later(seconds), ..make::message(&handed[0], seq) };
        commit!(db, |c| messages::insert(c, &new));
    }

    let expected = [(later(20), None), (later(10), Some(later(40)))];
    assert_eq!(read!(db, |c| reply_times::recent(c, site, make::NOW, 9)), expected);
    assert_eq!(read!(db, |c| reply_times::recent(c, site, later(10), 9)), expected[..1]);
}
