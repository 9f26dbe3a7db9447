//! What the team does with a conversation that was handed to it: take, give, close, open again.

use helpbot_db as db;
use helpbot_domain::conversation::{HandoffMove, HandoffStatus};
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::ids::{ConversationId, MemberId, SiteId};
use helpbot_domain::key::Scope;

use crate::conversations::{self, Change};
use crate::{Conversation, Error, Result, Services, Viewer, boxed};

/// Gives a conversation to a member of the team; to the viewer when none is named.
///
/// # Errors
/// `Forbidden`; `NotFound` for the conversation or the member; `Conflict` when no human was
/// asked for, the case is closed, or a key without a member takes it for nobody.
#[boxed]
pub async fn assign(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    member: Option<MemberId>,
) -> Result<Conversation> {
    viewer.require(Scope::WriteConversations)?;
    let site = viewer.site(named)?;
    let own = viewer.member.as_ref().map(|member| member.id);
    let member = member.or(own).ok_or_else(|| Error::Conflict("Name the member to assign".into()))?;
    let found = db::members::by_id(&mut services.db.reader().await?, site, member).await?;
    found.ok_or(Error::NotFound("Member"))?;
    step(services, site, id, HandoffMove::Assign, Some(member)).await
}

/// Closes a conversation.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` when it is not open.
#[boxed]
pub async fn resolve(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
) -> Result<Conversation> {
    viewer.require(Scope::WriteConversations)?;
    let member = viewer.member.as_ref().map(|member| member.id);
    step(services, viewer.site(named)?, id, HandoffMove::Resolve, member).await
}

/// Opens a closed conversation again; it waits for whoever takes it.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` when it is not closed.
#[boxed]
pub async fn reopen(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
) -> Result<Conversation> {
    viewer.require(Scope::WriteConversations)?;
    let member = viewer.member.as_ref().map(|member| member.id);
    step(services, viewer.site(named)?, id, HandoffMove::Reopen, member).await
}

async fn step(
    services: &Services,
    site: SiteId,
    id: ConversationId,
    step: HandoffMove,
    member: Option<MemberId>,
) -> Result<Conversation> {
    conversations::change(services, site, id, move |conversation, _| {
        let (refusal, event_type) = match step {
            HandoffMove::Assign | HandoffMove::Request => {
                ("Nobody asked for a human, or it is closed", EventType::ConversationAssigned)
            }
            HandoffMove::Resolve => ("The conversation is not open", EventType::ConversationResolved),
            HandoffMove::Reopen => ("The conversation is not closed", EventType::ConversationReopened),
        };
        let next = HandoffStatus::after(conversation.handoff, step);
        conversation.handoff = Some(next.ok_or_else(|| Error::Conflict(refusal.into()))?);
        match step {
            HandoffMove::Assign => conversation.assignee_id = member,
            HandoffMove::Reopen => conversation.assignee_id = None,
            HandoffMove::Request | HandoffMove::Resolve => {}
        }
        let data = EventData::Moved { conversation_id: id, member_id: member };
        Ok(Change { event: Some((event_type, data)), ..Change::default() })
    })
    .await
}
