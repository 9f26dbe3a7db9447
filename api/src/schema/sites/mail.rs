//! Mails of a site that wait for the mail server.

use async_graphql::{Enum, Result};
use helpbot_api_macros::OutputObject;
use helpbot_domain as domain;
use helpbot_services::runtime::job_kinds::{
    HANDOFF_MAIL, LIMIT_MAIL, REPLY_MAIL, SIGN_IN_MAIL, SOURCE_FAILING_MAIL, TRANSCRIPT_CODE_MAIL,
    WEBHOOK_DISABLED_MAIL,
};
use helpbot_services::runtime::mail;

use crate::schema::access::Access;
use crate::schema::page::{self, KeyOrder, PageArgs, connection};
use crate::schema::scalars::DateTime;

/// Kind of a mail, which says why it is sent.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// Tells the owner that one or more visitors asked for a human.
    Handoff,
    /// Tells the owner that a webhook was disabled.
    WebhookDisabled,
    /// Tells the owner that the syncs of a source fail.
    SourceFailing,
    /// Contains a conversation that a visitor or a member requested by mail.
    Transcript,
    /// Contains messages of the team for a visitor who is not there.
    Reply,
    /// Contains a code with which a visitor confirms an e-mail address.
    TranscriptCode,
    /// Contains a link with which a member signs in or accepts an invitation.
    SignIn,
    /// Tells the owner that visitors have reached a limit of the site.
    Limit,
}

/// A mail that the mail server has not accepted yet.
#[derive(Clone, OutputObject)]
pub struct WaitingMail {
    /// Kind of the mail, which says why it is sent.
    kind: MailKind,
    /// Time at which the mail was created.
    created_at: DateTime,
    /// Time at which the next attempt to send the mail begins.
    next_attempt_at: DateTime,
    /// Number of attempts that were made to send the mail.
    attempt_count: i32,
    /// Reason why the last attempt failed. It is null before the first attempt.
    error: Option<String>,
    #[graphql(skip)]
    position: String,
}

connection! {
    /// A list of the mails that wait for the mail server, which is sorted by the time of creation, oldest first.
    WaitingMailConnection,
    /// An edge that connects the list to a mail.
    WaitingMailEdge, WaitingMail
}

/// A page of the waiting mails of a site.
pub(super) async fn list(access: &Access, site: &domain::site::Site, args: &PageArgs) -> Result<WaitingMailConnection> {
    let found = mail::waiting(&access.services, &access.viewer, Some(site.id)).await?;
    let (page, total) = page::of_all(args, found, KeyOrder::Ascending, |mail| mail.id)?;
    let position = |_, mail: &WaitingMail| mail.position.clone();
    Ok(WaitingMailConnection::with_positions(page.map(WaitingMail::from), total, Box::new(position)))
}

impl From<mail::QueuedMail> for WaitingMail {
    fn from(waiting: mail::QueuedMail) -> Self {
        Self {
            kind: match waiting.kind.as_str() {
                HANDOFF_MAIL => MailKind::Handoff,
                WEBHOOK_DISABLED_MAIL => MailKind::WebhookDisabled,
                SOURCE_FAILING_MAIL => MailKind::SourceFailing,
                REPLY_MAIL => MailKind::Reply,
                TRANSCRIPT_CODE_MAIL => MailKind::TranscriptCode,
                SIGN_IN_MAIL => MailKind::SignIn,
                LIMIT_MAIL => MailKind::Limit,
                _ => MailKind::Transcript,
            },
            created_at: waiting.created_at.into(),
            next_attempt_at: waiting.due_at.into(),
            attempt_count: waiting.attempts,
            error: waiting.last_error,
            position: waiting.id.to_string(),
        }
    }
}
