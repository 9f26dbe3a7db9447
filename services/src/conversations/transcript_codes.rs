//! Codes by mail: a visitor proves that an e-mail address is theirs before a transcript is sent to it.
//!
//! Without this, anyone with the public widget key could make us mail texts of their own to any
//! address. The mail with the code contains nothing that a visitor wrote. Mails are limited for each
//! session, mailbox, client address and site, and attempts for each code.
//!
//! A code is derived from the ID of its row with the installation's secret key. It is stored nowhere,
//! also not in the job of its mail, so the database does not reveal it.

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::conversation::{Conversation, TranscriptCode};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::limit::LimitKind;
use helpbot_domain::{Invalid, Timestamp, mailbox, text};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::accounts::blocked_visitors;
use crate::accounts::limit_notices;
use crate::accounts::viewer::ProvedSession;
use crate::runtime::batches;
use crate::runtime::job_kinds::{TRANSCRIPT_CODE_MAIL, TranscriptCodeMail};
use crate::runtime::jobs::NewJob;
use crate::runtime::randomness;
use crate::webhooks::outbox;
use crate::{Error, Result, Services, Viewer, boxed};

/// How long a code can be confirmed. Long enough for a slow mail server.
pub const CODE_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// Number of attempts to confirm one code. Together with [`PER_MAILBOX`], a guess at all codes of a
/// mailbox in a day succeeds with a probability of 25 in a million.
const ATTEMPTS_MAX: i32 = 5;
/// Number of different codes: six digits.
const CODES: u64 = 1_000_000;
/// Period in which the limits below count.
const DAY: Duration = Duration::from_secs(86_400);
/// Codes for one session in a day, enough to correct mistyped addresses.
const PER_SESSION: usize = 5;
/// Codes for one mailbox in a day, so that nobody is flooded with codes.
const PER_MAILBOX: usize = 5;
/// Codes for one client address in a day. Several visitors may share an address.
const PER_CLIENT: usize = 20;
/// Codes for one site in a day. It bounds what a botnet can send in the name of a site.
const PER_SITE: usize = 500;
/// Time after which rows are deleted. Session tokens end after the same time.
const KEPT_FOR: Duration = Duration::from_secs(30 * 86_400);

/// Mails a code to `email`, with which the visitor can confirm the address. Returns the time at which
/// the code expires. An earlier code for the address is invalid from now on.
///
/// # Errors
/// `Forbidden`; `VisitorBlocked`; `NotFound` without the session token of the conversation; `Invalid` for
/// a malformed address; `LimitReached` when too many codes were sent.
#[boxed]
pub async fn issue(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    email: &str,
) -> Result<Timestamp> {
    let (session, conversation) = own(services, viewer, named, id).await?;
    let site = conversation.site_id;
    let email = text::email("email", email)?;
    blocked_visitors::require_open_mailbox(services, viewer, site, &email).await?;
    let now = services.now();
    let new = TranscriptCode {
        site_id: site,
        id: randomness::uuid(now),
        session_id: session.id,
        token_id: session.token_id,
        mailbox: mailbox::of(&email),
        email,
        address_key: viewer.visitor_address_key(&services.settings.hash_key, site),
        attempts: 0,
        created_at: now,
        confirmed_at: None,
    };
    let stored = services.db.write(move |c| Box::pin(async move { store(c, &new).await })).await;
    if matches!(stored, Err(Error::LimitReached(_))) {
        limit_notices::notify(services, site, LimitKind::TranscriptMails).await;
    }
    stored?;
    outbox::wake(services);
    Ok(now.plus(CODE_LIFETIME))
}

/// Returns the session that the viewer proves, and a conversation of it.
async fn own(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
) -> Result<(ProvedSession, Conversation)> {
    viewer.require(Scope::Chat)?;
    let site = viewer.site(named)?;
    blocked_visitors::require_open(services, viewer, site, viewer.session_id()).await?;
    let found = db::conversations::by_id(&mut services.db.reader().await?, site, id).await?;
    let conversation = found.filter(|found| viewer.has_proved(found)).ok_or(Error::NotFound("Conversation"))?;
    let session = viewer.session.clone().ok_or(Error::NotFound("Conversation"))?;
    Ok((session, conversation))
}

async fn store(c: &mut db::Conn, new: &TranscriptCode) -> Result<()> {
    // Lock the site, so that concurrent requests are counted one after the other.
    db::sites::by_id_locked(c, new.site_id).await?.ok_or(Error::NotFound("Site"))?;
    let earlier = db::transcript_codes::since(c, new.site_id, new.created_at.minus(DAY)).await?;
    let counts = new.requester().counts(&earlier);
    let is_over = counts.session >= PER_SESSION
        || counts.mailbox >= PER_MAILBOX
        || counts.address >= PER_CLIENT
        || earlier.len() >= PER_SITE;
    if is_over {
        return Err(Error::LimitReached(format!(
            "Too many codes were mailed within 24 hours: at most {PER_SESSION} per session, {PER_MAILBOX} per e-mail \
             address, {PER_CLIENT} per network address and {PER_SITE} per site. Try again later."
        )));
    }
    db::transcript_codes::insert(c, new).await?;
    let payload = TranscriptCodeMail { code_id: new.id.to_string() };
    NewJob::new(new.site_id, TRANSCRIPT_CODE_MAIL, None, &payload).enqueue(c, new.created_at).await?;
    Ok(())
}

/// What an attempt to confirm a code showed. An attempt is counted in any case, so a wrong code must not
/// undo the transaction.
enum CodeAttempt {
    Confirmed,
    Wrong,
    Exhausted,
}

/// Confirms an address with the code that was mailed to it. Transcripts of the visitor's session can be
/// sent to it from now on.
///
/// # Errors
/// `Forbidden`; `VisitorBlocked`; `NotFound` without the session token of the conversation; `Invalid` for
/// a wrong or expired code; `LimitReached` after too many attempts.
#[boxed]
pub async fn confirm(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    email: &str,
    code: &str,
) -> Result<Conversation> {
    let (session, conversation) = own(services, viewer, named, id).await?;
    let (site, now) = (conversation.site_id, services.now());
    let keys: Vec<[u8; 32]> = services.settings.accepted_keys().copied().collect();
    let email = text::email("email", email)?;
    // People copy codes with the spaces of their mail program.
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let attempt = services
        .db
        .write(move |c| Box::pin(async move { attempted(c, site, &session, &email, &code, &keys, now).await }));
    match attempt.await? {
        CodeAttempt::Confirmed => Ok(conversation),
        CodeAttempt::Wrong => Err(Invalid::new("code", "The code is wrong or has expired. Request a new code.").into()),
        CodeAttempt::Exhausted => Err(Error::LimitReached("Too many wrong codes. Request a new code.".into())),
    }
}

async fn attempted(
    c: &mut db::Conn,
    site: SiteId,
    session: &ProvedSession,
    email: &str,
    given: &str,
    keys: &[[u8; 32]],
    now: Timestamp,
) -> Result<CodeAttempt> {
    let is_code = |code: &TranscriptCode| keys.iter().any(|key| is_code(key, code, given));
    let found = db::transcript_codes::newest_locked(c, site, &session.id, session.token_id, email).await?;
    let Some(mut code) = found.filter(|code| now < code.created_at.plus(CODE_LIFETIME)) else {
        return Ok(CodeAttempt::Wrong);
    };
    if code.confirmed_at.is_some() && is_code(&code) {
        return Ok(CodeAttempt::Confirmed);
    }
    if code.attempts >= ATTEMPTS_MAX {
        return Ok(CodeAttempt::Exhausted);
    }
    code.attempts += 1;
    let is_right = is_code(&code);
    if is_right {
        code.confirmed_at = Some(now);
    }
    db::transcript_codes::update(c, &code).await?;
    Ok(if is_right { CodeAttempt::Confirmed } else { CodeAttempt::Wrong })
}

/// Returns whether the visitor's server-side identity or a code proves that `email` is the visitor's.
/// A code is the only proof so far; an identity that the site's own server signs belongs here.
pub(super) async fn is_proved(c: &mut db::Conn, site: SiteId, session: &ProvedSession, email: &str) -> Result<bool> {
    Ok(db::transcript_codes::is_confirmed(c, site, &session.id, session.token_id, email).await?)
}

/// Returns the code of a row: six digits that only the secret key of the installation reveals.
pub(crate) fn code_of(key: &[u8; 32], row: &TranscriptCode) -> String {
    let digest = mac(key, row.site_id, row.id).finalize().into_bytes();
    let mut number = [0; 8];
    number.copy_from_slice(&digest[..8]);
    format!("{:06}", u64::from_be_bytes(number) % CODES)
}

/// Compares in a time that does not depend on the codes: it compares their hashes.
fn is_code(key: &[u8; 32], row: &TranscriptCode, given: &str) -> bool {
    let hashed = |code: &str| {
        let mut mac = mac(key, row.site_id, row.id);
        mac.update(code.as_bytes());
        mac
    };
    let expected = hashed(&code_of(key, row)).finalize().into_bytes();
    hashed(given).verify_slice(&expected).is_ok()
}

fn mac(key: &[u8; 32], site: SiteId, id: Uuid) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts a key of any length");
    mac.update(b"helpbot transcript code v1\0");
    mac.update(site.uuid().as_bytes());
    mac.update(id.as_bytes());
    mac
}

/// Deletes codes whose sessions have ended by now. Returns their number.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn delete_expired(services: &Services) -> Result<usize> {
    let before = services.now().minus(KEPT_FOR);
    batches::delete_before(services, "deletion of expired transcript codes", before, |c, before, limit| {
        Box::pin(db::transcript_codes::delete_before(c, before, limit))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u128) -> TranscriptCode {
        TranscriptCode {
            site_id: SiteId::from_uuid(Uuid::from_u128(1)),
            id: Uuid::from_u128(id),
            session_id: String::new(),
            token_id: Uuid::nil(),
            email: String::new(),
            mailbox: String::new(),
            address_key: None,
            attempts: 0,
            created_at: Timestamp::from_ms(0),
            confirmed_at: None,
        }
    }

    #[test]
    fn a_code_has_six_digits_and_depends_on_row_and_key() {
        let codes: Vec<String> = (0..50).map(|id| code_of(&[7; 32], &row(id))).collect();

        assert!(codes.iter().all(|code| code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit())));
        let distinct: std::collections::HashSet<_> = codes.iter().collect();
        assert!(distinct.len() > 45, "{codes:?}");
        assert_ne!(code_of(&[8; 32], &row(1)), codes[1]);
    }

    #[test]
    fn only_the_whole_code_is_accepted() {
        let (key, row) = ([7; 32], row(1));
        let code = code_of(&key, &row);

        assert!(is_code(&key, &row, &code));
        for wrong in ["", &code[..5], &format!("{code}0"), &format!("0{code}")] {
            assert!(!is_code(&key, &row, wrong), "{wrong}");
        }
    }
}
