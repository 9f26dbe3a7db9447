//! Votes: whether an answer helped the visitor, and if not, why.

use helpbot_db::stats::DailyCounts;
use helpbot_domain::Invalid;
use helpbot_domain::conversation::{Conversation, Vote};
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::satisfaction::{self, FeedbackReason};

use crate::conversations::change::{ConversationChange, change, require_open};
use crate::{Result, Services, Viewer, boxed};

/// What a visitor says about a vote. The outer `None` leaves a value of the same vote unchanged, the inner one removes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VoteDetails {
    /// Why the answer did not help.
    pub reason: Option<Option<FeedbackReason>>,
    /// The visitor's own words.
    pub comment: Option<Option<String>>,
}

impl VoteDetails {
    fn checked(self, vote: Vote) -> Result<Self, Invalid> {
        if vote.is_helpful() && self.reason.is_some_and(|reason| reason.is_some()) {
            return Err(Invalid::new("reason", "Only an unhelpful answer can have a reason."));
        }
        let comment = match self.comment {
            Some(Some(words)) => Some(satisfaction::comment(&words)?),
            other => other,
        };
        Ok(Self { comment, ..self })
    }
}

/// Records a visitor's vote with its reason and comment. The last vote counts; repeating it changes nothing. Reason and comment
/// belong to their vote, so another vote removes them. Only another vote is an event of webhooks.
///
/// # Errors
/// `Forbidden`; `VisitorBlocked`; `NotFound`; `Invalid` for a reason of a helpful answer or a long comment.
#[boxed]
pub async fn vote(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    vote: Vote,
    details: VoteDetails,
) -> Result<Conversation> {
    viewer.require(Scope::Chat)?;
    let site = viewer.site(named)?;
    let details = details.checked(vote)?;
    require_open(services, viewer, site, id).await?;
    change(services, site, id, move |conversation, _| {
        let is_same = conversation.vote == Some(vote);
        let (old_reason, old_comment) = (conversation.feedback_reason.take(), conversation.feedback_comment.take());
        conversation.feedback_reason = details.reason.unwrap_or(old_reason.filter(|_| is_same));
        conversation.feedback_comment = details.comment.unwrap_or_else(|| old_comment.clone().filter(|_| is_same));
        let data = EventData::Feedback { conversation_id: id, helpful: vote };
        if is_same {
            let is_explained =
                conversation.feedback_reason != old_reason || conversation.feedback_comment != old_comment;
            return Ok(ConversationChange {
                event: is_explained.then_some((EventType::FeedbackExplained, data)),
                ..ConversationChange::default()
            });
        }
        let counts = DailyCounts {
            helpful: count(vote == Vote::Yes) - count(conversation.vote == Some(Vote::Yes)),
            unhelpful: count(vote == Vote::No) - count(conversation.vote == Some(Vote::No)),
            ..DailyCounts::default()
        };
        conversation.vote = Some(vote);
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
