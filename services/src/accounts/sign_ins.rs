//! Sign-ins: a member who proved an address with a link receives a key that expires. It acts for the member like a
//! member key, is listed among the keys of the site, and ends when it is revoked, when the member is removed or with
//! [`end`].

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use helpbot_domain::key::{Key, KeyKind};
use helpbot_domain::member::Member;
use helpbot_domain::text;
use uuid::Uuid;

use crate::accounts::keys::{self, NewKey};
use crate::accounts::sign_in_links::{self, INVALID_LINK};
use crate::accounts::{audit_log, members};
use crate::runtime::batches;
use crate::{Error, Result, Services, Viewer, ViewerMember, boxed};

/// How long a sign-in lasts. The dashboard forgets its key earlier, when the tab is closed.
pub const LIFETIME: Duration = Duration::from_secs(7 * 86_400);
/// Maximum number of open sign-ins of a member: several browsers and tabs. A further one ends the oldest.
const PER_MEMBER: usize = 20;
/// How long an expired sign-in stays in the list of keys.
const KEPT_FOR: Duration = Duration::from_secs(30 * 86_400);
/// Maximum number of characters of the user agent in the name of a sign-in.
const NAME_CHARS: usize = 60;

/// The client that completes a sign-in.
#[derive(Debug, Clone, Default)]
pub struct SignInClient {
    /// Client address, when it is known.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<Arc<str>>,
}

/// A completed sign-in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The key, which cannot be read again.
    pub secret: String,
    /// Time at which the key expires.
    pub expires_at: Timestamp,
    /// The member.
    pub member: Member,
}

/// Signs in the member of a link, and accepts the member's invitation. All links of the member end. `browser` is the
/// secret of the browser that asked for the link; an invitation needs none.
///
/// # Errors
/// `Unauthenticated` for a link that is forged, used, ended or expired; `Forbidden` in another browser than the one that
/// asked, which leaves the link as it is.
#[boxed]
pub async fn complete(
    services: &Services,
    token: &str,
    browser: Option<&str>,
    client: SignInClient,
) -> Result<SignedIn> {
    let proved = sign_in_links::proved_by(services.settings.accepted_keys(), token);
    let (site, id) = proved.ok_or(INVALID_LINK)?;
    let browser_hash = browser.map(sign_in_links::browser_hash).transpose()?;
    let now = services.now();
    let name = client.user_agent.as_deref().map(|agent| text::cut(agent, NAME_CHARS).to_owned());
    let new = NewKey {
        kind: KeyKind::SignIn,
        name: name.unwrap_or_else(|| "Sign-in by mail".to_owned()),
        scopes: Some(Vec::new()),
        origins: Vec::new(),
        expires_at: Some(now.plus(LIFETIME)),
    };
    let (key, secret) = keys::make(services, Some(site), new)?;
    let of_entry = services.clone();
    let (member, ended) = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let (mut member, is_joining) = joined(c, site, id, browser_hash.as_deref(), now).await?;
                member.invitation_expires_at = None;
                if is_joining {
                    db::members::update(c, &member).await?;
                }
                db::sign_in_links::end_of_member(c, site, member.id, now).await?;
                let ended = end_oldest(c, site, &member, now).await?;
                let key = Key { scopes: member.role.scopes().to_vec(), member_id: Some(member.id), ..key };
                db::keys::insert(c, &key).await?;
                let viewer = viewer_of(&key, &member, client);
                let action = if is_joining { "acceptInvitation" } else { "signIn" };
                db::audit_log::insert(c, site, &audit_log::entry(&of_entry, &viewer, action)).await?;
                Ok::<_, Error>((member, ended))
            })
        })
        .await?;
    ended.iter().for_each(|key| services.keys.forget(key));
    Ok(SignedIn { secret, expires_at: now.plus(LIFETIME), member })
}

/// Returns the member whom a link signs in, and whether the member accepts an invitation with it.
async fn joined(
    c: &mut db::Conn,
    site: SiteId,
    id: Uuid,
    browser_hash: Option<&str>,
    now: Timestamp,
) -> Result<(Member, bool)> {
    db::sites::by_id_locked(c, site).await?.ok_or(INVALID_LINK)?;
    let link = db::sign_in_links::by_id_locked(c, site, id).await?.ok_or(INVALID_LINK)?;
    let member = db::members::by_id(c, site, link.member_id).await?.ok_or(INVALID_LINK)?;
    if !sign_in_links::is_open(&link, &member, now) {
        return Err(INVALID_LINK);
    }
    // The time of a comparison of hashes reveals nothing about the secret.
    if link.browser_hash.is_some() && link.browser_hash.as_deref() != browser_hash {
        return Err(Error::Forbidden("Open the link in the browser in which you asked for it.".into()));
    }
    let is_joining = member.invitation_expires_at.is_some();
    Ok((member, is_joining))
}

/// Ends the oldest sign-ins of a member, so that another one can begin. Returns their keys.
async fn end_oldest(c: &mut db::Conn, site: SiteId, member: &Member, now: Timestamp) -> Result<Vec<Key>> {
    let mut open = members::keys_of(c, site, member.id).await?;
    open.retain(|key| {
        key.kind == KeyKind::SignIn && key.revoked_at.is_none() && key.expires_at.is_none_or(|at| now < at)
    });
    // The keys are in the order of their creation.
    open.truncate((open.len() + 1).saturating_sub(PER_MEMBER));
    for key in &open {
        db::keys::revoke(c, site, key.id, now).await?;
    }
    Ok(open)
}

fn viewer_of(key: &Key, member: &Member, client: SignInClient) -> Viewer {
    Viewer {
        key_id: key.id,
        kind: key.kind,
        site_id: key.site_id,
        member: Some(ViewerMember { id: member.id, name: member.name.clone(), role: member.role }),
        scopes: key.scopes.clone(),
        session: None,
        address: client.address,
        user_agent: client.user_agent,
    }
}

/// Ends the sign-in of the viewer. Requests and open connections that use its key end.
///
/// # Errors
/// `NotFound` when the named site is another one; `Conflict` when the viewer did not sign in by mail.
#[boxed]
pub async fn end(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<()> {
    if let Some(named) = named {
        viewer.site(Some(named))?;
    }
    let (KeyKind::SignIn, Some(site)) = (viewer.kind, viewer.site_id) else {
        return Err(Error::Conflict("Only a sign-in by mail can be ended. Revoke the API key instead.".into()));
    };
    let (id, now) = (viewer.key_id, services.now());
    let revoked: Option<Key> = services
        .db
        .write(move |c| Box::pin(async move { Ok::<_, Error>(db::keys::revoke(c, site, id, now).await?) }))
        .await?;
    revoked.iter().for_each(|key| services.keys.forget(key));
    Ok(())
}

/// Deletes the keys of sign-ins that expired a while ago. Returns their number.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn delete_expired(services: &Services) -> Result<usize> {
    let before = services.now().minus(KEPT_FOR);
    batches::delete_before(services, "deletion of expired sign-ins", before, |c, before, limit| {
        Box::pin(db::keys::delete_sign_ins_before(c, before, limit))
    })
    .await
}
