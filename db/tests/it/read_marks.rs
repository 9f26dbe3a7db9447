//! Tests of read marks.

use helpbot_db::{Db, read_marks};
use helpbot_domain::conversation::Author;

use crate::make;

on_both_backends!(
    a_read_mark_never_moves_backward,
    each_side_has_its_own_mark,
    the_positions_of_one_author_are_returned,
);

async fn a_read_mark_never_moves_backward(db: &Db) {
    let site = make::stored_site(db).await;
    let id = make::stored(db, make::conversation(site, "Open?")).await.id;

    for (seq, moves) in [(0, false), (5, true), (3, false), (5, false), (7, true)] {
        assert_eq!(commit!(db, |c| read_marks::mark(c, site, id, Author::Agent, seq)), moves, "{seq}");
    }

    assert_eq!(read!(db, |c| read_marks::of(c, site, &[id], Author::Agent)), [(id, 7)]);
}

async fn each_side_has_its_own_mark(db: &Db) {
    let site = make::stored_site(db).await;
    let id = make::stored(db, make::conversation(site, "Open?")).await.id;
    let other = make::stored_site(db).await;

    commit!(db, |c| read_marks::mark(c, site, id, Author::Visitor, 4));

    assert_eq!(read!(db, |c| read_marks::of(c, site, &[id], Author::Visitor)), [(id, 4)]);
    assert_eq!(read!(db, |c| read_marks::of(c, site, &[id], Author::Agent)), []);
    assert_eq!(read!(db, |c| read_marks::of(c, other, &[id], Author::Visitor)), []);
}

async fn the_positions_of_one_author_are_returned(db: &Db) {
    let site = make::stored_site(db).await;
    let conversation = make::stored(db, make::conversation(site, "Open?")).await;
    let message = make::stored_message(db, &conversation, 3).await;
    let id = conversation.id;

    assert_eq!(read!(db, |c| read_marks::written_by(c, site, &[id], message.author)), [(id, 3)]);
    assert_eq!(read!(db, |c| read_marks::written_by(c, site, &[id], Author::Bot)), []);
}
