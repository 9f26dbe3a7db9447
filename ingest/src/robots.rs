//! Rules of robots.txt files (RFC 9309), including `Crawl-delay`, which the RFC does not define.
//!
//! The crawl fetches the file once for each origin, with at most five redirects, and checks each URL here before it
//! fetches a page. The crate robotxt parses groups and rules. The delay is parsed here, because robotxt does not
//! support it.

use std::time::Duration;

use robotxt::AccessResult;
use url::Url;

use crate::charset;

/// Maximum size that is read, in bytes. RFC 9309, section 2.5, requires at least 500 KiB.
pub const ROBOTS_LIMIT_BYTES: usize = robotxt::BYTE_LIMIT;

/// Longest accepted delay. A site that wants no crawler at all uses `Disallow`.
pub const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// Result of fetching a robots.txt file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched<'a> {
    /// Status 2xx: the body, or its first [`ROBOTS_LIMIT_BYTES`] bytes.
    Found(&'a [u8]),
    /// Status 4xx, or more than five redirects: everything is allowed.
    Missing,
    /// Status 5xx or no response: nothing is allowed for now.
    Unreachable,
}

impl<'a> Fetched<'a> {
    /// Returns the result for the status of the last response. `None` means that there was no response.
    pub fn from_status(status: Option<u16>, body: &'a [u8]) -> Self {
        match status {
            Some(200..=299) => Self::Found(body),
            Some(300..=499) => Self::Missing,
            _ => Self::Unreachable,
        }
    }
}

/// Rules of one site for one crawler.
#[derive(Debug, Clone)]
pub struct Robots {
    rules: robotxt::Robots,
    crawl_delay: Option<Duration>,
    sitemap_paths: Vec<String>,
}

impl Robots {
    /// Parses the rules for `agent`, the product name of the crawler without a version ("HelpBot").
    pub fn read(fetched: Fetched<'_>, agent: &str) -> Self {
        let decoded;
        let (access, body) = match fetched {
            Fetched::Found(bytes) => {
                let bytes = &bytes[..bytes.len().min(ROBOTS_LIMIT_BYTES)];
                decoded = text(bytes);
                (AccessResult::Successful(decoded.as_bytes()), decoded.as_bytes())
            }
            Fetched::Missing => (AccessResult::Unavailable, &[][..]),
            Fetched::Unreachable => (AccessResult::Unreachable, &[][..]),
        };
        Self {
            rules: robotxt::Robots::from_access(access, agent),
            crawl_delay: crawl_delay(body, agent),
            sitemap_paths: sitemap_paths(body),
        }
    }

    /// Returns whether a URL may be fetched.
    pub fn is_allowed(&self, url: &Url) -> bool {
        self.rules.is_url_allowed(url)
    }

    /// Returns the pause between two requests that the site asks for, at most [`LONGEST_DELAY`].
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }

    /// Returns the sitemaps that the file lists by a path on its own host, in order.
    pub fn sitemap_paths(&self) -> &[String] {
        &self.sitemap_paths
    }

    /// Returns the sitemaps that the file lists by URL, in order. They may be on other hosts.
    pub fn sitemaps(&self) -> &[Url] {
        self.rules.sitemaps()
    }
}

/// Returns the text of a robots.txt file: UTF-8, or UTF-16 with its mark, in which some editors save every text.
pub fn text(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => charset::decode(bytes, None).0,
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Maximum number of sitemaps that are listed by path.
const SITEMAP_PATHS_MAX: usize = 50;

/// Returns the sitemaps that the file lists by a path on its own host, which the protocol does not allow.
fn sitemap_paths(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let paths = text.split(['\n', '\r']).filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        let path = value.split('#').next().unwrap_or_default().trim();
        (key.trim().eq_ignore_ascii_case("sitemap") && path.starts_with('/')).then(|| path.to_owned())
    });
    paths.take(SITEMAP_PATHS_MAX).collect()
}

/// Returns the delay of the group for `agent`, or that of the group for all crawlers.
fn crawl_delay(body: &[u8], agent: &str) -> Option<Duration> {
    let text = String::from_utf8_lossy(body);
    let (mut own, mut any) = (None, None);
    let (mut is_own, mut is_any, mut is_in_agents) = (false, false, false);
    let mut has_own_group = false;
    for line in text.split(['\n', '\r']) {
        let line = line.split('#').next().unwrap_or_default();
        let Some((key, value)) = line.split_once(':') else { continue };
        let (key, value) = (key.trim(), value.trim());
        if key.eq_ignore_ascii_case("user-agent") {
            if !is_in_agents {
                (is_own, is_any) = (false, false);
            }
            is_in_agents = true;
            let product = value.split(['/', ' ']).next().unwrap_or_default();
            is_own |= product.eq_ignore_ascii_case(agent);
            is_any |= value == "*";
            has_own_group |= is_own;
            continue;
        }
        is_in_agents = false;
        if key.eq_ignore_ascii_case("crawl-delay") {
            let delay = seconds(value);
            own = if is_own { own.or(delay) } else { own };
            any = if is_any { any.or(delay) } else { any };
        }
    }
    // RFC 9309, section 2.2.1: the group for all crawlers applies only when no group names this crawler.
    if has_own_group { own } else { any }
}

fn seconds(value: &str) -> Option<Duration> {
    let seconds: f64 = value.parse().ok()?;
    let is_sane = seconds.is_finite() && seconds >= 0.0;
    is_sane.then(|| Duration::from_secs_f64(seconds.min(LONGEST_DELAY.as_secs_f64())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn robots(body: &str) -> Robots {
        Robots::read(Fetched::Found(body.as_bytes()), "HelpBot")
    }

    fn url(path: &str) -> Url {
        Url::parse("https://example.com").and_then(|url| url.join(path)).expect("a valid path")
    }

    #[test]
    fn longest_rule_wins_and_a_named_group_replaces_the_general_one() {
        let robots =
            robots("User-agent: *\nDisallow: /\n\nUser-agent: helpbot\nDisallow: /private\nAllow: /private/faq$\n");

        assert!(robots.is_allowed(&url("/")));
        assert!(!robots.is_allowed(&url("/private/x")));
        assert!(robots.is_allowed(&url("/private/faq")));
        assert!(!robots.is_allowed(&url("/private/faq2")));
    }

    #[test]
    fn status_decides_when_the_file_is_missing() {
        let missing = Robots::read(Fetched::from_status(Some(403), b"User-agent: *\nDisallow: /"), "HelpBot");
        let broken = Robots::read(Fetched::from_status(Some(503), b""), "HelpBot");
        let silent = Robots::read(Fetched::from_status(None, b""), "HelpBot");

        assert!(missing.is_allowed(&url("/faq")));
        assert!(!broken.is_allowed(&url("/faq")));
        assert!(!silent.is_allowed(&url("/faq")));
    }

    #[test]
    fn delay_of_the_named_group_applies_up_to_its_limit() {
        assert_eq!(robots("User-agent: *\nCrawl-delay: 2.5").crawl_delay(), Some(Duration::from_millis(2500)));
        assert_eq!(robots("User-agent: *\nCrawl-delay: 9\nUser-agent: HelpBot\nAllow: /").crawl_delay(), None);
        assert_eq!(
            robots("User-agent: x\nUser-agent: helpbot/1\nCrawl-delay: 7 # slow").crawl_delay(),
            Some(Duration::from_secs(7))
        );
        assert_eq!(robots("User-agent: *\nCrawl-delay: 86400").crawl_delay(), Some(LONGEST_DELAY));
        assert_eq!(robots("User-agent: *\nCrawl-delay: -1").crawl_delay(), None);
        assert_eq!(robots("User-agent: *\nCrawl-delay: NaN").crawl_delay(), None);
    }

    #[test]
    fn sitemaps_are_listed() {
        let robots = robots("Sitemap: https://example.com/a.xml\nSitemap: https://cdn.example.net/b.xml.gz\n");

        let names: Vec<_> = robots.sitemaps().iter().map(Url::as_str).collect();
        assert_eq!(names, ["https://example.com/a.xml", "https://cdn.example.net/b.xml.gz"]);
    }

    #[test]
    fn files_in_utf_16_and_sitemaps_by_path_are_read() {
        let text = "User-agent: *\r\nDisallow: /private/\r\nSitemap: /maps/a.xml # all\r\n";
        let utf_16: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let robots = Robots::read(Fetched::Found(&utf_16), "HelpBot");

        assert!(!robots.is_allowed(&url("/private/x")) && robots.is_allowed(&url("/faq")));
        assert_eq!(robots.sitemap_paths(), ["/maps/a.xml"]);
    }

    #[test]
    fn rules_after_the_size_limit_are_ignored() {
        let mut body = "User-agent: *\nDisallow: /early\n".to_owned();
        body.push_str(&"# filler\n".repeat(ROBOTS_LIMIT_BYTES / 9 + 1));
        body.push_str("Disallow: /late\n");
        let robots = robots(&body);

        assert!(!robots.is_allowed(&url("/early")));
        assert!(robots.is_allowed(&url("/late")));
    }
}
