//! Erasing a visitor: deletes everything that a site stores about a session, or about all sessions of an e-mail address, when the
//! visitor requests it (GDPR, article 17) or the owner wants it.
//!
//! Deleted: the conversations with their messages, mails, citations, comments on votes, handoffs with ratings, read marks, handoff notices and transcript requests,
//! the codes that confirmed addresses of the visitor, the block of the session or the address, the contacts with the address,
//! and thereby what a search finds of them; queued mails about them; past and queued webhook
//! deliveries about them with the responses of their receivers; stored responses of idempotent
//! requests; the questions of change previews. Events stay in the log, so that no cursor has a gap, but lose their payload and
//! session. Each erased conversation has one more event, which contains its ID. The daily counts are reduced, because lists
//! take their totals from them. Not deleted:
//! credits that were used, and entries that the owner made from a question. The session tokens end.
//!
//! A visitor may have written much, so the erasure is a batch job, which the request itself carries out. When the
//! process ends in between, the job runner continues where it stopped. Which sessions an address has is decided in
//! [`db::visitor_sessions`]. They are erased in groups of [`SESSIONS`].

use futures_util::future::BoxFuture;
use helpbot_db as db;
use helpbot_db::events::NewEvent;
use helpbot_db::idempotency::RequestName;
use helpbot_domain::blocked_visitor::BlockKind;
use helpbot_domain::conversation as rules;
use helpbot_domain::event::{Event, EventType};
use helpbot_domain::ids::{ConversationId, EventId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::visitor::VisitorIdentity;
use helpbot_domain::{Invalid, Timestamp, text};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::accounts::{client_key, sites};
use crate::conversations::deletion::{self, DeletionReason};
use crate::runtime::batches::{self, Batch, BatchWork};
use crate::runtime::job_kinds::{ERASE_SESSION, ERASE_VISITOR, TRANSCRIPT_CODE_MAIL, TranscriptCodeMail};
use crate::runtime::jobs::NewJob;
use crate::runtime::randomness;
use crate::{Result, Services, Viewer, boxed};

/// Number of sessions of an address that are erased together. The event log is read once for each group.
const SESSIONS: i64 = 50;
/// Number of events that a transaction looks at. Most of them belong to other sessions.
const EVENTS: i64 = batches::ROWS * 10;

/// What an erasure has deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasedVisitor {
    /// Number of sessions of which anything was stored.
    pub sessions: usize,
    /// Number of conversations.
    pub conversations: usize,
}

/// Payload of an [`ERASE_SESSION`] or [`ERASE_VISITOR`] job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VisitorErasure {
    /// The session. Absent when all sessions of an address are erased.
    #[serde(default)]
    session_id: Option<String>,
    /// The e-mail address in lower case.
    #[serde(default)]
    email: Option<String>,
    /// Hash of the mailbox, by which the address may be blocked.
    #[serde(default)]
    mailbox_key: Option<String>,
    /// The sessions that are being erased.
    #[serde(default)]
    group: Vec<String>,
    /// Number of sessions of the address that were found so far.
    #[serde(default)]
    sessions: usize,
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
    /// Finds the next sessions of an address, and ends their tokens.
    Sessions {
        after: String,
    },
    Conversations,
    /// Events are erased after the conversations, because deleted conversations have no new events.
    Events {
        after: i64,
    },
    /// Deletes mails to an address that its visitor has not requested, and its block.
    Mails,
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
    let work =
        VisitorErasure { session_id: Some(session), ..VisitorErasure::at(services.now(), ErasureStep::Conversations) };
    let done: VisitorErasure = batches::run_now(services, NewJob::new(site, ERASE_SESSION, None, &work)).await?;
    ended(services, site);
    tracing::info!(%site, conversations = done.conversations, "a session was erased");
    Ok(done.conversations)
}

/// Erases all sessions in which an e-mail address was given, and everything else that the site stores about the address.
///
/// # Errors
/// `Forbidden`; `NotFound` for a site that is not the viewer's; `Invalid` for a malformed address.
#[boxed]
pub async fn erase_address(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    email: &str,
) -> Result<ErasedVisitor> {
    viewer.require(Scope::Admin)?;
    let site = sites::get(services, viewer, named).await?.id;
    let email = text::email("email", email)?.to_ascii_lowercase();
    let work = VisitorErasure {
        mailbox_key: Some(client_key::of_mailbox(&services.settings.hash_key, site, &email)),
        email: Some(email),
        ..VisitorErasure::at(services.now(), ErasureStep::Sessions { after: String::new() })
    };
    let done: VisitorErasure = batches::run_now(services, NewJob::new(site, ERASE_VISITOR, None, &work)).await?;
    ended(services, site);
    let erased = ErasedVisitor { sessions: done.sessions, conversations: done.conversations };
    tracing::info!(%site, sessions = erased.sessions, conversations = erased.conversations, "the visitor of an address was erased");
    Ok(erased)
}

/// Removes events and sessions of the site from the memory of this process, because a visitor was erased.
pub(crate) fn ended(services: &Services, site: SiteId) {
    services.access_changed(site);
    services.bus.forget(site);
    services.topics.forget(site);
}

impl BatchWork for VisitorErasure {
    fn batch<'c>(&'c mut self, c: &'c mut db::Conn, site: SiteId) -> BoxFuture<'c, Result<Batch>> {
        Box::pin(async move {
            let rows = match self.next.clone() {
                ErasureStep::Sessions { after } => self.find_sessions(c, site, &after).await?,
                ErasureStep::Conversations => self.erase_conversations(c, site).await?,
                ErasureStep::Events { after } => self.erase_events(c, site, after).await?,
                ErasureStep::Mails => self.erase_mails(c, site).await?,
                ErasureStep::Responses { after } => {
                    match db::idempotency::forget_answers(c, site, &after, batches::ROWS).await? {
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

impl VisitorErasure {
    /// An erasure of nobody that was requested at `now`.
    fn at(now: Timestamp, next: ErasureStep) -> Self {
        Self {
            session_id: None,
            email: None,
            mailbox_key: None,
            group: Vec::new(),
            sessions: 0,
            conversations: 0,
            requested_at_ms: now.as_ms(),
            next,
        }
    }

    /// The sessions that are being erased.
    fn current(&self) -> Vec<String> {
        self.session_id.iter().chain(&self.group).cloned().collect()
    }

    async fn find_sessions(&mut self, c: &mut db::Conn, site: SiteId, after: &str) -> Result<usize> {
        let visitor = VisitorIdentity::Email(self.email.clone().unwrap_or_default());
        self.group = db::visitor_sessions::of(c, site, &visitor, after, SESSIONS).await?;
        for session in &self.group {
            end_token_in(c, site, session).await?;
        }
        self.sessions += self.group.len();
        self.next = if self.group.is_empty() { ErasureStep::Mails } else { ErasureStep::Conversations };
        Ok(0)
    }

    async fn erase_conversations(&mut self, c: &mut db::Conn, site: SiteId) -> Result<usize> {
        let group = db::conversations::of_sessions_locked(c, site, &self.current(), deletion::GROUP).await?;
        if group.is_empty() {
            let first = db::events::first_seq(c, site).await?.unwrap_or(0);
            self.next = ErasureStep::Events { after: first - 1 };
            return Ok(0);
        }
        let erased = deletion::delete_group(c, site, &group, DeletionReason::Erasure).await?;
        self.conversations += erased;
        // Those who follow a list learn it. Every process finds new events in the log by polling.
        let now = Timestamp::from_ms(self.requested_at_ms);
        let events = group.iter().map(|conversation| erased_event(conversation.id, now)).collect();
        db::events::append(c, site, now, events).await?;
        Ok(erased)
    }

    /// Erases the events of the sessions among the next [`EVENTS`] after `after`, with their deliveries.
    async fn erase_events(&mut self, c: &mut db::Conn, site: SiteId, after: i64) -> Result<usize> {
        let last = db::events::last_seq(c, site).await?.unwrap_or(0);
        let erased = erase_events(c, site, &self.current(), after).await?;
        self.next = match (after + EVENTS, self.group.last()) {
            (next, _) if next < last => ErasureStep::Events { after: next },
            (_, Some(session)) => ErasureStep::Sessions { after: session.clone() },
            (_, None) => ErasureStep::Responses { after: RequestName::default() },
        };
        Ok(erased)
    }

    async fn erase_mails(&mut self, c: &mut db::Conn, site: SiteId) -> Result<usize> {
        let email = self.email.as_deref().unwrap_or_default();
        let requests = db::transcripts::ids_of_email(c, site, email, batches::ROWS).await?;
        if requests.is_empty() {
            if let Some(key) = &self.mailbox_key {
                db::blocked_visitors::delete_of(c, site, BlockKind::Email, key).await?;
            }
            db::contacts::delete_of_email(c, site, email).await?;
            self.next = ErasureStep::Responses { after: RequestName::default() };
            return Ok(0);
        }
        deletion::cancel_transcripts(c, site, &requests).await?;
        Ok(db::transcripts::delete(c, site, &requests).await?)
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
    db::blocked_visitors::delete_of(c, site, BlockKind::Session, session).await?;
    Ok(())
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

/// Erases the events of the sessions among the next [`EVENTS`] after `after`, with their deliveries.
async fn erase_events(c: &mut db::Conn, site: SiteId, sessions: &[String], after: i64) -> Result<usize> {
    let found = db::events::of_sessions(c, site, sessions, after, after + EVENTS).await?;
    if found.is_empty() {
        return Ok(0);
    }
    let (seqs, ids): (Vec<i64>, Vec<EventId>) = found.into_iter().unzip();
    db::deliveries::delete_of_events(c, site, &ids).await?;
    Ok(db::events::erase(c, site, &seqs).await?)
}
