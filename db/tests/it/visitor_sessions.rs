//! Tests of the sessions of a visitor: found by name and by address, and the keys of the records about them.

use helpbot_db::{Db, conversations, sessions, transcript_codes, transcripts, visitor_sessions};
use helpbot_domain::conversation::{Conversation, TranscriptCode, TranscriptRequest};
use helpbot_domain::ids::SiteId;
use helpbot_domain::page::PageRequest;
use helpbot_domain::visitor::{VisitorIdentity, VisitorRecordKey};
use uuid::Uuid;

use crate::make::{self, NOW};

on_both_backends!(
    the_sessions_of_an_address_are_those_in_which_it_was_given,
    the_keys_of_records_are_paged_both_ways,
    old_conversations_are_found_longest_unchanged_first,
);

const TOKEN: Uuid = Uuid::from_u128(1);

fn email(text: &str) -> VisitorIdentity {
    VisitorIdentity::Email(text.to_owned())
}

async fn asked(db: &Db, site: SiteId, session: &str, email: Option<&str>) -> Conversation {
    let new = Conversation { session_id: session.into(), ..make::conversation(site, "Are you open?") };
    let stored = Conversation { customer_email: email.map(str::to_owned), ..make::stored(db, new).await };
    let changed = stored.clone();
    commit!(db, |c| conversations::update(c, &changed));
    stored
}

async fn the_sessions_of_an_address_are_those_in_which_it_was_given(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let of_ann = asked(db, site, "replies", Some("Ann@Example.com")).await;
    asked(db, site, "somebody", Some("bob@example.com")).await;
    asked(db, site, "nobody", None).await;
    asked(db, other, "elsewhere", Some("ann@example.com")).await;
    let transcript = |session: Option<&str>| TranscriptRequest {
        site_id: site,
        id: make::uuid(),
        conversation_id: of_ann.id,
        email: "ann@example.com".into(),
        mailbox: "ann@example.com".into(),
        session_id: session.map(str::to_owned),
        address_key: None,
        created_at: NOW,
    };
    let (by_visitor, by_team) = (transcript(Some("transcript")), transcript(None));
    commit!(db, |c| transcripts::insert(c, &by_visitor));
    commit!(db, |c| transcripts::insert(c, &by_team));
    let code = TranscriptCode {
        site_id: site,
        id: make::uuid(),
        session_id: "code".into(),
        token_id: TOKEN,
        email: "ANN@example.com".into(),
        mailbox: "ann@example.com".into(),
        address_key: None,
        attempts: 0,
        created_at: NOW,
        confirmed_at: None,
    };
    let row = code.clone();
    commit!(db, |c| transcript_codes::insert(c, &row));

    let all = read!(db, |c| visitor_sessions::of(c, site, &email("ann@example.com"), "", 9));
    let next = read!(db, |c| visitor_sessions::of(c, site, &email("ann@example.com"), "code", 1));
    let of_a_session = read!(db, |c| visitor_sessions::of(c, site, &VisitorIdentity::Session("nobody".into()), "", 9));
    let of_none = read!(db, |c| visitor_sessions::of(c, site, &VisitorIdentity::Session("elsewhere".into()), "", 9));

    assert_eq!(all, ["code", "replies", "transcript"]);
    assert_eq!(next, ["replies"]);
    assert_eq!(of_a_session, ["nobody"]);
    assert_eq!(of_none, Vec::<String>::new());
    assert_eq!(read!(db, |c| transcript_codes::of_session(c, site, "code")), [code]);
}

async fn the_keys_of_records_are_paged_both_ways(db: &Db) {
    let site = make::stored_site(db).await;
    commit!(db, |c| sessions::begin(c, site, "a", TOKEN, NOW));
    let (first, second) = (asked(db, site, "a", None).await, asked(db, site, "a", Some("ann@example.com")).await);
    let of_b = asked(db, site, "B", Some("ann@example.com")).await;
    let key = |session: &str, of: Option<&Conversation>| VisitorRecordKey {
        session_id: session.into(),
        conversation_id: of.map(|of| of.id),
    };
    let all = [key("B", None), key("B", Some(&of_b)), key("a", None), key("a", Some(&first)), key("a", Some(&second))];
    let visitor = email("ann@example.com");
    let page = async |from: Option<VisitorRecordKey>, is_backward, limit| {
        let page = PageRequest { from, is_backward, limit };
        read!(db, |c| visitor_sessions::record_keys(c, site, &visitor, &page))
    };

    assert_eq!(page(None, false, 9).await, all);
    assert_eq!(page(Some(all[1].clone()), false, 2).await, all[2..4]);
    assert_eq!(page(None, true, 1).await, all[4..]);
    assert_eq!(page(Some(all[2].clone()), true, 9).await, [all[1].clone(), all[0].clone()]);
    assert_eq!(read!(db, |c| visitor_sessions::count_records(c, site, &visitor)), 5);
    let session = VisitorIdentity::Session("a".into());
    assert_eq!(read!(db, |c| visitor_sessions::count_records(c, site, &session)), 3);
}

async fn old_conversations_are_found_longest_unchanged_first(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let mut all = Vec::new();
    for second in [3, 1, 2, 4] {
        let new = Conversation { updated_at: make::later(second), ..make::conversation(site, "Are you open?") };
        all.push(make::stored(db, new).await);
    }
    make::stored(db, make::conversation(other, "Are you open?")).await;

    let old = commit!(db, |c| conversations::unchanged_locked(c, site, make::later(4), 2));
    let of_session = commit!(db, |c| async move {
        conversations::of_sessions_locked(c, site, &["session 1".to_owned(), "another".to_owned()], 3).await
    });

    assert_eq!(old, [all[1].clone(), all[2].clone()]);
    assert_eq!(of_session, all[..3]);
}
