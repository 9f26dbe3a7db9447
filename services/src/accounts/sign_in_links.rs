//! Mailed links, with which a member signs in to the dashboard or accepts an invitation.
//!
//! A link is derived from the ID of its row with the installation's secret key. It is stored nowhere, also not in the
//! job of its mail, so the database does not reveal it. A link can be used once and for a short time. A link that
//! somebody asked for signs in only the browser that asked: the browser keeps a secret, of which the row has the hash.
//!
//! A request does not reveal whether a member has the address: the response is the same in both cases, and follows the same
//! work. The links are created afterwards, in a task of their own.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use helpbot_db as db;
use helpbot_domain::ids::SiteId;
use helpbot_domain::member::Member;
use helpbot_domain::sign_in::{SignInLink, SignInRequest};
use helpbot_domain::{Invalid, Timestamp, text};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::accounts::{access, client_key};
use crate::runtime::batches;
use crate::runtime::job_kinds::{SIGN_IN_MAIL, SignInMail};
use crate::runtime::jobs::NewJob;
use crate::runtime::randomness;
use crate::webhooks::outbox;
use crate::{Error, Result, Services, boxed};

/// How long a link signs in. Long enough for a slow mail server.
pub const LINK_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How long an invitation can be accepted. Long enough for a week of holidays.
pub const INVITATION_LIFETIME: Duration = Duration::from_secs(7 * DAY.as_secs());
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// Requests for one mailbox within [`HOUR`], so that nobody is flooded with mails. The period is short, because somebody
/// else can use the requests up; keys sign in meanwhile.
const PER_MAILBOX: i64 = 5;
/// Requests from one client address within [`HOUR`]. A whole team may share an address.
const PER_CLIENT: i64 = 30;
/// Links of one site within [`DAY`]. It bounds what a botnet can send in the name of a site of 200 members.
const PER_SITE: usize = 500;
/// Invitations to one mailbox from one site within [`DAY`], enough for a mail that was lost.
const INVITATIONS_PER_MAILBOX: usize = 5;
/// Number of sites for which one request mails links. Few people are members of more.
const SITES_MAX: i64 = 10;
/// Time after which rows are deleted. All links have expired by then.
const KEPT_FOR: Duration = Duration::from_secs(30 * DAY.as_secs());
/// Characters of the secret of a browser. The dashboard uses 43, which have 256 bits.
const BROWSER_CHARS: std::ops::RangeInclusive<usize> = 32..=128;
const ID_BYTES: usize = 16;
const MAC_BYTES: usize = 32;

/// The error for a link that signs in nobody, or nobody anymore.
pub(crate) const INVALID_LINK: Error =
    Error::Unauthenticated("The link is invalid, was used before or has expired. Ask for a new link.");

/// Mails a link to sign in to each member with this e-mail address, of up to ten sites. `browser` is a secret of the
/// browser that asks, 32 to 128 characters, which [`sign_ins::complete`](super::sign_ins::complete) requires again.
///
/// # Errors
/// `Invalid` for a malformed address or secret; `Conflict` when the installation sends no mail; `LimitReached` when the
/// mailbox or the client address has asked too often. None of them depends on whether a member has the address.
#[boxed]
pub async fn request(services: &Services, email: &str, browser: &str, address: Option<IpAddr>) -> Result<()> {
    let email = text::email("email", email)?;
    let browser_hash = browser_hash(browser)?;
    require_mail(services)?;
    let (now, key) = (services.now(), &services.settings.hash_key);
    // These hashes belong to no site, because the request names none.
    let nowhere = SiteId::from_uuid(Uuid::nil());
    let new = SignInRequest {
        id: randomness::uuid(now),
        mailbox_key: client_key::of_mailbox(key, nowhere, &email),
        address_key: address.map(|address| client_key::of(key, nowhere, address)),
        created_at: now,
    };
    services.db.write(move |c| Box::pin(async move { store_request(c, &new).await })).await?;
    let services = services.clone();
    // In its own task: whether a member has the address must not show in the time of the response.
    tokio::spawn(async move {
        if let Err(error) = issue_all(&services, &email, &browser_hash).await {
            tracing::error!(error = error.detail(), "links to sign in could not be created");
        }
    });
    Ok(())
}

/// Checks that the installation sends mail.
pub(super) fn require_mail(services: &Services) -> Result<()> {
    match services.settings.reply_mails {
        Some(_) => Ok(()),
        None => Err(Error::Conflict("This installation sends no mail. Use an API key instead.".into())),
    }
}

async fn store_request(c: &mut db::Conn, new: &SignInRequest) -> Result<()> {
    let (of_mailbox, of_address) = db::sign_in_links::count_requests(c, new, new.created_at.minus(HOUR)).await?;
    if of_mailbox >= PER_MAILBOX || of_address >= PER_CLIENT {
        return Err(Error::LimitReached(format!(
            "Too many links were requested within an hour: at most {PER_MAILBOX} per e-mail address and {PER_CLIENT} per \
             network address. Try again later, or use an API key."
        )));
    }
    Ok(db::sign_in_links::insert_request(c, new).await?)
}

async fn issue_all(services: &Services, email: &str, browser_hash: &str) -> Result<()> {
    let found = db::members::by_email(&mut services.db.reader().await?, email, SITES_MAX).await?;
    let now = services.now();
    // An expired invitation must be sent again by an admin.
    let is_current = |member: &Member| member.invitation_expires_at.is_none_or(|at| now < at);
    for member in found.into_iter().filter(is_current) {
        let browser_hash = Some(browser_hash.to_owned());
        let link = new_link(services, &member, browser_hash);
        services.db.write(move |c| Box::pin(async move { store_link(c, &link).await })).await?;
    }
    outbox::wake(services);
    Ok(())
}

/// Stores a link and queues its mail, unless the site has sent too many today.
async fn store_link(c: &mut db::Conn, link: &SignInLink) -> Result<()> {
    if db::sites::by_id_locked(c, link.site_id).await?.is_none() {
        return Ok(());
    }
    let earlier = db::sign_in_links::mailboxes_since(c, link.site_id, link.created_at.minus(DAY)).await?;
    if earlier.len() >= PER_SITE {
        tracing::warn!(site = %link.site_id, "a link to sign in was not mailed, because too many were mailed today");
        return Ok(());
    }
    enqueue(c, link).await
}

/// Stores an invitation of a member and queues its mail, inside the caller's transaction. The site is locked.
///
/// # Errors
/// `LimitReached` when the site has mailed too many links today.
pub(super) async fn invite(c: &mut db::Conn, link: &SignInLink) -> Result<()> {
    let earlier = db::sign_in_links::mailboxes_since(c, link.site_id, link.created_at.minus(DAY)).await?;
    let to_mailbox = earlier.iter().filter(|mailbox| **mailbox == link.mailbox_key).count();
    if to_mailbox >= INVITATIONS_PER_MAILBOX || earlier.len() >= PER_SITE {
        return Err(Error::LimitReached(format!(
            "Too many links were mailed within 24 hours: at most {INVITATIONS_PER_MAILBOX} per e-mail address and \
             {PER_SITE} per site. Try again later."
        )));
    }
    db::sign_in_links::end_of_member(c, link.site_id, link.member_id, link.created_at).await?;
    enqueue(c, link).await
}

async fn enqueue(c: &mut db::Conn, link: &SignInLink) -> Result<()> {
    db::sign_in_links::insert(c, link).await?;
    let payload = SignInMail { link_id: link.id.to_string() };
    NewJob::new(link.site_id, SIGN_IN_MAIL, None, &payload).enqueue(c, link.created_at).await?;
    Ok(())
}

/// Returns a new link of a member. Without the hash of a browser, it is an invitation.
pub(super) fn new_link(services: &Services, member: &Member, browser_hash: Option<String>) -> SignInLink {
    let now = services.now();
    SignInLink {
        site_id: member.site_id,
        id: randomness::uuid(now),
        member_id: member.id,
        mailbox_key: client_key::of_mailbox(&services.settings.hash_key, member.site_id, &member.email),
        browser_hash,
        created_at: now,
        used_at: None,
    }
}

/// Returns the hash of the secret of a browser, as links store it.
pub(super) fn browser_hash(secret: &str) -> Result<String> {
    if BROWSER_CHARS.contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(access::hash(secret));
    }
    let (least, most) = (BROWSER_CHARS.start(), BROWSER_CHARS.end());
    Err(Invalid::new("browser", format!("browser must have {least} to {most} visible ASCII characters.")).into())
}

/// Returns whether a link of a member can still be used.
pub(crate) fn is_open(link: &SignInLink, member: &Member, now: Timestamp) -> bool {
    let is_invited = member.invitation_expires_at.is_none_or(|at| now < at);
    let is_fresh = match link.browser_hash {
        Some(_) => now < link.created_at.plus(LINK_LIFETIME),
        // An invitation that was accepted in another way has ended.
        None => member.invitation_expires_at.is_some(),
    };
    link.used_at.is_none() && is_invited && is_fresh
}

/// Returns the text of a link that its mail contains. Only the secret key of the installation reveals it.
pub(crate) fn token_of(key: &[u8; 32], link: &SignInLink) -> String {
    let proof = mac(key, link.site_id, link.id).finalize().into_bytes();
    let bytes = [link.site_id.uuid().as_bytes().as_slice(), link.id.as_bytes(), &proof].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the site and the ID of the link with this text. `None` when it is forged.
pub(super) fn proved_by<'k>(keys: impl Iterator<Item = &'k [u8; 32]>, token: &str) -> Option<(SiteId, Uuid)> {
    // The longest base64 text of a link. A longer one is not decoded.
    const MAX_CHARS: usize = 2 * (2 * ID_BYTES + MAC_BYTES);
    let bytes = Some(token).filter(|token| token.len() <= MAX_CHARS)?;
    let bytes = URL_SAFE_NO_PAD.decode(bytes).ok()?;
    let (site, rest) = bytes.split_at_checked(ID_BYTES)?;
    let (id, proof) = rest.split_at_checked(ID_BYTES)?;
    let (site, id) = (SiteId::from_uuid(Uuid::from_slice(site).ok()?), Uuid::from_slice(id).ok()?);
    let mut keys = keys;
    keys.any(|key| mac(key, site, id).verify_slice(proof).is_ok()).then_some((site, id))
}

fn mac(key: &[u8; 32], site: SiteId, id: Uuid) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts a key of any length");
    mac.update(b"helpbot sign-in link v1\0");
    mac.update(site.uuid().as_bytes());
    mac.update(id.as_bytes());
    mac
}

/// Deletes links and requests that are too old to matter. Returns their number.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn delete_expired(services: &Services) -> Result<usize> {
    let now = services.now();
    let links = batches::delete_before(services, "deletion of old links", now.minus(KEPT_FOR), |c, before, limit| {
        Box::pin(db::sign_in_links::delete_before(c, before, limit))
    });
    let requests = batches::delete_before(services, "deletion of old requests", now.minus(DAY), |c, before, limit| {
        Box::pin(db::sign_in_links::delete_requests_before(c, before, limit))
    });
    Ok(links.await? + requests.await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(id: u128) -> SignInLink {
        SignInLink {
            site_id: SiteId::from_uuid(Uuid::from_u128(1)),
            id: Uuid::from_u128(id),
            member_id: Uuid::from_u128(2).into(),
            mailbox_key: String::new(),
            browser_hash: None,
            created_at: Timestamp::from_ms(0),
            used_at: None,
        }
    }

    #[test]
    fn the_text_of_a_link_names_only_its_own_row() {
        let (key, link) = ([7; 32], link(5));
        let token = token_of(&key, &link);

        assert_eq!(proved_by([&key].into_iter(), &token), Some((link.site_id, link.id)));
        assert_eq!(proved_by([&[8; 32], &key].into_iter(), &token), Some((link.site_id, link.id)));
        assert_eq!(proved_by([&[8; 32]].into_iter(), &token), None);
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert_eq!(proved_by([&key].into_iter(), &changed), None, "{changed}");
        }
        for other in ["", "A", &token[..20], &token.repeat(9)] {
            assert_eq!(proved_by([&key].into_iter(), other), None, "{other}");
        }
    }

    #[test]
    fn the_secret_of_a_browser_is_long_enough_to_be_unguessable() {
        assert!(browser_hash(&"a".repeat(32)).is_ok() && browser_hash(&"a".repeat(128)).is_ok());
        for wrong in ["", "short", &"a".repeat(31), &"a".repeat(129), &format!("{}\n", "a".repeat(40))] {
            assert!(browser_hash(wrong).is_err(), "{wrong:?}");
        }
    }
}
