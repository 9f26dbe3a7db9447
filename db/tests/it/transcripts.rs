//! Requests for copies: read back, counted by conversation and found by time, gone with their
//! conversation's site.

use helpbot_db::{Db, sites, transcripts};
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::TranscriptRequest;
use helpbot_domain::ids::{ConversationId, SiteId};

use crate::make::{self, NOW, later};

on_both_backends!(
    a_request_is_found_only_by_its_own_site,
    requests_are_counted_by_conversation_and_found_by_time,
    deleting_a_site_deletes_its_requests,
    the_requests_for_an_address_are_found_and_deleted,
);

async fn conversation(db: &Db, site: SiteId) -> ConversationId {
    make::stored(db, make::conversation(site, "Where is my order?")).await.id
}

async fn stored(db: &Db, site: SiteId, of: ConversationId, email: &str, at: Timestamp) -> TranscriptRequest {
    let new = TranscriptRequest {
        site_id: site,
        id: make::uuid(),
        conversation_id: of,
        email: email.to_owned(),
        mailbox: helpbot_domain::mailbox::of(email),
        session_id: Some("session 1".into()),
        address_key: Some("key of an address".into()),
        created_at: at,
    };
    let row = new.clone();
    commit!(db, |c| transcripts::insert(c, &row));
    new
}

async fn a_request_is_found_only_by_its_own_site(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let of = conversation(db, site).await;

    let asked = stored(db, site, of, "ann@example.com", later(3)).await;

    assert_eq!(read!(db, |c| transcripts::by_id(c, site, asked.id)), Some(asked.clone()));
    assert_eq!(read!(db, |c| transcripts::by_id(c, other, asked.id)), None);
}

async fn requests_are_counted_by_conversation_and_found_by_time(db: &Db) {
    let site = make::stored_site(db).await;
    let (first, second) = (conversation(db, site).await, conversation(db, site).await);
    stored(db, site, first, "ann@example.com", NOW).await;
    stored(db, site, first, "bob@example.com", later(1)).await;
    stored(db, site, second, "ann@example.com", later(2)).await;

    assert_eq!(read!(db, |c| transcripts::count_of(c, site, first)), 2);
    assert_eq!(read!(db, |c| transcripts::count_of(c, site, second)), 1);
    let mailboxes = |found: Vec<TranscriptRequest>| {
        let mut mailboxes: Vec<_> = found.into_iter().map(|request| request.mailbox).collect();
        mailboxes.sort();
        mailboxes
    };
    let since = read!(db, |c| transcripts::since(c, site, NOW));
    assert_eq!(mailboxes(since), ["ann@example.com", "bob@example.com"]);
    assert_eq!(read!(db, |c| transcripts::since(c, site, Timestamp::from_ms(0))).len(), 3);
}

async fn deleting_a_site_deletes_its_requests(db: &Db) {
    let site = make::stored_site(db).await;
    let of = conversation(db, site).await;
    let asked = stored(db, site, of, "ann@example.com", NOW).await;

    commit!(db, |c| sites::delete(c, site));

    assert_eq!(read!(db, |c| transcripts::by_id(c, site, asked.id)), None);
}

async fn the_requests_for_an_address_are_found_and_deleted(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let (of, elsewhere) = (conversation(db, site).await, conversation(db, other).await);
    let first = stored(db, site, of, "Ann@example.com", NOW).await;
    let second = stored(db, site, of, "bob@example.com", later(1)).await;
    stored(db, other, elsewhere, "ann@example.com", NOW).await;

    let found = read!(db, |c| transcripts::ids_of_email(c, site, "ann@example.com", 9));
    let of_conversation = read!(db, |c| transcripts::of(c, site, &[of]));
    let ids = found.clone();
    let deleted = commit!(db, |c| async move { transcripts::delete(c, site, &ids).await });

    assert_eq!(found, [first.id]);
    assert_eq!(of_conversation, [first, second.clone()]);
    assert_eq!(deleted, 1);
    assert_eq!(read!(db, |c| transcripts::of(c, site, &[of])), [second]);
    assert_eq!(read!(db, |c| transcripts::ids_of_email(c, other, "ann@example.com", 9)).len(), 1);
}
