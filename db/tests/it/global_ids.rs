//! Tests of finding the site of an object by its ID.

use helpbot_db::global_ids::{site_of, sites_of};
use helpbot_db::{Db, canned_replies, conversations, sessions};
use helpbot_domain::global_id::GlobalId;
use helpbot_domain::ids::{
    CannedReplyId, ContactId, ConversationId, KeyId, MemberId, NoteId, PreviewId, RuleId, SessionId, SourceId,
    WebhookId,
};
use helpbot_domain::triage::CannedReply;

use crate::make;

on_both_backends!(an_object_is_found_in_its_site, a_missing_object_has_no_site,);

async fn an_object_is_found_in_its_site(db: &Db) {
    for _ in 0..2 {
        let site = make::stored_site(db).await;
        let member = make::stored_member(db, site).await.id;
        let source = make::stored_source(db, site, "https://shop.example/faq").await;
        let key = make::stored_key(db, site).await;
        let conversation = make::conversation(site, "Open?");
        let stored = conversation.clone();
        commit!(db, |c| conversations::insert(c, &stored));
        let reply = CannedReply {
            site_id: site,
            id: CannedReplyId::from_uuid(make::uuid()),
            name: "hours".into(),
            text: "Hi".into(),
            created_at: make::NOW,
            updated_at: make::NOW,
        };
        let reply_id = reply.id;
        commit!(db, |c| canned_replies::insert(c, &reply));
        let token = make::uuid();
        commit!(db, |c| sessions::begin(c, site, "mine", token, make::NOW));
        let things = [
            GlobalId::Session(SessionId::from_uuid(token)),
            GlobalId::CannedReply(reply_id),
            GlobalId::Member(member),
            GlobalId::Source(source.id),
            GlobalId::Key(key.id),
            GlobalId::Conversation(conversation.id),
        ];

        for thing in things {
            assert_eq!(read!(db, |c| site_of(c, thing)), Some(site), "{thing:?}");
        }
        let missing = GlobalId::Conversation(ConversationId::from_uuid(make::uuid()));
        let found = read!(db, |c| sites_of(c, &[&things[..], &[missing, things[0]]].concat()));
        let expected: Vec<_> = things.iter().chain([&things[0]]).map(|thing| (*thing, site)).collect();
        assert_eq!(found, expected);
    }
}

async fn a_missing_object_has_no_site(db: &Db) {
    make::stored_site(db).await;
    let none = make::uuid();

    for thing in [
        GlobalId::Member(MemberId::from_uuid(none)),
        GlobalId::Source(SourceId::from_uuid(none)),
        GlobalId::Key(KeyId::from_uuid(none)),
        GlobalId::Conversation(ConversationId::from_uuid(none)),
        GlobalId::Webhook(WebhookId::from_uuid(none)),
        GlobalId::Delivery(none),
        GlobalId::CannedReply(CannedReplyId::from_uuid(none)),
        GlobalId::Note(NoteId::from_uuid(none)),
        GlobalId::Rule(RuleId::from_uuid(none)),
        GlobalId::Preview(PreviewId::from_uuid(none)),
        GlobalId::Session(SessionId::from_uuid(none)),
        GlobalId::Contact(ContactId::from_uuid(none)),
    ] {
        assert_eq!(read!(db, |c| site_of(c, thing)), None, "{thing:?}");
    }
}
