//! Reply mails: what the team writes to a visitor who is not there is mailed to the address that the visitor left.
//!
//! Only an address that was left with proof is stored ([`handoffs`](super::handoffs)). A message of the team plans a
//! mail that is due a little later, and further messages until then come in the same mail. When the mail is due, it
//! contains the messages that the visitor has not seen: those that were written after the visitor was last there
//! ([`sightings`](super::sightings)) and that are not marked as read. When there are none, nothing is mailed. The
//! mail contains nothing that a visitor wrote, so that nobody can have a text of theirs mailed to a stranger.
//!
//! The answer of the visitor comes back through [`mail_answers`](super::mail_answers).

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::conversation::{Author, Conversation, ConversationMail, Message};
use helpbot_domain::ids::SiteId;
use helpbot_domain::limit::LimitKind;
use helpbot_domain::{Timestamp, mailbox};
use uuid::Uuid;

use crate::accounts::limit_notices;
use crate::conversations::{reply_address, sightings};
use crate::runtime::job_kinds::{REPLY_MAIL, ReplyMail};
use crate::runtime::jobs::NewJob;
use crate::runtime::randomness;
use crate::{Result, Services};

/// Longest time between reading the clock and the commit of a message. A mail that is due earlier may have been sent
/// without the message.
const COMMIT_MARGIN: Duration = Duration::from_secs(15);
/// Maximum number of mails to one mailbox within [`DAY`]. A person answers in fewer, since messages are collected.
const PER_MAILBOX: i64 = 40;
/// Maximum number of mails of one site within [`DAY`].
const PER_SITE: i64 = 2_000;
const DAY: Duration = Duration::from_secs(86_400);
/// Number of Message-IDs in the header `References`. RFC 5322 allows to leave out the middle ones.
const REFERENCES_MAX: usize = 20;

/// What a reply mail contains.
#[derive(Debug, Clone)]
pub struct ReplyContent {
    /// ID of the mail.
    pub id: Uuid,
    /// The recipient.
    pub to: String,
    /// The messages, oldest first. There is at least one.
    pub messages: Vec<Message>,
    /// Message-IDs of the earlier mails of the conversation, oldest first. Those of our own mails have no domain.
    pub thread: Vec<String>,
    /// Address that answers are sent to. `None` when the installation receives no mail.
    pub reply_to: Option<String>,
}

/// Returns whether messages of the team are mailed to the visitor when the visitor is not there.
pub fn is_planned_for(services: &Services, conversation: &Conversation) -> bool {
    services.settings.reply_mails.is_some() && conversation.customer_email.is_some()
}

/// Plans the mail with a message of the team, or adds the message to a mail that is not due yet. Runs in the
/// transaction of the message, which has locked the conversation.
pub(super) async fn plan(
    c: &mut db::Conn,
    conversation: &Conversation,
    message: &Message,
    delay: Duration,
    now: Timestamp,
) -> Result<()> {
    let Some(email) = &conversation.customer_email else { return Ok(()) };
    let site = conversation.site_id;
    let earlier = db::conversation_mails::of(c, site, conversation.id).await?;
    let is_joined = |mail: &ConversationMail| !mail.is_inbound && mail.due_at > now.plus(COMMIT_MARGIN.min(delay / 2));
    if earlier.iter().any(is_joined) {
        return Ok(());
    }
    let mailbox = mailbox::of(email);
    let (of_site, of_mailbox) = db::conversation_mails::counts_since(c, site, &mailbox, now.minus(DAY)).await?;
    if of_site >= PER_SITE || of_mailbox >= PER_MAILBOX {
        return limit_notices::notify_in(c, site, LimitKind::ReplyMails, now).await;
    }
    let id = randomness::uuid(now);
    let mail = ConversationMail {
        site_id: site,
        id,
        conversation_id: conversation.id,
        message_id: id.to_string(),
        is_inbound: false,
        mailbox: Some(mailbox),
        first_seq: message.seq,
        due_at: now.plus(delay),
        created_at: now,
    };
    db::conversation_mails::insert(c, &mail).await?;
    let payload = ReplyMail { mail_id: id.to_string() };
    NewJob::new(site, REPLY_MAIL, None, &payload).enqueue_at(c, now, mail.due_at).await?;
    Ok(())
}

/// Returns the content of a planned mail. `None` when the visitor has seen the messages or the conversation was
/// deleted.
pub(crate) async fn content(
    services: &Services,
    c: &mut db::Conn,
    site: SiteId,
    id: Uuid,
) -> Result<Option<ReplyContent>> {
    let Some(mail) = db::conversation_mails::by_id(c, site, id).await? else { return Ok(None) };
    let Some(conversation) = db::conversations::by_id(c, site, mail.conversation_id).await? else { return Ok(None) };
    let Some(to) = conversation.customer_email.clone() else { return Ok(None) };
    let all = db::conversation_mails::of(c, site, conversation.id).await?;
    let unseen = unseen(c, &conversation, &mail, &all).await?;
    if unseen.is_empty() {
        return Ok(None);
    }
    let thread: Vec<String> =
        all.iter().take_while(|earlier| earlier.id != mail.id).map(|earlier| earlier.message_id.clone()).collect();
    let domain = services.settings.reply_mails.as_ref().and_then(|settings| settings.inbound_domain.as_deref());
    Ok(Some(ReplyContent {
        id: mail.id,
        to,
        messages: unseen,
        thread: thread[thread.len().saturating_sub(REFERENCES_MAX)..].to_vec(),
        reply_to: domain.map(|domain| reply_address::of(&services.settings.secret_key, conversation.id, domain)),
    }))
}

/// Returns the messages of a mail that the visitor has not seen.
async fn unseen(
    c: &mut db::Conn,
    conversation: &Conversation,
    mail: &ConversationMail,
    all: &[ConversationMail],
) -> Result<Vec<Message>> {
    let (site, id) = (conversation.site_id, conversation.id);
    let next = all.iter().filter(|other| !other.is_inbound && other.first_seq > mail.first_seq);
    let end = next.map(|other| other.first_seq).min().unwrap_or(i64::MAX);
    let seen_at = sightings::stored(c, site, std::slice::from_ref(conversation)).await?.remove(&id);
    let read = db::read_marks::of(c, site, &[id], Author::Visitor).await?;
    let read = read.first().map_or(0, |(_, seq)| *seq);
    let mut messages = db::messages::of(c, site, &[id]).await?;
    messages.retain(|message| {
        let is_of_mail = (mail.first_seq..end).contains(&message.seq) && message.author == Author::Agent;
        is_of_mail && message.seq > read && seen_at.is_none_or(|seen_at| message.created_at > seen_at)
    });
    Ok(messages)
}
