//! The rules of the site that is crawled: its robots.txt, one for each origin, asked for once a
//! crawl; and the pages that its sitemaps list.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use helpbot_outbound::{FetchError, FetchLimits};
use helpbot_services::sources::sync::CrawlFile;
use helpbot_services::{Error, Result};
use serde::{Deserialize, Serialize};
use url::Url;

use super::files::{Answer, Files};
use super::plan;
use crate::reader::Reader;
use crate::reasons;
use crate::robots::{Fetched, Robots};
use crate::sitemap::{self, Sitemap};

/// Our product name, as robots.txt files call it.
const AGENT: &str = "HelpBot";
/// Sitemaps read in one crawl: with a page or more each they fill the largest crawl.
const SITEMAPS_MAX: usize = 50;

/// Whether robots.txt lets a page be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed,
    Disallowed,
    /// It could not be fetched, for this reason: nothing is allowed for now.
    Unknown(String),
}

/// The rules known so far, by origin, and the files that they and the pages stand in.
pub(super) struct Ground {
    origins: HashMap<String, Origin>,
    files: Files,
}

struct Origin {
    robots: Robots,
    unreachable: Option<String>,
}

impl Ground {
    /// Nothing known yet but the files of the crawl before.
    pub(super) fn of(known: Vec<CrawlFile>) -> Self {
        Self { origins: HashMap::new(), files: Files::of(known) }
    }

    /// The files for the next crawl to ask for; none when they are those of the crawl before.
    pub(super) fn end(self) -> Option<Vec<CrawlFile>> {
        self.files.end()
    }

    /// Whether `url` may be read; reads the robots.txt of its origin if that is not known yet.
    pub(super) async fn judge(&mut self, reader: &Reader, url: &Url) -> Verdict {
        if let Entry::Vacant(origin) = self.origins.entry(url.origin().ascii_serialization()) {
            origin.insert(fetch_robots(reader, &mut self.files, url).await);
        }
        self.known(url).unwrap_or(Verdict::Allowed)
    }

    /// The same without reading; `None` while the rules of the origin are not known.
    pub(super) fn known(&self, url: &Url) -> Option<Verdict> {
        let origin = self.origins.get(&url.origin().ascii_serialization())?;
        Some(match &origin.unreachable {
            Some(reason) => Verdict::Unknown(reason.clone()),
            None if origin.robots.is_allowed(url) => Verdict::Allowed,
            None => Verdict::Disallowed,
        })
    }

    /// The pause that the site asks for between two requests; none while its rules are not known.
    pub(super) fn delay(&self, url: &Url) -> Duration {
        let origin = self.origins.get(&url.origin().ascii_serialization());
        origin.and_then(|origin| origin.robots.crawl_delay()).unwrap_or_default()
    }

    /// The sitemaps to begin with: those that robots.txt names on the same site, else the usual
    /// place. The flag says whether they were named.
    pub(super) fn sitemaps(&self, start: &Url) -> (Vec<Url>, bool) {
        let origin = self.origins.get(&start.origin().ascii_serialization());
        let named = origin.map_or(&[][..], |origin| origin.robots.sitemaps());
        let own: Vec<Url> = named.iter().filter(|url| plan::is_same_site(start, url)).cloned().collect();
        match own.is_empty() {
            false => (own, true),
            true => (start.join("/sitemap.xml").into_iter().collect(), false),
        }
    }
}

async fn fetch_robots(reader: &Reader, files: &mut Files, url: &Url) -> Origin {
    let of = |fetched: Fetched<'_>, unreachable| Origin { robots: Robots::read(fetched, AGENT), unreachable };
    let Ok(address) = url.join("/robots.txt") else { return of(Fetched::Missing, None) };
    match files.get(reader, &address, &FetchLimits::ROBOTS, Duration::ZERO).await {
        Ok(Answer::Same(text)) => of(Fetched::Found(text.as_bytes()), None),
        Ok(Answer::New(response)) => match Fetched::from_status(Some(response.status), &response.body) {
            Fetched::Unreachable => of(Fetched::Unreachable, Some(format!("HTTP {}", response.status))),
            Fetched::Found(body) => {
                files.learn(&address, &response, String::from_utf8_lossy(body).into_owned());
                of(Fetched::Found(body), None)
            }
            Fetched::Missing => of(Fetched::Missing, None),
        },
        Err(FetchError::TooManyRedirects(_)) => of(Fetched::Missing, None),
        Err(error) => of(Fetched::Unreachable, Some(error.to_string())),
    }
}

/// The walk over the sitemaps of a site, one file at a time.
pub(super) struct Sitemaps {
    waiting: VecDeque<(Url, u8)>,
    left: usize,
    are_named: bool,
}

/// What one file of the walk gave.
pub(super) struct Listed {
    /// Its address.
    pub url: Url,
    /// Its pages; or why there are none, where the site names the file and so promises some.
    pub pages: Result<Vec<Url>, String>,
    /// Whether it lists more than what was read.
    pub is_truncated: bool,
}

/// What is taken from a sitemap, and kept for the next crawl.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Taken {
    pages: Vec<Url>,
    sitemaps: Vec<Url>,
    is_truncated: bool,
}

impl Sitemaps {
    pub(super) fn of(ground: &Ground, start: &Url) -> Self {
        let (first, are_named) = ground.sitemaps(start);
        Self { waiting: first.into_iter().map(|url| (url, 1)).collect(), left: SITEMAPS_MAX, are_named }
    }

    /// The next file; `None` when all are read, or enough of them.
    pub(super) async fn next(
        &mut self,
        reader: &Reader,
        ground: &mut Ground,
        delay: Duration,
    ) -> Result<Option<Listed>> {
        while let Some((url, level)) = self.waiting.pop_front() {
            if self.left == 0 {
                return Ok(None);
            }
            self.left -= 1;
            match fetch_sitemap(reader, &mut ground.files, &url, level, delay).await? {
                Ok(Taken { pages, sitemaps, is_truncated }) => {
                    self.waiting.extend(sitemaps.into_iter().map(|url| (url, level + 1)));
                    return Ok(Some(Listed { url, pages: Ok(pages), is_truncated }));
                }
                Err(reason) if self.are_named => {
                    return Ok(Some(Listed { url, pages: Err(reason), is_truncated: false }));
                }
                // Nobody said that there is one at the usual place.
                Err(_) => {}
            }
        }
        Ok(None)
    }
}

async fn fetch_sitemap(
    reader: &Reader,
    files: &mut Files,
    url: &Url,
    level: u8,
    delay: Duration,
) -> Result<Result<Taken, String>> {
    let response = match files.get(reader, url, &FetchLimits::SITEMAP, delay).await {
        // Only this program writes it; what it cannot read any more lists nothing for once.
        Ok(Answer::Same(kept)) => return Ok(Ok(serde_json::from_str(&kept).unwrap_or_default())),
        Ok(Answer::New(response)) if (200..300).contains(&response.status) => response,
        Ok(Answer::New(response)) => return Ok(Err(reasons::of_status(response.status))),
        Err(error) => return Ok(Err(reasons::of_fetch(&error))),
    };
    let (body, address) = (response.body.clone(), response.final_url.clone());
    let read = move || sitemap::read(&body, &address, level);
    let sitemap = tokio::task::spawn_blocking(read).await.map_err(Error::internal)?;
    Ok(match sitemap {
        Ok(Sitemap { pages, sitemaps, is_truncated, .. }) => {
            let taken = Taken { pages, sitemaps, is_truncated };
            files.learn(url, &response, serde_json::to_string(&taken).map_err(Error::internal)?);
            Ok(taken)
        }
        Err(error) => Err(format!("The sitemap was fetched, but {error}")),
    })
}
