//! Visits one page: fetches it and extracts its content. `run` decides what the visit means for the crawl.
//!
//! A visit can be serialized, so that a crawl continues after a crash.

use std::time::Duration;

use helpbot_domain::extraction::Omission;
use helpbot_engine::ChunkDraft;
use helpbot_outbound::{Conditional, FetchError, FetchedPage};
use helpbot_services::{Error, Result};
use serde::{Deserialize, Serialize};
use url::Url;

use super::plan;
use crate::extract::{ExtractError, StandIn};
use crate::reader::Reader;
use crate::{content, drafts, pdf, reasons};

/// Maximum number of links stored for one page.
const LINKS_MAX: usize = 1_000;
/// Pause before the second request to an overloaded server.
const BACK_OFF: Duration = Duration::from_secs(5);
/// Longest pause that is granted to a server that asks for one.
const BACK_OFF_MAX: Duration = Duration::from_secs(30);

/// Result of a visit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Visit {
    /// Normalized target of redirects. `None` without redirects.
    pub led_to: Option<Url>,
    /// What the URL contained.
    pub found: UrlContent,
    /// For the next conditional request.
    pub validators: Conditions,
}

/// Validators that let a server answer "not modified".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Conditions {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

impl Conditions {
    pub(super) fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// Content of a URL.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum UrlContent {
    /// A page that was read.
    Page(Box<ReadPage>),
    /// The page has not changed.
    Unchanged,
    /// Content that is not indexed, for this reason.
    NotText(String),
    /// A page that could not be read, for this reason.
    Unreadable(String),
    /// There is no page at this URL.
    Missing(String),
    /// No response, or the server cannot return the page now.
    Unreachable(String),
}

/// Content of a page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ReadPage {
    pub title: Option<String>,
    pub language: Option<String>,
    /// Normalized canonical URL that the page declares.
    pub canonical: Option<Url>,
    pub is_noindex: bool,
    /// Normalized links to the same site. Empty when they must not be followed.
    pub links: Vec<Url>,
    pub chunks: Vec<ChunkDraft>,
    /// Chunks with phone number, address and opening hours, which most pages of a site repeat.
    #[serde(default)]
    pub facts: Vec<ChunkDraft>,
    /// Texts that were left out.
    #[serde(default)]
    pub omitted: Vec<Omission>,
}

/// A visit in progress: the response may still have to be extracted.
pub(super) enum Begun {
    Done(Visit),
    Extracting(tokio::task::JoinHandle<Result<Visit>>),
}

impl Begun {
    pub(super) async fn end(self) -> Result<Visit> {
        match self {
            Self::Done(visit) => Ok(visit),
            Self::Extracting(task) => task.await.map_err(Error::internal)?,
        }
    }
}

/// What is known about a URL before it is visited.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub conditions: Conditions,
    /// Target of redirects last time. Only a response from there counts as "not modified".
    pub led_to: Option<Url>,
}

/// Fetches a URL and starts to extract its content.
pub(super) async fn begin(reader: &std::sync::Arc<Reader>, url: &Url, known: &Known, delay: Duration) -> Begun {
    let conditional = (!known.conditions.is_empty()).then(|| Conditional {
        etag: known.conditions.etag.clone(),
        last_modified: known.conditions.last_modified.clone(),
    });
    let mut fetched = fetch(reader, url, conditional.as_ref(), delay).await;
    if fetched.as_ref().is_ok_and(|fetched| fetched.status == 304 && led_to(fetched) != known.led_to) {
        // "Not modified" applies to another page than the one that the validators are from.
        fetched = fetch(reader, url, None, delay).await;
    }
    match fetched {
        Ok(fetched) => of_response(reader, fetched),
        Err(error) => Begun::Done(Visit {
            led_to: None,
            found: UrlContent::Unreachable(reasons::of_fetch(&error)),
            validators: Conditions::default(),
        }),
    }
}

/// Sends a request, and a second one after a pause when the server is overloaded.
async fn fetch(
    reader: &Reader,
    url: &Url,
    conditional: Option<&Conditional>,
    delay: Duration,
) -> Result<FetchedPage, FetchError> {
    let fetched = reader.get_page(url, conditional, delay).await?;
    if !matches!(fetched.status, 429 | 503) {
        return Ok(fetched);
    }
    let wait = fetched.retry_after.as_deref().and_then(|seconds| seconds.trim().parse().ok());
    tokio::time::sleep(wait.map_or(BACK_OFF, Duration::from_secs).min(BACK_OFF_MAX)).await;
    reader.get_page(url, conditional, delay).await
}

fn led_to(fetched: &FetchedPage) -> Option<Url> {
    (!fetched.redirects.is_empty()).then(|| plan::normalise(&fetched.final_url))
}

fn of_response(reader: &std::sync::Arc<Reader>, fetched: FetchedPage) -> Begun {
    let done = |fetched: &FetchedPage, found| {
        Begun::Done(Visit { led_to: led_to(fetched), found, validators: validators(fetched) })
    };
    match fetched.status {
        304 => return done(&fetched, UrlContent::Unchanged),
        200..300 => {}
        404 | 410 => return done(&fetched, UrlContent::Missing(reasons::of_status(fetched.status))),
        429 | 502..=504 | 507..=509 | 520.. => {
            return done(&fetched, UrlContent::Unreachable(reasons::of_status(fetched.status)));
        }
        // The server responds, so that other pages may be there.
        status => return done(&fetched, UrlContent::Unreadable(reasons::of_status(status))),
    }
    let kind = match content::kind(fetched.content_type.as_deref(), &fetched.body) {
        Ok(kind) => kind,
        Err(reason) => return done(&fetched, UrlContent::NotText(reason)),
    };
    let reader = reader.clone();
    Begun::Extracting(tokio::spawn(async move {
        let work = move |child: &pdf::Child| Visit {
            led_to: led_to(&fetched),
            found: read(&fetched, kind, child),
            validators: validators(&fetched),
        };
        reader.extract(work).await
    }))
}

fn validators(fetched: &FetchedPage) -> Conditions {
    Conditions { etag: fetched.etag.clone(), last_modified: fetched.last_modified.clone() }
}

fn read(fetched: &FetchedPage, kind: content::ContentKind, child: &pdf::Child) -> UrlContent {
    let page = match content::read(fetched, kind, child) {
        Ok(page) => page,
        Err(error @ ExtractError::NotText { .. }) => {
            return UrlContent::NotText(format!("The file is not a page: {error}"));
        }
        Err(ExtractError::Empty | ExtractError::NeedsScripts) => {
            return UrlContent::Unreadable(reasons::NOTHING_ON_PAGE.to_owned());
        }
        Err(error) => return UrlContent::Unreadable(format!("The page was fetched, but {error}")),
    };
    match page.stand_in {
        Some(StandIn::SignIn) => return UrlContent::NotText(reasons::SIGN_IN.to_owned()),
        Some(StandIn::NotFound) => return UrlContent::Missing(reasons::SOFT_NOT_FOUND.to_owned()),
        None => {}
    }
    let address = &fetched.final_url;
    let asked = RobotsHeader::of(fetched.x_robots_tag.as_deref().unwrap_or_default());
    let chunks = drafts::of_page(&page, Some(address));
    let facts = drafts::facts_of_page(&page, Some(address));
    let mut links: Vec<Url> = Vec::new();
    if !page.is_nofollow && !asked.is_nofollow {
        let own = page.links.iter().filter(|link| plan::is_same_site(address, link)).map(plan::normalise);
        links = own.take(LINKS_MAX).collect();
        links.dedup();
    }
    UrlContent::Page(Box::new(ReadPage {
        title: Some(page.title).filter(|title| !title.is_empty()),
        language: page.language,
        canonical: page.canonical.as_ref().map(plan::normalise),
        is_noindex: page.is_noindex || asked.is_noindex,
        links,
        chunks,
        facts,
        omitted: page.omitted,
    }))
}

/// Rules of the header `X-Robots-Tag`.
#[derive(Debug, Default, PartialEq, Eq)]
struct RobotsHeader {
    is_noindex: bool,
    is_nofollow: bool,
}

impl RobotsHeader {
    /// Parses rules separated by commas. A name with a colon before a rule limits that rule and the following ones to
    /// the crawler of that name.
    fn of(header: &str) -> Self {
        const WITH_VALUE: [&str; 4] = ["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"];
        let (mut robots, mut is_ours) = (Self::default(), true);
        for rule in header.split(',') {
            let mut rule = rule.trim();
            if let Some((name, rest)) = rule.split_once(':') {
                let name = name.trim().to_ascii_lowercase();
                if WITH_VALUE.contains(&name.as_str()) {
                    continue;
                }
                is_ours = matches!(name.as_str(), "helpbot" | "*");
                rule = rest.trim();
            }
            let is = |name: &str| is_ours && rule.eq_ignore_ascii_case(name);
            robots.is_noindex |= is("noindex") || is("none");
            robots.is_nofollow |= is("nofollow") || is("none");
        }
        robots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_robots_header_applies_when_it_names_us_or_nobody() {
        let asked = |header| {
            let RobotsHeader { is_noindex, is_nofollow } = RobotsHeader::of(header);
            (is_noindex, is_nofollow)
        };

        assert_eq!(asked("noindex"), (true, false));
        assert_eq!(asked("None"), (true, true));
        assert_eq!(asked("max-snippet: 20, NoFollow"), (false, true));
        assert_eq!(asked("googlebot: noindex, nofollow"), (false, false));
        assert_eq!(asked("googlebot: nofollow, helpbot: noindex"), (true, false));
        assert_eq!(asked("unavailable_after: 25 Jun 2030 15:00:00 PST"), (false, false));
        assert_eq!(asked(""), (false, false));
    }
}
