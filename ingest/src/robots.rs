//! robots.txt as RFC 9309 has it, with the `Crawl-delay` that it leaves out.
//!
//! The crawl fetches the file once for each origin (at most five redirects), asks at the next crawl
//! whether it has changed, and asks here before each page. Rules and groups are robotxt's; the
//! delay is read here, since robotxt has none.

use std::time::Duration;

use robotxt::AccessResult;
use url::Url;

/// What is read of a file, in bytes: RFC 9309 section 2.5 asks for at least 500 KiB.
pub const ROBOTS_LIMIT_BYTES: usize = robotxt::BYTE_LIMIT;

/// The longest delay that is kept: above it a site means "not at all", and says so with Disallow.
pub const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// How fetching a robots.txt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched<'a> {
    /// 2xx: the body, or the first [`ROBOTS_LIMIT_BYTES`] of it.
    Found(&'a [u8]),
    /// 4xx, or more than five redirects: everything is allowed.
    Missing,
    /// 5xx or no answer: nothing is allowed for now.
    Unreachable,
}

impl<'a> Fetched<'a> {
    /// The outcome by the status of the last response; `None` when there was none.
    pub fn from_status(status: Option<u16>, body: &'a [u8]) -> Self {
        match status {
            Some(200..=299) => Self::Found(body),
            Some(300..=499) => Self::Missing,
            _ => Self::Unreachable,
        }
    }
}

/// The rules of one site for one crawler.
#[derive(Debug, Clone)]
pub struct Robots {
    rules: robotxt::Robots,
    crawl_delay: Option<Duration>,
}

impl Robots {
    /// Reads the rules for `agent`, the crawler's product name without version ("HelpBot").
    pub fn read(fetched: Fetched<'_>, agent: &str) -> Self {
        let (access, body) = match fetched {
            Fetched::Found(bytes) => {
                let bytes = &bytes[..bytes.len().min(ROBOTS_LIMIT_BYTES)];
                (AccessResult::Successful(bytes), bytes)
            }
            Fetched::Missing => (AccessResult::Unavailable, &[][..]),
            Fetched::Unreachable => (AccessResult::Unreachable, &[][..]),
        };
        Self { rules: robotxt::Robots::from_access(access, agent), crawl_delay: crawl_delay(body, agent) }
    }

    /// Whether a page may be fetched.
    pub fn is_allowed(&self, url: &Url) -> bool {
        self.rules.is_url_allowed(url)
    }

    /// The pause that the site asks for between two requests, at most [`LONGEST_DELAY`].
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }

    /// The sitemaps that the file names, in its order; they may be on other hosts.
    pub fn sitemaps(&self) -> &[Url] {
        self.rules.sitemaps()
    }
}

/// The delay of the group for `agent`, else that of the group for everyone.
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
    // RFC 9309 section 2.2.1: the group for everyone counts only where none names the crawler.
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
    fn longest_rule_wins_and_own_group_replaces_the_common_one() {
        let robots =
            robots("User-agent: *\nDisallow: /\n\nUser-agent: helpbot\nDisallow: /private\nAllow: /private/faq$\n");

        assert!(robots.is_allowed(&url("/")));
        assert!(!robots.is_allowed(&url("/private/x")));
        assert!(robots.is_allowed(&url("/private/faq")));
        assert!(!robots.is_allowed(&url("/private/faq2")));
    }

    #[test]
    fn status_decides_when_there_is_no_file() {
        let missing = Robots::read(Fetched::from_status(Some(403), b"User-agent: *\nDisallow: /"), "HelpBot");
        let broken = Robots::read(Fetched::from_status(Some(503), b""), "HelpBot");
        let silent = Robots::read(Fetched::from_status(None, b""), "HelpBot");

        assert!(missing.is_allowed(&url("/faq")));
        assert!(!broken.is_allowed(&url("/faq")));
        assert!(!silent.is_allowed(&url("/faq")));
    }

    #[test]
    fn delay_is_that_of_the_own_group_and_capped() {
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
    fn rules_behind_the_limit_are_not_read() {
        let mut body = "User-agent: *\nDisallow: /early\n".to_owned();
        body.push_str(&"# filler\n".repeat(ROBOTS_LIMIT_BYTES / 9 + 1));
        body.push_str("Disallow: /late\n");
        let robots = robots(&body);

        assert!(!robots.is_allowed(&url("/early")));
        assert!(robots.is_allowed(&url("/late")));
    }
}
