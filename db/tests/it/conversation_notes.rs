//! Tests of the notes of conversations.

use helpbot_db::{Db, conversation_notes};
use helpbot_domain::ids::NoteId;
use helpbot_domain::page::PageRequest;
use helpbot_domain::triage::Note;

use crate::make;

on_both_backends!(notes_are_listed_oldest_first_and_deleted,);

async fn notes_are_listed_oldest_first_and_deleted(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let conversation = make::stored(db, make::conversation(site, "first")).await.id;
    let note = |text: &str| Note {
        site_id: site,
        id: NoteId::from_uuid(make::uuid()),
        conversation_id: conversation,
        member_id: None,
        author_name: Some("Ann".into()),
        text: text.into(),
        created_at: make::NOW,
    };
    let (first, second) = (note("one"), note("two"));
    for new in [first.clone(), second.clone()] {
        commit!(db, |c| conversation_notes::insert(c, &new));
    }

    let all = read!(db, |c| conversation_notes::list(c, site, conversation, PageRequest::first(9)));
    assert_eq!(all, [first.clone(), second.clone()]);
    assert_eq!(read!(db, |c| conversation_notes::count(c, site, conversation)), 2);
    assert_eq!(read!(db, |c| conversation_notes::by_id(c, site, first.id)), Some(first.clone()));
    assert_eq!(read!(db, |c| conversation_notes::by_id(c, other, first.id)), None);
    assert_eq!(read!(db, |c| conversation_notes::by_ids(c, site, &[second.id])), std::slice::from_ref(&second));
    assert_eq!(read!(db, |c| conversation_notes::by_ids(c, other, &[second.id])), []);
    assert!(!commit!(db, |c| conversation_notes::delete(c, other, first.id)));
    assert!(commit!(db, |c| conversation_notes::delete(c, site, first.id)));
    let left = read!(db, |c| conversation_notes::list(c, site, conversation, PageRequest::first(9)));
    assert_eq!(left, [second]);
}
