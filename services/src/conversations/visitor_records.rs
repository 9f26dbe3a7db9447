//! Exporting a visitor: everything that a site stores about a session, or about all sessions of an e-mail address, for a
//! visitor who requests the data (GDPR, articles 15 and 20).
//!
//! The export is a list of records: each session with its confirmed addresses, the visit and the contact, followed by its conversations with messages, notes, tags,
//! transcripts, mails, and the handoffs with their ratings. Events, webhook deliveries and stored responses are copies of these and are not repeated. Which sessions
//! an address has is decided in [`db::visitor_sessions`], as for [`erasure`](super::erasure).

use helpbot_db as db;
use helpbot_domain::blocked_visitor::BlockKind;
use helpbot_domain::contact::Contact;
use helpbot_domain::conversation::{
    self as rules, Author, ConversationMail, Message, TranscriptCode, TranscriptRequest,
};
use helpbot_domain::handoff::HandoffRecord;
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::satisfaction::Rating;
use helpbot_domain::site::Site;
use helpbot_domain::triage::Note;
use helpbot_domain::visitor::{VisitorIdentity, VisitorRecordKey};
use helpbot_domain::{Invalid, text};
use serde_json::{Value, json};

use crate::conversations::notes::NOTES_MAX;
use crate::{Result, Services, Viewer, boxed};

/// Size of the JSON texts after which a page ends before its number of records is reached. One conversation may be larger.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

/// A record about a visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorRecord {
    /// What the record is about.
    pub key: VisitorRecordKey,
    /// The record as JSON text.
    pub body: String,
}

/// One page of the records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VisitorRecords {
    /// The records in the order of the page.
    pub records: Vec<VisitorRecord>,
    /// Whether the list continues after them, in the direction of the page.
    pub has_more: bool,
}

/// Reads who the visitor is.
///
/// # Errors
/// `Invalid` unless exactly one of both is given, and for a malformed value.
pub fn identity(session: Option<&str>, email: Option<&str>) -> Result<VisitorIdentity> {
    match (session, email) {
        (Some(session), None) => {
            let is_none = || Invalid::new("sessionId", "sessionId is not a valid session ID.");
            Ok(VisitorIdentity::Session(rules::session_id(Some(session)).ok_or_else(is_none)?))
        }
        (None, Some(email)) => Ok(VisitorIdentity::Email(text::email("email", email)?.to_ascii_lowercase())),
        _ => Err(Invalid::new("sessionId", "Either sessionId or email must be given, and not both.").into()),
    }
}

/// Returns one page of the records about a visitor. It has at most `page.limit - 1` records, and fewer when these are large.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    visitor: &VisitorIdentity,
    page: PageRequest<VisitorRecordKey>,
) -> Result<VisitorRecords> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(Some(site.id))?;
    let mut c = services.db.reader_of(site).await?;
    let mut keys = db::visitor_sessions::record_keys(&mut c, site, visitor, &page).await?;
    let wanted = usize::try_from(page.limit - 1).unwrap_or(0);
    let mut has_more = keys.len() > wanted;
    keys.truncate(wanted);
    let (mut records, mut bytes) = (Vec::new(), 0);
    // One after the other, because a conversation can have megabytes of messages.
    for key in keys {
        if bytes > PAGE_BYTES {
            has_more = true;
            break;
        }
        let found = match key.conversation_id {
            None => Some(session(&mut c, site, &key.session_id).await?),
            Some(id) => conversation(&mut c, site, id).await?,
        };
        // A conversation that was deleted in the meantime is left out.
        let Some(found) = found else { continue };
        let body = found.to_string();
        bytes += body.len();
        records.push(VisitorRecord { key, body });
    }
    Ok(VisitorRecords { records, has_more })
}

/// Returns the number of records about a visitor.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn count(services: &Services, viewer: &Viewer, site: &Site, visitor: &VisitorIdentity) -> Result<i64> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(Some(site.id))?;
    Ok(db::visitor_sessions::count_records(&mut services.db.reader_of(site).await?, site, visitor).await?)
}

async fn session(c: &mut db::Conn, site: SiteId, session: &str) -> Result<Value> {
    let times = db::sessions::times(c, site, session).await?;
    let block = db::blocked_visitors::of(c, site, BlockKind::Session, session).await?;
    let codes = db::transcript_codes::of_session(c, site, session).await?;
    let visit = db::visits::by_session_ids(c, site, &[session.to_owned()]).await?.pop();
    let contact = match visit.as_ref().and_then(|visit| visit.contact_id) {
        Some(id) => db::contacts::by_ids(c, site, &[id]).await?.pop(),
        None => None,
    };
    let visit = visit.as_ref();
    let person = |it: Contact| json!({ "externalId": it.external_id, "name": it.name, "email": it.email, "attributes": it.attributes });
    let address = |code: &TranscriptCode| json!({ "email": code.email, "requestedAt": code.created_at, "confirmedAt": code.confirmed_at });
    Ok(json!({
        "sessionId": session,
        "createdAt": times.map(|(begun, _)| begun),
        "lastSeenAt": times.and_then(|(_, seen)| seen),
        "blockedAt": block.map(|block| block.created_at),
        "pageUrl": visit.and_then(|visit| visit.page_url.as_deref()),
        "referrer": visit.and_then(|visit| visit.referrer.as_deref()),
        "language": visit.and_then(|visit| visit.language.as_deref()),
        "browser": visit.and_then(|visit| visit.browser.as_deref()),
        "contact": contact.map(person),
        "addresses": codes.iter().map(address).collect::<Vec<_>>(),
    }))
}

async fn conversation(c: &mut db::Conn, site: SiteId, id: ConversationId) -> Result<Option<Value>> {
    let Some(found) = db::conversations::by_id(c, site, id).await? else { return Ok(None) };
    let messages = db::messages::of(c, site, &[id]).await?;
    let notes = db::conversation_notes::list(c, site, id, PageRequest::first(NOTES_MAX)).await?;
    let tags = db::conversation_tags::of(c, site, &[id]).await?;
    let read = db::read_marks::of(c, site, &[id], Author::Visitor).await?;
    let transcripts = db::transcripts::of(c, site, &[id]).await?;
    let mails = db::conversation_mails::of(c, site, id).await?;
    let handoffs = db::handoffs::of(c, site, &[id]).await?;
    let message = |it: &Message| json!({ "id": it.id, "author": it.author, "name": it.agent_name, "text": it.text, "createdAt": it.created_at });
    let note =
        |it: &Note| json!({ "id": it.id, "author": it.author_name, "text": it.text, "createdAt": it.created_at });
    let transcript = |it: &TranscriptRequest| json!({ "email": it.email, "requestedAt": it.created_at });
    let mail = |it: &ConversationMail| json!({ "isFromVisitor": it.is_inbound, "createdAt": it.created_at });
    let handoff = |it: &HandoffRecord| {
        json!({
            "beganAt": it.began_at,
            "assignedAt": it.assigned_at,
            "firstReplyAt": it.first_reply_at,
            "resolvedAt": it.resolved_at,
            "rating": it.rating.map(Rating::number),
            "comment": it.comment,
            "ratedAt": it.rated_at,
        })
    };
    Ok(Some(json!({
        "id": found.id,
        "sessionId": found.session_id,
        "question": found.question,
        "answer": found.answer,
        "citations": found.citations,
        "outcome": found.outcome,
        "confidence": found.confidence,
        "language": found.language,
        "vote": found.vote,
        "feedbackReason": found.feedback_reason,
        "feedbackComment": found.feedback_comment,
        "handoff": found.handoff,
        "handoffAt": found.handoff_at,
        "handoffs": handoffs.iter().map(handoff).collect::<Vec<_>>(),
        "customerEmail": found.customer_email,
        "priority": found.priority.as_str(),
        "messages": messages.iter().map(message).collect::<Vec<_>>(),
        "readByVisitor": read.first().map(|(_, seq)| seq),
        "notes": notes.iter().map(note).collect::<Vec<_>>(),
        "tags": tags.into_iter().map(|(_, tag)| tag).collect::<Vec<_>>(),
        "transcripts": transcripts.iter().map(transcript).collect::<Vec<_>>(),
        "mails": mails.iter().map(mail).collect::<Vec<_>>(),
        "createdAt": found.created_at,
        "updatedAt": found.updated_at,
    })))
}
