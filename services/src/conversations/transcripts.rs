//! Transcripts: a conversation sent by mail, on request.
//!
//! Mails could be sent to anybody this way. A visitor therefore needs the session token, and the
//! number of mails is limited per conversation and per address.

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::conversation::{Conversation, TranscriptRequest};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::{Invalid, text};

use crate::runtime::job_kinds::{TRANSCRIPT_MAIL, TranscriptMail};
use crate::runtime::jobs::NewJob;
use crate::runtime::randomness;
use crate::webhooks::outbox;
use crate::{Error, Result, Services, Viewer, boxed};

/// Maximum number of mails per conversation, enough to correct a mistyped address.
const PER_CONVERSATION: i64 = 3;
/// Maximum number of mails from one site to one address within [`DAY`].
const PER_ADDRESS: i64 = 5;
const DAY: Duration = Duration::from_secs(86_400);

/// Sends a conversation by mail. `email` defaults to the address that the visitor left in the
/// conversation. A visitor needs a session token for the conversation's session; the team may send
/// any conversation.
///
/// # Errors
/// `Forbidden`; `NotFound` when the viewer may not see the conversation; `Invalid` for a missing or
/// malformed address; `LimitReached` when too many mails were sent.
#[boxed]
pub async fn send(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    email: Option<&str>,
) -> Result<Conversation> {
    if !viewer.has(Scope::WriteConversations) {
        viewer.require(Scope::Chat)?;
    }
    let site = viewer.site(named)?;
    let found = db::conversations::by_id(&mut services.db.reader().await?, site, id).await?;
    let found = found.filter(|found| viewer.may_see(found));
    let conversation = found.ok_or(Error::NotFound("Conversation"))?;
    let given = email.map(str::trim).filter(|email| !email.is_empty());
    let email = given.map(|email| text::email("email", email)).transpose()?;
    let email = email.or_else(|| conversation.customer_email.clone());
    let email = email.ok_or_else(|| {
        Invalid::new("email", "email is required, because the visitor left no address in the conversation.")
    })?;
    let now = services.now();
    let new =
        TranscriptRequest { site_id: site, id: randomness::uuid(now), conversation_id: id, email, created_at: now };
    services.db.write(move |c| Box::pin(async move { store(c, &new).await })).await?;
    outbox::wake(services);
    Ok(conversation)
}

async fn store(c: &mut db::Conn, new: &TranscriptRequest) -> Result<()> {
    // Lock the conversation, so that concurrent requests are counted one after the other.
    db::conversations::by_id_locked(c, new.site_id, new.conversation_id)
        .await?
        .ok_or(Error::NotFound("Conversation"))?;
    if db::transcripts::count_of(c, new.site_id, new.conversation_id).await? >= PER_CONVERSATION {
        return Err(Error::LimitReached(format!("A conversation can be mailed at most {PER_CONVERSATION} times.")));
    }
    let since = new.created_at.minus(DAY);
    if db::transcripts::count_to(c, new.site_id, &new.email, since).await? >= PER_ADDRESS {
        return Err(Error::LimitReached("Too many mails were sent to this address today. Try again tomorrow.".into()));
    }
    db::transcripts::insert(c, new).await?;
    let payload = TranscriptMail { transcript_id: new.id.to_string() };
    NewJob::new(new.site_id, TRANSCRIPT_MAIL, None, &payload).enqueue(c, new.created_at).await?;
    Ok(())
}
