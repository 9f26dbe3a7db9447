//! Tests of the mails of conversations.

use helpbot_db::{Db, conversation_mails};
use helpbot_domain::conversation::ConversationMail;

use crate::make;

on_both_backends!(a_mail_is_stored_once_by_its_message_id,);

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
