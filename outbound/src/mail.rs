//! E-mail out: one trait, two real ways (an SMTP server; a log line when none is configured).
//!
//! Called by delivery with texts that are already made. A value from a visitor can end up in a
//! subject or address, so headers are built from parsed addresses and from subjects without
//! control characters: a line break never reaches a header. Nothing here retries.

use std::future::Future;
use std::io;
use std::pin::Pin;

use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

pub use crate::smtp::{SmtpMailer, SmtpSettings};

/// Subjects are cut here, in characters: two lines of a mail program's list.
const MAX_SUBJECT_CHARS: usize = 200;

/// A mail, ready to send: one recipient, plain text and HTML that say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The same over all attempts, so that a mail program can drop a repeated one. Letters,
    /// digits, `_` and `-`; anything else is left out.
    pub id: String,
    pub to: String,
    pub reply_to: Option<String>,
    pub subject: String,
    pub text: String,
    /// Already escaped.
    pub html: String,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The mail server has taken it over.
    Accepted,
    /// There is no mail server: it was only logged and must stay queued.
    OnlyLogged,
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The recipient's or the reply address is none.
    #[error("`{field}` is not an e-mail address")]
    Address { field: &'static str },
    #[error("the mail could not be put together")]
    Compose(#[source] lettre::error::Error),
    /// The mail server said no for good, with its status (5xx).
    #[error("the mail server refused the mail for good (status {0})")]
    Refused(u16),
    /// The mail server said not now (4xx), or said no before it was told of the mail, or our
    /// settings do not satisfy it (530, 534, 535, 538): an operator can mend that while the mail
    /// waits.
    #[error("the mail server refused for now (status {0})")]
    NotNow(u16),
    #[error("the mail server could not be reached")]
    Unreachable(#[source] io::Error),
    /// TLS is required and cannot be had, or not with a certificate that we trust.
    #[error("no secure connection to the mail server: {0}")]
    Insecure(&'static str),
    /// The mail server lacks something, for example a way to log in that we know.
    #[error("the mail server cannot be worked with: {0}")]
    Unable(#[source] lettre::transport::smtp::Error),
    /// The connection ended in the middle, or the mail server does not speak SMTP.
    #[error("the exchange with the mail server broke off")]
    Broken(#[source] lettre::transport::smtp::Error),
}

impl MailError {
    /// Whether the same mail may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Address { .. } | Self::Compose(_) | Self::Refused(_) => false,
            Self::NotNow(_) | Self::Unreachable(_) | Self::Insecure(_) | Self::Unable(_) | Self::Broken(_) => true,
        }
    }

    /// A stable name for logs and rows.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "MAIL_ADDRESS",
            Self::Compose(_) => "MAIL_COMPOSE",
            Self::Refused(_) => "MAIL_REFUSED",
            Self::NotNow(_) => "MAIL_NOT_NOW",
            Self::Unreachable(_) => "MAIL_UNREACHABLE",
            Self::Insecure(_) => "MAIL_INSECURE",
            Self::Unable(_) => "MAIL_UNABLE",
            Self::Broken(_) => "MAIL_BROKEN",
        }
    }
}

/// The future of [`Mailer::send`].
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Sent, MailError>> + Send + 'a>>;

/// Sends mail. Dyn-compatible: which of the two it is, is a setting.
pub trait Mailer: Send + Sync {
    /// Hands one mail over, once.
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a>;
}

/// Stands in when no mail server is configured: says so in the log, sends nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogMailer;

impl Mailer for LogMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(async move {
            // Neither addresses nor texts belong in a log.
            tracing::warn!(mail = mail.id, "No mail server is configured; the mail stays queued");
            Ok(Sent::OnlyLogged)
        })
    }
}

/// The message as it goes over the wire.
pub(crate) fn compose(from: &Mailbox, mail: &Mail) -> Result<Message, MailError> {
    let mut message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, address(&mail.to, "to")?))
        .subject(one_line(&mail.subject))
        .message_id(Some(message_id(&mail.id, from.email.domain())));
    if let Some(reply_to) = &mail.reply_to {
        message = message.reply_to(Mailbox::new(None, address(reply_to, "reply_to")?));
    }
    message
        .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
        .map_err(MailError::Compose)
}

/// Whether a mail can be sent, or replied, to this text: one bare address.
#[must_use]
pub fn is_address(text: &str) -> bool {
    address(text, "to").is_ok()
}

/// A bare address: no display name, no second recipient, no control character.
fn address(text: &str, field: &'static str) -> Result<Address, MailError> {
    let refused = MailError::Address { field };
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"')) {
        return Err(refused);
    }
    text.parse().map_err(|_| refused)
}

/// The subject on one line, cut to its length.
fn one_line(subject: &str) -> String {
    let clean: String = subject.chars().map(|c| if breaks_line(c) { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_SUBJECT_CHARS).collect()
}

/// Control characters, and the two separators that some programs take for line breaks.
fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn message_id(id: &str, domain: &str) -> String {
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect();
    format!("<{id}@{domain}>")
}
