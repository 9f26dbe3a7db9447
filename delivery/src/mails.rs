//! The mails that HelpBot writes: handoffs and alerts to the owner, links to members, and codes, replies and transcripts
//! to the visitor.
//!
//! Questions, answers and page URLs come from strangers. The text part quotes their lines with
//! `> `, so that they cannot imitate ours; the HTML part escapes them. Both parts omit control,
//! direction and tag characters, which can make text appear as something else. All links are ours.

use helpbot_domain::Timestamp;
use helpbot_outbound::Mail;
use helpbot_outbound::mail::is_address;
use url::Url;

/// Maximum number of characters of a stranger's text in a subject.
const SUBJECT_CHARS: usize = 80;
/// Maximum number of characters of one stranger's text in a mail. The inbox shows the rest.
const QUOTE_CHARS: usize = 10_000;

/// Maximum number of characters of a question in a digest.
const DIGEST_QUOTE_CHARS: usize = 500;

/// Content of the mail about a visitor who asks for a human.
#[derive(Clone, Debug)]
pub struct HandoffContent<'a> {
    pub site_name: &'a str,
    pub question: &'a str,
    pub answer: &'a str,
    /// Address that the visitor left. It becomes the reply address when it is valid.
    pub customer_email: Option<&'a str>,
    /// URL of the conversation in the inbox.
    pub inbox_url: &'a Url,
}

/// Content of the mail about an endpoint that was disabled.
#[derive(Clone, Debug)]
pub struct EndpointDisabledContent<'a> {
    pub site_name: &'a str,
    pub endpoint_url: &'a Url,
    pub reason: DisabledCause,
    pub webhooks_url: &'a Url,
}

/// Why an endpoint was disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisabledCause {
    /// The endpoint answered 410.
    Gone,
    /// Every delivery has failed since this time.
    FailingSince(Timestamp),
}

/// Content of the mail about a source whose sync failed.
#[derive(Clone, Debug)]
pub struct SourceFailingContent<'a> {
    pub site_name: &'a str,
    pub source: &'a str,
    /// Reason of the failure, written for the owner.
    pub reason: &'a str,
    pub source_url: &'a Url,
}

/// Content of the transcript that a visitor asked for.
#[derive(Clone, Debug)]
pub struct TranscriptContent<'a> {
    pub site_name: &'a str,
    /// Author and text of each message, oldest first.
    pub messages: &'a [(&'a str, &'a str)],
}

/// Content of a mail with messages of the team to a visitor who is not there.
#[derive(Clone, Debug)]
pub struct ReplyMailContent<'a> {
    pub site_name: &'a str,
    /// Author and text of each message, oldest first.
    pub messages: &'a [(&'a str, &'a str)],
    /// Address that the visitor can answer to.
    pub reply_to: Option<&'a str>,
    /// Message-IDs of the earlier mails of the conversation, oldest first.
    pub thread: &'a [String],
}

/// Content of the mail about a limit that visitors have reached.
#[derive(Clone, Debug)]
pub struct LimitContent<'a> {
    pub site_name: &'a str,
    /// What happened, in whole sentences of ours.
    pub what: &'a str,
    pub dashboard_url: &'a Url,
}

/// Writes the mail that tells the owner about a handoff, with the visitor's address to reply to.
#[must_use]
pub fn handoff(id: String, to: String, handoff: &HandoffContent<'_>) -> Mail {
    let reply_to = handoff.customer_email.map(str::trim).filter(|address| is_address(address));
    let mut draft = MailDraft::new(id, to, format!("{}: {}", handoff.site_name, clip(handoff.question, SUBJECT_CHARS)));
    draft.paragraph(&format!("A visitor of {} asks to talk to a human.", plain(handoff.site_name)));
    draft.quote("They asked", handoff.question);
    draft.quote("The bot answered", handoff.answer);
    match (reply_to, handoff.customer_email) {
        (Some(address), _) => draft.paragraph(&format!("Reply to this mail to write to {address}.")),
        (None, Some(other)) => draft.quote("They left an invalid address", other),
        (None, None) => draft.paragraph("They left no address. Answer in the inbox."),
    }
    draft.link("Open the conversation", handoff.inbox_url);
    draft.mail.reply_to = reply_to.map(str::to_owned);
    draft.finish()
}

/// Writes the mail that tells the owner about several handoffs. `others` is the number of those that it does
/// not show. It has no reply address, because it is about several visitors.
#[must_use]
pub fn handoff_digest(
    id: String,
    to: String,
    site_name: &str,
    handoffs: &[HandoffContent<'_>],
    others: i64,
    inbox_url: &Url,
) -> Mail {
    let total = i64::try_from(handoffs.len()).unwrap_or(i64::MAX).saturating_add(others);
    let mut draft = MailDraft::new(id, to, format!("{site_name}: {total} requests for a human"));
    draft.paragraph(&format!("Visitors of {} have asked {total} times to talk to a human.", plain(site_name)));
    for handoff in handoffs {
        draft.quote("They asked", &clip(handoff.question, DIGEST_QUOTE_CHARS));
        match handoff.customer_email.map(str::trim).filter(|address| is_address(address)) {
            Some(address) => draft.paragraph(&format!("They left the address {address}.")),
            None => draft.paragraph("They left no valid address. Answer in the inbox."),
        }
        draft.link("Open the conversation", handoff.inbox_url);
    }
    if others > 0 {
        draft.paragraph(&format!("This mail does not show {others} more. The inbox shows all of them."));
    }
    draft.link("Open the inbox", inbox_url);
    draft.finish()
}

/// Writes the mail with the code that confirms an address. It contains no text of a visitor, because anybody
/// can have it sent to any address.
#[must_use]
pub fn transcript_code(id: String, to: String, site_name: &str, code: &str) -> Mail {
    let mut draft = MailDraft::new(id, to, format!("{code} is your code for {site_name}"));
    draft.paragraph(&format!("Your code for {} is {code}.", plain(site_name)));
    draft.paragraph("Enter it in the chat to receive your conversation by e-mail. The code expires after 15 minutes.");
    draft.paragraph("If you did not ask for a code, ignore this mail.");
    draft.finish()
}

/// Writes the mail with the link with which a member signs in. It contains no text of the person who asked for it.
#[must_use]
pub fn sign_in(id: String, to: String, site_name: &str, url: &Url) -> Mail {
    let mut draft = MailDraft::new(id, to, format!("Sign in to {site_name}"));
    draft.paragraph(&format!("Use this link to sign in to the dashboard of {}.", plain(site_name)));
    draft.link("Sign in", url);
    draft.paragraph(
        "The link works once, within 15 minutes, and only in the browser in which it was requested. If you did not ask \
         for it, ignore this mail: nobody can sign in without the link.",
    );
    draft.finish()
}

/// Writes the mail that invites a person to the team of a site.
#[must_use]
pub fn invitation(id: String, to: String, site_name: &str, url: &Url) -> Mail {
    let mut draft = MailDraft::new(id, to, format!("Invitation to the team of {site_name}"));
    draft.paragraph(&format!("You are invited to answer the visitors of {}.", plain(site_name)));
    draft.link("Accept the invitation", url);
    draft.paragraph(
        "The link works once, within 7 days. Do not forward this mail: anyone who opens the link joins the team in your \
         name. If you do not know the site, ignore this mail.",
    );
    draft.finish()
}

/// Writes the mail that tells the owner that visitors have reached a limit.
#[must_use]
pub fn limit(id: String, to: String, limit: &LimitContent<'_>) -> Mail {
    let mut draft = MailDraft::new(id, to, format!("{}: a limit was reached", limit.site_name));
    draft.paragraph(&format!("Visitors of {} have reached a limit.", plain(limit.site_name)));
    draft.paragraph(limit.what);
    draft.paragraph("This mail is sent at most once a day for each limit.");
    draft.link("Open the dashboard", limit.dashboard_url);
    draft.finish()
}

/// Writes the mail that tells the owner which endpoint was disabled, why, and what to do.
#[must_use]
pub fn endpoint_disabled(id: String, to: String, disabled: &EndpointDisabledContent<'_>) -> Mail {
    let reason = match disabled.reason {
        DisabledCause::Gone => "it answered 410 Gone".to_owned(),
        DisabledCause::FailingSince(since) => format!("every delivery to it has failed since {since}"),
    };
    let subject = format!("{}: a webhook was disabled", disabled.site_name);
    let mut draft = MailDraft::new(id, to, subject);
    draft.paragraph(&format!("A webhook of {} was disabled: {reason}.", plain(disabled.site_name)));
    draft.quote("The webhook", disabled.endpoint_url.as_str());
    draft.paragraph("Events are still recorded. Enable it again and replay the missed events here:");
    draft.link("Webhooks", disabled.webhooks_url);
    draft.finish()
}

/// Writes the mail that tells the owner which source failed, why, and that answers still come from
/// the previous sync.
#[must_use]
pub fn source_failing(id: String, to: String, failing: &SourceFailingContent<'_>) -> Mail {
    let mut draft = MailDraft::new(id, to, format!("{}: a source could not be synced", failing.site_name));
    draft.paragraph(&format!("The last sync of a source of {} failed.", plain(failing.site_name)));
    draft.quote("The source", failing.source);
    draft.quote("The reason", failing.reason);
    draft.paragraph("Answers still come from the previous sync.");
    draft.link("Open the source", failing.source_url);
    draft.finish()
}

/// Writes the mail that sends a visitor the conversation.
#[must_use]
pub fn transcript(id: String, to: String, transcript: &TranscriptContent<'_>) -> Mail {
    let mut draft = MailDraft::new(id, to, format!("Your conversation with {}", transcript.site_name));
    draft.paragraph(&format!("This is your conversation with {}.", plain(transcript.site_name)));
    for (author, text) in transcript.messages {
        draft.quote(author, text);
    }
    draft.finish()
}

/// Line above which a visitor answers. Everything from it on is a quotation in an answer.
pub const REPLY_LINE: &str = "Write your answer above this line.";

/// Writes the mail with messages of the team. It contains nothing that a visitor wrote, because the address may be
/// that of somebody else.
#[must_use]
pub fn reply(id: String, to: String, reply: &ReplyMailContent<'_>) -> Mail {
    let mut draft = MailDraft::new(id, to, format!("Your conversation with {}", reply.site_name));
    if reply.reply_to.is_some() {
        draft.paragraph(REPLY_LINE);
    }
    for (author, text) in reply.messages {
        draft.message(author, text);
    }
    draft.paragraph(match reply.reply_to {
        Some(_) => "Reply to this mail to answer. You can also answer in the chat on the website.",
        None => "Please answer in the chat on the website. Replies to this mail are not read.",
    });
    draft.mail.reply_to = reply.reply_to.map(str::to_owned);
    draft.mail.thread = reply.thread.to_vec();
    draft.finish()
}

/// A mail that is being written. Its text and HTML parts have the same content.
struct MailDraft {
    mail: Mail,
}

impl MailDraft {
    fn new(id: String, to: String, subject: String) -> Self {
        let subject = plain(&subject).replace('\n', " ");
        Self {
            mail: Mail {
                id,
                to,
                reply_to: None,
                thread: Vec::new(),
                subject,
                text: String::new(),
                html: String::new(),
            },
        }
    }

    /// Adds text of ours. Names in it were passed through [`plain`].
    fn paragraph(&mut self, text: &str) {
        let text = text.replace('\n', " ");
        self.mail.text += &format!("{text}\n\n");
        self.mail.html += &format!("<p>{}</p>\n", escape(&text));
    }

    /// Adds the text of a stranger as a quotation.
    fn quote(&mut self, label: &str, text: &str) {
        let label = plain(label).replace('\n', " ");
        let text = plain(&clip(text, QUOTE_CHARS));
        let lines: String = text.lines().map(|line| format!("> {line}\n")).collect();
        self.mail.text += &format!("{label}:\n{lines}\n");
        self.mail.html += &format!(
            "<p>{}:</p>\n<blockquote style=\"white-space:pre-wrap\">{}</blockquote>\n",
            escape(&label),
            escape(&text)
        );
    }

    /// Adds the text of a member of the team.
    fn message(&mut self, author: &str, text: &str) {
        let author = plain(author).replace('\n', " ");
        let text = plain(&clip(text, QUOTE_CHARS));
        self.mail.text += &format!("{author}:\n\n{}\n\n", text.trim_end());
        self.mail.html +=
            &format!("<p>{}:</p>\n<div style=\"white-space:pre-wrap\">{}</div>\n", escape(&author), escape(&text));
    }

    /// Adds a link of ours.
    fn link(&mut self, label: &str, url: &Url) {
        self.mail.text += &format!("{label}: {url}\n\n");
        self.mail.html += &format!("<p><a href=\"{}\">{}</a></p>\n", escape(url.as_str()), escape(label));
    }

    fn finish(mut self) -> Mail {
        self.mail.text.truncate(self.mail.text.trim_end().len());
        self.mail.text.push('\n');
        let title = escape(&self.mail.subject);
        self.mail.html = format!(
            "<!doctype html>\n<html><head><meta charset=\"utf-8\"><title>{title}</title></head><body>\n{}</body></html>\n",
            self.mail.html
        );
        self.mail
    }
}

/// Returns at most `chars` characters, with an ellipsis when some were omitted.
fn clip(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns the text without invisible and direction-changing characters, with `\n` as line ends.
fn plain(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n");
    unix.chars().filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || is_invisible(*c))).collect()
}

/// Returns whether `c` is a direction mark or override, a zero-width character other than the joiners
/// that scripts need, an interlinear annotation or a tag character.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
