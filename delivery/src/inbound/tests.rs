//! Tests of parsing the mails of visitors.

use super::*;

fn parsed(raw: &str) -> ReceivedMail {
    parse(raw.replace('\n', "\r\n").as_bytes()).expect("a message")
}

const PLAIN: &str = "From: Ann <ann@home.example>
To: \"Shop\" <reply+abc@reply.shop.example>, Bob <bob@home.example>
Delivered-To: <inbox@shop.example>
Subject: Re: Your conversation
Message-ID: <answer-1@home.example>
In-Reply-To: <0190-second@shop.example>
References: <0190-first@shop.example> <0190-second@shop.example>
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe!

On Mon, 30 Nov 2026 at 10:00, Shop <help@shop.example> wrote:
> Hello
";

#[test]
fn an_answer_has_its_text_its_thread_and_its_recipients() {
    let mail = parsed(PLAIN);

    assert_eq!(mail.text, "Grüße!");
    assert_eq!(mail.message_id, "answer-1@home.example");
    assert_eq!(mail.references[..2], ["0190-second", "0190-second"]);
    assert!(mail.references.contains(&"0190-first".to_owned()), "{:?}", mail.references);
    for recipient in ["reply+abc@reply.shop.example", "bob@home.example", "inbox@shop.example"] {
        assert!(mail.recipients.iter().any(|known| known == recipient), "{:?}", mail.recipients);
    }
    assert!(!mail.is_automatic);
}

#[test]
fn html_and_attachments_become_text() {
    let mail = parsed(
        "From: ann@home.example
To: reply+abc@reply.shop.example
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p>Yes, <b>please</b>.</p><div>On Mon, 30 Nov 2026, Shop &lt;help@shop.example&gt; wrote:</div><blockquote>Hello</blockquote>
--b
Content-Type: image/png; name=photo.png
Content-Disposition: attachment; filename=photo.png
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--b--
",
    );

    assert_eq!(mail.text, "Yes, please.\n\n[One attachment was not kept.]");
    assert_eq!(mail.message_id.len(), 64, "the hash of the message");
}

#[test]
fn what_programs_write_is_recognized() {
    for header in [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (vacation)",
        "Precedence: bulk",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
        "List-Id: <news.home.example>",
        "Return-Path: <>",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        "From: MAILER-DAEMON@home.example",
    ] {
        let raw = format!("{header}\nTo: reply+abc@reply.shop.example\n\nI am away.\n");
        assert!(parsed(&raw).is_automatic, "{header}");
    }
    for header in ["Auto-Submitted: no", "Precedence: normal", "Return-Path: <ann@home.example>"] {
        let raw = format!("From: ann@home.example\n{header}\n\nHere I am.\n");
        assert!(!parsed(&raw).is_automatic, "{header}");
    }
}

#[test]
fn no_bytes_make_the_parser_fail() {
    let raw = PLAIN.replace('\n', "\r\n").into_bytes();
    for end in 0..raw.len() {
        drop(parse(&raw[..end]));
        let mut broken = raw.clone();
        broken[end] = 0xff;
        drop(parse(&broken));
    }
    assert!(parse(b"").is_none());
}
