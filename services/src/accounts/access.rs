//! Authentication: from the key of a request to a [`Viewer`].
//!
//! Looked-up keys are cached for less than a second ([`crate::runtime::cache`]), so a revocation on
//! another node takes effect within that time. A revocation on this node removes the key from the
//! cache at once and closes open connections through [`revocations`].

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::ids::{KeyId, SiteId};
use helpbot_domain::key::{self, Key, KeyKind, Scope};
use helpbot_domain::{Timestamp, text};
use sha2::{Digest, Sha256};
use tokio::sync::broadcast;

use crate::accounts::session_token;
use crate::accounts::viewer::ProvedSession;
use crate::runtime::cache::BeforeLookup;
use crate::{Error, Result, Services, Viewer, ViewerMember, boxed};

/// Minimum time between two writes of `last_used_at` of a key.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// The error for a session token that proves nothing, or nothing anymore.
pub(crate) const INVALID_TOKEN: Error =
    Error::Unauthenticated("The session token is invalid or has expired. Start a new session.");

/// What a request brings to authenticate itself.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The API key, from the header, the query or the body.
    pub key: Option<String>,
    /// The visitor's session token.
    pub session_token: Option<String>,
    /// The `Origin` header, when a browser sent it.
    pub origin: Option<String>,
    /// Network address of the client, when it is known.
    pub address: Option<IpAddr>,
    /// What the client calls itself, at most [`USER_AGENT_MAX_CHARS`](helpbot_domain::audit::USER_AGENT_MAX_CHARS)
    /// characters, when it is known.
    pub user_agent: Option<Arc<str>>,
    /// Whether a page of another web site sent the request, which must not know a secret key. The transports
    /// of the REST contract never set it.
    pub is_from_other_site: bool,
}

/// Returns the stored form of a key: SHA-256 in lowercase hex. It needs no salt, because a key has
/// 190 random bits and cannot be guessed.
pub fn hash(key: &str) -> String {
    text::hex(&Sha256::digest(key.as_bytes()))
}

/// Returns the viewer that `credentials` identify.
///
/// # Errors
/// `Unauthenticated` when the key is missing, unknown, revoked or expired, when a widget key is
/// used on a page that it is not bound to, when a page of another web site uses a secret key, or when the
/// session token is invalid.
#[boxed]
pub async fn authenticate(services: &Services, credentials: &Credentials) -> Result<Viewer> {
    let text = credentials.key.as_deref().ok_or(Error::Unauthenticated("Missing API key"))?;
    let before = services.keys.known.before_lookup();
    let (key, member) = look_up(services, text, before).await?;
    let now = services.now();
    if key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::Unauthenticated("Invalid API key"));
    }
    if let (false, Some(origin)) = (key.origins.is_empty(), &credentials.origin)
        && !key.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
    {
        return Err(Error::Unauthenticated(
            "This API key cannot be used on pages of this origin. Add the origin to the origins of the key.",
        ));
    }
    let is_secret = matches!(key.kind, KeyKind::Secret | KeyKind::Operator | KeyKind::SignIn);
    if credentials.is_from_other_site && is_secret && key.origins.is_empty() {
        return Err(Error::Unauthenticated(
            "Secret keys cannot be used by pages of other web sites, because every visitor could read them. Use a \
             widget key there, and revoke this key if it was published.",
        ));
    }
    let session = match (&credentials.session_token, key.site_id) {
        (Some(token), Some(site)) => Some(proved(services, site, token, now).await?),
        _ => None,
    };
    touch(services, &key, member.as_ref(), before, now);
    let (scopes, address, user_agent) = (scopes(&key), credentials.address, credentials.user_agent.clone());
    Ok(Viewer { key_id: key.id, kind: key.kind, site_id: key.site_id, member, scopes, session, address, user_agent })
}

/// Returns the session that a token proves. A session that was erased has no token.
async fn proved(services: &Services, site: SiteId, token: &str, now: Timestamp) -> Result<ProvedSession> {
    let session = services.settings.accepted_keys().find_map(|key| session_token::session(key, site, token, now));
    let session = session.ok_or(INVALID_TOKEN)?;
    let mut c = services.db.reader().await?;
    match db::sessions::is_proved_by(&mut c, site, &session.id, session.token_id).await? {
        true => Ok(session),
        false => Err(INVALID_TOKEN),
    }
}

/// Returns whether the credentials still identify a viewer. For connections that stay open.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn is_still_valid(services: &Services, credentials: &Credentials) -> Result<bool> {
    match authenticate(services, credentials).await {
        Ok(_) => Ok(true),
        Err(Error::Unauthenticated(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Returns a receiver of the keys that are revoked on this node from now on. [`is_still_valid`]
/// also covers the other nodes.
pub fn revocations(services: &Services) -> broadcast::Receiver<KeyId> {
    services.keys.revoked.subscribe()
}

async fn look_up(services: &Services, text: &str, before: BeforeLookup) -> Result<(Key, Option<ViewerMember>)> {
    if !key::is_well_formed(text) {
        return Err(Error::Unauthenticated("Invalid API key"));
    }
    let hash = hash(text);
    let now = services.now();
    if let Some(known) = services.keys.known.get(&hash, now) {
        return Ok(known);
    }
    let mut c = services.db.reader().await?;
    let key = db::keys::by_hash(&mut c, &hash).await?.ok_or(Error::Unauthenticated("Invalid API key"))?;
    let member = match (key.site_id, key.member_id) {
        (Some(site), Some(id)) => {
            let member = db::members::by_id(&mut c, site, id).await?;
            Some(member.ok_or(Error::Unauthenticated("Invalid API key"))?)
        }
        _ => None,
    };
    let member = member.map(|member| ViewerMember { id: member.id, name: member.name, role: member.role });
    services.keys.known.put(before, now, hash, (key.clone(), member.clone()));
    Ok((key, member))
}

/// Records the use of a key, at most once a minute. A failure is only logged.
fn touch(services: &Services, key: &Key, member: Option<&ViewerMember>, before: BeforeLookup, now: Timestamp) {
    if key.last_used_at.is_some_and(|at| now < at.plus(TOUCH_EVERY)) {
        return;
    }
    let id = key.id;
    let changed = Key { last_used_at: Some(now), ..key.clone() };
    services.keys.known.put(before, now, key.hash.clone(), (changed, member.cloned()));
    let db = services.db.clone();
    // A separate task, so that the request does not wait for the write.
    tokio::spawn(async move {
        let noted: Result<()> =
            db.write(move |c| Box::pin(async move { Ok(db::keys::touch(c, id, now).await?) })).await;
        if let Err(error) = noted {
            tracing::warn!(error = error.detail(), key = %id, "the last use of a key was not recorded");
        }
    });
}

/// Returns the scopes of a key: those that it was created with, limited to what its kind allows. No
/// scopes mean all that the kind allows.
fn scopes(key: &Key) -> Vec<Scope> {
    let of_kind: &[Scope] = match key.kind {
        KeyKind::Widget => &Scope::WIDGET,
        KeyKind::Member | KeyKind::SignIn | KeyKind::Secret | KeyKind::Legacy | KeyKind::Operator => &Scope::ALL,
    };
    of_kind.iter().copied().filter(|scope| key.scopes.is_empty() || key.scopes.contains(scope)).collect()
}
