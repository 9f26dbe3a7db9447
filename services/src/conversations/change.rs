//! Changing one conversation: load it for writing, apply the change, store what it brings, publish.
//!
//! Votes, handoffs and messages go through [`change`], so that the row, its event, its counts and its
//! mail are always written in one transaction.

use std::time::Duration;

use helpbot_db as db;
use helpbot_db::events::NewEvent;
use helpbot_db::stats::DailyCounts;
use helpbot_domain::Timestamp;
use helpbot_domain::event::{EventData, EventType};
use helpbot_domain::handoff::HandoffStep;
use helpbot_domain::ids::{ConversationId, EventId, SiteId};
use helpbot_domain::promise::{self, Judged};
use helpbot_domain::triage::Note;

use crate::accounts::blocked_visitors;
use crate::accounts::viewer::ProvedSession;
use crate::conversations::handoff_notices::{self, NewNotice};
use crate::conversations::handoff_records::{self, NewRating};
use crate::conversations::message_limits;
use crate::conversations::reply_mails;
use crate::runtime::randomness;
use crate::webhooks::outbox::{self, Appended};
use crate::{Error, Result, Services, Viewer};
use helpbot_domain::conversation::{Conversation, ConversationMail};

/// What a change of a conversation writes in the same transaction.
#[derive(Default)]
pub(crate) struct ConversationChange {
    pub event: Option<(EventType, EventData)>,
    pub counts: DailyCounts,
    pub notice: Option<NewNotice>,
    pub message: Option<helpbot_domain::conversation::Message>,
    /// The visitor who makes the change, and so is there.
    pub seen: Option<ProvedSession>,
    /// Time after which a message of the team is mailed to a visitor who is not there.
    pub mail_after: Option<Duration>,
    /// The mail of the visitor that becomes the message.
    pub mail: Option<ConversationMail>,
    /// A note that the team writes about the conversation.
    pub note: Option<Note>,
    /// Tags that are added and removed.
    pub tags: TagChanges,
    /// A step of the handoff.
    pub handoff: Option<HandoffStep>,
    /// A rating of the last handoff.
    pub rating: Option<NewRating>,
    pub is_write: bool,
}

/// Changes of the tags of a conversation.
#[derive(Debug, Clone, Default)]
pub(crate) struct TagChanges {
    pub added: Vec<String>,
    pub removed: Vec<String>,
}

/// Loads a conversation for writing, applies the change, stores it with everything that it causes,
/// and publishes the event.
pub(crate) async fn change(
    services: &Services,
    site: SiteId,
    id: ConversationId,
    apply: impl FnOnce(&mut Conversation, Timestamp) -> Result<ConversationChange> + Send + 'static,
) -> Result<Conversation> {
    let now = services.now();
    let (conversation, appended) = services
        .db
        .write_of(site, move |c| {
            Box::pin(async move {
                let found = db::conversations::by_id_locked(c, site, id).await?;
                let mut conversation = found.ok_or(Error::NotFound("Conversation"))?;
                let before = promise::verdict(&conversation);
                let change = apply(&mut conversation, now)?;
                let judged = Judged::between(before, promise::verdict(&conversation));
                if judged != Judged::default() {
                    db::judged_answers::add(c, site, judged).await?;
                }
                let appended = keep(c, &mut conversation, change, now).await?;
                Ok::<_, Error>((conversation, appended))
            })
        })
        .await?;
    appended.publish(services);
    Ok(conversation)
}

/// Checks that the visitor who acts on a conversation is not blocked. A conversation that does not exist is
/// left to the change itself.
pub(crate) async fn require_open(services: &Services, viewer: &Viewer, site: SiteId, id: ConversationId) -> Result<()> {
    if blocked_visitors::is_none_blocked(services, site).await? {
        return Ok(());
    }
    let found = db::conversations::by_id(&mut services.db.reader_of(site).await?, site, id).await?;
    let session = found.as_ref().map(|found| found.session_id.as_str());
    blocked_visitors::require_open(services, viewer, site, session).await
}

/// Stores a changed conversation with everything that the change causes.
pub(super) async fn keep(
    c: &mut db::Conn,
    changed: &mut Conversation,
    change: ConversationChange,
    now: Timestamp,
) -> Result<Appended> {
    if !change.is_write && change.event.is_none() {
        return Ok(Appended::default());
    }
    changed.updated_at = now;
    db::conversations::update(c, changed).await?;
    if change.counts != DailyCounts::default() {
        db::stats::add(c, changed.site_id, changed.created_at.day(), change.counts).await?;
    }
    if let Some(step) = change.handoff {
        handoff_records::record(c, changed, step, now).await?;
    }
    if let Some(rating) = change.rating {
        handoff_records::record_rating(c, changed, rating, now).await?;
    }
    if let Some(message) = &change.message {
        message_limits::require_pace(c, message).await?;
        db::messages::insert(c, message).await?;
        // The writer of a message has read the messages before it.
        db::read_marks::mark(c, changed.site_id, changed.id, message.author, message.seq).await?;
        if let Some(delay) = change.mail_after {
            reply_mails::plan(c, changed, message, delay, now).await?;
        }
    }
    if let Some(mail) = &change.mail
        && !db::conversation_mails::insert(c, mail).await?
    {
        return Err(Error::Conflict("This mail was received before.".into()));
    }
    if let Some(note) = &change.note {
        db::conversation_notes::insert(c, note).await?;
    }
    for tag in &change.tags.removed {
        db::conversation_tags::remove(c, changed.site_id, changed.id, tag).await?;
    }
    for tag in &change.tags.added {
        db::conversation_tags::add(c, changed.site_id, changed.id, tag).await?;
    }
    if let Some(session) = &change.seen {
        db::sessions::seen(c, changed.site_id, &session.id, session.token_id, now).await?;
    }
    let Some((event_type, data)) = change.event else { return Ok(Appended::default()) };
    let new = vec![event(changed, event_type, &data, now)];
    let appended = outbox::append(c, changed.site_id, now, new).await?;
    if let Some(notice) = change.notice {
        handoff_notices::plan(c, changed, notice, now).await?;
    }
    Ok(appended)
}

pub(crate) fn event(of: &Conversation, event_type: EventType, data: &EventData, now: Timestamp) -> NewEvent {
    NewEvent {
        id: EventId::from_uuid(randomness::uuid(now)),
        event_type,
        conversation_id: Some(of.id),
        session_id: of.session_id.clone(),
        token_id: of.token_id,
        data: db::columns::to_json(data),
    }
}
