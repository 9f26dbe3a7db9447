//! Mails as background jobs: a use case queues them in the transaction that causes them, and
//! `delivery` writes and sends them.
//!
//! A job names only what happened. The content is read when the mail is sent, so that it contains
//! later changes, for example the visitor's address, and no mail is sent about deleted objects.

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{JobId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::limit::LimitKind;
use helpbot_domain::webhook::{DisabledReason, Webhook};

use crate::accounts::{sign_in_links, sites};
use crate::conversations::reply_mails::{self, ReplyContent};
use crate::conversations::{messages, transcript_codes};
use crate::runtime::job_kinds::{
    HANDOFF_MAIL, HandoffMail, LIMIT_MAIL, LimitMail, MAILS, REPLY_MAIL, ReplyMail, SIGN_IN_MAIL, SOURCE_FAILING_MAIL,
    SignInMail, SourceJob, TRANSCRIPT_CODE_MAIL, TRANSCRIPT_MAIL, TranscriptCodeMail, TranscriptMail,
    WEBHOOK_DISABLED_MAIL, WebhookDisabledMail,
};
use crate::runtime::jobs;
use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::conversation::{Conversation, Message};
use helpbot_domain::job::Job;
use helpbot_domain::member::Member;
use helpbot_domain::site::Site;
use helpbot_domain::source::Source;

/// Maximum number of queued mails in a list.
const SHOWN_MAX: i64 = 100;
/// Maximum number of conversations in one mail about handoffs. The inbox shows the others.
const HANDOFFS_SHOWN_MAX: i64 = 20;

/// The content of a mail. Transcripts, codes and replies go to the address that was given for them, and links to a member;
/// all other mails go to the owner of the site.
#[derive(Debug, Clone)]
pub enum MailContent {
    /// Visitors requested a human.
    Handoff {
        /// The site.
        site: Site,
        /// The conversations that the mail shows, oldest handoff first. There is at least one.
        conversations: Vec<Conversation>,
        /// Number of further handoffs, which the mail only counts.
        others: i64,
    },
    /// A webhook was disabled.
    WebhookDisabled {
        /// The site.
        site: Site,
        /// The webhook.
        webhook: Webhook,
        /// Why it was disabled.
        reason: DisabledReason,
        /// Time since which all attempts failed.
        failing_since: Timestamp,
    },
    /// A source that was synced before can no longer be synced.
    SourceFailing {
        /// The site.
        site: Site,
        /// The source, with the reason.
        source: Source,
    },
    /// A conversation, as it is when the mail is sent.
    Transcript {
        /// The site.
        site: Site,
        /// The recipient.
        to: String,
        /// All messages, starting with the question and the answer.
        messages: Vec<Message>,
    },
    /// Messages of the team for a visitor who is not there.
    Reply {
        /// The site.
        site: Site,
        /// The messages, and where they go.
        reply: ReplyContent,
    },
    /// A code with which a visitor confirms an address.
    TranscriptCode {
        /// The site.
        site: Site,
        /// The recipient.
        to: String,
        /// The code.
        code: String,
    },
    /// A link with which a member signs in or accepts an invitation.
    SignIn {
        /// The site.
        site: Site,
        /// The member, to whose address the mail goes.
        member: Member,
        /// Text of the link.
        token: String,
        /// Whether the link is an invitation, which the mail explains.
        is_invitation: bool,
    },
    /// Visitors have reached a limit of the site.
    Limit {
        /// The site.
        site: Site,
        /// The limit.
        kind: LimitKind,
    },
}

/// Returns the content of a mail. `None` when its subject was deleted or no longer applies.
///
/// # Errors
/// `Internal` for a job of another kind; errors of the database.
#[boxed]
pub async fn content(services: &Services, job: &Job) -> Result<Option<MailContent>> {
    let mut c = services.db.reader().await?;
    let Some(site) = db::sites::by_id(&mut c, job.site_id).await? else { return Ok(None) };
    match job.kind.as_str() {
        HANDOFF_MAIL => {
            let (conversations, total) = handed_off(&mut c, site.id, jobs::payload(job)?).await?;
            if conversations.is_empty() {
                return Ok(None);
            }
            let others = total - i64::try_from(conversations.len()).unwrap_or(total);
            Ok(Some(MailContent::Handoff { site, conversations, others }))
        }
        WEBHOOK_DISABLED_MAIL => {
            let WebhookDisabledMail { webhook_id, reason, failing_since } = jobs::payload(job)?;
            let found = db::webhooks::by_id(&mut c, site.id, webhook_id).await?;
            let still = found.filter(|webhook| webhook.disabled.is_some());
            Ok(still.map(|webhook| MailContent::WebhookDisabled { site, webhook, reason, failing_since }))
        }
        SOURCE_FAILING_MAIL => {
            let SourceJob { source_id } = jobs::payload(job)?;
            let found = db::sources::by_id(&mut c, site.id, source_id).await?;
            let still = found.filter(|source| source.error.is_some());
            Ok(still.map(|source| MailContent::SourceFailing { site, source }))
        }
        TRANSCRIPT_MAIL => {
            let TranscriptMail { transcript_id } = jobs::payload(job)?;
            let transcript_id = transcript_id.parse().map_err(Error::internal)?;
            let Some(asked) = db::transcripts::by_id(&mut c, site.id, transcript_id).await? else { return Ok(None) };
            let id = asked.conversation_id;
            let Some(conversation) = db::conversations::by_id(&mut c, site.id, id).await? else { return Ok(None) };
            let mut all = messages::opening(&conversation).to_vec();
            all.extend(db::messages::of(&mut c, site.id, &[id]).await?);
            Ok(Some(MailContent::Transcript { site, to: asked.email, messages: all }))
        }
        REPLY_MAIL => {
            let ReplyMail { mail_id } = jobs::payload(job)?;
            let mail_id = mail_id.parse().map_err(Error::internal)?;
            let reply = reply_mails::content(services, &mut c, site.id, mail_id).await?;
            Ok(reply.map(|reply| MailContent::Reply { site, reply }))
        }
        TRANSCRIPT_CODE_MAIL => {
            let TranscriptCodeMail { code_id } = jobs::payload(job)?;
            let code_id = code_id.parse().map_err(Error::internal)?;
            let found = db::transcript_codes::by_id(&mut c, site.id, code_id).await?;
            let now = services.now();
            let still = found.filter(|code| now < code.created_at.plus(transcript_codes::CODE_LIFETIME));
            Ok(still.map(|row| {
                let code = transcript_codes::code_of(&services.settings.secret_key, &row);
                MailContent::TranscriptCode { site, to: row.email, code }
            }))
        }
        SIGN_IN_MAIL => {
            let SignInMail { link_id } = jobs::payload(job)?;
            let link_id = link_id.parse().map_err(Error::internal)?;
            let Some(link) = db::sign_in_links::by_id(&mut c, site.id, link_id).await? else { return Ok(None) };
            let found = db::members::by_id(&mut c, site.id, link.member_id).await?;
            let still = found.filter(|member| sign_in_links::is_open(&link, member, services.now()));
            Ok(still.map(|member| {
                let token = sign_in_links::token_of(&services.settings.secret_key, &link);
                MailContent::SignIn { site, member, token, is_invitation: link.browser_hash.is_none() }
            }))
        }
        LIMIT_MAIL => {
            let LimitMail { kind } = jobs::payload(job)?;
            Ok(Some(MailContent::Limit { site, kind }))
        }
        other => Err(Error::internal(format!("{other} is not a kind of mail"))),
    }
}

/// Returns the conversations that a mail about handoffs shows, and the number of handoffs that it is about.
async fn handed_off(c: &mut db::Conn, site: SiteId, mail: HandoffMail) -> Result<(Vec<Conversation>, i64)> {
    match mail {
        HandoffMail::Planned { mail_id } => {
            let id = mail_id.parse().map_err(Error::internal)?;
            let listed = db::handoff_notices::listed_in(c, site, id, HANDOFFS_SHOWN_MAX).await?;
            Ok((listed, db::handoff_notices::count_in(c, site, id).await?))
        }
        HandoffMail::Single { conversation_id } => {
            let found = db::conversations::by_id(c, site, conversation_id).await?;
            Ok((found.into_iter().collect(), 1))
        }
    }
}

/// A queued mail that the mail server has not accepted yet. Its content and its recipient are not
/// shown.
#[derive(Debug, Clone)]
pub struct QueuedMail {
    /// ID of the job that sends the mail.
    pub id: JobId,
    /// The site.
    pub site_id: SiteId,
    /// Kind of the job, one of [`MAILS`].
    pub kind: String,
    /// Time at which the mail was queued.
    pub created_at: Timestamp,
    /// Time of the next attempt.
    pub due_at: Timestamp,
    /// Number of attempts so far.
    pub attempts: i32,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

/// Returns the queued mails of a site, oldest first, at most 100.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn waiting(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Vec<QueuedMail>> {
    viewer.require(Scope::Admin)?;
    read(services, Some(viewer.site(named)?)).await
}

/// Returns the queued mails of all sites, oldest first, at most 100. Only for operators.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn waiting_of_all(services: &Services, viewer: &Viewer) -> Result<Vec<QueuedMail>> {
    sites::require_operator(viewer)?;
    read(services, None).await
}

async fn read(services: &Services, site: Option<SiteId>) -> Result<Vec<QueuedMail>> {
    let found = db::jobs::waiting(&mut services.db.reader().await?, site, MAILS, SHOWN_MAX).await?;
    let shown = found.into_iter().map(|job| QueuedMail {
        id: job.id,
        site_id: job.site_id,
        kind: job.kind,
        created_at: job.created_at,
        due_at: job.due_at,
        attempts: job.attempts,
        last_error: job.last_error,
    });
    Ok(shown.collect())
}
