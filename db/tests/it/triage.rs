//! Tests of the tags and notes of conversations, of canned replies and of mails.

use helpbot_db::{Db, Error, canned_replies, conversation_mails, conversation_notes, conversation_tags};
use helpbot_domain::conversation::ConversationMail;
use helpbot_domain::ids::{CannedReplyId, NoteId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::triage::{CannedReply, Note};

use crate::make;

on_both_backends!(
    a_tag_is_added_and_removed_once,
    notes_are_listed_oldest_first_and_deleted,
    a_name_of_a_canned_reply_is_taken_within_its_site,
    a_mail_is_stored_once_by_its_message_id,
);

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
    assert!(!commit!(db, |c| conversation_notes::delete(c, other, first.id)));
    assert!(commit!(db, |c| conversation_notes::delete(c, site, first.id)));
    let left = read!(db, |c| conversation_notes::list(c, site, conversation, PageRequest::first(9)));
    assert_eq!(left, [second]);
}

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
    assert!(commit!(db, |c| canned_replies::delete(c, site, id)));
    assert_eq!(read!(db, |c| canned_replies::count(c, site)), 1);
}

async fn a_mail_is_stored_once_by_its_message_id(db: &Db) {
    let site = make::stored_site(db).await;
    let conversation = make::stored(db, make::conversation(site, "first")).await.id;
    let mail = |message_id: &str, is_inbound, seconds| ConversationMail {
        site_id: site,
        id: make::uuid(),
        conversation_id: conversation,
        message_id: message_id.into(),
        is_inbound,
        mailbox: (!is_inbound).then(|| "ann@home.example".to_owned()),
        first_seq: 3,
        due_at: make::later(seconds),
        created_at: make::later(seconds),
    };
    let (sent, received) = (mail("0190", false, 1), mail("answer@home.example", true, 2));

    for (new, is_new) in [(sent.clone(), true), (received.clone(), true), (mail("answer@home.example", true, 3), false)]
    {
        assert_eq!(commit!(db, |c| conversation_mails::insert(c, &new)), is_new);
    }

    assert_eq!(read!(db, |c| conversation_mails::of(c, site, conversation)), [sent.clone(), received]);
    assert_eq!(read!(db, |c| conversation_mails::by_id(c, site, sent.id)), Some(sent.clone()));
    let references = ["unknown".to_owned(), "0190".to_owned()];
    assert_eq!(read!(db, |c| conversation_mails::conversation_of(c, &references)), Some((site, conversation)));
    let of_visitor = ["answer@home.example".to_owned()];
    assert_eq!(read!(db, |c| conversation_mails::conversation_of(c, &of_visitor)), None);
    for (after, expected) in [(0, (1, 1)), (1, (0, 0))] {
        let since = make::later(after);
        assert_eq!(read!(db, |c| conversation_mails::counts_since(c, site, "ann@home.example", since)), expected);
    }
    assert_eq!(read!(db, |c| conversation_mails::ids_of(c, site, &[conversation])), [sent.id]);
}
