//! Outgoing mail: one trait with two implementations, an SMTP server and a log message when no
//! server is configured.
//!
//! Delivery calls it with finished texts. Text from a visitor can become part of a subject or
//! address, so headers are built from parsed addresses and from subjects without control
//! characters: a line break never reaches a header. Nothing here retries.

use std::future::Future;
use std::io;
use std::pin::Pin;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

/// Maximum length of a subject in characters, about two lines in a mail program.
const MAX_SUBJECT_CHARS: usize = 200;
/// Maximum length of the Message-ID of an earlier mail. A line of a header has at most 998 characters.
const MAX_REFERENCE_CHARS: usize = 250;

/// A mail that is ready to send: one recipient, and the same content as plain text and HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// ID of the mail, the same for all attempts, so that a mail program can drop a duplicate. Only
    /// letters, digits, `_` and `-` are used.
    pub id: String,
    pub to: String,
    pub reply_to: Option<String>,
    /// Message-IDs of the earlier mails of its thread, oldest first and without angle brackets. An ID without a domain
    /// is that of an earlier [`Mail::id`].
    pub thread: Vec<String>,
    pub subject: String,
    pub text: String,
    /// HTML part. Its content is already escaped.
    pub html: String,
}

/// What happened to a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// The mail server accepted the mail.
    Accepted,
    /// No mail server is configured. The mail was only logged and must stay queued.
    OnlyLogged,
}

/// Why a mail was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The recipient or the reply address is not a valid address.
    #[error("`{field}` is not an e-mail address")]
    Address { field: &'static str },
    #[error("the mail could not be composed")]
    Compose(#[source] lettre::error::Error),
    /// The mail server rejected the mail permanently, with this status (5xx).
    #[error("the mail server rejected the mail permanently (status {0})")]
    Refused(u16),
    /// The mail server rejected the mail temporarily (4xx), or rejected the connection before the
    /// mail was sent, or rejected our settings (530, 534, 535, 538). The mail waits, because the
    /// operator can fix this.
    #[error("the mail server rejected the mail temporarily (status {0})")]
    NotNow(u16),
    #[error("the mail server could not be reached")]
    Unreachable(#[source] io::Error),
    /// TLS is required but not available, or the server's certificate is not trusted.
    #[error("the TLS connection to the mail server failed: {0}")]
    Insecure(&'static str),
    /// The mail server lacks a required feature, for example a supported login mechanism.
    #[error("the mail server lacks a required feature: {0}")]
    Unable(#[source] lettre::transport::smtp::Error),
    /// The connection ended early, or the server does not speak SMTP.
    #[error("the connection to the mail server ended early")]
    Broken(#[source] lettre::transport::smtp::Error),
}

impl MailError {
    /// Returns whether the same mail may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Address { .. } | Self::Compose(_) | Self::Refused(_) => false,
            Self::NotNow(_) | Self::Unreachable(_) | Self::Insecure(_) | Self::Unable(_) | Self::Broken(_) => true,
        }
    }

    /// Returns a stable code for logs and rows.
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
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<SendOutcome, MailError>> + Send + 'a>>;

/// Sends mail. The settings decide which implementation is used.
pub trait Mailer: Send + Sync {
    /// Sends one mail, once.
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a>;
}

/// The mailer that is used when no mail server is configured. It logs a warning and sends nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogMailer;

impl Mailer for LogMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(async move {
            // Logs must contain neither addresses nor texts.
            tracing::warn!(mail = mail.id, "no mail server is configured; the mail stays queued");
            Ok(SendOutcome::OnlyLogged)
        })
    }
}

/// Builds the message as it is sent.
pub(crate) fn compose(from: &Mailbox, mail: &Mail) -> Result<Message, MailError> {
    let mut message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, address(&mail.to, "to")?))
        .subject(one_line(&mail.subject))
        .message_id(Some(message_id(&mail.id, from.email.domain())))
        // Automatic replies, such as out-of-office notes, must not answer it (RFC 3834).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()));
    if let Some(reply_to) = &mail.reply_to {
        message = message.reply_to(Mailbox::new(None, address(reply_to, "reply_to")?));
    }
    let thread: Vec<String> = mail.thread.iter().map(|id| reference(id, from.email.domain())).collect();
    if let Some(last) = thread.last() {
        message = message.in_reply_to(last.clone()).references(thread.join(" "));
    }
    message
        .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
        .map_err(MailError::Compose)
}

/// Returns whether `text` is a single address without a display name.
#[must_use]
pub fn is_address(text: &str) -> bool {
    address(text, "to").is_ok()
}

/// Parses a single address: no display name, no second recipient, no control characters.
fn address(text: &str, field: &'static str) -> Result<Address, MailError> {
    let refused = MailError::Address { field };
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"')) {
        return Err(refused);
    }
    text.parse().map_err(|_| refused)
}

/// Returns the subject on one line, truncated to its maximum length.
fn one_line(subject: &str) -> String {
    let clean: String = subject.chars().map(|c| if breaks_line(c) { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_SUBJECT_CHARS).collect()
}

/// Returns whether `c` is a control character or one of the two separators that some programs treat
/// as line breaks.
fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Returns the Message-ID of an earlier mail of a thread. What cannot be part of one is left out, because the ID of a
/// mail that was received comes from a stranger.
fn reference(id: &str, domain: &str) -> String {
    match id.split_once('@') {
        None => message_id(id, domain),
        Some(_) => {
            let is_allowed = |c: &char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',' | ';' | '"');
            format!("<{}>", id.chars().filter(is_allowed).take(MAX_REFERENCE_CHARS).collect::<String>())
        }
    }
}

fn message_id(id: &str, domain: &str) -> String {
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect();
    format!("<{id}@{domain}>")
}
