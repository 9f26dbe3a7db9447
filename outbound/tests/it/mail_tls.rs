//! Mail over TLS: which servers the operator's own authorities make trusted, and that neither a
//! password nor a mail is sent unencrypted where TLS is required.

use std::sync::{Arc, Mutex};

use crate::authority::Authority;
use helpbot_outbound::{CertificateDer, Mail, MailError, Mailer, SendOutcome, SmtpMailer, SmtpSettings};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Must never be sent unencrypted.
const PASSWORD: &str = "open sesame";
/// `\0bot\0open sesame`, as `AUTH PLAIN` encodes it.
const PASSWORD_SENT: &str = "AGJvdABvcGVuIHNlc2FtZQ==";

/// When a server starts TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaks {
    /// From the first byte (SMTPS).
    Always,
    /// After `STARTTLS`, which it offers.
    WhenAsked,
    /// It would, but an attacker on the network removes `STARTTLS` from its offer.
    Stripped,
    /// It offers `STARTTLS`, but rejects it permanently.
    Refuses,
    /// An attacker on the network adds responses after that of `STARTTLS`.
    Injected,
}

/// A line of the client, and whether it arrived through TLS.
type Line = (bool, String);

/// A mail server that records what it receives.
struct Smtp {
    port: u16,
    said: Arc<Mutex<Vec<Line>>>,
}

impl Smtp {
    async fn start(speaks: Speaks, acceptor: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound listener").port();
        let said = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&said);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, kept) = (acceptor.clone(), Arc::clone(&kept));
                tokio::spawn(async move { serve(stream, speaks, &acceptor, &kept).await });
            }
        });
        Self { port, said }
    }

    /// Returns a mailer that logs in to the server and also trusts these authorities.
    fn mailer(&self, scheme: &str, tls: &str, authorities: Vec<CertificateDer<'static>>) -> SmtpMailer {
        let url = format!("{scheme}://bot:open%20sesame@127.0.0.1:{}{tls}", self.port);
        let settings =
            SmtpSettings { url, from: "bot@shop.example".to_owned(), may_send_password_unencrypted: true, authorities };
        SmtpMailer::new(&settings).expect("valid settings")
    }

    fn said(&self) -> Vec<Line> {
        self.said.lock().expect("no panic while held").clone()
    }

    /// The unencrypted commands in order.
    fn in_the_clear(&self) -> Vec<String> {
        self.said().into_iter().filter(|(is_secret, _)| !is_secret).map(|(_, line)| line).collect()
    }
}

async fn serve(mut stream: TcpStream, speaks: Speaks, acceptor: &TlsAcceptor, kept: &Mutex<Vec<Line>>) {
    if speaks != Speaks::Always {
        if stream.write_all(b"220 test\r\n").await.is_err() {
            return;
        }
        let mut clear = BufReader::new(stream);
        if !converse(&mut clear, Some(speaks), kept).await {
            return;
        }
        stream = clear.into_inner();
    }
    let Ok(mut secret) = acceptor.accept(stream).await else { return };
    if speaks == Speaks::Always && secret.write_all(b"220 test\r\n").await.is_err() {
        return;
    }
    converse(&mut BufReader::new(secret), None, kept).await;
}

/// Responds until the client disconnects or starts TLS, and returns whether it started TLS. `clear`
/// says how to behave before TLS.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    clear: Option<Speaks>,
    kept: &Mutex<Vec<Line>>,
) -> bool {
    let mut in_data = false;
    loop {
        let mut line = String::new();
        if !matches!(stream.read_line(&mut line).await, Ok(1..)) {
            return false;
        }
        let line = line.trim_end().to_owned();
        kept.lock().expect("no panic while held").push((clear.is_none(), line.clone()));
        let reply = match line.split([' ', ':']).next() {
            _ if in_data && line != "." => continue,
            Some("EHLO") if matches!(clear, None | Some(Speaks::Stripped)) => "250-test\r\n250 AUTH PLAIN",
            Some("EHLO") => "250-test\r\n250-STARTTLS\r\n250 AUTH PLAIN",
            Some("STARTTLS") if clear == Some(Speaks::Refuses) => "554 never",
            Some("STARTTLS") => "220 go on",
            Some("AUTH") if line == format!("AUTH PLAIN {PASSWORD_SENT}") => "235 welcome",
            Some("AUTH") => "535 bad credentials",
            Some("DATA") => "354 go on",
            Some("QUIT") => "221 bye",
            _ => "250 ok",
        };
        in_data = reply.starts_with("354");
        let injected = if clear == Some(Speaks::Injected) && reply == "220 go on" { INJECTED } else { "" };
        if stream.write_all(format!("{reply}\r\n{injected}").as_bytes()).await.is_err() {
            return false;
        }
        if clear.is_some() && reply == "220 go on" {
            return true;
        }
    }
}

/// Responses that would make a client believe that its mail was accepted: to EHLO, AUTH, MAIL,
/// RCPT, DATA and the mail.
const INJECTED: &str = "250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 ok\r\n250 taken\r\n";

fn mail() -> Mail {
    Mail {
        id: "dlv_01".to_owned(),
        to: "owner@shop.example".to_owned(),
        reply_to: None,
        thread: Vec::new(),
        subject: "A question".to_owned(),
        text: "Plain words.".to_owned(),
        html: "<p>Plain words.</p>".to_owned(),
    }
}

/// Starts a server with a certificate of its own authority, and returns both.
async fn server(speaks: Speaks) -> (Smtp, Authority) {
    let authority = Authority::new();
    let smtp = Smtp::start(speaks, authority.acceptor("127.0.0.1", 2999, &[])).await;
    (smtp, authority)
}

#[tokio::test]
async fn the_operators_authority_is_trusted_over_starttls_and_nothing_is_sent_before() {
    let (smtp, authority) = server(Speaks::WhenAsked).await;

    let sent = smtp.mailer("smtp", "?tls=required", vec![authority.certificate()]).send(&mail()).await;

    assert_eq!(sent.expect("taken"), SendOutcome::Accepted);
    assert_eq!(smtp.in_the_clear(), ["EHLO shop.example", "STARTTLS"]);
    let secret: Vec<String> = smtp.said().into_iter().filter(|(is_secret, _)| *is_secret).map(|it| it.1).collect();
    assert!(secret.contains(&format!("AUTH PLAIN {PASSWORD_SENT}")), "{secret:?}");
    assert!(secret.contains(&"<p>Plain words.</p>".to_owned()));
}

#[tokio::test]
async fn the_operators_authority_is_trusted_with_implicit_tls() {
    let (smtp, authority) = server(Speaks::Always).await;

    let sent = smtp.mailer("smtps", "", vec![authority.certificate()]).send(&mail()).await;

    assert_eq!(sent.expect("taken"), SendOutcome::Accepted);
    assert!(smtp.in_the_clear().is_empty());
    assert!(smtp.said().contains(&(true, "RCPT TO:<owner@shop.example>".to_owned())));
}

#[tokio::test]
async fn without_starttls_neither_password_nor_mail_is_sent_and_the_mail_waits() {
    for speaks in [Speaks::Stripped, Speaks::Refuses] {
        let (smtp, authority) = server(speaks).await;

        let refused = smtp.mailer("smtp", "?tls=required", vec![authority.certificate()]).send(&mail()).await;

        let error = refused.expect_err("not sent");
        assert!(error.is_retryable(), "{error:?}");
        let said = smtp.in_the_clear();
        let harmless = |line: &String| ["EHLO", "STARTTLS", "QUIT"].iter().any(|word| line.starts_with(word));
        assert!(said.iter().all(harmless), "{said:?}");
        assert_eq!(said.len(), smtp.said().len());
        assert!(!said.iter().any(|line| line.contains(PASSWORD) || line.contains(PASSWORD_SENT)));
    }
}

#[tokio::test]
async fn a_server_with_an_untrusted_certificate_gets_no_mail_and_the_mail_waits() {
    let (stranger, theirs) = (Authority::new(), Authority::new());
    for (scheme, tls, speaks) in [("smtp", "?tls=required", Speaks::WhenAsked), ("smtps", "", Speaks::Always)] {
        for (name, trusted) in [("127.0.0.1", None), ("127.0.0.1", Some(&stranger)), ("127.0.0.2", Some(&theirs))] {
            let smtp = Smtp::start(speaks, theirs.acceptor(name, 2999, &[])).await;
            let authorities = trusted.iter().map(|authority| authority.certificate()).collect();

            let error = smtp.mailer(scheme, tls, authorities).send(&mail()).await.expect_err("not trusted");

            assert!(matches!(error, MailError::Insecure(_)) && error.is_retryable(), "{error:?}");
            assert!(error.to_string().contains("the certificate"), "{error}");
            let said = smtp.said();
            assert!(said.iter().all(|(_, line)| line.starts_with("EHLO") || line == "STARTTLS"), "{said:?}");
        }
    }
}

#[tokio::test]
async fn responses_injected_before_tls_are_not_trusted() {
    let (smtp, authority) = server(Speaks::Injected).await;

    let sent = smtp.mailer("smtp", "?tls=required", vec![authority.certificate()]).send(&mail()).await;

    let error = sent.expect_err("not believed");
    assert!(error.is_retryable(), "{error:?}");
    assert!(!smtp.said().iter().any(|(_, line)| line.contains(PASSWORD_SENT)));
}
