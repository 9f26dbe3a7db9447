//! Blocked visitors: the team refuses the requests of a session, of a client address, or those that name
//! an e-mail address.
//!
//! A blocked visitor can neither ask, vote, request a human, write nor follow events; open
//! subscriptions end ([`EventFollower`](crate::runtime::events)). Blocks are read with each request of a
//! visitor, from a cache that other nodes' changes reach within a second. Members and operators are never
//! blocked.

use std::sync::Arc;

use helpbot_db as db;
use helpbot_domain::blocked_visitor::{BlockKind, BlockedSubjects, BlockedVisitor};
use helpbot_domain::conversation::Conversation;
use helpbot_domain::ids::{BlockId, ConversationId, SiteId};
use helpbot_domain::key::{KeyKind, Scope};
use helpbot_domain::{Invalid, text};

use crate::accounts::{audit_log, client_key};
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, boxed};

/// Maximum number of blocks of a site. All of them are in memory.
pub const BLOCKS_MAX: i64 = 500;
/// Maximum number of characters of a note.
const NOTE_MAX_CHARS: usize = 500;

/// Blocks the visitor of a conversation. Returns the block, which may have existed before.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` for a note that is too long, or when the address of the visitor is
/// not known; `LimitReached`.
#[boxed]
pub async fn block(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    kind: BlockKind,
    note: Option<&str>,
) -> Result<BlockedVisitor> {
    viewer.require(Scope::WriteConversations)?;
    let site = viewer.site(named)?;
    let note = note.map(|note| text::bounded("note", note, NOTE_MAX_CHARS)).transpose()?;
    let found = db::conversations::by_id(&mut services.db.reader().await?, site, id).await?;
    let conversation = found.ok_or(Error::NotFound("Conversation"))?;
    let subject = match kind {
        BlockKind::Session => conversation.session_id,
        BlockKind::Address => conversation.address_key.ok_or_else(|| {
            Invalid::new("by", "The network address of this visitor is not known. Block the session instead.")
        })?,
        BlockKind::Email => {
            let email = conversation
                .customer_email
                .ok_or_else(|| Invalid::new("by", "The visitor left no e-mail address. Block the session instead."))?;
            client_key::of_mailbox(&services.settings.hash_key, site, &email)
        }
    };
    let now = services.now();
    let new = BlockedVisitor {
        site_id: site,
        id: BlockId::from_uuid(randomness::uuid(now)),
        kind,
        subject,
        conversation_id: id,
        note: note.filter(|note| !note.is_empty()),
        created_at: now,
    };
    let stored = services.db.write(move |c| Box::pin(async move { store(c, new).await })).await?;
    services.access_changed(site);
    Ok(stored)
}

async fn store(c: &mut db::Conn, new: BlockedVisitor) -> Result<BlockedVisitor> {
    if let Some(existing) = db::blocked_visitors::of(c, new.site_id, new.kind, &new.subject).await? {
        return Ok(existing);
    }
    // The version comes first because it is the lock of the count.
    db::sites::bump_access_version(c, new.site_id).await?;
    if db::blocked_visitors::count(c, new.site_id).await? >= BLOCKS_MAX {
        return Err(Error::LimitReached(format!("A site can block at most {BLOCKS_MAX} visitors.")));
    }
    audit_log::created(&new.id);
    db::blocked_visitors::insert(c, &new).await?;
    Ok(new)
}

/// Removes a block.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn unblock(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: BlockId) -> Result<()> {
    viewer.require(Scope::WriteConversations)?;
    let site = viewer.site(named)?;
    let is_removed: bool = services
        .db
        .write(move |c| {
            Box::pin(async move {
                db::sites::bump_access_version(c, site).await?;
                Ok::<_, Error>(db::blocked_visitors::delete(c, site, id).await?)
            })
        })
        .await?;
    services.access_changed(site);
    if is_removed { Ok(()) } else { Err(Error::NotFound("Blocked visitor")) }
}

/// Returns the blocks of a site, newest first.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Vec<BlockedVisitor>> {
    viewer.require(Scope::ReadConversations)?;
    Ok(db::blocked_visitors::all(&mut services.db.reader().await?, viewer.site(named)?).await?)
}

/// Returns the blocks of the site with these IDs. Unknown IDs are left out.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn by_ids(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[BlockId],
) -> Result<Vec<BlockedVisitor>> {
    let found = list(services, viewer, named).await?;
    Ok(found.into_iter().filter(|block| ids.contains(&block.id)).collect())
}

/// Checks that a visitor is not blocked, by the session of the request and by the client address.
/// `session` is the session that the request acts on.
///
/// # Errors
/// `VisitorBlocked`; errors of the database.
#[boxed]
pub(crate) async fn require_open(
    services: &Services,
    viewer: &Viewer,
    site: SiteId,
    session: Option<&str>,
) -> Result<()> {
    let key = &services.settings.hash_key;
    let address = || viewer.visitor_address_key(key, site).map(|address| (BlockKind::Address, address));
    let session = || session.map(|session| (BlockKind::Session, session.to_owned()));
    require_none_of(services, viewer, site, || [session(), address()].into_iter().flatten().collect()).await
}

/// Checks that the e-mail address that a visitor names is not blocked, in any spelling.
///
/// # Errors
/// `VisitorBlocked`; errors of the database.
#[boxed]
pub(crate) async fn require_open_mailbox(
    services: &Services,
    viewer: &Viewer,
    site: SiteId,
    email: &str,
) -> Result<()> {
    let key = &services.settings.hash_key;
    require_none_of(services, viewer, site, || vec![(BlockKind::Email, client_key::of_mailbox(key, site, email))]).await
}

/// Checks that the visitor of a conversation, who has written a mail, is blocked neither by session nor by e-mail
/// address.
///
/// # Errors
/// `VisitorBlocked`; errors of the database.
pub(crate) async fn require_open_conversation(services: &Services, of: &Conversation) -> Result<()> {
    let (key, site) = (&services.settings.hash_key, of.site_id);
    let blocked = subjects(services, site).await?;
    let email = of.customer_email.as_deref().map(|email| (BlockKind::Email, client_key::of_mailbox(key, site, email)));
    let session = (BlockKind::Session, of.session_id.clone());
    if std::iter::once(session).chain(email).any(|subject| blocked.contains(&subject)) {
        return Err(Error::VisitorBlocked);
    }
    Ok(())
}

/// Checks that none of the subjects of a request is blocked. They are computed only when the site has
/// blocked anybody and the viewer is not of the team.
async fn require_none_of(
    services: &Services,
    viewer: &Viewer,
    site: SiteId,
    named: impl FnOnce() -> Vec<(BlockKind, String)>,
) -> Result<()> {
    if matches!(viewer.kind, KeyKind::Member | KeyKind::SignIn | KeyKind::Operator) {
        return Ok(());
    }
    let blocked = subjects(services, site).await?;
    if !blocked.is_empty() && named().iter().any(|subject| blocked.contains(subject)) {
        return Err(Error::VisitorBlocked);
    }
    Ok(())
}

/// Returns whether the site has blocked nobody.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub(crate) async fn is_none_blocked(services: &Services, site: SiteId) -> Result<bool> {
    Ok(subjects(services, site).await?.is_empty())
}

async fn subjects(services: &Services, site: SiteId) -> Result<BlockedSubjects> {
    let now = services.now();
    if let Some(known) = services.blocked.get(&site, now) {
        return Ok(known);
    }
    let before = services.blocked.before_lookup();
    let all = db::blocked_visitors::all(&mut services.db.reader().await?, site).await?;
    let subjects: BlockedSubjects = Arc::new(all.into_iter().map(|block| (block.kind, block.subject)).collect());
    services.blocked.put(before, now, site, subjects.clone());
    Ok(subjects)
}
