//! Tests of the mails: their two parts, and what strangers cannot do with them.

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
    let mail =
        handoff_with("</title><script>alert('x')</script><a href=\"https://evil.example\">\u{202e}hi\u{e0041}\0", None);

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

#[test]
fn a_digest_shows_each_handoff_and_counts_the_others() {
    let (one, two, inbox) = (url("https://h.example/i/1"), url("https://h.example/i/2"), url("https://h.example/i"));
    let content = |question, customer_email, inbox_url| HandoffContent {
        site_name: "Tea & Co",
        question,
        answer: "",
        customer_email,
        inbox_url,
    };
    let both = [
        content("First?\r\nOpen the inbox: https://evil.example", Some("ann@home.example"), &one),
        content("Second?", Some("x, y@home.example"), &two),
    ];
    let mail = handoff_digest("m".to_owned(), "o@tea.example".to_owned(), "Tea & Co", &both, 3, &inbox);

    assert_eq!(mail.subject, "Tea & Co: 5 requests for a human");
    assert_eq!(mail.reply_to, None);
    assert!(mail.text.contains("> First?\n> Open the inbox: https://evil.example\n"), "{}", mail.text);
    assert!(mail.text.contains("They left the address ann@home.example."));
    assert!(mail.text.contains("> Second?\n\nThey left no valid address. Answer in the inbox.\n"));
    assert!(mail.text.contains("This mail does not show 3 more."));
    assert_eq!(mail.text.lines().filter(|line| line.starts_with("Open the inbox")).count(), 1);
    assert!(mail.html.contains("href=\"https://h.example/i/2\""));
}

#[test]
fn the_mail_with_a_code_contains_only_our_words() {
    let mail = transcript_code("m".to_owned(), "ann@home.example".to_owned(), "Tea", "042137");

    assert_eq!(mail.subject, "042137 is your code for Tea");
    assert_eq!(
        mail.text,
        "Your code for Tea is 042137.\n\nEnter it in the chat to receive your conversation by e-mail. The code \
         expires after 15 minutes.\n\nIf you did not ask for a code, ignore this mail.\n"
    );
    assert!(!mail.html.contains("<a "));
}

#[test]
fn the_mail_about_a_limit_names_it() {
    let dashboard_url = url("https://help.example/dashboard");
    let content = LimitContent { site_name: "Tea", what: "All credits are used.", dashboard_url: &dashboard_url };
    let mail = limit("m".to_owned(), "o@tea.example".to_owned(), &content);

    assert_eq!(mail.subject, "Tea: a limit was reached");
    assert!(mail.text.contains("All credits are used.\n\nThis mail is sent at most once a day for each limit.\n"));
}
