//! Erasing a visitor: deletes everything that a site stores about a session, when the visitor
//! requests it (GDPR, article 17) or the owner wants it.
//!
//! Deleted: the conversations with their messages, citations, read marks, handoff notices and transcript requests,
//! the codes that confirmed addresses of the visitor, the block of the session,
//! and thereby what a search finds of them; queued mails about them; past and queued webhook
//! deliveries about them with the responses of their receivers; stored responses of idempotent
//! requests. Events stay in the log, so that no cursor has a gap, but lose their payload and
//! session. The daily counts are reduced, because lists take their totals from them. Not deleted:
//! credits that were used, and entries that the owner made from a question. The session token ends.
//!
//! A session may be long, so it is erased in groups, with a short transaction each. A caller that
//! is interrupted repeats the request, which continues where it stopped.

use helpbot_db as db;
use helpbot_db::stats::DailyCounts;
use helpbot_domain::Invalid;
use helpbot_domain::conversation::{self as rules, Conversation, Vote};
use helpbot_domain::ids::{ConversationId, EventId, SiteId};
use helpbot_domain::key::Scope;
use uuid::Uuid;

use crate::accounts::sites;
use crate::runtime::batches::{self, Batch, BatchWork};
use crate::runtime::job_kinds::{
    ERASE_SESSION, HANDOFF_MAIL, HandoffMail, TRANSCRIPT_CODE_MAIL, TRANSCRIPT_MAIL, TranscriptCodeMail, TranscriptMail,
};
use crate::runtime::jobs::NewJob;
use crate::{Error, Result, Services, Viewer, boxed};

/// Number of conversations or events per transaction, which blocks other writes for a few
/// milliseconds.
const GROUP: i64 = 100;

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
    let conversations = erase_conversations(services, site, &session).await?;
    // Events are erased after the conversations, because deleted conversations have no new events.
    erase_events(services, site, &session).await?;
    services
        .db
        .write(move |c| Box::pin(async move { Ok::<_, Error>(db::idempotency::forget_answers(c, site).await?) }))
        .await?;
    services.bus.forget(site);
    tracing::info!(%site, conversations, "a session was erased");
    Ok(conversations)
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

async fn one_group(c: &mut db::Conn, site: SiteId, session: &str) -> Result<usize> {
    let group = db::conversations::of_session_locked(c, site, session, GROUP).await?;
    if group.is_empty() {
        return Ok(0);
    }
    let ids: Vec<_> = group.iter().map(|conversation| conversation.id).collect();
    let handoff = |id: &ConversationId| db::columns::to_json(&HandoffMail::Single { conversation_id: *id });
    db::jobs::delete_of(c, site, HANDOFF_MAIL, &ids.iter().map(handoff).collect::<Vec<_>>()).await?;
    let asked = db::transcripts::ids_of(c, site, &ids).await?;
    let transcript = |id: &Uuid| db::columns::to_json(&TranscriptMail { transcript_id: id.to_string() });
    db::jobs::delete_of(c, site, TRANSCRIPT_MAIL, &asked.iter().map(transcript).collect::<Vec<_>>()).await?;
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
    Ok(erased)
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

async fn erase_events(services: &Services, site: SiteId, session: &str) -> Result<()> {
    let mut after = 0;
    loop {
        let mut c = services.db.reader().await?;
        let found = db::events::of_session(&mut c, site, session, after, GROUP).await?;
        drop(c);
        let Some((last, _)) = found.last() else { return Ok(()) };
        after = *last;
        services
            .db
            .write(move |c| {
                Box::pin(async move {
                    let (seqs, ids): (Vec<i64>, Vec<EventId>) = found.into_iter().unzip();
                    db::deliveries::delete_of_events(c, site, &ids).await?;
                    Ok::<_, Error>(db::events::erase(c, site, &seqs).await?)
                })
            })
            .await?;
    }
}
