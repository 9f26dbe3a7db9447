//! Visits: what is known of a visitor's session beyond its conversations.
//!
//! Clients report the page, the referrer and the language; the browser is named from the header `User-Agent`. An address is
//! kept without its query and fragment, because they can contain secrets such as the token of a password reset.

use std::time::Duration;

use url::Url;

use crate::ids::{ContactId, SessionId, SiteId};
use crate::{Invalid, Timestamp};

/// Maximum length of a reported address in characters: longer ones are not addresses of pages that people visit.
pub const ADDRESS_MAX_CHARS: usize = 2000;
/// A visitor counts as present for this long after they were last seen: twice the time between two records of a visitor
/// who stays.
pub const PRESENT_FOR: Duration = Duration::from_secs(40);
/// Longest header that is searched for the name of a browser. Real ones have at most 300 bytes.
const USER_AGENT_MAX_BYTES: usize = 1000;

/// The session of a visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorSession {
    /// The site.
    pub site_id: SiteId,
    /// The global ID.
    pub id: SessionId,
    /// The ID that conversations name, which a client may have chosen.
    pub session_id: String,
    /// Address of the page that the visitor was last on.
    pub page_url: Option<String>,
    /// Address of the page that led the visitor to the site.
    pub referrer: Option<String>,
    /// Language of the visitor's browser, as a BCP 47 primary subtag.
    pub language: Option<String>,
    /// Name of the visitor's browser and system.
    pub browser: Option<String>,
    /// The person whom an identity token named.
    pub contact_id: Option<ContactId>,
    /// Time of the first question.
    pub created_at: Timestamp,
    /// Time at which the visitor was last seen.
    pub last_seen_at: Timestamp,
}

impl VisitorSession {
    /// Returns whether the visitor is there at `now`.
    pub fn is_present(&self, now: Timestamp) -> bool {
        now <= self.last_seen_at.plus(PRESENT_FOR)
    }
}

/// What a client reports about a visit. `None` leaves a value as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VisitReport {
    /// Address of the page that the visitor is on.
    pub page_url: Option<String>,
    /// Address of the page that led the visitor to the site. The first one of a session is kept.
    pub referrer: Option<String>,
    /// Language of the visitor's browser.
    pub language: Option<String>,
    /// Name of the visitor's browser and system.
    pub browser: Option<String>,
}

/// Order of a list of sessions. Sessions with the same time are ordered by ID, in the same direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SessionOrder {
    /// The visitor who was seen last is first.
    #[default]
    LastSeenDesc,
    /// The visitor who was seen last is last.
    LastSeenAsc,
    /// The newest session is first.
    CreatedDesc,
    /// The oldest session is first.
    CreatedAsc,
}

impl SessionOrder {
    /// Returns the order in the opposite direction.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            SessionOrder::LastSeenDesc => SessionOrder::LastSeenAsc,
            SessionOrder::LastSeenAsc => SessionOrder::LastSeenDesc,
            SessionOrder::CreatedDesc => SessionOrder::CreatedAsc,
            SessionOrder::CreatedAsc => SessionOrder::CreatedDesc,
        }
    }

    /// Returns the time of `session` that this order compares.
    pub const fn key(self, session: &VisitorSession) -> Timestamp {
        match self {
            SessionOrder::LastSeenDesc | SessionOrder::LastSeenAsc => session.last_seen_at,
            SessionOrder::CreatedDesc | SessionOrder::CreatedAsc => session.created_at,
        }
    }
}

/// Conditions that select sessions. A session must meet all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionQuery {
    /// Only the sessions of this contact.
    pub contact: Option<ContactId>,
    /// Only sessions with a contact, or only those without one.
    pub has_contact: Option<bool>,
    /// Only sessions whose visitor was seen at this time or later.
    pub seen_since: Option<Timestamp>,
    /// Only sessions whose visitor was seen before this time.
    pub seen_before: Option<Timestamp>,
    /// Only sessions whose browser has one of these languages.
    pub languages: Option<Vec<String>>,
}

/// Returns the address of a page without user name, password, query and fragment.
///
/// # Errors
/// Names `field` when `text` is not an `http` or `https` address of at most [`ADDRESS_MAX_CHARS`] characters.
pub fn page_address(field: &'static str, text: &str) -> Result<String, Invalid> {
    let refused = || {
        let message = format!("{field} must be an http or https address of at most {ADDRESS_MAX_CHARS} characters");
        Invalid::new(field, message)
    };
    let mut url = Some(text.trim())
        .filter(|text| text.len() <= ADDRESS_MAX_CHARS)
        .and_then(|text| Url::parse(text).ok())
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(refused)?;
    url.set_query(None);
    url.set_fragment(None);
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| refused())?;
    let address = String::from(url);
    if address.len() > ADDRESS_MAX_CHARS { Err(refused()) } else { Ok(address) }
}

/// Returns the name of a browser and its system, for example `Firefox 132 on Windows`. `None` when the header names no
/// known browser.
pub fn browser_of(user_agent: &str) -> Option<String> {
    // Browsers also name those that they resemble, so the order decides.
    const BROWSERS: [(&str, &str); 9] = [
        ("Edg/", "Edge"),
        ("EdgA/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Version/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    if user_agent.len() > USER_AGENT_MAX_BYTES {
        return None;
    }
    let (mark, name) = BROWSERS.iter().find(|(mark, _)| user_agent.contains(mark))?;
    let (_, rest) = user_agent.split_once(mark)?;
    let version: String = rest.chars().take_while(char::is_ascii_digit).take(4).collect();
    if (*name == "Safari" && !user_agent.contains("Safari/")) || version.is_empty() {
        return None;
    }
    let system = SYSTEMS.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| name);
    Some(system.map_or_else(|| format!("{name} {version}"), |system| format!("{name} {version} on {system}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_without_its_secrets() {
        let kept = |text: &str| page_address("pageUrl", text).map_err(|invalid| invalid.field);

        assert_eq!(
            kept(" https://ann:pw@shop.example/reset?token=s3cret#top ").as_deref(),
            Ok("https://shop.example/reset")
        );
        assert_eq!(kept("http://shop.example").as_deref(), Ok("http://shop.example/"));
        for wrong in ["", "/cart", "javascript:alert(1)", "file:///etc/passwd", "data:text/html,x"] {
            assert_eq!(kept(wrong), Err("pageUrl"), "{wrong}");
        }
        assert_eq!(kept(&format!("https://shop.example/{}", "x".repeat(2000))), Err("pageUrl"));
        // Percent-encoding makes the address longer.
        assert_eq!(kept(&format!("https://shop.example/{}", "ä".repeat(900))), Err("pageUrl"));
    }

    #[test]
    fn browsers_are_named_with_their_systems() {
        for (header, expected) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
                "Firefox 132 on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 \
                 Safari/537.36 Edg/131.0.2903.51",
                "Edge 131 on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.1 Mobile/15E148 Safari/604.1",
                "Safari 18 on iOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile \
                 Safari/537.36",
                "Chrome 131 on Android",
            ),
        ] {
            assert_eq!(browser_of(header).as_deref(), Some(expected));
        }
        for other in ["", "curl/8.5.0", "Version/3", "Firefox/", &format!("Firefox/132 {}", "x".repeat(1000))] {
            assert_eq!(browser_of(other), None, "{other}");
        }
    }
}
