//! Answers by mail: a visitor answers a [reply mail](super::reply_mails), and the answer becomes a message of the
//! conversation.
//!
//! The server receives the mail and `delivery` parses it. The conversation is found by the signed address that the
//! mail is addressed to, or else by the Message-ID of our mail that it answers. A mail that a program wrote, that
//! was received before or that has no text is ignored, so that no two programs answer each other. A resolved
//! conversation is opened again, because somebody must read the answer.

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::{Author, Conversation, ConversationMail, HandoffStatus, MESSAGE_MAX_CHARS, Message};
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::global_id::GlobalId;
use helpbot_domain::ids::{ConversationId, MessageId, SiteId};

use crate::accounts::blocked_visitors;
use crate::conversations::change::{ConversationChange, change};
use crate::conversations::{handoffs, message_limits, reply_address};
use crate::runtime::randomness;
use crate::webhooks::outbox;
use crate::{Error, Result, Services, boxed};

/// Maximum number of characters of a stored Message-ID. RFC 5322 limits a line to 998.
const MESSAGE_ID_MAX_CHARS: usize = 500;

/// A mail of a visitor.
#[derive(Debug, Clone, Default)]
pub struct ReceivedMail {
    /// Message-ID without angle brackets, or something else that is the same when the mail arrives again.
    pub message_id: String,
    /// Message-IDs of the mails that it answers, without angle brackets and domains.
    pub references: Vec<String>,
    /// Addresses that it was sent to.
    pub recipients: Vec<String>,
    /// Whether a program wrote it, for example an out-of-office note or a bounce.
    pub is_automatic: bool,
    /// What the visitor wrote, without quotations and signature.
    pub text: String,
}

/// What happened to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailReceipt {
    /// It became a message.
    Accepted,
    /// A program wrote it.
    Automatic,
    /// It was received before.
    Repeated,
    /// It has no text.
    Empty,
    /// It belongs to no conversation, or its conversation was erased.
    Unknown,
    /// The team has blocked the visitor, or the conversation is full.
    Refused,
}

/// Adds the answer of a visitor to its conversation.
///
/// # Errors
/// `RateLimited` when the visitor writes too fast; errors of the database. The mail can be delivered again later.
#[boxed]
pub async fn receive(services: &Services, mail: ReceivedMail) -> Result<MailReceipt> {
    if mail.is_automatic {
        return Ok(MailReceipt::Automatic);
    }
    let text = cut(mail.text.trim());
    if text.is_empty() {
        return Ok(MailReceipt::Empty);
    }
    let Some((site, id)) = addressed(services, &mail).await? else { return Ok(MailReceipt::Unknown) };
    let message_id: String = mail.message_id.chars().take(MESSAGE_ID_MAX_CHARS).collect();
    if is_known(services, site, id, &message_id).await? {
        return Ok(MailReceipt::Repeated);
    }
    let added = add(services, site, id, &message_id, text).await;
    match added {
        Ok(_) => Ok(MailReceipt::Accepted),
        Err(Error::NotFound(_)) => Ok(MailReceipt::Unknown),
        Err(Error::VisitorBlocked | Error::LimitReached(_)) => Ok(MailReceipt::Refused),
        // The same mail arrived twice at once.
        Err(Error::Conflict(_)) if is_known(services, site, id, &message_id).await? => Ok(MailReceipt::Repeated),
        Err(error) => Err(error),
    }
}

/// Returns the conversation that a mail belongs to.
async fn addressed(services: &Services, mail: &ReceivedMail) -> Result<Option<(SiteId, ConversationId)>> {
    let signed_with = |key| mail.recipients.iter().find_map(|address| reply_address::conversation(key, address));
    let signed = services.settings.accepted_keys().find_map(signed_with);
    let mut c = services.db.reader().await?;
    match signed {
        Some(id) => Ok(db::global_ids::site_of(&mut c, GlobalId::Conversation(id)).await?.map(|site| (site, id))),
        None if mail.references.is_empty() => Ok(None),
        None => Ok(db::conversation_mails::conversation_of(&mut c, &mail.references).await?),
    }
}

async fn is_known(services: &Services, site: SiteId, id: ConversationId, message_id: &str) -> Result<bool> {
    let all = db::conversation_mails::of(&mut services.db.reader().await?, site, id).await?;
    Ok(all.iter().any(|mail| mail.is_inbound && mail.message_id == message_id))
}

async fn add(
    services: &Services,
    site: SiteId,
    id: ConversationId,
    message_id: &str,
    text: String,
) -> Result<Conversation> {
    let found = db::conversations::by_id(&mut services.db.reader().await?, site, id).await?;
    let found = found.ok_or(Error::NotFound("Conversation"))?;
    blocked_visitors::require_open_conversation(services, &found).await?;
    message_limits::require_space(&found, Author::Visitor)?;
    if !found.handoff.is_some_and(HandoffStatus::is_open) {
        handoffs::reopen_for_mail(services, site, id).await?;
    }
    let new_id = MessageId::from_uuid(randomness::uuid(services.now()));
    let message_id = message_id.to_owned();
    let conversation = change(services, site, id, move |conversation, now| {
        message_limits::require_space(conversation, Author::Visitor)?;
        conversation.message_count += 1;
        let message = message(conversation, new_id, text, now);
        let data = EventData::Message {
            conversation_id: id,
            message_id: message.id,
            author: message.author,
            agent_name: None,
            text: message.text.clone(),
        };
        Ok(ConversationChange {
            event: Some((EventType::MessageCreated, data)),
            mail: Some(received(conversation, message_id, now)),
            message: Some(message),
            ..ConversationChange::default()
        })
    })
    .await?;
    outbox::wake(services);
    Ok(conversation)
}

fn message(conversation: &Conversation, id: MessageId, text: String, now: Timestamp) -> Message {
    Message {
        site_id: conversation.site_id,
        conversation_id: conversation.id,
        seq: conversation.message_count,
        id,
        author: Author::Visitor,
        member_id: None,
        agent_name: None,
        text,
        created_at: now,
    }
}

/// The record of the mail, which becomes the last message of `conversation`.
fn received(conversation: &Conversation, message_id: String, now: Timestamp) -> ConversationMail {
    ConversationMail {
        site_id: conversation.site_id,
        id: randomness::uuid(now),
        conversation_id: conversation.id,
        message_id,
        is_inbound: true,
        mailbox: None,
        first_seq: conversation.message_count,
        due_at: now,
        created_at: now,
    }
}

/// Returns a text that fits into a message, with an ellipsis when its end was left out.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_MAX_CHARS) {
        None => text.to_owned(),
        Some(_) => text.chars().take(MESSAGE_MAX_CHARS - 1).chain(['…']).collect(),
    }
}
