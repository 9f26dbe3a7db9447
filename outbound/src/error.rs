//! Why a fetch, delivery or stream failed: a closed list in words for a site owner.
//!
//! Texts name no resolved address: what a name means inside the operator's network is nobody
//! else's business.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use crate::dial::{Dial, DialError};
use crate::policy::UrlError;

/// Why an exchange failed. `Display` is for a site owner, [`FetchError::code`] for rows and APIs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("the host name leads to an address that is private or reserved")]
    AddressNotAllowed,
    #[error("the host name was not resolved within {}", seconds(.0))]
    DnsTimeout(Duration),
    #[error("the host name could not be resolved")]
    DnsFailed,
    #[error("no connection within {}", seconds(.0))]
    ConnectTimeout(Duration),
    #[error("the server refused the connection or could not be reached")]
    ConnectFailed,
    #[error("no secure connection: {0}")]
    Tls(&'static str),
    #[error("the server did not answer within {}", seconds(.0))]
    FirstByteTimeout(Duration),
    #[error("the exchange took longer than {}", seconds(.0))]
    TotalTimeout(Duration),
    #[error("the server sent nothing for {}", seconds(.0))]
    IdleTimeout(Duration),
    #[error("the server sent less than {0} bytes a second")]
    TooSlow(u64),
    #[error("larger than {}", size(*.0))]
    TooLarge(u64),
    #[error("larger than {} when decompressed", size(*.0))]
    TooLargeDecoded(u64),
    #[error("decompresses to more than {0} times its size")]
    Bomb(u64),
    #[error("compressed in a way that was not asked for")]
    Encoding,
    #[error("the compressed content is damaged")]
    Damaged,
    #[error("redirects more than {0} times")]
    TooManyRedirects(usize),
    #[error("redirects from https to http")]
    RedirectDowngrade,
    #[error("redirects without saying where to")]
    RedirectInvalid,
    #[error("redirects to a URL that is not allowed: {0}")]
    RedirectRefused(#[source] UrlError),
    #[error("the server broke off the exchange or does not speak HTTP")]
    Broken,
}

impl FetchError {
    /// A stable name for logs, rows and API extensions.
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

    /// Whether the far end was too slow, as opposed to wrong.
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

    /// Whether our own rules stopped it, so that trying again changes nothing by itself.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Url(_) | Self::AddressNotAllowed | Self::RedirectDowngrade | Self::RedirectRefused(_))
    }
}

/// What went wrong before or while a response arrived, read from the client's chain of causes.
pub(crate) fn classify(error: &reqwest::Error, dial: &Dial) -> FetchError {
    if let Some(failed) = find::<DialError>(error) {
        return match failed {
            DialError::NotAllowed => FetchError::AddressNotAllowed,
            DialError::Timeout => FetchError::DnsTimeout(dial.dns),
            DialError::NotFound => FetchError::DnsFailed,
        };
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return FetchError::Tls(crate::tls::explain(tls));
    }
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => FetchError::ConnectTimeout(dial.dns + dial.connect),
        (true, false) => FetchError::ConnectFailed,
        _ => FetchError::Broken,
    }
}

/// The first `E` in the chain of causes, also inside an `io::Error`, whose own `source` skips
/// the error that it wraps.
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
    fn texts_read_well_to_a_site_owner() {
        let text = |error: FetchError| error.to_string();

        assert_eq!(text(FetchError::TooLarge(10 * 1024 * 1024)), "larger than 10 MiB");
        assert_eq!(
            text(FetchError::FirstByteTimeout(Duration::from_secs(15))),
            "the server did not answer within 15 s"
        );
        assert_eq!(
            text(FetchError::DnsTimeout(Duration::from_millis(50))),
            "the host name was not resolved within 50 ms"
        );
        assert_eq!(text(FetchError::TooManyRedirects(5)), "redirects more than 5 times");
        assert_eq!(
            text(FetchError::RedirectRefused(UrlError::Address("loopback"))),
            "redirects to a URL that is not allowed: the address is private or reserved (loopback)"
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
