//! A conversation by mail, for who asked in it, on request.
//!
//! Who may ask for one could otherwise have mail sent to anybody: a visitor needs the session's
//! token, and how much goes out is bounded by conversation and by address.

use std::time::Duration;

use helpbot_db as db;
use helpbot_db::transcripts::Transcript;
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::{Invalid, text};
use serde::{Deserialize, Serialize};

use crate::runtime::jobs::NewJob;
use crate::runtime::randomness;
use crate::{Conversation, Error, Result, Services, Viewer, boxed};

/// The kind of the job that sends one.
pub const TRANSCRIPT_MAIL: &str = "transcript_mail";
/// Mails of one conversation: the conversation goes on, and a mistyped address is put right.
const PER_CONVERSATION: i64 = 3;
/// Mails of a site to one address in [`DAY`].
const PER_ADDRESS: i64 = 5;
const DAY: Duration = Duration::from_secs(86_400);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payload {
    pub transcript_id: String,
}

/// Asks for a conversation by mail; to the address that the visitor left in it when none is given.
/// A visitor needs the session to be proved its own, the team may send any.
///
/// # Errors
/// `Forbidden`; `NotFound` for a conversation that the viewer may not see; `Invalid` without an
/// address or with a malformed one; `LimitReached` when enough went out.
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
    let found = found.filter(|found| viewer.may_see_session(&found.session_id));
    let conversation = found.ok_or(Error::NotFound("Conversation"))?;
    let given = email.map(str::trim).filter(|email| !email.is_empty());
    let email = given.map(|email| text::email("email", email)).transpose()?;
    let email = email.or_else(|| conversation.customer_email.clone());
    let email = email.ok_or_else(|| Invalid::new("email", "email is missing"))?;
    let now = services.now();
    let new = Transcript { site_id: site, id: randomness::uuid(now), conversation_id: id, email, created_at: now };
    services.db.write(move |c| Box::pin(async move { store(c, &new).await })).await?;
    services.wake_deliveries();
    Ok(conversation)
}

async fn store(c: &mut db::Conn, new: &Transcript) -> Result<()> {
    // Locked, so that requests at one moment are counted one after the other.
    db::conversations::locked(c, new.site_id, new.conversation_id).await?.ok_or(Error::NotFound("Conversation"))?;
    if db::transcripts::count_of(c, new.site_id, new.conversation_id).await? >= PER_CONVERSATION {
        return Err(Error::LimitReached(format!("A conversation is mailed {PER_CONVERSATION} times at most")));
    }
    let since = new.created_at.minus(DAY);
    if db::transcripts::count_to(c, new.site_id, &new.email, since).await? >= PER_ADDRESS {
        return Err(Error::LimitReached("Too many mails went to this address today".into()));
    }
    db::transcripts::insert(c, new).await?;
    let payload = Payload { transcript_id: new.id.to_string() };
    NewJob::new(new.site_id, TRANSCRIPT_MAIL, None, &payload).enqueue(c, new.created_at).await?;
    Ok(())
}
