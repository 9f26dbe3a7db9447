//! Codes that confirm an address: found by session, token and address, gone with their session and with time.

use helpbot_db::{Db, transcript_codes};
use helpbot_domain::conversation::TranscriptCode;
use helpbot_domain::ids::SiteId;
use helpbot_domain::limit::MailRequester;
use uuid::Uuid;

use crate::make::{self, NOW, later};

on_both_backends!(
    the_newest_code_of_an_address_is_found_only_with_its_token,
    a_confirmed_address_is_confirmed_for_its_session_alone,
    codes_go_with_their_session_and_with_time,
);

async fn stored(db: &Db, site: SiteId, session: &str, token: Uuid, second: u64) -> TranscriptCode {
    let new = TranscriptCode {
        site_id: site,
        id: make::uuid(),
        session_id: session.to_owned(),
        token_id: token,
        email: "ann+shop@example.com".into(),
        mailbox: "ann@example.com".into(),
        address_key: Some("key of an address".into()),
        attempts: 0,
        created_at: later(second),
        confirmed_at: None,
    };
    let row = new.clone();
    commit!(db, |c| transcript_codes::insert(c, &row));
    new
}

async fn newest(db: &Db, site: SiteId, session: &'static str, token: Uuid) -> Option<TranscriptCode> {
    commit!(db, |c| transcript_codes::newest_locked(c, site, session, token, "ann+shop@example.com"))
}

async fn the_newest_code_of_an_address_is_found_only_with_its_token(db: &Db) {
    let (site, other) = (make::stored_site(db).await, make::stored_site(db).await);
    let token = make::uuid();
    stored(db, site, "s", token, 1).await;
    let second = stored(db, site, "s", token, 2).await;

    assert_eq!(newest(db, site, "s", token).await, Some(second.clone()));
    assert_eq!(newest(db, site, "s", make::uuid()).await, None);
    assert_eq!(newest(db, site, "another", token).await, None);
    assert_eq!(newest(db, other, "s", token).await, None);
    assert_eq!(read!(db, |c| transcript_codes::by_id(c, site, second.id)), Some(second));
}

async fn a_confirmed_address_is_confirmed_for_its_session_alone(db: &Db) {
    let site = make::stored_site(db).await;
    let token = make::uuid();
    let code = stored(db, site, "s", token, 1).await;
    let email = "ann+shop@example.com";
    assert!(!read!(db, |c| transcript_codes::is_confirmed(c, site, "s", token, email)));

    let confirmed = TranscriptCode { attempts: 2, confirmed_at: Some(later(3)), ..code };
    let changed = confirmed.clone();
    commit!(db, |c| transcript_codes::update(c, &changed));

    assert_eq!(newest(db, site, "s", token).await, Some(confirmed));
    assert!(read!(db, |c| transcript_codes::is_confirmed(c, site, "s", token, email)));
    assert!(!read!(db, |c| transcript_codes::is_confirmed(c, site, "s", make::uuid(), email)));
    assert!(!read!(db, |c| transcript_codes::is_confirmed(c, site, "another", token, email)));
    assert!(!read!(db, |c| transcript_codes::is_confirmed(c, site, "s", token, "bob@example.com")));
}

async fn codes_go_with_their_session_and_with_time(db: &Db) {
    let site = make::stored_site(db).await;
    let token = make::uuid();
    let code = stored(db, site, "s", token, 1).await;
    stored(db, site, "old", token, 2).await;
    stored(db, site, "new", token, 4).await;
    let requester = |session: &str| MailRequester {
        session_id: Some(session.to_owned()),
        mailbox: Some("ann@example.com".into()),
        address_key: Some("key of an address".into()),
    };

    assert_eq!(read!(db, |c| transcript_codes::ids_of_session(c, site, "s")), [code.id]);
    assert_eq!(read!(db, |c| transcript_codes::since(c, site, later(3))), [requester("new")]);
    assert_eq!(commit!(db, |c| transcript_codes::delete_of_session(c, site, "s")), 1);
    assert_eq!(commit!(db, |c| transcript_codes::delete_before(c, later(3), 100)), 1);
    assert_eq!(read!(db, |c| transcript_codes::since(c, site, NOW)), [requester("new")]);
}
