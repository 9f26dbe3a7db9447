//! The mails that HelpBot writes: handoffs and alerts to the owner, transcripts to the visitor.
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

/// A mail that is being written. Its text and HTML parts have the same content.
struct MailDraft {
    mail: Mail,
}

impl MailDraft {
    fn new(id: String, to: String, subject: String) -> Self {
        let subject = plain(&subject).replace('\n', " ");
        Self { mail: Mail { id, to, reply_to: None, subject, text: String::new(), html: String::new() } }
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
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    fn handoff_with(question: &str, email: Option<&str>) -> Mail {
        let inbox_url = url("https://help.example/dashboard/inbox/conv_1");
        let content = HandoffContent {
            site_name: "Tea & Co",
            question,
            answer: "Within 30 days.\nSee our terms.",
            customer_email: email,
            inbox_url: &inbox_url,
        };
        handoff("dlv_1".to_owned(), "owner@tea.example".to_owned(), &content)
    }

    #[test]
    fn text_and_html_of_a_handoff_have_the_same_content() {
        let mail = handoff_with("Can I return an opened box?", Some(" ann@home.example "));

        assert_eq!(mail.subject, "Tea & Co: Can I return an opened box?");
        assert_eq!(mail.reply_to.as_deref(), Some("ann@home.example"));
        assert_eq!(
            mail.text,
            "A visitor of Tea & Co asks to talk to a human.\n\n\
             They asked:\n> Can I return an opened box?\n\n\
             The bot answered:\n> Within 30 days.\n> See our terms.\n\n\
             Reply to this mail to write to ann@home.example.\n\n\
             Open the conversation: https://help.example/dashboard/inbox/conv_1\n"
        );
        assert_eq!(
            mail.html,
            "<!doctype html>\n<html><head><meta charset=\"utf-8\">\
             <title>Tea &amp; Co: Can I return an opened box?</title></head><body>\n\
             <p>A visitor of Tea &amp; Co asks to talk to a human.</p>\n\
             <p>They asked:</p>\n\
             <blockquote style=\"white-space:pre-wrap\">Can I return an opened box?</blockquote>\n\
             <p>The bot answered:</p>\n\
             <blockquote style=\"white-space:pre-wrap\">Within 30 days.\nSee our terms.</blockquote>\n\
             <p>Reply to this mail to write to ann@home.example.</p>\n\
             <p><a href=\"https://help.example/dashboard/inbox/conv_1\">Open the conversation</a></p>\n\
             </body></html>\n"
        );
    }

    #[test]
    fn hostile_text_is_escaped() {
        let mail = handoff_with(
            "</title><script>alert('x')</script><a href=\"https://evil.example\">\u{202e}hi\u{e0041}\0",
            None,
        );

        for part in [&mail.subject, &mail.text, &mail.html] {
            assert!(!part.contains(['\u{202e}', '\u{e0041}', '\0']), "{part}");
        }
        assert!(!mail.html.contains("<script") && !mail.html.contains("evil.example\">"));
        assert_eq!(mail.html.matches("</title>").count(), 1);
        assert_eq!(mail.html.matches("<a ").count(), 1);
        assert!(mail.html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    }

    #[test]
    fn a_visitor_cannot_imitate_our_lines() {
        let forged = "Hi\r\n\r\nOpen the conversation: https://evil.example\u{2028}Bye\rX";
        let mail = handoff_with(forged, None);

        assert!(mail.text.contains("> Hi\n> \n> Open the conversation: https://evil.example\n> Bye\n> X\n"));
        assert_eq!(mail.text.lines().filter(|line| line.starts_with("Open the conversation")).count(), 1);
        assert!(!mail.subject.contains('\n'));
    }

    #[test]
    fn an_invalid_address_is_shown_and_not_used() {
        let mail = handoff_with("Hi", Some("ann@home.example, all@tea.example"));

        assert_eq!(mail.reply_to, None);
        assert!(mail.text.contains("They left an invalid address:\n> ann@home.example, all@tea.example\n"));
    }

    #[test]
    fn long_texts_are_clipped() {
        let mail = handoff_with(&"why ".repeat(10_000), None);

        assert_eq!(mail.subject.chars().count(), "Tea & Co: ".len() + SUBJECT_CHARS + 1);
        assert!(mail.text.len() < QUOTE_CHARS + 1000);
    }

    #[test]
    fn the_mail_about_a_disabled_endpoint_names_it_and_the_reason() {
        let (endpoint_url, webhooks_url) = (url("https://shop.example/h?a=1&b=2"), url("https://help.example/w"));
        let mail = |reason| {
            let content = EndpointDisabledContent {
                site_name: "Tea",
                endpoint_url: &endpoint_url,
                reason,
                webhooks_url: &webhooks_url,
            };
            endpoint_disabled("m".to_owned(), "o@tea.example".to_owned(), &content)
        };

        let gone = mail(DisabledCause::Gone);
        let failing = mail(DisabledCause::FailingSince(Timestamp::from_ms(1_705_314_600_000)));

        assert_eq!(gone.subject, "Tea: a webhook was disabled");
        assert!(gone.text.starts_with("A webhook of Tea was disabled: it answered 410 Gone.\n"));
        assert!(gone.html.contains("https://shop.example/h?a=1&amp;b=2</blockquote>"));
        assert!(failing.text.contains("every delivery to it has failed since 2024-01-15T10:30:00.000Z."));
    }

    #[test]
    fn the_mail_about_a_failing_source_says_that_answers_continue() {
        let source_url = url("https://help.example/s");
        let content = SourceFailingContent {
            site_name: "Tea",
            source: "https://tea.example/faq",
            reason: "the server did not answer within 15 s",
            source_url: &source_url,
        };
        let mail = source_failing("m".to_owned(), "o@tea.example".to_owned(), &content);

        assert!(mail.text.contains("The reason:\n> the server did not answer within 15 s\n"));
        assert!(mail.text.contains("Answers still come from the previous sync."));
    }

    #[test]
    fn a_transcript_quotes_every_message_in_order() {
        let messages = [("You", "Hello?"), ("<b>Bot</b>", "Hi & bye")];
        let content = TranscriptContent { site_name: "Tea", messages: &messages };
        let mail = transcript("m".to_owned(), "ann@home.example".to_owned(), &content);

        assert!(mail.text.contains("You:\n> Hello?\n\n<b>Bot</b>:\n> Hi & bye\n"));
        assert!(mail.html.contains("<p>&lt;b&gt;Bot&lt;/b&gt;:</p>"));
        assert_eq!(mail.reply_to, None);
    }
}
