//! Mails of a site that wait for the mail server.

use async_graphql::{Enum, SimpleObject};
use helpbot_services::conversations::HANDOFF_MAIL;
use helpbot_services::runtime::mail::{self, SOURCE_FAILING_MAIL, WEBHOOK_DISABLED_MAIL};

use crate::schema::scalars::DateTime;

/// What a mail is about.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// A visitor asked for a human.
    Handoff,
    /// A webhook gets nothing any more.
    WebhookDisabled,
    /// A source cannot be read any more.
    SourceFailing,
    /// A visitor asked for the conversation by mail.
    Transcript,
}

/// A mail that the mail server has not taken yet.
#[derive(SimpleObject)]
pub struct WaitingMail {
    /// What it is about.
    kind: MailKind,
    /// When it was asked for.
    created_at: DateTime,
    /// When it is sent, or sent again.
    next_attempt_at: DateTime,
    /// How often it was tried.
    attempt_count: i32,
    /// Why it was not taken; null before the first attempt.
    error: Option<String>,
}

impl From<mail::Waiting> for WaitingMail {
    fn from(waiting: mail::Waiting) -> Self {
        Self {
            kind: match waiting.kind.as_str() {
                HANDOFF_MAIL => MailKind::Handoff,
                WEBHOOK_DISABLED_MAIL => MailKind::WebhookDisabled,
                SOURCE_FAILING_MAIL => MailKind::SourceFailing,
                _ => MailKind::Transcript,
            },
            created_at: waiting.created_at.into(),
            next_attempt_at: waiting.due_at.into(),
            attempt_count: waiting.attempts,
            error: waiting.last_error,
        }
    }
}
