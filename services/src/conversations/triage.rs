//! Triage: the priority and the tags that the team gives to a conversation. Visitors never see them, and their events
//! reach only the team.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_domain::conversation::Conversation;
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::triage::{self, Priority, TAGS_MAX};

use crate::conversations::change::{ConversationChange, TagChanges, change};
use crate::{Error, Result, Services, Viewer, boxed};

/// Maximum number of tags in the list of a site.
const SITE_TAGS_MAX: i64 = 200;

/// A change of the triage. What is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct TriagePatch {
    /// The new priority.
    pub priority: Option<Priority>,
    /// Tags to add.
    pub add_tags: Vec<String>,
    /// Tags to remove.
    pub remove_tags: Vec<String>,
}

/// Changes the priority and the tags of a conversation. A tag that is added and removed is added.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` for an invalid tag; `LimitReached` when the conversation would have too many tags.
#[boxed]
pub async fn update(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    patch: TriagePatch,
) -> Result<Conversation> {
    viewer.require(Scope::WriteConversations)?;
    let site = viewer.site(named)?;
    let added = tags("addTags", &patch.add_tags)?;
    let mut removed = tags("removeTags", &patch.remove_tags)?;
    removed.retain(|tag| !added.contains(tag));
    let known = known(services, site, id).await?;
    let rest = known.iter().filter(|tag| !removed.contains(tag) && !added.contains(tag)).count();
    if rest + added.len() > TAGS_MAX {
        return Err(Error::LimitReached(format!("A conversation can have at most {TAGS_MAX} tags.")));
    }
    let actor_id = viewer.member.as_ref().map(|member| member.id);
    // Only real changes are stored and reported.
    let tags = TagChanges {
        added: added.into_iter().filter(|tag| !known.contains(tag)).collect(),
        removed: removed.into_iter().filter(|tag| known.contains(tag)).collect(),
    };
    change(services, site, id, move |conversation, _| {
        let priority = patch.priority.unwrap_or(conversation.priority);
        if priority == conversation.priority && tags.added.is_empty() && tags.removed.is_empty() {
            return Ok(ConversationChange::default());
        }
        conversation.priority = priority;
        let data = EventData::Updated {
            conversation_id: id,
            actor_id,
            priority,
            added_tags: tags.added.clone(),
            removed_tags: tags.removed.clone(),
        };
        Ok(ConversationChange {
            event: Some((EventType::ConversationUpdated, data)),
            tags,
            ..ConversationChange::default()
        })
    })
    .await
}

fn tags(field: &'static str, given: &[String]) -> Result<Vec<String>> {
    let mut tags: Vec<String> = given.iter().map(|tag| triage::tag(field, tag)).collect::<Result<_, _>>()?;
    tags.sort();
    tags.dedup();
    Ok(tags)
}

async fn known(services: &Services, site: SiteId, id: ConversationId) -> Result<Vec<String>> {
    let found = db::conversation_tags::of(&mut services.db.reader().await?, site, &[id]).await?;
    Ok(found.into_iter().map(|(_, tag)| tag).collect())
}

/// Returns the tags of these conversations, in alphabetical order. Conversations without tags are left out.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn tags_of(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[ConversationId],
) -> Result<HashMap<ConversationId, Vec<String>>> {
    viewer.require(Scope::ReadConversations)?;
    let found = db::conversation_tags::of(&mut services.db.reader().await?, viewer.site(named)?, ids).await?;
    let mut tags: HashMap<_, Vec<String>> = HashMap::new();
    for (id, tag) in found {
        tags.entry(id).or_default().push(tag);
    }
    Ok(tags)
}

/// Returns the tags of a site with the number of their conversations, the most frequent first, at most 200.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn site_tags(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Vec<(String, i64)>> {
    viewer.require(Scope::ReadConversations)?;
    let site = viewer.site(named)?;
    Ok(db::conversation_tags::counts(&mut services.db.reader().await?, site, SITE_TAGS_MAX).await?)
}
