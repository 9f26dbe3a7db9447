//! Mail through a scripted SMTP server: what arrives, and how rejections are classified.

use std::sync::{Arc, Mutex};

use helpbot_outbound::{LogMailer, Mail, MailError, Mailer, SendOutcome, SmtpMailer, SmtpSettings};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A server with chosen responses to `RCPT` and `AUTH` that records what it receives.
struct Smtp {
    url: String,
    received: Arc<Mutex<Vec<String>>>,
}

impl Smtp {
    async fn start(rcpt_reply: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("smtp://{}", listener.local_addr().expect("a bound listener"));
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move { converse(stream, rcpt_reply, &kept).await });
            }
        });
        Self { url, received }
    }

    fn mailer(&self) -> SmtpMailer {
        SmtpMailer::new(&settings(&self.url, "HelpBot <bot@shop.example>")).expect("valid settings")
    }

    /// Returns all lines of all connections.
    fn received(&self) -> Vec<String> {
        self.received.lock().expect("no panic while held").clone()
    }
}

async fn converse(stream: TcpStream, rcpt_reply: &str, kept: &Mutex<Vec<String>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let _ = write.write_all(b"220 test\r\n").await;
    let mut in_data = false;
    while let Ok(Some(line)) = lines.next_line().await {
        kept.lock().expect("no panic while held").push(line.clone());
        let reply = match line.split([' ', ':']).next() {
            _ if in_data && line == "." => {
                in_data = false;
                "250 taken"
            }
            _ if in_data => continue,
            Some("EHLO") => "250-test\r\n250 AUTH PLAIN",
            Some("AUTH") => "535 bad credentials",
            Some("RCPT") => rcpt_reply,
            Some("DATA") => {
                in_data = true;
                "354 go on"
            }
            Some("QUIT") => "221 bye",
            _ => "250 ok",
        };
        if write.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

fn settings(url: &str, from: &str) -> SmtpSettings {
    SmtpSettings {
        url: url.to_owned(),
        from: from.to_owned(),
        may_send_password_unencrypted: true,
        authorities: Vec::new(),
    }
}

fn mail() -> Mail {
    Mail {
        id: "dlv_01".to_owned(),
        to: "owner@shop.example".to_owned(),
        reply_to: Some("visitor@home.example".to_owned()),
        thread: Vec::new(),
        subject: "Zur\u{fc}ck: a question".to_owned(),
        text: "Plain words.".to_owned(),
        html: "<p>Plain words.</p>".to_owned(),
    }
}

/// Returns the values of the header `name`, unfolded.
fn header<'a>(lines: &'a [String], name: &str) -> Vec<&'a str> {
    lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

#[tokio::test]
async fn a_mail_arrives_with_text_html_and_reply_address() {
    let smtp = Smtp::start("250 ok").await;

    let sent = smtp.mailer().send(&mail()).await.expect("taken");

    let lines = smtp.received();
    assert_eq!(sent, SendOutcome::Accepted);
    assert_eq!(lines[0], "EHLO shop.example");
    assert!(lines.contains(&"RCPT TO:<owner@shop.example>".to_owned()));
    assert_eq!(header(&lines, "To"), ["owner@shop.example"]);
    assert_eq!(header(&lines, "Reply-To"), ["visitor@home.example"]);
    assert_eq!(header(&lines, "Auto-Submitted"), ["auto-generated"], "no out-of-office note answers it");
    assert_eq!(header(&lines, "From"), ["HelpBot <bot@shop.example>"]);
    assert_eq!(header(&lines, "Message-ID"), ["<dlv_01@shop.example>"]);
    assert_eq!(header(&lines, "Subject").len(), 1);
    assert_eq!(header(&lines, "Content-Type")[1..], ["text/plain; charset=utf-8", "text/html; charset=utf-8"]);
    assert!(lines.contains(&"<p>Plain words.</p>".to_owned()));
}

#[tokio::test]
async fn a_mail_of_a_thread_names_the_mails_before_it() {
    let smtp = Smtp::start("250 ok").await;
    let thread = ["dlv_00", "answer-1@home.example", "a b>\r\nBcc: c@d.example@home.example"].map(str::to_owned);

    smtp.mailer().send(&Mail { thread: thread[..2].to_vec(), ..mail() }).await.expect("taken");
    smtp.mailer().send(&Mail { thread: thread.to_vec(), ..mail() }).await.expect("taken");

    let lines = smtp.received();
    assert_eq!(header(&lines, "In-Reply-To")[0], "<answer-1@home.example>");
    assert_eq!(header(&lines, "References")[0], "<dlv_00@shop.example> <answer-1@home.example>");
    assert_eq!(header(&lines, "In-Reply-To")[1], "<abBcc:c@d.example@home.example>");
    assert!(header(&lines, "Bcc").is_empty());
}

#[tokio::test]
async fn no_field_can_add_a_header_or_a_recipient() {
    let smtp = Smtp::start("250 ok").await;
    let injected = "Hi\r\nBcc: all@shop.example\r\n\r\nX\u{2028}Y\0Z";
    let crafted = Mail { id: "a>\r\nBcc: b".to_owned(), subject: injected.to_owned(), ..mail() };
    let body = Mail { text: "a\r\n.\r\nMAIL FROM:<x@y.example>".to_owned(), ..mail() };
    let addresses = [
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example, c@d.example",
        "A <a@b.example>",
        "a@b.example>\nRCPT TO:<c@d.example",
        "",
    ];

    smtp.mailer().send(&crafted).await.expect("taken");
    smtp.mailer().send(&body).await.expect("taken");
    for bad in addresses {
        let to = Mail { to: bad.to_owned(), ..mail() };
        let reply = Mail { reply_to: Some(bad.to_owned()), ..mail() };
        assert!(matches!(smtp.mailer().send(&to).await, Err(MailError::Address { field: "to" })), "{bad:?}");
        assert!(matches!(smtp.mailer().send(&reply).await, Err(MailError::Address { field: "reply_to" })), "{bad:?}");
    }

    let lines = smtp.received();
    assert_eq!(header(&lines, "Subject")[0], "Hi Bcc: all@shop.example X Y Z");
    assert_eq!(header(&lines, "Message-ID")[0], "<aBccb@shop.example>");
    assert!(header(&lines, "Bcc").is_empty());
    assert_eq!(lines.iter().filter(|line| line.starts_with("RCPT")).count(), 2);
    assert_eq!(lines.iter().filter(|line| line.starts_with("MAIL FROM:<bot@")).count(), 2);
    // The line is dot-stuffed: the mail did not end at the visitor's own dot.
    assert!(lines.contains(&"..".to_owned()));
}

#[tokio::test]
async fn rejections_are_retried_only_when_that_can_help() {
    let verdict = async |reply| {
        let smtp = Smtp::start(reply).await;
        let error = smtp.mailer().send(&mail()).await.expect_err("refused");
        (error.code(), error.is_retryable())
    };

    assert_eq!(verdict("550 no such user").await, ("MAIL_REFUSED", false));
    assert_eq!(verdict("451 greylisted").await, ("MAIL_NOT_NOW", true));
    assert_eq!(verdict("530 authentication required").await, ("MAIL_NOT_NOW", true));
}

#[tokio::test]
async fn a_mail_waits_when_the_server_accepts_no_mail() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("smtp://{}", listener.local_addr().expect("a bound listener"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"554 no mail here\r\n").await;
        }
    });
    let mailer = SmtpMailer::new(&settings(&url, "bot@shop.example")).expect("valid settings");

    let error = mailer.send(&mail()).await.expect_err("refused");

    assert!(matches!(error, MailError::NotNow(554)) && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_mail_waits_when_our_credentials_are_wrong() {
    let smtp = Smtp::start("250 ok").await;
    let url = smtp.url.replace("smtp://", "smtp://user:wrong@");
    let mailer = SmtpMailer::new(&settings(&url, "bot@shop.example")).expect("valid settings");

    let error = mailer.send(&mail()).await.expect_err("refused");

    assert!(matches!(error, MailError::NotNow(535)) && error.is_retryable());
}

#[tokio::test]
async fn a_mail_waits_when_the_server_is_unreachable() {
    let url = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("smtp://{}", listener.local_addr().expect("a bound listener"))
    };
    let mailer = SmtpMailer::new(&settings(&url, "bot@shop.example")).expect("valid settings");

    let error = mailer.send(&mail()).await.expect_err("nobody there");

    assert!(matches!(error, MailError::Unreachable(_)) && error.is_retryable());
}

#[tokio::test]
async fn without_a_server_mail_is_only_logged() {
    assert_eq!(LogMailer.send(&mail()).await.expect("logged"), SendOutcome::OnlyLogged);
}

#[test]
fn wrong_settings_are_named() {
    let bad_from = SmtpMailer::new(&settings("smtp://mail.example", "nobody")).err().expect("refused");
    let bad_url = SmtpMailer::new(&settings("http://mail.example", "a@b.example")).err().expect("refused");

    assert_eq!(bad_from.to_string(), "`nobody` is not an e-mail address");
    assert_eq!(bad_url.to_string(), "the SMTP URL is not valid: it must start with smtp:// or smtps://");
}

#[test]
fn a_password_without_required_tls_needs_a_setting() {
    let with = |url: &str, may_send_password_unencrypted| {
        let settings = SmtpSettings { may_send_password_unencrypted, ..settings(url, "a@b.example") };
        SmtpMailer::new(&settings).map(drop).map_err(|error| error.to_string())
    };

    for url in ["smtp://bot:secret@mail.example", "smtp://bot:secret@mail.example?tls=opportunistic"] {
        let refused = with(url, false).expect_err("it is refused");
        assert!(refused.contains("it would send the password without TLS"), "{refused}");
        assert!(!refused.contains("secret@"), "{refused}");
        assert_eq!(with(url, true), Ok(()));
    }
    for url in ["smtp://mail.example", "smtp://bot:secret@mail.example?tls=required", "smtps://bot:secret@mail.example"]
    {
        assert_eq!(with(url, false), Ok(()), "{url}");
    }
}
