//! Which URLs may be fetched or delivered to, checked without network access.
//!
//! It is called when a source or webhook is created or updated, before every request, and for every
//! redirect. The addresses that a name resolves to are checked in `dial`, at the moment of
//! connecting; a check here followed by an ordinary fetch would allow DNS rebinding.

use std::net::IpAddr;

use url::{Host, Url};

use crate::address;
use crate::allow::{AllowList, plain_name};

/// Maximum length of a URL in bytes, which proxies and servers commonly accept.
pub const MAX_URL_BYTES: usize = 2048;

/// Ports of public web servers. Other ports require an entry in the allow-list.
const WEB_PORTS: [u16; 2] = [80, 443];

/// Names that always mean this machine or the local network (RFC 6761, 6762, 8375 and ICANN's
/// reservation of `internal`). `dial` would reject them too, but this check tells the owner at
/// once.
const LOCAL_SUFFIXES: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "localdomain"];

/// Schemes, hosts, ports and addresses that a client may use.
#[derive(Clone, Debug)]
pub struct Policy {
    schemes: Schemes,
    destinations: Destinations,
    allow: AllowList,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Schemes {
    HttpAndHttps,
    /// https for all hosts, and http for listed hosts.
    HttpsUnlessListed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Destinations {
    /// The public internet and the listed hosts.
    Public,
    /// Only the listed hosts.
    Listed,
}

impl Policy {
    /// Policy for reading web pages: http and https, public addresses, ports 80 and 443.
    #[must_use]
    pub fn web(allow: AllowList) -> Self {
        Self { schemes: Schemes::HttpAndHttps, destinations: Destinations::Public, allow }
    }

    /// Policy for webhooks: https, public addresses, ports 80 and 443. Listed hosts may use http.
    #[must_use]
    pub fn webhooks(allow: AllowList) -> Self {
        Self { schemes: Schemes::HttpsUnlessListed, destinations: Destinations::Public, allow }
    }

    /// Policy for a server that the operator configured, such as a model server: only its host, on
    /// any address and port, over http or https.
    ///
    /// A base URL without a host results in a policy that permits nothing.
    #[must_use]
    pub fn operator(base_url: &Url) -> Self {
        let allow = base_url.host().map(|host| AllowList::only(&host)).unwrap_or_default();
        Self { schemes: Schemes::HttpAndHttps, destinations: Destinations::Listed, allow }
    }

    /// Returns whether an address that `host` resolved to may be connected to.
    #[must_use]
    pub fn permits_address(&self, host: &str, ip: IpAddr) -> bool {
        self.allow.has_name(host)
            || self.allow.has_address(ip)
            || (self.destinations == Destinations::Public && address::is_public(ip))
    }
}

/// Why a URL is rejected. The text is for the person who typed the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("the text is not a URL")]
    Unparsable,
    #[error("the URL is longer than {MAX_URL_BYTES} characters")]
    TooLong,
    #[error("only http and https URLs are allowed")]
    Scheme,
    #[error("the URL must use https")]
    HttpsRequired,
    #[error("the URL has no host name")]
    NoHost,
    #[error("the URL must not contain a user name or password")]
    Userinfo,
    #[error("port {0} is not allowed; use 80 or 443")]
    Port(u16),
    #[error("the host name belongs to a local network")]
    LocalName,
    /// The URL contains an address that is not public. Contains the name of its network.
    #[error("the address is private or reserved ({0})")]
    Address(&'static str),
    #[error("the host is not the configured one")]
    NotListed,
}

impl UrlError {
    /// Returns a stable code for logs, rows and API extensions.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unparsable => "URL_UNPARSABLE",
            Self::TooLong => "URL_TOO_LONG",
            Self::Scheme => "URL_SCHEME",
            Self::HttpsRequired => "URL_HTTPS_REQUIRED",
            Self::NoHost => "URL_NO_HOST",
            Self::Userinfo => "URL_USERINFO",
            Self::Port(_) => "URL_PORT",
            Self::LocalName => "URL_LOCAL_NAME",
            Self::Address(_) => "URL_ADDRESS",
            Self::NotListed => "URL_NOT_LISTED",
        }
    }
}

/// Parses `text` and checks it with [`check_url`].
///
/// # Errors
/// The first rule that the URL violates; `Unparsable` when it is not a URL.
pub fn parse_url(text: &str, policy: &Policy) -> Result<Url, UrlError> {
    // Checked before parsing, so that a megabyte of text costs nothing.
    if text.len() > MAX_URL_BYTES {
        return Err(UrlError::TooLong);
    }
    let url = Url::parse(text).map_err(|_| UrlError::Unparsable)?;
    check_url(&url, policy)?;
    Ok(url)
}

/// Checks the text of a URL: scheme, length, credentials, port, host name and IP literal. No
/// network access.
///
/// `Url` has already normalized all notations of an IPv4 literal (decimal, octal, hexadecimal,
/// short, full-width, percent-encoded, with a trailing dot).
///
/// # Errors
/// The first rule that the URL violates.
pub fn check_url(url: &Url, policy: &Policy) -> Result<(), UrlError> {
    if url.as_str().len() > MAX_URL_BYTES {
        return Err(UrlError::TooLong);
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Userinfo);
    }
    let host = url.host().ok_or(UrlError::NoHost)?;
    if policy.allow.has_host(&host) {
        return Ok(());
    }
    if policy.destinations == Destinations::Listed {
        return Err(UrlError::NotListed);
    }
    if policy.schemes == Schemes::HttpsUnlessListed && url.scheme() == "http" {
        return Err(UrlError::HttpsRequired);
    }
    check_host(&host)?;
    match url.port_or_known_default() {
        Some(port) if !WEB_PORTS.contains(&port) => Err(UrlError::Port(port)),
        _ => Ok(()),
    }
}

fn check_host(host: &Host<&str>) -> Result<(), UrlError> {
    let refused = match host {
        Host::Ipv4(ip) => address::blocked(IpAddr::V4(*ip)),
        Host::Ipv6(ip) => address::blocked(IpAddr::V6(*ip)),
        Host::Domain(name) => return check_name(&plain_name(name)),
    };
    refused.map_or(Ok(()), |block| Err(UrlError::Address(block)))
}

fn check_name(name: &str) -> Result<(), UrlError> {
    if name.is_empty() || name.split('.').any(str::is_empty) {
        return Err(UrlError::NoHost);
    }
    let is_local = LOCAL_SUFFIXES
        .iter()
        .any(|suffix| name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    if is_local { Err(UrlError::LocalName) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str, policy: &Policy) -> Option<&'static str> {
        parse_url(text, policy).err().map(|error| error.code())
    }

    fn allow(text: &str) -> AllowList {
        text.parse().expect("an allow-list")
    }

    #[test]
    fn white_space_inside_a_url_does_not_hide_the_host() {
        let web = Policy::web(AllowList::default());

        for text in ["ht\ttp://127.0.0.1/", "http://127.0\n.0.1/", " http://127.0.0.1/ "] {
            assert_eq!(refusal(text, &web), Some("URL_ADDRESS"), "{text:?}");
        }
    }

    #[test]
    fn webhooks_require_https_unless_the_host_is_listed() {
        let strict = Policy::webhooks(AllowList::default());
        let listed = Policy::webhooks(allow("127.0.0.1 hooks.internal 10.0.0.0/8"));

        assert_eq!(refusal("http://shop.example/h", &strict), Some("URL_HTTPS_REQUIRED"));
        assert_eq!(refusal("https://shop.example/h", &strict), None);
        assert_eq!(refusal("http://127.0.0.1:4000/h", &listed), None);
        assert_eq!(refusal("http://hooks.internal.:4000/h", &listed), None);
        assert_eq!(refusal("http://[::ffff:10.0.0.1]:4000/h", &listed), None);
        assert_eq!(refusal("http://shop.example/h", &listed), Some("URL_HTTPS_REQUIRED"));
        assert_eq!(refusal("https://192.168.0.1/h", &listed), Some("URL_ADDRESS"));
    }

    #[test]
    fn listing_a_host_never_permits_other_schemes_or_userinfo() {
        let listed = Policy::web(allow("127.0.0.1"));

        assert_eq!(refusal("ftp://127.0.0.1/", &listed), Some("URL_SCHEME"));
        assert_eq!(refusal("http://u:p@127.0.0.1/", &listed), Some("URL_USERINFO"));
    }

    #[test]
    fn an_operator_policy_permits_only_the_configured_host() {
        let base = Url::parse("http://ollama.internal:11434/v1").expect("a URL");
        let policy = Policy::operator(&base);

        assert_eq!(refusal("http://ollama.internal:11434/v1/chat", &policy), None);
        assert_eq!(refusal("https://example.com/", &policy), Some("URL_NOT_LISTED"));
        assert!(policy.permits_address("ollama.internal", IpAddr::from([10, 0, 0, 7])));
        assert!(!policy.permits_address("example.com", IpAddr::from([93, 184, 216, 34])));
    }

    #[test]
    fn the_length_limit_is_exact() {
        let web = Policy::web(AllowList::default());
        let stem = "https://example.com/";
        let longest = format!("{stem}{}", "a".repeat(MAX_URL_BYTES - stem.len()));

        assert_eq!(refusal(&longest, &web), None);
        assert_eq!(refusal(&format!("{longest}a"), &web), Some("URL_TOO_LONG"));
        // Each character has three bytes, and nine after percent-encoding.
        assert_eq!(refusal(&format!("{stem}{}", "\u{20ac}".repeat(500)), &web), Some("URL_TOO_LONG"));
    }

    #[test]
    fn a_resolved_address_is_checked_against_table_and_allow_list() {
        let policy = Policy::web(allow("10.1.0.0/16 files.internal"));

        assert!(policy.permits_address("example.com", IpAddr::from([93, 184, 216, 34])));
        assert!(policy.permits_address("example.com", IpAddr::from([10, 1, 2, 3])));
        assert!(policy.permits_address("Files.Internal.", IpAddr::from([127, 0, 0, 1])));
        assert!(!policy.permits_address("example.com", IpAddr::from([10, 2, 2, 3])));
        assert!(!policy.permits_address("files.internal.example.com", IpAddr::from([127, 0, 0, 1])));
    }
}
