//! Mails of visitors: from the raw message that a mail server hands over to what its writer wrote.
//!
//! `server` calls [`parse`] for each received message, and `services` adds the text to its conversation. A message is
//! from a stranger, so nothing of it is trusted except the signed address that it was sent to. Attachments are not
//! kept; a line in the text says how many there were.

mod quotes;

use helpbot_services::conversations::mail_answers::ReceivedMail;
use mail_parser::decoders::html::html_to_text;
use mail_parser::{Address, HeaderValue, Message, MessageParser, PartType};
use sha2::{Digest as _, Sha256};

/// Headers that name the address that a message was delivered to, besides `To` and `Cc`.
const RECIPIENT_HEADERS: [&str; 5] =
    ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Forwarded-To"];
/// Headers that only programs add.
const AUTOMATIC_HEADERS: [&str; 6] =
    ["X-Autoreply", "X-Autorespond", "X-Auto-Reply-From", "X-Failed-Recipients", "List-Id", "Feedback-ID"];
/// Values of `Precedence` that only programs use.
const AUTOMATIC_PRECEDENCES: [&str; 4] = ["auto_reply", "bulk", "junk", "list"];
/// Senders that report about mail.
const AUTOMATIC_SENDERS: [&str; 4] = ["mailer-daemon", "postmaster", "noreply", "no-reply"];
/// Maximum number of references that are looked up. The last ones are the nearest.
const REFERENCES_MAX: usize = 50;

/// Parses a message in the form of RFC 5322. `None` when it has no header that could be read.
#[must_use]
pub fn parse(raw: &[u8]) -> Option<ReceivedMail> {
    let message = MessageParser::default().parse(raw).filter(|message| !message.headers().is_empty())?;
    let written = quotes::cut(&text(&message));
    Some(ReceivedMail {
        message_id: message_id(&message, raw),
        references: references(&message),
        recipients: recipients(&message),
        is_automatic: is_automatic(&message),
        text: with_attachments(written, message.attachment_count()),
    })
}

/// The text of all parts that are shown, as plain text.
fn text(message: &Message<'_>) -> String {
    let parts = message.text_bodies().filter_map(|part| match &part.body {
        PartType::Text(text) => Some(text.to_string()),
        PartType::Html(html) => Some(html_to_text(&with_lines_for_quotations(html))),
        _ => None,
    });
    parts.map(|part| part.replace("\r\n", "\n")).collect::<Vec<_>>().join("\n")
}

/// Begins a new line before each quotation, which the conversion of HTML does not do.
fn with_lines_for_quotations(html: &str) -> String {
    html.replace("<blockquote", "<br><blockquote").replace("<BLOCKQUOTE", "<br><BLOCKQUOTE")
}

fn with_attachments(text: String, count: usize) -> String {
    let note = match count {
        0 => return text,
        1 => "[One attachment was not kept.]".to_owned(),
        count => format!("[{count} attachments were not kept.]"),
    };
    if text.is_empty() { note } else { format!("{text}\n\n{note}") }
}

/// The Message-ID, or a hash of the message, which is the same when the message arrives again.
fn message_id(message: &Message<'_>, raw: &[u8]) -> String {
    match message.message_id().map(str::trim).filter(|id| !id.is_empty()) {
        Some(id) => id.to_owned(),
        None => Sha256::digest(raw).iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// The Message-IDs of the messages that this one answers, without their domains, nearest first.
fn references(message: &Message<'_>) -> Vec<String> {
    let ids = texts(message.in_reply_to()).into_iter().chain(texts(message.references()).into_iter().rev());
    let local = |id: String| id.split('@').next().unwrap_or_default().trim_matches(['<', '>', ' ']).to_owned();
    ids.map(local).filter(|id| !id.is_empty()).take(REFERENCES_MAX).collect()
}

fn texts(value: &HeaderValue<'_>) -> Vec<String> {
    match value {
        HeaderValue::Text(text) => vec![text.to_string()],
        HeaderValue::TextList(texts) => texts.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

fn recipients(message: &Message<'_>) -> Vec<String> {
    let addresses = |address: Option<&Address<'_>>| -> Vec<String> {
        let all = address.into_iter().flat_map(Address::iter);
        all.filter_map(|one| one.address.as_ref().map(ToString::to_string)).collect()
    };
    let delivered = RECIPIENT_HEADERS.iter().filter_map(|name| message.header_raw(*name));
    let delivered = delivered.map(|value| value.trim().trim_matches(['<', '>']).to_owned());
    [addresses(message.to()), addresses(message.cc())].concat().into_iter().chain(delivered).collect()
}

/// Returns whether a program wrote the message: an automatic reply (RFC 3834), a report about mail that could not be
/// delivered (RFC 3464), or a mail to many.
fn is_automatic(message: &Message<'_>) -> bool {
    let raw = |name: &'static str| message.header_raw(name).map(|value| value.trim().to_lowercase());
    let has = |name: &&'static str| message.header_raw(*name).is_some();
    let is_submitted = raw("Auto-Submitted").is_some_and(|value| !value.starts_with("no"));
    let is_bulk = raw("Precedence").is_some_and(|value| AUTOMATIC_PRECEDENCES.contains(&value.as_str()));
    let is_report = raw("Content-Type").is_some_and(|value| value.starts_with("multipart/report"));
    let is_from_nobody = raw("Return-Path").is_some_and(|value| value == "<>");
    let sender = message.from().and_then(Address::first).and_then(|from| from.address.as_ref());
    let sender = sender.map(|address| address.split('@').next().unwrap_or_default().to_lowercase());
    let is_from_program = sender.is_some_and(|local| AUTOMATIC_SENDERS.contains(&local.as_str()));
    is_submitted || is_bulk || is_report || is_from_nobody || is_from_program || AUTOMATIC_HEADERS.iter().any(has)
}

#[cfg(test)]
mod tests;
