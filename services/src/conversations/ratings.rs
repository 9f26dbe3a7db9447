//! Ratings: how a visitor found the help of a human.
//!
//! After a handoff was resolved, its visitor can rate it, who proves the conversation with a session token: nobody else may
//! speak for the visitor, not even the team.

use helpbot_domain::conversation::Conversation;
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::satisfaction::{self, Rating};

use crate::conversations::change::{ConversationChange, change, require_open};
use crate::conversations::handoff_records::NewRating;
use crate::{Error, Result, Services, Viewer, boxed};

/// Rates the help of a human in the last handoff of a conversation. Each handoff has one rating, and another one replaces it.
///
/// # Errors
/// `Forbidden`; `VisitorBlocked`; `NotFound` when the session token does not prove the conversation; `Invalid` for the
/// rating or the comment; `Conflict` when the handoff is not resolved or was resolved too long ago.
#[boxed]
pub async fn rate(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    rating: i64,
    comment: Option<Option<String>>,
) -> Result<Conversation> {
    viewer.require(Scope::Chat)?;
    let site = viewer.site(named)?;
    let comment = match comment {
        Some(Some(words)) => Some(satisfaction::comment(&words)?),
        other => other,
    };
    let new = NewRating { rating: Rating::checked(rating)?, comment };
    require_open(services, viewer, site, id).await?;
    let visitor = viewer.clone();
    change(services, site, id, move |conversation, _| {
        if !visitor.has_proved(conversation) {
            return Err(Error::NotFound("Conversation"));
        }
        let data = EventData::Rated { conversation_id: id, rating: new.rating.number() };
        Ok(ConversationChange {
            event: Some((EventType::ConversationRated, data)),
            rating: Some(new),
            ..ConversationChange::default()
        })
    })
    .await
}
