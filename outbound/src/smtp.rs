//! The operator's mail server: one connection per mail.
//!
//! Lettre implements SMTP. This file decides what is sent before TLS starts and how far responses
//! are trusted. Where TLS is required, only `EHLO` and `STARTTLS` are sent without it, and
//! responses that an attacker injects after that of `STARTTLS` break the handshake
//! ([`LineByLine`]). Only a response to the mail itself rejects it permanently. An operator can fix
//! what the server rejects before that (and an attacker could forge it), so the mail waits.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, Tls, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Url};

use crate::error::{SetupError, explain_tls, find};
use crate::mail::{Mail, MailError, Mailer, SendOutcome, Sending, compose};

/// Timeout for connecting. The caller limits the whole exchange. RFC 5321 allows minutes, which a
/// queue with retries does not need.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Ports according to RFC 5321, RFC 6409 and RFC 8314.
const SMTP_PORT: u16 = 25;
const SUBMISSION_PORT: u16 = 587;
const SUBMISSIONS_PORT: u16 = 465;

/// Settings of the operator's mail server.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// URL: `smtps://user:password@host:465` or `smtp://user:password@host:587?tls=required`.
    /// Credentials are percent-encoded.
    pub url: String,
    /// Sender, as an address or `Name <address>`.
    pub from: String,
    /// Whether the password may be sent without TLS, for a mail server that the operator reaches through a
    /// trusted network.
    pub may_send_password_unencrypted: bool,
    /// Certificate authorities of the operator, which are trusted in addition to Mozilla's.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// Sends mail through an SMTP server, with one connection per mail.
pub struct SmtpMailer {
    from: Mailbox,
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
}

impl SmtpMailer {
    /// Creates a mailer. It does not connect yet.
    ///
    /// # Errors
    /// `Smtp` and `From` name the invalid setting; `Authority` when a certificate authority is not
    /// a valid certificate.
    pub fn new(settings: &SmtpSettings) -> Result<Self, SetupError> {
        let from: Mailbox = settings.from.parse().map_err(|_| SetupError::From(settings.from.clone()))?;
        let url = Url::parse(&settings.url).map_err(|_| SetupError::Smtp("it is not a URL"))?;
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(SetupError::Smtp("it contains no host")),
        };
        let (tls, usual_port) = tls(&url, &host, &settings.authorities)?;
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
            None => None,
        };
        let may_be_unencrypted = matches!(tls, Tls::None | Tls::Opportunistic(_));
        if credentials.is_some() && may_be_unencrypted && !settings.may_send_password_unencrypted {
            return Err(SetupError::Smtp(
                "it would send the password without TLS; use smtps:// or add ?tls=required, or set smtp_plaintext_password to on",
            ));
        }
        Ok(Self { from, host, port: url.port().unwrap_or(usual_port), tls, credentials })
    }

    async fn hand_over(&self, mail: &Mail) -> Result<(), MailError> {
        let message = compose(&self.from, mail)?;
        let mut connection = self.connect().await?;
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(before_the_mail)?;
        }
        let taken = connection.send(message.envelope(), &message.formatted()).await;
        // This sends QUIT, unless the connection is broken.
        connection.abort().await;
        taken.map(drop).map_err(of_the_mail)
    }

    /// Opens a connection that is as secure as the settings require.
    async fn connect(&self) -> Result<AsyncSmtpConnection, MailError> {
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let server = (self.host.as_str(), self.port);
        if let Tls::Wrapper(parameters) = &self.tls {
            let parameters = Some(parameters.clone());
            let connected =
                AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_TIMEOUT), &hello, parameters, None).await;
            return connected.map_err(before_the_mail);
        }
        let stream = match timeout(CONNECT_TIMEOUT, TcpStream::connect(server)).await {
            Ok(connected) => connected.map_err(MailError::Unreachable)?,
            Err(late) => return Err(MailError::Unreachable(late.into())),
        };
        let stream = Box::new(LineByLine(BufReader::new(stream)));
        let mut connection =
            AsyncSmtpConnection::connect_with_transport(stream, &hello).await.map_err(before_the_mail)?;
        match &self.tls {
            Tls::Opportunistic(_) if !connection.can_starttls() => {}
            Tls::Required(_) if !connection.can_starttls() => {
                connection.abort().await;
                return Err(MailError::Insecure("the server does not offer STARTTLS"));
            }
            Tls::Required(parameters) | Tls::Opportunistic(parameters) => {
                connection.starttls(parameters.clone(), &hello).await.map_err(before_the_mail)?;
            }
            _ => {}
        }
        Ok(connection)
    }
}

impl Mailer for SmtpMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(async move { self.hand_over(mail).await.map(|()| SendOutcome::Accepted) })
    }
}

/// Returns when TLS starts and which certificates are trusted, and the usual port for that.
fn tls(url: &Url, host: &str, authorities: &[CertificateDer<'static>]) -> Result<(Tls, u16), SetupError> {
    let mut parameters = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
    for authority in authorities {
        let certificate = Certificate::from_der(authority.to_vec()).map_err(|_| SetupError::Authority)?;
        parameters = parameters.add_root_certificate(certificate);
    }
    let parameters = parameters.build_rustls().map_err(|_| SetupError::Authority)?;
    let wanted = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    match (url.scheme(), wanted.as_deref()) {
        ("smtps", _) => Ok((Tls::Wrapper(parameters), SUBMISSIONS_PORT)),
        ("smtp", None) => Ok((Tls::None, SMTP_PORT)),
        ("smtp", Some("required")) => Ok((Tls::Required(parameters), SUBMISSION_PORT)),
        ("smtp", Some("opportunistic")) => Ok((Tls::Opportunistic(parameters), SUBMISSION_PORT)),
        ("smtp", Some(_)) => Err(SetupError::Smtp("the parameter tls must be required or opportunistic")),
        _ => Err(SetupError::Smtp("it must start with smtp:// or smtps://")),
    }
}

/// Decodes the percent-encoding of a part of a URL.
fn decoded(text: &str) -> Result<String, SetupError> {
    let wrong = || SetupError::Smtp("the user name or the password is not percent-encoded UTF-8");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or_else(wrong)?);
        rest = &after[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// Classifies a failure before the mail was sent. The mail may succeed later.
fn before_the_mail(error: Error) -> MailError {
    match error.status() {
        Some(status) => MailError::NotNow(u16::from(status)),
        None => without_status(error),
    }
}

/// Classifies a failure while the mail was sent. When the server rejects our settings, the mail
/// waits until the operator has fixed them.
fn of_the_mail(error: Error) -> MailError {
    match error.status().map(u16::from) {
        Some(status @ (530 | 534 | 535 | 538)) => MailError::NotNow(status),
        Some(status @ 500..) => MailError::Refused(status),
        Some(status) => MailError::NotNow(status),
        None => without_status(error),
    }
}

fn without_status(error: Error) -> MailError {
    if let Some(tls) = find::<rustls::Error>(&error) {
        return MailError::Insecure(explain_tls(tls));
    }
    if error.is_client() { MailError::Unable(error) } else { MailError::Broken(error) }
}

/// A connection that returns at most one line per read.
///
/// Lettre keeps the bytes that it has read beyond the response to `STARTTLS`, and treats them as
/// responses that arrived through TLS. An attacker on the network could thereby make it believe
/// that a mail was accepted. When it can read only the response itself, the bytes behind it go to
/// the TLS handshake, which fails on them.
#[derive(Debug)]
struct LineByLine(BufReader<TcpStream>);

impl AsyncTokioStream for LineByLine {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().peer_addr()
    }
}

impl AsyncRead for LineByLine {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = match Pin::new(&mut self.0).poll_fill_buf(cx) {
            Poll::Ready(read) => read?,
            Poll::Pending => return Poll::Pending,
        };
        let line = read.iter().position(|byte| *byte == b'\n').map_or(read.len(), |end| end + 1);
        let given = line.min(buffer.remaining());
        buffer.put_slice(&read[..given]);
        Pin::new(&mut self.0).consume(given);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineByLine {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_of_credentials_is_decoded() {
        assert_eq!(decoded("p%40ss+%C3%BC%2B").expect("well-formed"), "p@ss+\u{fc}+");
        for wrong in ["50%", "%4", "%zz", "%C3", "%+1", "%\u{fc}"] {
            assert!(decoded(wrong).is_err(), "{wrong}");
        }
    }
}
