//! Erasing a visitor: everything that a site keeps of a session, when the visitor asks for it (GDPR,
//! article 17) or the owner wants it gone.
//!
//! What goes: the conversations with their messages, citations, read marks and requests for
//! transcripts, and so what a search finds of them; mails about them that wait; what webhooks were
//! and are to be sent of them, with the answers of their receivers; kept answers to named requests.
//! Events keep their places in the log, so that no cursor has a gap, and lose payload and session.
//! The counts of the days lose what they counted of it, since lists are counted by them. What stays:
//! credits that were used, and entries that the owner made of a question.
//!
//! A session may be long, so it goes in groups, a short transaction each. Whoever is cut off in
//! between asks again and goes on where it ended: what is gone is not found a second time.

use helpbot_db as db;
use helpbot_db::stats::Counts;
use helpbot_domain::Invalid;
use helpbot_domain::conversation::{self as rules, Vote};
use helpbot_domain::ids::{ConversationId, EventId, SiteId};
use helpbot_domain::key::Scope;
use uuid::Uuid;

use crate::accounts::sites;
use crate::conversations::HANDOFF_MAIL;
use crate::conversations::transcripts::{self, TRANSCRIPT_MAIL};
use crate::runtime::mail::HandoffPayload;
use crate::{Conversation, Error, Result, Services, Viewer, boxed};

/// Conversations or events in one transaction: what chats then wait for is some milliseconds.
const GROUP: i64 = 100;

/// Erases a session; gives how many conversations it had. One that has none is erased already.
///
/// # Errors
/// `Forbidden`; `NotFound` for a site that is not the viewer's; `Invalid` for what is no session id.
#[boxed]
pub async fn erase_session(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    session: &str,
) -> Result<usize> {
    viewer.require(Scope::Admin)?;
    let site = sites::get(services, viewer, named).await?.id;
    let is_none = || Invalid::new("sessionId", "sessionId is not the id of a session");
    let session = rules::session_id(Some(session)).ok_or_else(is_none)?;
    let conversations = erase_conversations(services, site, &session).await?;
    // After the conversations: what is gone has no new events.
    erase_events(services, site, &session).await?;
    services
        .db
        .write(move |c| Box::pin(async move { Ok::<_, Error>(db::idempotency::forget_answers(c, site).await?) }))
        .await?;
    services.bus.forget(site);
    tracing::info!(%site, conversations, "a session was erased");
    Ok(conversations)
}

async fn erase_conversations(services: &Services, site: SiteId, session: &str) -> Result<usize> {
    let mut erased = 0;
    loop {
        let session = session.to_owned();
        let group = services.db.write(move |c| Box::pin(async move { one_group(c, site, &session).await })).await?;
        if group == 0 {
            return Ok(erased);
        }
        erased += group;
    }
}

async fn one_group(c: &mut db::Conn, site: SiteId, session: &str) -> Result<usize> {
    let group = db::conversations::locked_of_session(c, site, session, GROUP).await?;
    if group.is_empty() {
        return Ok(0);
    }
    let ids: Vec<_> = group.iter().map(|conversation| conversation.id).collect();
    let handoff = |id: &ConversationId| db::columns::to_json(&HandoffPayload { conversation_id: *id });
    db::jobs::delete_of(c, site, HANDOFF_MAIL, &ids.iter().map(handoff).collect::<Vec<_>>()).await?;
    let asked = db::transcripts::ids_of(c, site, &ids).await?;
    let transcript = |id: &Uuid| db::columns::to_json(&transcripts::Payload { transcript_id: id.to_string() });
    db::jobs::delete_of(c, site, TRANSCRIPT_MAIL, &asked.iter().map(transcript).collect::<Vec<_>>()).await?;
    for conversation in &group {
        db::stats::add(c, site, conversation.created_at.day(), lost(conversation)).await?;
    }
    Ok(db::conversations::delete(c, site, &ids).await?)
}

/// What the counts of its day have of a conversation, to be taken away.
fn lost(conversation: &Conversation) -> Counts {
    let one_if = |is_so: bool| -i64::from(is_so);
    Counts {
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
