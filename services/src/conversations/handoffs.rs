//! Handoffs: a visitor requests a human, and the team assigns, resolves and reopens the
//! conversation.

use helpbot_db as db;
use helpbot_db::stats::DailyCounts;
use helpbot_domain::conversation::{Conversation, HandoffMove, HandoffStatus};
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::handoff::HandoffStep;
use helpbot_domain::ids::{ConversationId, MemberId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::{Invalid, Timestamp, text};

use crate::accounts::blocked_visitors;
use crate::conversations::change::{ConversationChange, change, require_open};
use crate::conversations::handoff_notices::NewNotice;
use crate::webhooks::outbox;
use crate::{Error, Result, Services, Viewer, boxed};

/// The e-mail address that a visitor leaves with a request for a human, by what proves that the
/// conversation is the visitor's.
#[derive(Debug, Clone)]
pub enum ReplyAddress {
    /// No address.
    None,
    /// An address for a conversation that the viewer may see.
    BySession(String),
    /// An address for a conversation whose ID the caller knows. The ID cannot be guessed, and the
    /// REST contract has no other proof.
    ById(String),
}

/// A human was requested.
#[derive(Debug)]
pub struct HandoffRequest {
    /// The conversation with its handoff.
    pub conversation: Conversation,
    /// Whether the given e-mail address was not used, because the visitor did not prove that the conversation is
    /// theirs.
    pub is_address_ignored: bool,
}

/// Requests a human for a conversation. Repeating the request while the handoff is open only adds a
/// missing e-mail address. After the conversation was closed, it is open again, and the owner is
/// notified again.
///
/// An e-mail address without the proof that it needs is neither stored nor mailed. The handoff is made without it,
/// so that a visitor who has lost the proof reaches a human anyway.
///
/// # Errors
/// `Forbidden`; `VisitorBlocked`; `Invalid` for a malformed e-mail address; `NotFound`.
#[boxed]
pub async fn request(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    address: ReplyAddress,
) -> Result<HandoffRequest> {
    viewer.require(Scope::Chat)?;
    let site = viewer.site(named)?;
    let (given, needs_proof) = match address {
        ReplyAddress::None => (None, false),
        ReplyAddress::BySession(email) => (Some(email), true),
        ReplyAddress::ById(email) => (Some(email), false),
    };
    let given = given.as_deref().map(str::trim).filter(|email| !email.is_empty());
    let email = given.map(|email| text::email("customerEmail", email)).transpose()?;
    require_open(services, viewer, site, id).await?;
    if let Some(email) = &email {
        blocked_visitors::require_open_mailbox(services, viewer, site, email).await?;
    }
    let notice = NewNotice {
        address_key: viewer.visitor_address_key(&services.settings.hash_key, site),
        interval: services.settings.handoff_mail_interval,
    };
    let (visitor, is_given) = (viewer.clone(), email.is_some());
    let conversation = change(services, site, id, move |conversation, now| {
        let email = email.filter(|_| !needs_proof || visitor.may_see(conversation));
        Ok(requested(conversation, email, notice, now))
    })
    .await?;
    outbox::wake(services);
    let is_address_ignored = is_given && needs_proof && !viewer.may_see(&conversation);
    Ok(HandoffRequest { conversation, is_address_ignored })
}

/// Opens a conversation whose visitor has answered by mail.
pub(super) async fn reopen_for_mail(services: &Services, site: SiteId, id: ConversationId) -> Result<Conversation> {
    let notice = NewNotice { address_key: None, interval: services.settings.handoff_mail_interval };
    change(services, site, id, move |conversation, now| Ok(requested(conversation, None, notice, now))).await
}

/// Requests a human for a conversation, with the address that the visitor leaves. Returns what the change writes.
pub(super) fn requested(
    conversation: &mut Conversation,
    email: Option<String>,
    notice: NewNotice,
    now: Timestamp,
) -> ConversationChange {
    let is_first = conversation.handoff.is_none();
    let is_new = !conversation.handoff.is_some_and(HandoffStatus::is_open);
    if conversation.customer_email.is_none() {
        conversation.customer_email = email;
    }
    conversation.handoff = HandoffStatus::after(conversation.handoff, HandoffMove::Request);
    if !is_new {
        return ConversationChange { is_write: true, ..ConversationChange::default() };
    }
    conversation.handoff_at = Some(now);
    conversation.assignee_id = None;
    let data = EventData::Handoff {
        conversation_id: conversation.id,
        question: conversation.question.clone(),
        answer: conversation.answer.clone(),
        customer_email: conversation.customer_email.clone(),
    };
    ConversationChange {
        event: Some((EventType::ConversationHandoff, data)),
        // A conversation counts once, however often a human is asked for in it.
        counts: DailyCounts { handoffs: i64::from(is_first), ..DailyCounts::default() },
        notice: Some(notice),
        handoff: Some(HandoffStep::Request),
        is_write: true,
        ..ConversationChange::default()
    }
}

/// Assigns a conversation to a member of the team. `None` assigns it to the viewer. Nobody must have asked for a
/// human: a member can join any conversation that is not closed.
///
/// # Errors
/// `Forbidden`; `NotFound` for the conversation or the member; `Invalid` when no member
/// is named and the key has none; `Conflict` when the conversation is closed.
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
    let member = member.or(own).ok_or_else(|| {
        Invalid::new("memberId", "memberId is required, because the API key does not belong to a member.")
    })?;
    let found = db::members::by_id(&mut services.db.reader().await?, site, member).await?;
    found.ok_or(Error::NoSuch { noun: "Member", field: "memberId" })?;
    step(services, site, id, HandoffMove::Assign, HandoffActor { assignee: Some(member), actor: own }).await
}

/// Returns a conversation that a member has taken to the queue. HelpBot answers its visitor again, who still waits for
/// a human.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` when no member has taken it.
#[boxed]
pub async fn unassign(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
) -> Result<Conversation> {
    step_as_viewer(services, viewer, named, id, HandoffMove::Unassign).await
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
    step_as_viewer(services, viewer, named, id, HandoffMove::Resolve).await
}

/// Reopens a closed conversation, which is then assigned to nobody.
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
    step_as_viewer(services, viewer, named, id, HandoffMove::Reopen).await
}

/// Takes a step in the name of the viewer, who must belong to the team.
async fn step_as_viewer(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    wanted: HandoffMove,
) -> Result<Conversation> {
    viewer.require(Scope::WriteConversations)?;
    let actor = viewer.member.as_ref().map(|member| member.id);
    step(services, viewer.site(named)?, id, wanted, HandoffActor { assignee: None, actor }).await
}

/// The members of a step of a handoff.
struct HandoffActor {
    /// Member who gets the conversation.
    assignee: Option<MemberId>,
    /// Member who acts.
    actor: Option<MemberId>,
}

async fn step(
    services: &Services,
    site: SiteId,
    id: ConversationId,
    step: HandoffMove,
    who: HandoffActor,
) -> Result<Conversation> {
    change(services, site, id, move |conversation, now| {
        let (refusal, event_type) = refusal_and_event(step);
        let is_first = conversation.handoff.is_none();
        let next = HandoffStatus::after(conversation.handoff, step);
        conversation.handoff = Some(next.ok_or_else(|| Error::Conflict(refusal.into()))?);
        if is_first {
            conversation.handoff_at = Some(now);
        }
        match step {
            HandoffMove::Assign => conversation.assignee_id = who.assignee,
            HandoffMove::Reopen | HandoffMove::Unassign => conversation.assignee_id = None,
            HandoffMove::Request | HandoffMove::Resolve => {}
        }
        let member_id = who.assignee.or(who.actor);
        let taken = match step {
            HandoffMove::Assign if is_first => HandoffStep::Join(who.assignee),
            HandoffMove::Assign => HandoffStep::Assign(who.assignee),
            HandoffMove::Unassign => HandoffStep::Unassign,
            HandoffMove::Resolve => HandoffStep::Resolve(who.actor),
            HandoffMove::Reopen => HandoffStep::Reopen,
            HandoffMove::Request => HandoffStep::Request,
        };
        let data = EventData::Moved { conversation_id: id, member_id, actor_id: who.actor };
        Ok(ConversationChange {
            event: Some((event_type, data)),
            counts: DailyCounts { handoffs: i64::from(is_first), ..DailyCounts::default() },
            handoff: Some(taken),
            ..ConversationChange::default()
        })
    })
    .await
}

/// Returns why a step can be refused, and the type of its event.
fn refusal_and_event(step: HandoffMove) -> (&'static str, EventType) {
    match step {
        HandoffMove::Assign | HandoffMove::Request => (
            "The conversation is resolved, so it cannot be assigned. Reopen it first.",
            EventType::ConversationAssigned,
        ),
        HandoffMove::Unassign => {
            ("No member has taken the conversation, so it cannot be returned.", EventType::ConversationUnassigned)
        }
        HandoffMove::Resolve => {
            ("The conversation has no open handoff, so it cannot be resolved.", EventType::ConversationResolved)
        }
        HandoffMove::Reopen => {
            ("The conversation is not closed, so it cannot be reopened.", EventType::ConversationReopened)
        }
    }
}
