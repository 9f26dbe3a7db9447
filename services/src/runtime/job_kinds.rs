//! The kinds of background jobs, and what a job of each kind is about.
//!
//! A use case writes a job with one of these payloads in its transaction; the worker of that kind
//! reads the payload back. This file imports no use case, so that any of them can name a job.

use helpbot_domain::Timestamp;
use helpbot_domain::ids::{ConversationId, PreviewId, ReplayId, SourceId, WebhookId};
use helpbot_domain::limit::LimitKind;
use helpbot_domain::webhook::DisabledReason;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Syncs a source. The stored name is that of the REST contract.
pub const SYNC: &str = "scrape";

/// Computes a site's missing embeddings with the external model.
pub const EMBED: &str = "embed";

/// Sends a webhook the past events that it has not received.
pub const REPLAY: &str = "webhook_replay";

/// Mails the site's owner that one or more visitors requested a human.
pub const HANDOFF_MAIL: &str = "handoff_mail";

/// Mails the site's owner that a webhook was disabled.
pub const WEBHOOK_DISABLED_MAIL: &str = "webhook_disabled_mail";

/// Mails the site's owner that a source can no longer be synced.
pub const SOURCE_FAILING_MAIL: &str = "source_failing_mail";

/// Mails a conversation to an address that was given for it.
pub const TRANSCRIPT_MAIL: &str = "transcript_mail";

/// Mails messages of the team to a visitor who is not there.
pub const REPLY_MAIL: &str = "reply_mail";

/// Mails a code to an address, with which a visitor confirms the address.
pub const TRANSCRIPT_CODE_MAIL: &str = "transcript_code_mail";

/// Mails a member a link to sign in, or an invitation.
pub const SIGN_IN_MAIL: &str = "sign_in_mail";

/// Mails the site's owner that visitors have reached a limit.
pub const LIMIT_MAIL: &str = "limit_mail";

/// Deletes the rows of a site that was deleted. A batch job.
pub const DELETE_SITE: &str = "delete_site";

/// Erases the data of a session. A batch job.
pub const ERASE_SESSION: &str = "erase_session";

/// Erases the data of all sessions of an e-mail address. A batch job.
pub const ERASE_VISITOR: &str = "erase_visitor";

/// Deletes what is older than the owner of a site wants to keep. A batch job.
pub const APPLY_RETENTION: &str = "apply_retention";

/// Replays the questions of a site against a previewed change.
pub const PREVIEW: &str = "preview";

/// The kinds that send something: first those whose job is one mail, and last the replay of events to a webhook.
pub const DELIVERIES: [&str; 9] = [
    HANDOFF_MAIL,
    WEBHOOK_DISABLED_MAIL,
    SOURCE_FAILING_MAIL,
    TRANSCRIPT_MAIL,
    REPLY_MAIL,
    TRANSCRIPT_CODE_MAIL,
    SIGN_IN_MAIL,
    LIMIT_MAIL,
    REPLAY,
];

/// The kinds whose job is one mail.
pub const MAILS: &[&str] = match &DELIVERIES {
    [mails @ .., _replay] => mails,
};

/// The kinds that send nothing.
const OTHERS: [&str; 7] = [SYNC, EMBED, DELETE_SITE, ERASE_SESSION, ERASE_VISITOR, APPLY_RETENTION, PREVIEW];

/// Returns all kinds.
pub fn all() -> impl Iterator<Item = &'static str> {
    OTHERS.into_iter().chain(DELIVERIES)
}

/// Payload of [`SYNC`] and [`SOURCE_FAILING_MAIL`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SourceJob {
    pub source_id: SourceId,
}

/// Payload of [`PREVIEW`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreviewJob {
    pub preview_id: PreviewId,
}

/// Payload of [`REPLAY`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplayJob {
    pub replay_id: ReplayId,
}

/// Payload of [`HANDOFF_MAIL`].
#[derive(Serialize, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(crate) enum HandoffMail {
    /// A planned mail about all handoffs whose notices name it.
    Planned {
        /// ID of the mail.
        mail_id: String,
    },
    /// A mail about one conversation, which earlier versions have queued.
    Single {
        /// The conversation.
        conversation_id: ConversationId,
    },
}

impl HandoffMail {
    /// The mail with this ID.
    pub(crate) fn of_mail(id: Uuid) -> Self {
        Self::Planned { mail_id: id.to_string() }
    }
}

/// Payload of [`WEBHOOK_DISABLED_MAIL`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookDisabledMail {
    pub webhook_id: WebhookId,
    pub reason: DisabledReason,
    pub failing_since: Timestamp,
}

/// Payload of [`TRANSCRIPT_MAIL`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TranscriptMail {
    pub transcript_id: String,
}

/// Payload of [`REPLY_MAIL`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplyMail {
    pub mail_id: String,
}

/// Payload of [`TRANSCRIPT_CODE_MAIL`]. It does not contain the code.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TranscriptCodeMail {
    pub code_id: String,
}

/// Payload of [`SIGN_IN_MAIL`]. It does not contain the link.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignInMail {
    pub link_id: String,
}

/// Payload of [`LIMIT_MAIL`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LimitMail {
    pub kind: LimitKind,
}
