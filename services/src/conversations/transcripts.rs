//! Transcripts: a conversation sent by mail, on request.
//!
//! A visitor needs the session token, and must have confirmed the address with a code
//! ([`transcript_codes`](super::transcript_codes)), because mails could be sent to anybody otherwise. The
//! number of mails is limited for each conversation, session, mailbox, client address and site.

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::conversation::{Conversation, TranscriptRequest};
use helpbot_domain::ids::{ConversationId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::limit::{LimitKind, MailRequester};
use helpbot_domain::{Invalid, mailbox, text};

use crate::accounts::viewer::ProvedSession;
use crate::accounts::{blocked_visitors, limit_notices};
use crate::conversations::transcript_codes;
use crate::runtime::job_kinds::{TRANSCRIPT_MAIL, TranscriptMail};
use crate::runtime::jobs::NewJob;
use crate::runtime::randomness;
use crate::webhooks::outbox;
use crate::{Error, Result, Services, Viewer, boxed};

/// Maximum number of mails per conversation, enough to correct a mistyped address.
const PER_CONVERSATION: i64 = 3;
/// Maximum number of mails from one site to one mailbox within [`DAY`].
const PER_MAILBOX: usize = 5;
/// Maximum number of mails that one session can request within [`DAY`].
const PER_SESSION: usize = 10;
/// Maximum number of mails that one client address can request within [`DAY`]. Several visitors may share
/// an address.
const PER_CLIENT: usize = 20;
/// Maximum number of mails of one site within [`DAY`].
const PER_SITE: usize = 1_000;
const DAY: Duration = Duration::from_secs(86_400);

/// Sends a conversation by mail. `email` defaults to the address that the visitor left in the
/// conversation. A visitor needs a session token for the conversation's session and must have confirmed
/// the address; the team may send any conversation to any address.
///
/// # Errors
/// `Forbidden`; `VisitorBlocked`; `NotFound` when the viewer may not see the conversation; `Invalid` for a
/// missing, malformed or unconfirmed address; `LimitReached` when too many mails were sent.
#[boxed]
pub async fn mail(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: ConversationId,
    email: Option<&str>,
) -> Result<Conversation> {
    let is_team = viewer.has(Scope::WriteConversations);
    if !is_team {
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
    let visitor = viewer.session.clone().filter(|_| !is_team);
    if !is_team {
        blocked_visitors::require_open(services, viewer, site, viewer.session_id()).await?;
        blocked_visitors::require_open_mailbox(services, viewer, site, &email).await?;
        require_proof(services, site, visitor.as_ref(), &email).await?;
    }
    let now = services.now();
    let new = TranscriptRequest {
        site_id: site,
        id: randomness::uuid(now),
        conversation_id: id,
        mailbox: mailbox::of(&email),
        email,
        session_id: visitor.map(|session| session.id),
        address_key: viewer.visitor_address_key(&services.settings.hash_key, site),
        created_at: now,
    };
    let stored = services.db.write(move |c| Box::pin(async move { store(c, &new).await })).await;
    if matches!(stored, Err(Error::LimitReached(_))) && !is_team {
        limit_notices::notify(services, site, LimitKind::TranscriptMails).await;
    }
    stored?;
    outbox::wake(services);
    Ok(conversation)
}

/// Checks that the address is the visitor's.
async fn require_proof(services: &Services, site: SiteId, session: Option<&ProvedSession>, email: &str) -> Result<()> {
    let session = session.ok_or(Error::NotFound("Conversation"))?;
    if transcript_codes::is_proved(&mut services.db.reader().await?, site, session, email).await? {
        return Ok(());
    }
    let message = "The address is not confirmed. Call requestTranscriptCode, then confirmTranscriptCode.";
    Err(Invalid::new("email", message).into())
}

async fn store(c: &mut db::Conn, new: &TranscriptRequest) -> Result<()> {
    // Lock the site, so that concurrent requests are counted one after the other.
    db::sites::by_id_locked(c, new.site_id).await?.ok_or(Error::NotFound("Site"))?;
    if db::transcripts::count_of(c, new.site_id, new.conversation_id).await? >= PER_CONVERSATION {
        return Err(Error::LimitReached(format!("A conversation can be mailed at most {PER_CONVERSATION} times.")));
    }
    let earlier = db::transcripts::since(c, new.site_id, new.created_at.minus(DAY)).await?;
    let earlier: Vec<MailRequester> = earlier.iter().map(TranscriptRequest::requester).collect();
    let counts = new.requester().counts(&earlier);
    if counts.mailbox >= PER_MAILBOX {
        return Err(Error::LimitReached(format!(
            "At most {PER_MAILBOX} transcripts can be mailed to one address within 24 hours. Try again later."
        )));
    }
    let is_over = counts.session >= PER_SESSION || counts.address >= PER_CLIENT || earlier.len() >= PER_SITE;
    if is_over {
        return Err(Error::LimitReached(format!(
            "Too many transcripts were mailed within 24 hours: at most {PER_SESSION} per session, {PER_CLIENT} per \
             network address and {PER_SITE} per site. Try again later."
        )));
    }
    db::transcripts::insert(c, new).await?;
    let payload = TranscriptMail { transcript_id: new.id.to_string() };
    NewJob::new(new.site_id, TRANSCRIPT_MAIL, None, &payload).enqueue(c, new.created_at).await?;
    Ok(())
}
