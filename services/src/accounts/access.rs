//! From a key to a [`Viewer`].
//!
//! Looked-up keys are remembered for a moment ([`crate::runtime::cache`]), so that a revocation on another
//! node is effective within a second; one on this node forgets the key at once and is told to open
//! connections through [`Services::revocations`].

use std::time::Duration;

use helpbot_db as db;
use helpbot_db::keys::Key;
use helpbot_domain::ids::KeyId;
use helpbot_domain::key::{self, KeyKind, Scope};
use helpbot_domain::{Timestamp, text};
use sha2::{Digest, Sha256};
use tokio::sync::broadcast;

use crate::accounts::session_token;
use crate::runtime::cache::{Before, Memory};
use crate::{Error, MemberIdentity, Result, Services, Viewer, boxed};

/// `last_used_at` is written at most this often.
const TOUCH_EVERY: Duration = Duration::from_secs(60);
/// Revocations that an open connection may be behind; past it, it looks its own key up.
const REVOCATION_BACKLOG: usize = 256;

/// What a request brings to say who it is.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The key, from header, query or body.
    pub key: Option<String>,
    /// The visitor's session token.
    pub session_token: Option<String>,
    /// The `Origin` of the page, when a browser sent it.
    pub origin: Option<String>,
}

/// Keys looked up a moment ago, by hash, each with the member that it speaks for.
pub struct KeyCache {
    known: Memory<String, (Key, Option<MemberIdentity>)>,
    revoked: broadcast::Sender<KeyId>,
}

impl Default for KeyCache {
    fn default() -> Self {
        Self { known: Memory::default(), revoked: broadcast::Sender::new(REVOCATION_BACKLOG) }
    }
}

impl KeyCache {
    pub(crate) fn forget(&self, key: &Key) {
        self.known.forget(&key.hash);
        // Nobody listening is no failure: there is no open connection then.
        let _ = self.revoked.send(key.id);
    }
}

/// The form in which a key is stored: SHA-256, lower hex. Plain, because a key has 190 random
/// bits: there is nothing to guess.
pub fn hash(key: &str) -> String {
    text::hex(&Sha256::digest(key.as_bytes()))
}

impl Services {
    /// Who the holder of `credentials` is.
    ///
    /// # Errors
    /// `Unauthenticated` without a key, with one that does not open, is revoked or expired, or
    /// with a widget key on a page that it is not bound to; also with a bad session token.
    #[boxed]
    pub async fn viewer(&self, credentials: &Credentials) -> Result<Viewer> {
        let text = credentials.key.as_deref().ok_or(Error::Unauthenticated("Missing API key"))?;
        let before = self.keys.known.before();
        let (key, member) = self.look_up(text, before).await?;
        let now = self.now();
        if key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::Unauthenticated("Invalid API key"));
        }
        if let (false, Some(origin)) = (key.origins.is_empty(), &credentials.origin)
            && !key.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
        {
            return Err(Error::Unauthenticated("This key may not be used on this page"));
        }
        let session = match (&credentials.session_token, key.site_id) {
            (Some(token), Some(site)) => Some(
                session_token::session(&self.settings.secret_key, site, token, now)
                    .ok_or(Error::Unauthenticated("Invalid session token"))?,
            ),
            _ => None,
        };
        self.touch(&key, member.as_ref(), before, now);
        Ok(Viewer { key_id: key.id, kind: key.kind, site_id: key.site_id, member, scopes: scopes(&key), session })
    }

    /// Whether the viewer's key still opens; for connections that stay.
    ///
    /// # Errors
    /// Only the database's own.
    #[boxed]
    pub async fn still_opens(&self, credentials: &Credentials) -> Result<bool> {
        match self.viewer(credentials).await {
            Ok(_) => Ok(true),
            Err(Error::Unauthenticated(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// The keys that are revoked from now on, on this node; [`Services::still_opens`] tells of
    /// the others.
    pub fn revocations(&self) -> broadcast::Receiver<KeyId> {
        self.keys.revoked.subscribe()
    }

    async fn look_up(&self, text: &str, before: Before) -> Result<(Key, Option<MemberIdentity>)> {
        if !key::is_well_formed(text) {
            return Err(Error::Unauthenticated("Invalid API key"));
        }
        let hash = hash(text);
        let now = self.now();
        if let Some(known) = self.keys.known.get(&hash, now) {
            return Ok(known);
        }
        let mut c = self.db.reader().await?;
        let key = db::keys::by_hash(&mut c, &hash).await?.ok_or(Error::Unauthenticated("Invalid API key"))?;
        let member = match (key.site_id, key.member_id) {
            (Some(site), Some(id)) => {
                let member = db::members::by_id(&mut c, site, id).await?;
                Some(member.ok_or(Error::Unauthenticated("Invalid API key"))?)
            }
            _ => None,
        };
        let member = member.map(|member| MemberIdentity { id: member.id, name: member.name });
        self.keys.known.put(before, now, hash, (key.clone(), member.clone()));
        Ok((key, member))
    }

    /// Notes the use of a key, at most once a minute; a failure costs only the note.
    fn touch(&self, key: &Key, member: Option<&MemberIdentity>, before: Before, now: Timestamp) {
        if key.last_used_at.is_some_and(|at| now < at.plus(TOUCH_EVERY)) {
            return;
        }
        let id = key.id;
        let touched = Key { last_used_at: Some(now), ..key.clone() };
        self.keys.known.put(before, now, key.hash.clone(), (touched, member.cloned()));
        let db = self.db.clone();
        // Not waited for: an answer must not be slower for the note.
        tokio::spawn(async move {
            let noted: Result<()> =
                db.write(move |c| Box::pin(async move { Ok(db::keys::touch(c, id, now).await?) })).await;
            if let Err(error) = noted {
                tracing::warn!(%error, key = %id, "the use of a key could not be noted");
            }
        });
    }
}

/// What a key may do: what it was made with (a member's, with those of the role), never more
/// than its kind allows.
fn scopes(key: &Key) -> Vec<Scope> {
    let of_kind: &[Scope] = match key.kind {
        KeyKind::Widget => &Scope::WIDGET,
        KeyKind::Member | KeyKind::Secret | KeyKind::Legacy | KeyKind::Operator => &Scope::ALL,
    };
    of_kind.iter().copied().filter(|scope| key.scopes.is_empty() || key.scopes.contains(scope)).collect()
}
