//! Canned replies: texts that members send often. A reply can contain placeholders, which are filled in for the
//! conversation in which it is used.
//!
//! A placeholder is a name in double braces, for example `{{visitor.email}}`. It is replaced once: text that comes
//! from a visitor is never searched for placeholders. An unknown placeholder stays as it is, so that the member sees it.

use helpbot_db as db;
use helpbot_domain::conversation::Conversation;
use helpbot_domain::ids::{CannedReplyId, ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;
use helpbot_domain::triage::CannedReply;
use helpbot_domain::{Together as _, text};

use crate::accounts::{audit_log, sites};
use crate::conversations::lookup;
use crate::runtime::lookups::find_by_ids;
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, boxed};

/// Maximum number of canned replies of a site.
const REPLIES_MAX: i64 = 500;
/// Maximum length of a name in characters.
const NAME_MAX_CHARS: usize = 60;
/// Maximum length of a text in characters: as long as a message.
const TEXT_MAX_CHARS: usize = 4000;

/// A change of a canned reply. What is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct CannedReplyPatch {
    /// The new name.
    pub name: Option<String>,
    /// The new text.
    pub text: Option<String>,
}

/// Adds a canned reply.
///
/// # Errors
/// `Forbidden`; `Invalid` names the fields; `Conflict` when the name is taken; `LimitReached`.
#[boxed]
pub async fn add(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    name: &str,
    words: &str,
) -> Result<CannedReply> {
    viewer.require(Scope::WriteConversations)?;
    let site = sites::get(services, viewer, named).await?.id;
    let (name, words) = (checked_name(name), text::required("text", words, TEXT_MAX_CHARS)).together()?;
    let now = services.now();
    let id = CannedReplyId::from_uuid(randomness::uuid(now));
    let new = CannedReply { site_id: site, id, name, text: words, created_at: now, updated_at: now };
    let stored = services.db.write(move |c| {
        Box::pin(async move {
            if db::canned_replies::count(c, site).await? >= REPLIES_MAX {
                return Err(Error::LimitReached(format!("A site can have at most {REPLIES_MAX} canned replies.")));
            }
            audit_log::created(&new.id);
            db::canned_replies::insert(c, &new).await.map_err(taken)?;
            Ok(new)
        })
    });
    stored.await
}

/// Changes a canned reply.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` names the fields; `Conflict` when the name is taken.
#[boxed]
pub async fn update(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: CannedReplyId,
    patch: CannedReplyPatch,
) -> Result<CannedReply> {
    viewer.require(Scope::WriteConversations)?;
    let site = viewer.site(named)?;
    let name = patch.name.as_deref().map(checked_name).transpose();
    let words = patch.text.as_deref().map(|words| text::required("text", words, TEXT_MAX_CHARS)).transpose();
    let (name, words) = (name, words).together()?;
    let now = services.now();
    let changed = services.db.write(move |c| {
        Box::pin(async move {
            let found = db::canned_replies::by_id(c, site, id).await?;
            let known = found.ok_or(Error::NotFound("Canned reply"))?;
            let changed = CannedReply {
                name: name.unwrap_or(known.name),
                text: words.unwrap_or(known.text),
                updated_at: now,
                ..known
            };
            db::canned_replies::update(c, &changed).await.map_err(taken)?;
            Ok(changed)
        })
    });
    changed.await
}

/// Deletes a canned reply.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn delete(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: CannedReplyId) -> Result<()> {
    viewer.require(Scope::WriteConversations)?;
    let site = viewer.site(named)?;
    let deleted = services.db.write(move |c| {
        Box::pin(async move {
            let is_deleted = db::canned_replies::delete(c, site, id).await?;
            if is_deleted { Ok(()) } else { Err(Error::NotFound("Canned reply")) }
        })
    });
    deleted.await
}

find_by_ids! {
    /// Returns the canned replies of the site with these IDs. Unknown IDs are left out.
    by_ids, ReadConversations, CannedReplyId => CannedReply, db::canned_replies::by_ids
}

/// Returns one page of the canned replies of a site, ordered by name.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    page: PageRequest<String>,
) -> Result<Vec<CannedReply>> {
    viewer.require(Scope::ReadConversations)?;
    let site = viewer.site(named)?;
    Ok(db::canned_replies::list(&mut services.db.reader().await?, site, page).await?)
}

/// Returns the number of canned replies of a site.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<i64> {
    viewer.require(Scope::ReadConversations)?;
    let site = viewer.site(named)?;
    Ok(db::canned_replies::count(&mut services.db.reader().await?, site).await?)
}

/// Returns the text of a canned reply for a conversation, with its placeholders filled in.
///
/// # Errors
/// `Forbidden`; `NotFound` when the viewer may not see the conversation.
#[boxed]
pub async fn rendered(
    services: &Services,
    viewer: &Viewer,
    reply: &CannedReply,
    conversation: ConversationId,
) -> Result<String> {
    viewer.require(Scope::ReadConversations)?;
    let conversation = lookup::visible(services, viewer, Some(reply.site_id), conversation).await?;
    let site = sites::get(services, viewer, Some(reply.site_id)).await?;
    let agent = viewer.member.as_ref().map_or(site.name.as_str(), |member| member.name.as_str());
    Ok(filled(&reply.text, |name| value(name, &site, &conversation, agent)))
}

/// Returns the value of a placeholder. `None` when it is unknown. What is not known of the visitor is empty.
fn value(name: &str, site: &Site, conversation: &Conversation, agent: &str) -> Option<String> {
    Some(match name {
        "agent.name" => agent.to_owned(),
        "site.name" => site.name.clone(),
        "visitor.email" => conversation.customer_email.clone().unwrap_or_default(),
        "conversation.question" => conversation.question.clone(),
        _ => return None,
    })
}

/// Replaces the placeholders of a text.
fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let known = after.split_once("}}").and_then(|(name, after)| Some((value(name.trim())?, after)));
        match known {
            Some((value, after)) => {
                filled.push_str(&value);
                rest = after;
            }
            None => {
                filled.push_str("{{");
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

fn checked_name(name: &str) -> Result<String, helpbot_domain::Invalid> {
    text::required("name", name, NAME_MAX_CHARS)
}

fn taken(error: db::Error) -> Error {
    match error {
        db::Error::Conflict { .. } => Error::Conflict("Another canned reply has this name.".into()),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_once_and_unknown_ones_stay() {
        let value = |name: &str| match name {
            "visitor.email" => Some("{{site.name}}".to_owned()),
            "site.name" => Some("Shop".to_owned()),
            _ => None,
        };

        assert_eq!(filled("Hi {{visitor.email}}, {{ site.name }} here.", value), "Hi {{site.name}}, Shop here.");
        assert_eq!(filled("{{unknown}} {{ {{site.name}}", value), "{{unknown}} {{ Shop");
        assert_eq!(filled("{{", value), "{{");
    }
}
