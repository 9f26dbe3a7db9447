//! Erasing a visitor: deletes everything that a site stores about a session, when the visitor
//! requests it (GDPR, article 17) or the owner wants it.
//!
//! Deleted: the conversations with their messages, mails, citations, read marks, handoff notices and transcript requests,
//! the codes that confirmed addresses of the visitor, the block of the session,
//! and thereby what a search finds of them; queued mails about them; past and queued webhook
//! deliveries about them with the responses of their receivers; stored responses of idempotent
//! requests; the questions of change previews. Events stay in the log, so that no cursor has a gap, but lose their payload and
//! session. Each erased conversation has one more event, which contains its ID. The daily counts are reduced, because lists
//! take their totals from them. Not deleted:
//! credits that were used, and entries that the owner made from a question. The session token ends.
//!
//! A session may be long, so it is erased by a batch job, which the request itself carries out. When the
//! process ends in between, the job runner continues where it stopped.

use futures_util::future::BoxFuture;
use helpbot_db as db;
use helpbot_db::events::NewEvent;
use helpbot_db::idempotency::RequestName;
use helpbot_db::stats::DailyCounts;
use helpbot_domain::conversation::{self as rules, Conversation, Vote};
use helpbot_domain::event::{Event, EventType};
use helpbot_domain::ids::{ConversationId, EventId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::{Invalid, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::accounts::sites;
use crate::runtime::batches::{self, Batch, BatchWork};
use crate::runtime::job_kinds::{
    ERASE_SESSION, HANDOFF_MAIL, HandoffMail, REPLY_MAIL, ReplyMail, TRANSCRIPT_CODE_MAIL, TRANSCRIPT_MAIL,
    TranscriptCodeMail, TranscriptMail,
};
use crate::runtime::jobs::NewJob;
use crate::runtime::randomness;
use crate::{Result, Services, Viewer, boxed};

/// Number of conversations per transaction. Each has messages, mails and read marks.
const CONVERSATIONS: i64 = batches::ROWS / 2;
/// Number of events that a transaction looks at. Most of them belong to other sessions.
const EVENTS: i64 = batches::ROWS * 10;

/// Payload of an [`ERASE_SESSION`] job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionErasure {
    session_id: String,
    /// Number of conversations that were erased so far.
    conversations: usize,
    /// Time of the request, which is the time of its events.
    requested_at_ms: i64,
    next: ErasureStep,
}

/// The next step of an erasure, with the place where it continues.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum ErasureStep {
    Conversations,
    /// Events are erased after the conversations, because deleted conversations have no new events.
    Events {
        after: i64,
    },
    Responses {
        after: RequestName,
    },
}

/// Erases a session. Returns the number of its conversations, which is 0 when it was erased before.
///
/// # Errors
/// `Forbidden`; `NotFound` for a site that is not the viewer's; `Invalid` for a malformed session
/// ID.
#[boxed]
pub async fn erase_session(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    session: &str,
) -> Result<usize> {
    viewer.require(Scope::Admin)?;
    let site = sites::get(services, viewer, named).await?.id;
    let is_none = || Invalid::new("sessionId", "sessionId is not a valid session ID.");
    let session = rules::session_id(Some(session)).ok_or_else(is_none)?;
    end_token(services, site, &session).await?;
    let work = SessionErasure {
        session_id: session,
        conversations: 0,
        requested_at_ms: services.now().as_ms(),
        next: ErasureStep::Conversations,
    };
    let done: SessionErasure = batches::run_now(services, NewJob::new(site, ERASE_SESSION, None, &work)).await?;
    ended(services, site);
    tracing::info!(%site, conversations = done.conversations, "a session was erased");
    Ok(done.conversations)
}

/// Removes events of the site from the memory of this process, because one of its sessions was erased.
pub(crate) fn ended(services: &Services, site: SiteId) {
    services.bus.forget(site);
    services.topics.forget(site);
}

impl BatchWork for SessionErasure {
    fn batch<'c>(&'c mut self, c: &'c mut db::Conn, site: SiteId) -> BoxFuture<'c, Result<Batch>> {
        Box::pin(async move {
            let rows = match &self.next {
                ErasureStep::Conversations => {
                    let erased = one_group(c, site, &self.session_id, Timestamp::from_ms(self.requested_at_ms)).await?;
                    self.conversations += erased;
                    if erased == 0 {
                        let first = db::events::first_seq(c, site).await?.unwrap_or(0);
                        self.next = ErasureStep::Events { after: first - 1 };
                    }
                    erased
                }
                ErasureStep::Events { after } => {
                    let (after, last) = (*after, db::events::last_seq(c, site).await?.unwrap_or(0));
                    let erased = erase_events(c, site, &self.session_id, after).await?;
                    self.next = match after + EVENTS {
                        next if next < last => ErasureStep::Events { after: next },
                        _ => ErasureStep::Responses { after: RequestName::default() },
                    };
                    erased
                }
                ErasureStep::Responses { after } => {
                    match db::idempotency::forget_answers(c, site, after, batches::ROWS).await? {
                        Some(last) => self.next = ErasureStep::Responses { after: last },
                        None => {
                            // Previews show questions of visitors. They are made again when they are needed.
                            db::change_previews::delete_before(c, site, Timestamp::from_ms(i64::MAX)).await?;
                            return Ok(Batch { rows: 0, is_last: true });
                        }
                    }
                    0
                }
            };
            Ok(Batch { rows, is_last: false })
        })
    }
}

/// Ends the session's token first, so that nothing is added to the session meanwhile.
async fn end_token(services: &Services, site: SiteId, session: &str) -> Result<()> {
    let session = session.to_owned();
    services.db.write(move |c| Box::pin(async move { end_token_in(c, site, &session).await })).await?;
    services.access_changed(site);
    Ok(())
}

/// Ends the token, and with it the codes that were mailed for the session and the block of the session.
async fn end_token_in(c: &mut db::Conn, site: SiteId, session: &str) -> Result<()> {
    db::sessions::delete(c, site, session).await?;
    let codes = db::transcript_codes::ids_of_session(c, site, session).await?;
    let code = |id: &Uuid| db::columns::to_json(&TranscriptCodeMail { code_id: id.to_string() });
    db::jobs::delete_of(c, site, TRANSCRIPT_CODE_MAIL, &codes.iter().map(code).collect::<Vec<_>>()).await?;
    db::transcript_codes::delete_of_session(c, site, session).await?;
    db::blocked_visitors::delete_session(c, site, session).await?;
    Ok(())
}

async fn one_group(c: &mut db::Conn, site: SiteId, session: &str, now: Timestamp) -> Result<usize> {
    let group = db::conversations::of_session_locked(c, site, session, CONVERSATIONS).await?;
    if group.is_empty() {
        return Ok(0);
    }
    let ids: Vec<_> = group.iter().map(|conversation| conversation.id).collect();
    let handoff = |id: &ConversationId| db::columns::to_json(&HandoffMail::Single { conversation_id: *id });
    db::jobs::delete_of(c, site, HANDOFF_MAIL, &ids.iter().map(handoff).collect::<Vec<_>>()).await?;
    let asked = db::transcripts::ids_of(c, site, &ids).await?;
    let transcript = |id: &Uuid| db::columns::to_json(&TranscriptMail { transcript_id: id.to_string() });
    db::jobs::delete_of(c, site, TRANSCRIPT_MAIL, &asked.iter().map(transcript).collect::<Vec<_>>()).await?;
    let replies = db::conversation_mails::ids_of(c, site, &ids).await?;
    let reply = |id: &Uuid| db::columns::to_json(&ReplyMail { mail_id: id.to_string() });
    db::jobs::delete_of(c, site, REPLY_MAIL, &replies.iter().map(reply).collect::<Vec<_>>()).await?;
    for conversation in &group {
        db::stats::add(c, site, conversation.created_at.day(), lost(conversation)).await?;
    }
    let mails = db::handoff_notices::mails_of(c, site, &ids).await?;
    let erased = db::conversations::delete(c, site, &ids).await?;
    for mail in mails {
        // A mail that is about other visitors too is still sent, without the erased conversations.
        if db::handoff_notices::count_in(c, site, mail).await? == 0 {
            let payload = db::columns::to_json(&HandoffMail::of_mail(mail));
            db::jobs::delete_of(c, site, HANDOFF_MAIL, &[payload]).await?;
        }
    }
    // Those who follow a list learn it. Every process finds new events in the log by polling.
    db::events::append(c, site, now, ids.iter().map(|id| erased_event(*id, now)).collect()).await?;
    Ok(erased)
}

/// The event about an erased conversation, which contains nothing but the ID.
fn erased_event(conversation_id: ConversationId, now: Timestamp) -> NewEvent {
    NewEvent {
        id: EventId::from_uuid(randomness::uuid(now)),
        event_type: EventType::ConversationErased,
        conversation_id: Some(conversation_id),
        session_id: String::new(),
        token_id: None,
        data: Event::ERASED.to_owned(),
    }
}

/// Returns the changes that remove a conversation from the counts of its day.
fn lost(conversation: &Conversation) -> DailyCounts {
    let one_if = |is_so: bool| -i64::from(is_so);
    DailyCounts {
        questions: -1,
        unanswered: one_if(conversation.outcome.is_unanswered()),
        handoffs: one_if(conversation.handoff.is_some()),
        helpful: one_if(conversation.vote == Some(Vote::Yes)),
        unhelpful: one_if(conversation.vote == Some(Vote::No)),
    }
}

/// Erases the session's events among the next [`EVENTS`] after `after`, with their deliveries.
async fn erase_events(c: &mut db::Conn, site: SiteId, session: &str, after: i64) -> Result<usize> {
    let found = db::events::of_session(c, site, session, after, after + EVENTS).await?;
    if found.is_empty() {
        return Ok(0);
    }
    let (seqs, ids): (Vec<i64>, Vec<EventId>) = found.into_iter().unzip();
    db::deliveries::delete_of_events(c, site, &ids).await?;
    Ok(db::events::erase(c, site, &seqs).await?)
}
