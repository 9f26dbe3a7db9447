//! Mails as jobs: asked for in the transaction that causes them, written and sent by `delivery`.
//!
//! A job names what happened; what the mail says is read when it is sent, so that a visitor's
//! address that came later is in it, and a mail about what is gone is not sent.

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ConversationId, SiteId, SourceId, WebhookId};
use helpbot_domain::key::Scope;
use helpbot_domain::webhook::DisabledReason;
use serde::{Deserialize, Serialize};

use crate::accounts::sites;
use crate::conversations::HANDOFF_MAIL;
use crate::conversations::messages;
use crate::conversations::transcripts::{self, TRANSCRIPT_MAIL};
use crate::runtime::jobs;
use crate::runtime::jobs::NewJob;
use crate::{Conversation, Error, Job, Message, Result, Services, Site, Source, Viewer, Webhook, boxed};

/// The kind of the job that tells a site's owner that a webhook was disabled.
pub const WEBHOOK_DISABLED_MAIL: &str = "webhook_disabled_mail";
/// The kind of the job that tells a site's owner that a source cannot be read any more.
pub const SOURCE_FAILING_MAIL: &str = "source_failing_mail";
/// The kinds of jobs that are mails.
pub const KINDS: [&str; 4] = [HANDOFF_MAIL, WEBHOOK_DISABLED_MAIL, SOURCE_FAILING_MAIL, TRANSCRIPT_MAIL];
/// Waiting mails that a list shows.
const SHOWN_MAX: i64 = 100;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HandoffPayload {
    pub conversation_id: ConversationId,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DisabledPayload {
    pub webhook_id: WebhookId,
    pub reason: DisabledReason,
    pub failing_since: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SourcePayload {
    source_id: SourceId,
}

/// The mail about a source that could be read and cannot any more.
pub(crate) fn source_failing(source: &Source) -> NewJob {
    let payload = SourcePayload { source_id: source.id };
    NewJob::new(source.site_id, SOURCE_FAILING_MAIL, Some(source.id.to_string()), &payload)
}

/// What a mail is about, and whose it is. A transcript goes to who asked for it, each other one to
/// the owner of the site.
#[derive(Debug, Clone)]
pub enum Letter {
    /// A visitor asked for a human.
    Handoff {
        /// Where.
        site: Site,
        /// In which conversation.
        conversation: Conversation,
    },
    /// A webhook gets nothing any more.
    WebhookDisabled {
        /// Whose.
        site: Site,
        /// Which.
        webhook: Webhook,
        /// Why.
        reason: DisabledReason,
        /// Since when nothing but failures was seen.
        failing_since: Timestamp,
    },
    /// A source that was read before cannot be read any more.
    SourceFailing {
        /// Whose.
        site: Site,
        /// Which, with the reason.
        source: Source,
    },
    /// A conversation, as it is when the mail is sent.
    Transcript {
        /// Whose.
        site: Site,
        /// Where it goes.
        to: String,
        /// All of it, question and answer first.
        messages: Vec<Message>,
    },
}

/// What the mail of a job is about; none when that is gone or no longer so.
///
/// # Errors
/// `Internal` for a job that is no mail.
#[boxed]
pub async fn letter(services: &Services, job: &Job) -> Result<Option<Letter>> {
    let mut c = services.db.reader().await?;
    let Some(site) = db::sites::by_id(&mut c, job.site_id).await? else { return Ok(None) };
    match job.kind.as_str() {
        HANDOFF_MAIL => {
            let HandoffPayload { conversation_id } = jobs::payload(job)?;
            let found = db::conversations::by_id(&mut c, site.id, conversation_id).await?;
            Ok(found.map(|conversation| Letter::Handoff { site, conversation }))
        }
        WEBHOOK_DISABLED_MAIL => {
            let DisabledPayload { webhook_id, reason, failing_since } = jobs::payload(job)?;
            let found = db::webhooks::by_id(&mut c, site.id, webhook_id).await?;
            let still = found.filter(|webhook| webhook.disabled.is_some());
            Ok(still.map(|webhook| Letter::WebhookDisabled { site, webhook, reason, failing_since }))
        }
        SOURCE_FAILING_MAIL => {
            let SourcePayload { source_id } = jobs::payload(job)?;
            let found = db::sources::by_id(&mut c, site.id, source_id).await?;
            let still = found.filter(|source| source.error.is_some());
            Ok(still.map(|source| Letter::SourceFailing { site, source }))
        }
        TRANSCRIPT_MAIL => {
            let transcripts::Payload { transcript_id } = jobs::payload(job)?;
            let transcript_id = transcript_id.parse().map_err(Error::internal)?;
            let Some(asked) = db::transcripts::by_id(&mut c, site.id, transcript_id).await? else { return Ok(None) };
            let id = asked.conversation_id;
            let Some(conversation) = db::conversations::by_id(&mut c, site.id, id).await? else { return Ok(None) };
            let mut all = messages::opening(&conversation).to_vec();
            all.extend(db::messages::of(&mut c, site.id, &[id]).await?);
            Ok(Some(Letter::Transcript { site, to: asked.email, messages: all }))
        }
        other => Err(Error::internal(format!("{other} is no mail"))),
    }
}

/// A mail that the mail server has not taken yet. What it says and to whom is not told here.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Whose.
    pub site_id: SiteId,
    /// Its job's kind, one of [`KINDS`].
    pub kind: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it is sent, or sent again.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i32,
    /// Why it was not taken.
    pub last_error: Option<String>,
}

/// The mails of a site that wait, the oldest first, a hundred at most.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn waiting(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Vec<Waiting>> {
    viewer.require(Scope::Admin)?;
    read(services, Some(viewer.site(named)?)).await
}

/// The mails of all sites that wait, the oldest first, a hundred at most.
///
/// # Errors
/// `Forbidden` for all but the operator.
#[boxed]
pub async fn waiting_of_all(services: &Services, viewer: &Viewer) -> Result<Vec<Waiting>> {
    sites::require_operator(viewer)?;
    read(services, None).await
}

async fn read(services: &Services, site: Option<SiteId>) -> Result<Vec<Waiting>> {
    let found = db::jobs::waiting(&mut services.db.reader().await?, site, &KINDS, SHOWN_MAX).await?;
    let shown = found.into_iter().map(|job| Waiting {
        site_id: job.site_id,
        kind: job.kind,
        created_at: job.created_at,
        due_at: job.due_at,
        attempts: job.attempts,
        last_error: job.last_error,
    });
    Ok(shown.collect())
}
