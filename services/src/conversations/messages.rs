//! Messages of a conversation: the question and the answer first, then what the visitor and the
//! team write to each other after a handoff.

use helpbot_db as db;
use helpbot_domain::conversation::{
    Author, Conversation, HandoffMove, HandoffStatus, MESSAGE_MAX_CHARS, Message, OPENING_MESSAGES,
};
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::handoff::HandoffStep;
use helpbot_domain::ids::{ConversationId, MessageId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::{Timestamp, text};

use crate::conversations::activity;
use crate::conversations::change::{ConversationChange, change, require_open};
use crate::conversations::lookup;
use crate::conversations::message_limits;
use crate::conversations::presence::Side;
use crate::conversations::sightings;
use crate::runtime::randomness;
use crate::webhooks::outbox;
use crate::{Error, Result, Services, Viewer, ViewerMember, boxed};

/// Returns one page of the messages that were written after the answers of these conversations,
/// ordered by conversation and sequence number. A backward page is in reverse order. Conversations
/// that the viewer may not see are left out.
///
/// # Errors
/// `Forbidden` for a viewer who may not see any conversation.
#[boxed]
pub async fn page(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[ConversationId],
    page: PageRequest<i64>,
) -> Result<Vec<Message>> {
    let visible = lookup::by_ids(services, viewer, named, ids).await?;
    let ids: Vec<_> =
        visible.iter().filter(|found| found.message_count > OPENING_MESSAGES).map(|found| found.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let site = viewer.site(named)?;
    sightings::record_reader(services, site, viewer, &visible).await;
    Ok(db::messages::page(&mut services.db.reader_of(site).await?, site, &ids, page).await?)
}

/// Returns a message that was written after the answer of a conversation. `None` when it does not
/// exist or the viewer may not see it.
///
/// # Errors
/// `Forbidden` for a viewer who may not see any conversation.
#[boxed]
pub async fn by_id(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    conversation: ConversationId,
    id: MessageId,
) -> Result<Option<Message>> {
    if lookup::by_ids(services, viewer, named, &[conversation]).await?.is_empty() {
        return Ok(None);
    }
    let site = viewer.site(named)?;
    Ok(db::messages::by_id(&mut services.db.reader_of(site).await?, site, conversation, id).await?)
}

/// Returns the question and the answer as the first two messages. Their IDs are derived from the
/// conversation's ID and never change.
pub fn opening(conversation: &Conversation) -> [Message; 2] {
    let message = |seq, author, text: &str| Message {
        site_id: conversation.site_id,
        conversation_id: conversation.id,
        seq,
        id: MessageId::from_uuid(opening_uuid(conversation.id, seq)),
        author,
        member_id: None,
        agent_name: None,
        text: text.to_owned(),
        created_at: conversation.created_at,
    };
    [message(1, Author::Visitor, &conversation.question), message(2, Author::Bot, &conversation.answer)]
}

/// Returns the conversation's UUID with the last two bits replaced by the sequence number.
fn opening_uuid(id: ConversationId, seq: i64) -> uuid::Uuid {
    let mask = 3_u128;
    uuid::Uuid::from_u128((id.uuid().as_u128() & !mask) | (seq.unsigned_abs() as u128 & mask))
}

/// Writes a message: a visitor into their own conversation, the team into any. Messages can be
/// written while a handoff is open. The first message of a member assigns the conversation to them.
///
/// # Errors
/// `Forbidden`; `VisitorBlocked`; `NotFound` when the writer may not see the conversation; `Invalid` for an empty or
/// too long text; `Conflict` when no human was requested or the conversation is closed;
/// `LimitReached` when the conversation is full; `RateLimited` when the visitor writes too fast.
#[boxed]
pub async fn send(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    words: &str,
) -> Result<(Conversation, Message)> {
    let is_team = viewer.has(Scope::WriteConversations);
    if !is_team {
        viewer.require(Scope::Chat)?;
    }
    let site = viewer.site(named)?;
    if !is_team {
        require_open(services, viewer, site, id).await?;
    }
    let new = NewMessage {
        id: MessageId::from_uuid(randomness::uuid(services.now())),
        author: if is_team { Author::Agent } else { Author::Visitor },
        member: viewer.member.clone().filter(|_| is_team),
        text: text::required("text", words, MESSAGE_MAX_CHARS)?,
    };
    // A visitor who has the conversation open sees the message at once.
    let is_mailed = is_team && !activity::is_visitor_here(services, site, id);
    let mail_after = services.settings.reply_mails.as_ref().filter(|_| is_mailed).map(|settings| settings.delay);
    let (writer, draft) = (viewer.clone(), new.clone());
    let conversation = change(services, site, id, move |conversation, now| {
        if !is_team && !writer.may_see(conversation) {
            return Err(Error::NotFound("Conversation"));
        }
        if !conversation.handoff.is_some_and(HandoffStatus::is_open) {
            return Err(Error::Conflict("The conversation is not open for messages. Request a human first.".into()));
        }
        if let (Some(member), None) = (&draft.member, conversation.assignee_id) {
            conversation.assignee_id = Some(member.id);
            conversation.handoff = HandoffStatus::after(conversation.handoff, HandoffMove::Assign);
        }
        message_limits::require_space(conversation, draft.author)?;
        conversation.message_count += 1;
        let message = draft.stored(conversation, now);
        let data = EventData::Message {
            conversation_id: id,
            message_id: message.id,
            author: message.author,
            agent_name: message.agent_name.clone(),
            text: message.text.clone(),
        };
        Ok(ConversationChange {
            event: Some((EventType::MessageCreated, data)),
            message: Some(message),
            handoff: is_team.then_some(HandoffStep::Reply(draft.member.as_ref().map(|member| member.id))),
            seen: writer.session.filter(|_| !is_team),
            mail_after,
            ..ConversationChange::default()
        })
    })
    .await?;
    if mail_after.is_some() {
        outbox::wake(services);
    }
    let writer = viewer.member.as_ref().map(|member| member.name.clone());
    activity::written(services, site, id, Side::of(viewer), writer);
    let message = new.stored(&conversation, conversation.updated_at);
    Ok((conversation, message))
}

/// A message without its sequence number.
#[derive(Clone)]
struct NewMessage {
    id: MessageId,
    author: Author,
    member: Option<ViewerMember>,
    text: String,
}

impl NewMessage {
    /// Returns the message as the last one of `conversation`.
    fn stored(&self, conversation: &Conversation, now: Timestamp) -> Message {
        Message {
            site_id: conversation.site_id,
            conversation_id: conversation.id,
            seq: conversation.message_count,
            id: self.id,
            author: self.author,
            member_id: self.member.as_ref().map(|member| member.id),
            agent_name: self.member.as_ref().map(|member| member.name.clone()),
            text: self.text.clone(),
            created_at: now,
        }
    }
}
