//! Votes: whether an answer helped the visitor.

use helpbot_db::stats::DailyCounts;
use helpbot_domain::conversation::{Conversation, Vote};
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;

use crate::conversations::change::{ConversationChange, change, require_open};
use crate::{Result, Services, Viewer, boxed};

/// Records a visitor's vote. The last vote counts; repeating it changes nothing.
///
/// # Errors
/// `Forbidden`; `VisitorBlocked`; `NotFound`.
#[boxed]
pub async fn vote(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    vote: Vote,
) -> Result<Conversation> {
    viewer.require(Scope::Chat)?;
    let site = viewer.site(named)?;
    require_open(services, viewer, site, id).await?;
    change(services, site, id, move |conversation, _| {
        if conversation.vote == Some(vote) {
            return Ok(ConversationChange::default());
        }
        let counts = DailyCounts {
            helpful: count(vote == Vote::Yes) - count(conversation.vote == Some(Vote::Yes)),
            unhelpful: count(vote == Vote::No) - count(conversation.vote == Some(Vote::No)),
            ..DailyCounts::default()
        };
        conversation.vote = Some(vote);
        let data = EventData::Feedback { conversation_id: id, helpful: vote };
        Ok(ConversationChange {
            event: Some((EventType::ConversationFeedback, data)),
            counts,
            ..ConversationChange::default()
        })
    })
    .await
}

fn count(is_so: bool) -> i64 {
    i64::from(is_so)
}
