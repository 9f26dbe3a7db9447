//! Tests of the tags of conversations.

use helpbot_db::{Db, conversation_tags};

use crate::make;

on_both_backends!(a_tag_is_added_and_removed_once,);

async fn a_tag_is_added_and_removed_once(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let first = make::stored(db, make::conversation(site, "first")).await.id;
    let second = make::stored(db, make::conversation(site, "second")).await.id;

    assert!(commit!(db, |c| conversation_tags::add(c, site, first, "vip")));
    assert!(!commit!(db, |c| conversation_tags::add(c, site, first, "vip")));
    assert!(commit!(db, |c| conversation_tags::add(c, site, first, "billing")));
    assert!(commit!(db, |c| conversation_tags::add(c, site, second, "billing")));

    let ids = [first, second];
    let expected = [(first, "billing".to_owned()), (first, "vip".to_owned()), (second, "billing".to_owned())];
    assert_eq!(read!(db, |c| conversation_tags::of(c, site, &ids)), expected);
    assert_eq!(read!(db, |c| conversation_tags::of(c, other, &ids)), []);
    let counts = read!(db, |c| conversation_tags::counts(c, site, 9));
    assert_eq!(counts, [("billing".to_owned(), 2), ("vip".to_owned(), 1)]);
    assert!(commit!(db, |c| conversation_tags::remove(c, site, first, "vip")));
    assert!(!commit!(db, |c| conversation_tags::remove(c, site, first, "vip")));
    assert_eq!(read!(db, |c| conversation_tags::counts(c, site, 9)), [("billing".to_owned(), 2)]);
}
