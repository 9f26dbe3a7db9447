//! Finding conversations by ID, as far as the viewer may see them.

use helpbot_db as db;
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;

use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::conversation::Conversation;

/// Returns the conversations with these IDs. Those that do not exist or that the viewer may not see
/// are left out.
///
/// # Errors
/// `Forbidden` for a viewer who may not see any conversation.
#[boxed]
pub async fn by_ids(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[ConversationId],
) -> Result<Vec<Conversation>> {
    viewer.require(Scope::Chat).or_else(|_| viewer.require(Scope::ReadConversations))?;
    let site = viewer.site(named)?;
    let found = db::conversations::by_ids(&mut services.db.reader_of(site).await?, site, ids).await?;
    Ok(found.into_iter().filter(|found| viewer.may_see(found)).collect())
}

/// Returns the conversation with this ID.
///
/// # Errors
/// `Forbidden`; `NotFound` when the conversation does not exist or is hidden from `viewer`.
pub(crate) async fn visible(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
) -> Result<Conversation> {
    let found = by_ids(services, viewer, named, &[id]).await?;
    found.into_iter().next().ok_or(Error::NotFound("Conversation"))
}
