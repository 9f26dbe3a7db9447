//! Rules of the crawled site: the robots.txt of each origin, requested once per crawl, and the pages that the
//! sitemaps list. Used by `run`.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use helpbot_outbound::{FetchError, FetchLimits};
use helpbot_services::sources::sync::CrawlFile;
use helpbot_services::{Error, Result};
use serde::{Deserialize, Serialize};
use url::Url;

use super::files::{FileResponse, Files};
use super::plan;
use crate::reader::Reader;
use crate::reasons;
use crate::robots::{self, Fetched, Robots};
use crate::sitemap::{self, Sitemap};

/// Our product name in robots.txt files.
const AGENT: &str = "HelpBot";
/// Maximum number of sitemaps read in one crawl.
const SITEMAPS_MAX: usize = 50;

/// Most sitemaps of a crawl on other hosts. A site can name any host, and each request disturbs it.
const ELSEWHERE_MAX: usize = 5;

/// Result of checking robots.txt for a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RobotsVerdict {
    Allowed,
    Disallowed,
    /// robots.txt could not be fetched for this reason. Nothing is allowed for now.
    Unknown(String),
}

/// The rules known so far by origin, and the stored files.
pub(super) struct Ground {
    origins: HashMap<String, Origin>,
    files: Files,
}

struct Origin {
    robots: Robots,
    unreachable: Option<String>,
}

impl Ground {
    /// Creates the rules of a crawl that knows only the files of the previous crawl.
    pub(super) fn of(known: Vec<CrawlFile>) -> Self {
        Self { origins: HashMap::new(), files: Files::of(known) }
    }

    /// Returns the files to store for the next crawl. `None` when nothing has changed.
    pub(super) fn end(self) -> Option<Vec<CrawlFile>> {
        self.files.end()
    }

    /// Returns whether `url` may be fetched. Fetches the robots.txt of its origin first if necessary.
    pub(super) async fn judge(&mut self, reader: &Reader, url: &Url) -> RobotsVerdict {
        if let Entry::Vacant(origin) = self.origins.entry(url.origin().ascii_serialization()) {
            origin.insert(fetch_robots(reader, &mut self.files, url).await);
        }
        self.known(url).unwrap_or(RobotsVerdict::Allowed)
    }

    /// Same as `judge`, without a request. `None` while the rules of the origin are not known.
    pub(super) fn known(&self, url: &Url) -> Option<RobotsVerdict> {
        let origin = self.origins.get(&url.origin().ascii_serialization())?;
        Some(match &origin.unreachable {
            Some(reason) => RobotsVerdict::Unknown(reason.clone()),
            None if origin.robots.is_allowed(url) => RobotsVerdict::Allowed,
            None => RobotsVerdict::Disallowed,
        })
    }

    /// Returns the pause that the site asks for. Zero while its rules are not known.
    pub(super) fn delay(&self, url: &Url) -> Duration {
        let origin = self.origins.get(&url.origin().ascii_serialization());
        origin.and_then(|origin| origin.robots.crawl_delay()).unwrap_or_default()
    }

    /// Returns the sitemaps that robots.txt lists, those on the same site first. Sites may keep them on another host.
    pub(super) fn sitemaps(&self, start: &Url) -> Vec<Url> {
        let origin = self.origins.get(&start.origin().ascii_serialization());
        let named = origin.map_or(&[][..], |origin| origin.robots.sitemaps());
        let is_http = |url: &&Url| matches!(url.scheme(), "http" | "https");
        let mut listed: Vec<Url> = named.iter().filter(is_http).cloned().collect();
        let paths = origin.map_or(&[][..], |origin| origin.robots.sitemap_paths());
        listed.extend(paths.iter().filter_map(|path| start.join(path).ok()));
        listed.sort_by_key(|url| !plan::is_same_site(start, url));
        listed
    }
}

/// Where programs put sitemaps that robots.txt does not list: the protocol's default, then those of widespread programs.
/// The first one that is there counts.
const PLACES: [&str; 5] =
    ["/sitemap.xml", "/sitemap_index.xml", "/sitemap-index.xml", "/wp-sitemap.xml", "/sitemap.xml.gz"];

/// Returns the places in which a sitemap may be, best first. A project below a host that it shares has its own.
fn places(start: &Url) -> VecDeque<Url> {
    let own = start.join("sitemap.xml").ok().filter(|url| url.path() != PLACES[0]);
    PLACES.iter().filter_map(|place| start.join(place).ok()).chain(own).collect()
}

async fn fetch_robots(reader: &Reader, files: &mut Files, url: &Url) -> Origin {
    let of = |fetched: Fetched<'_>, unreachable| Origin { robots: Robots::read(fetched, AGENT), unreachable };
    let Ok(address) = url.join("/robots.txt") else { return of(Fetched::Missing, None) };
    match files.get(reader, &address, &FetchLimits::ROBOTS, Duration::ZERO).await {
        Ok(FileResponse::Same(text)) => of(Fetched::Found(text.as_bytes()), None),
        Ok(FileResponse::New(response)) => match Fetched::from_status(Some(response.status), &response.body) {
            Fetched::Unreachable => of(Fetched::Unreachable, Some(format!("HTTP {}", response.status))),
            Fetched::Found(body) => {
                files.learn(&address, &response, robots::text(body));
                of(Fetched::Found(body), None)
            }
            Fetched::Missing => of(Fetched::Missing, None),
        },
        Err(FetchError::TooManyRedirects(_)) => of(Fetched::Missing, None),
        Err(error) => of(Fetched::Unreachable, Some(error.to_string())),
    }
}

/// Reads the sitemaps of a site, one file at a time.
pub(super) struct Sitemaps {
    site: Url,
    waiting: VecDeque<(Url, u8)>,
    /// Places in which a sitemap may be that nothing lists.
    places: VecDeque<Url>,
    seen: HashSet<Url>,
    left: usize,
    /// Number of sitemaps on other hosts that were met.
    elsewhere: usize,
}

/// Content of one sitemap.
pub(super) struct Listed {
    /// Its URL.
    pub url: Url,
    /// Its pages, or the reason why a listed sitemap could not be read.
    pub pages: Result<Vec<Url>, String>,
    /// Whether it lists more than what was read.
    pub is_truncated: bool,
}

/// Content of a sitemap that is stored for the next crawl.
#[derive(Debug, Default, Serialize, Deserialize)]
struct SitemapContents {
    pages: Vec<Url>,
    sitemaps: Vec<Url>,
    is_truncated: bool,
}

impl Sitemaps {
    pub(super) fn of(ground: &Ground, start: &Url) -> Self {
        let mut listed = ground.sitemaps(start);
        if sitemap::is_sitemap_path(start.path()) {
            listed.insert(0, start.clone());
        }
        let places = if listed.is_empty() { places(start) } else { VecDeque::new() };
        let waiting = listed.into_iter().map(|url| (url, 1)).collect();
        Self { site: start.clone(), waiting, places, seen: HashSet::new(), left: SITEMAPS_MAX, elsewhere: 0 }
    }

    /// Reads the next sitemap. `None` when all are read or the limit is reached.
    pub(super) async fn next(
        &mut self,
        reader: &Reader,
        ground: &mut Ground,
        delay: Duration,
    ) -> Result<Option<Listed>> {
        loop {
            let (url, level, is_listed) = match self.waiting.pop_front() {
                Some((url, level)) => (url, level, true),
                None => match self.places.pop_front() {
                    Some(place) => (place, 1, false),
                    None => return Ok(None),
                },
            };
            if !self.seen.insert(url.clone()) {
                continue;
            }
            if self.left == 0 {
                return Ok(None);
            }
            self.left -= 1;
            // The rules of the site itself were read before.
            let mut delay = delay;
            if !plan::is_same_site(&self.site, &url) {
                if let Some(reason) = self.refusal_elsewhere(reader, ground, &url).await {
                    return Ok(Some(Listed { url, pages: Err(reason), is_truncated: false }));
                }
                delay = ground.delay(&url);
            }
            match fetch_sitemap(reader, &mut ground.files, &url, &self.site, level, delay).await? {
                Ok(SitemapContents { pages, sitemaps, is_truncated }) => {
                    self.places.clear();
                    let most = self.left.saturating_sub(self.waiting.len());
                    self.waiting.extend(sitemaps.into_iter().take(most).map(|url| (url, level + 1)));
                    return Ok(Some(Listed { url, pages: Ok(pages), is_truncated }));
                }
                Err(reason) if is_listed => {
                    return Ok(Some(Listed { url, pages: Err(reason), is_truncated: false }));
                }
                // Nothing says that there is a sitemap.
                Err(_) => {}
            }
        }
    }

    /// Counts a sitemap on another host, and returns the reason why it is not read.
    async fn refusal_elsewhere(&mut self, reader: &Reader, ground: &mut Ground, url: &Url) -> Option<String> {
        self.elsewhere += 1;
        if self.elsewhere > ELSEWHERE_MAX {
            return Some(format!("No more than {ELSEWHERE_MAX} sitemaps on other hosts are read"));
        }
        match ground.judge(reader, url).await {
            RobotsVerdict::Allowed => None,
            RobotsVerdict::Disallowed => Some("The robots.txt of its host does not allow it".to_owned()),
            RobotsVerdict::Unknown(reason) => Some(format!("The robots.txt of its host could not be read ({reason})")),
        }
    }
}

async fn fetch_sitemap(
    reader: &Reader,
    files: &mut Files,
    url: &Url,
    site: &Url,
    level: u8,
    delay: Duration,
) -> Result<Result<SitemapContents, String>> {
    let response = match files.get(reader, url, &FetchLimits::SITEMAP, delay).await {
        // Only this program writes it. A version that cannot be parsed anymore counts as empty.
        Ok(FileResponse::Same(kept)) => return Ok(Ok(serde_json::from_str(&kept).unwrap_or_default())),
        Ok(FileResponse::New(response)) if (200..300).contains(&response.status) => response,
        Ok(FileResponse::New(response)) => return Ok(Err(reasons::of_status(response.status))),
        Err(error) => return Ok(Err(reasons::of_fetch(&error))),
    };
    let (body, address, site) = (response.body.clone(), response.final_url.clone(), site.clone());
    let read = move || sitemap::read(&body, &address, &site, level);
    let sitemap = tokio::task::spawn_blocking(read).await.map_err(Error::internal)?;
    Ok(match sitemap {
        Ok(Sitemap { pages, sitemaps, is_truncated, .. }) => {
            let taken = SitemapContents { pages, sitemaps, is_truncated };
            files.learn(url, &response, serde_json::to_string(&taken).map_err(Error::internal)?);
            Ok(taken)
        }
        Err(error) => Err(format!("The sitemap was fetched, but {error}")),
    })
}
