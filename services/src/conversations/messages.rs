//! Messages of a conversation: the question and the answer first, then what visitor and team
//! write to each other after a handoff.

use helpbot_db as db;
use helpbot_db::conversations::OPENING_MESSAGES;
use helpbot_domain::conversation::{Author, HandoffMove, HandoffStatus, MESSAGE_MAX_CHARS};
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::ids::{ConversationId, MessageId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::{Timestamp, text};

use crate::conversations::activity::{self, Side};
use crate::conversations::{self, Change};
use crate::runtime::randomness;
use crate::{Conversation, Error, MemberIdentity, Message, Result, Services, Viewer, boxed};

/// What was written in some conversations after their answers, by conversation and number.
/// Conversations that the viewer may not see give nothing.
///
/// # Errors
/// `Forbidden` for who may see none at all.
#[boxed]
pub async fn of(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[ConversationId],
) -> Result<Vec<Message>> {
    let visible = conversations::by_ids(services, viewer, named, ids).await?;
    let ids: Vec<_> =
        visible.iter().filter(|found| found.message_count > OPENING_MESSAGES).map(|found| found.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(db::messages::of(&mut services.db.reader().await?, viewer.site(named)?, &ids).await?)
}

/// Question and answer as the first two messages. Their ids are those of the conversation's
/// own moment, so that they stay the same.
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

/// The conversation's own UUID with the last two bits telling which of the two it is.
fn opening_uuid(id: ConversationId, seq: i64) -> uuid::Uuid {
    let mask = 3_u128;
    uuid::Uuid::from_u128((id.uuid().as_u128() & !mask) | (seq.unsigned_abs() as u128 & mask))
}

/// Writes a message: the visitor into the own conversation, a member or the team's key into
/// any. Open to both while a handoff is; the first message of a member takes the conversation.
///
/// # Errors
/// `Forbidden`; `NotFound` for a conversation that the writer may not see; `Invalid` for an
/// empty or too long text; `Conflict` when no human was asked for or the case is closed.
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
    let new = NewMessage {
        id: MessageId::from_uuid(randomness::uuid(services.now())),
        author: if is_team { Author::Agent } else { Author::Visitor },
        member: viewer.member.clone().filter(|_| is_team),
        text: text::required("text", words, MESSAGE_MAX_CHARS)?,
    };
    let (writer, draft) = (viewer.clone(), new.clone());
    let conversation = conversations::change(services, site, id, move |conversation, now| {
        if !is_team && !writer.may_see_session(&conversation.session_id) {
            return Err(Error::NotFound("Conversation"));
        }
        if !conversation.handoff.is_some_and(HandoffStatus::is_open) {
            return Err(Error::Conflict("The conversation is not open to messages; ask for a human first".into()));
        }
        if let (Some(member), None) = (&draft.member, conversation.assignee_id) {
            conversation.assignee_id = Some(member.id);
            conversation.handoff = HandoffStatus::after(conversation.handoff, HandoffMove::Assign);
        }
        conversation.message_count += 1;
        let message = draft.stored(conversation, now);
        let data = EventData::Message {
            conversation_id: id,
            message_id: message.id,
            author: message.author,
            agent_name: message.agent_name.clone(),
            text: message.text.clone(),
        };
        Ok(Change { event: Some((EventType::MessageCreated, data)), message: Some(message), ..Change::default() })
    })
    .await?;
    activity::written(services, site, id, Side::of(viewer));
    let message = new.stored(&conversation, conversation.updated_at);
    Ok((conversation, message))
}

/// A message before it has its number.
#[derive(Clone)]
struct NewMessage {
    id: MessageId,
    author: Author,
    member: Option<MemberIdentity>,
    text: String,
}

impl NewMessage {
    /// The message as the last one of `conversation`.
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
