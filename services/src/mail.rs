//! Mails as jobs: asked for in the transaction that causes them, written and sent by `delivery`.
//!
//! A job names what happened; what the mail says is read when it is sent, so that a visitor's
//! address that came later is in it, and a mail about what is gone is not sent.

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ConversationId, WebhookId};
use helpbot_domain::webhook::DisabledReason;
use serde::{Deserialize, Serialize};

use crate::conversations::HANDOFF_MAIL;
use crate::{Conversation, Error, Job, Result, Services, Site, Webhook, jobs};

/// The kind of the job that tells a site's owner that a webhook was disabled.
pub const WEBHOOK_DISABLED_MAIL: &str = "webhook_disabled_mail";
/// The kinds of jobs that are mails.
pub const KINDS: [&str; 2] = [HANDOFF_MAIL, WEBHOOK_DISABLED_MAIL];

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HandoffPayload {
    conversation_id: ConversationId,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DisabledPayload {
    pub webhook_id: WebhookId,
    pub reason: DisabledReason,
    pub failing_since: Timestamp,
}

/// What a mail is about. Each goes to the owner of the site.
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
}

/// What the mail of a job is about; none when that is gone or no longer so.
///
/// # Errors
/// `Internal` for a job that is no mail.
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
        other => Err(Error::internal(format!("{other} is no mail"))),
    }
}
