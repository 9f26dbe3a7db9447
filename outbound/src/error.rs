//! Why a fetch, delivery or stream failed: a closed list with texts for the site's owner.
//!
//! The texts contain no resolved address, because they must not reveal the operator's network.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use rustls::CertificateError;

use crate::dial::{Dial, DialError};
use crate::policy::UrlError;

/// Why an exchange failed. `Display` is for the site's owner, [`FetchError::code`] for rows and
/// APIs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("the host name resolves to a private or reserved address")]
    AddressNotAllowed,
    #[error("the host name was not resolved within {}", seconds(.0))]
    DnsTimeout(Duration),
    #[error("the host name could not be resolved")]
    DnsFailed,
    #[error("the connection was not established within {}", seconds(.0))]
    ConnectTimeout(Duration),
    #[error("the server refused the connection or could not be reached")]
    ConnectFailed,
    #[error("the TLS connection failed: {0}")]
    Tls(&'static str),
    #[error("the server did not answer within {}", seconds(.0))]
    FirstByteTimeout(Duration),
    #[error("the exchange took longer than {}", seconds(.0))]
    TotalTimeout(Duration),
    #[error("the server sent nothing for {}", seconds(.0))]
    IdleTimeout(Duration),
    #[error("the server sent less than {0} bytes per second")]
    TooSlow(u64),
    #[error("the response is larger than {}", size(*.0))]
    TooLarge(u64),
    #[error("the response is larger than {} when decompressed", size(*.0))]
    TooLargeDecoded(u64),
    #[error("the response decompresses to more than {0} times its size")]
    Bomb(u64),
    #[error("the response uses a compression that was not requested")]
    Encoding,
    #[error("the compressed response is damaged")]
    Damaged,
    #[error("the URL redirects more than {0} times")]
    TooManyRedirects(usize),
    #[error("the URL redirects from https to http")]
    RedirectDowngrade,
    #[error("the redirect has no valid target")]
    RedirectInvalid,
    #[error("the URL redirects to a URL that is not allowed: {0}")]
    RedirectRefused(#[source] UrlError),
    #[error("the server closed the connection or does not speak HTTP")]
    Broken,
}

impl FetchError {
    /// Returns a stable code for logs, rows and API extensions.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url(error) => error.code(),
            Self::AddressNotAllowed => "ADDRESS_NOT_ALLOWED",
            Self::DnsTimeout(_) => "DNS_TIMEOUT",
            Self::DnsFailed => "DNS_FAILED",
            Self::ConnectTimeout(_) => "CONNECT_TIMEOUT",
            Self::ConnectFailed => "CONNECT_FAILED",
            Self::Tls(_) => "TLS_FAILED",
            Self::FirstByteTimeout(_) => "FIRST_BYTE_TIMEOUT",
            Self::TotalTimeout(_) => "TOTAL_TIMEOUT",
            Self::IdleTimeout(_) => "IDLE_TIMEOUT",
            Self::TooSlow(_) => "TOO_SLOW",
            Self::TooLarge(_) => "TOO_LARGE",
            Self::TooLargeDecoded(_) => "TOO_LARGE_DECODED",
            Self::Bomb(_) => "DECOMPRESSION_BOMB",
            Self::Encoding => "ENCODING_UNKNOWN",
            Self::Damaged => "ENCODING_DAMAGED",
            Self::TooManyRedirects(_) => "TOO_MANY_REDIRECTS",
            Self::RedirectDowngrade => "REDIRECT_DOWNGRADE",
            Self::RedirectInvalid => "REDIRECT_INVALID",
            Self::RedirectRefused(_) => "REDIRECT_REFUSED",
            Self::Broken => "RESPONSE_BROKEN",
        }
    }

    /// Returns whether the remote server was too slow.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(
            self,
            Self::DnsTimeout(_)
                | Self::ConnectTimeout(_)
                | Self::FirstByteTimeout(_)
                | Self::TotalTimeout(_)
                | Self::IdleTimeout(_)
                | Self::TooSlow(_)
        )
    }

    /// Returns whether our own rules rejected the request, so that a retry alone does not help.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Url(_) | Self::AddressNotAllowed | Self::RedirectDowngrade | Self::RedirectRefused(_))
    }
}

/// Why a client or mailer could not be created. Each variant is a mistake in the settings or in the
/// build.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the user agent contains characters that are not allowed in a header")]
    UserAgent,
    #[error("the file contains no valid certificate of an authority")]
    Authority,
    #[error("TLS could not be set up")]
    Tls(#[source] rustls::Error),
    #[error("the HTTP client could not be built")]
    Http(#[source] reqwest::Error),
    #[error("the SMTP URL is not valid: {0}")]
    Smtp(&'static str),
    #[error("`{0}` is not an e-mail address")]
    From(String),
}

/// Returns the error that the client's chain of causes describes.
pub(crate) fn classify(error: &reqwest::Error, dial: &Dial) -> FetchError {
    if let Some(failed) = find::<DialError>(error) {
        return match failed {
            DialError::NotAllowed => FetchError::AddressNotAllowed,
            DialError::Timeout => FetchError::DnsTimeout(dial.dns),
            DialError::NotFound => FetchError::DnsFailed,
        };
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return FetchError::Tls(explain_tls(tls));
    }
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => FetchError::ConnectTimeout(dial.dns + dial.connect),
        (true, false) => FetchError::ConnectFailed,
        _ => FetchError::Broken,
    }
}

/// Describes a failed TLS handshake, in terms that a site owner can act on.
pub(crate) fn explain_tls(error: &rustls::Error) -> &'static str {
    let rustls::Error::InvalidCertificate(certificate) = error else {
        return match error {
            rustls::Error::AlertReceived(_) => "the server rejected the TLS handshake",
            rustls::Error::InvalidMessage(_) => "the server does not speak TLS on this port",
            _ => "the TLS handshake failed",
        };
    };
    match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another host name"
        }
        CertificateError::UnknownIssuer => {
            "the issuer of the certificate is not trusted, or an intermediate certificate is missing"
        }
        CertificateError::Revoked => "the certificate is revoked",
        _ => "the certificate is not valid",
    }
}

/// Returns the first `E` in the chain of causes. It also looks inside an `io::Error`, whose
/// `source` skips the wrapped error.
pub(crate) fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn seconds(time: &Duration) -> String {
    if time.subsec_millis() == 0 { format!("{} s", time.as_secs()) } else { format!("{} ms", time.as_millis()) }
}

fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    match bytes {
        b if b >= MIB && b % MIB == 0 => format!("{} MiB", b / MIB),
        b if b >= KIB && b % KIB == 0 => format!("{} KiB", b / KIB),
        b => format!("{b} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_texts_are_plain_sentences() {
        let text = |error: FetchError| error.to_string();

        assert_eq!(text(FetchError::TooLarge(10 * 1024 * 1024)), "the response is larger than 10 MiB");
        assert_eq!(
            text(FetchError::FirstByteTimeout(Duration::from_secs(15))),
            "the server did not answer within 15 s"
        );
        assert_eq!(
            text(FetchError::DnsTimeout(Duration::from_millis(50))),
            "the host name was not resolved within 50 ms"
        );
        assert_eq!(text(FetchError::TooManyRedirects(5)), "the URL redirects more than 5 times");
        assert_eq!(
            text(FetchError::RedirectRefused(UrlError::Address("loopback"))),
            "the URL redirects to a URL that is not allowed: the address is private or reserved (loopback)"
        );
        assert_eq!(text(FetchError::Url(UrlError::HttpsRequired)), "the URL must use https");
    }

    #[test]
    fn a_cause_is_found_inside_an_io_error() {
        let error = io::Error::other(io::Error::other(DialError::NotAllowed));

        assert!(matches!(find::<DialError>(&error), Some(DialError::NotAllowed)));
        assert!(find::<rustls::Error>(&error).is_none());
    }
}
