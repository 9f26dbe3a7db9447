//! Crawls a source: the start page, the sitemaps, then one page after another until the plan is empty or a limit is
//! reached.
//!
//! A crawl that ends early (time, text, a server that stopped responding) is indexed as far as it got. Pages that it did
//! not reach keep their earlier content.

mod copies;
mod keeping;
mod redirects;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use helpbot_domain::source::{Document, PageOutcome};
use helpbot_services::sources::options::{SourceOptions, SourceScope};
use helpbot_services::sources::{
    page_sync::{EarlierChunks, SyncedPage},
    sync::{self, ActiveSync},
};
use helpbot_services::{Error, Result};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use url::Url;

use super::contents::{Contents, TextHashes};
use super::crawled::Crawled;
use super::ground::{Ground, RobotsVerdict, Sitemaps};
use super::plan::{self, CrawlLimits, CrawlPlan, CrawlScope, Planned, Skip};
use super::report::{self, Report, Row, failed, skipped};
use super::visit::{self, Begun, Conditions, Known, UrlContent, Visit};
use crate::reader::Reader;
use crate::reasons;
use crate::sitemap;

/// Number of pages that are extracted while the next one is fetched.
const AHEAD: usize = 3;
/// Number of visits that are stored together. A crash repeats at most this many requests.
const KEEP_PAGES: usize = 25;
/// Longest time between two progress reports.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Number of unreachable pages in a row after which the crawl ends.
const UNREACHABLE_MAX: u32 = 10;
/// Maximum text of one source: 10,000 pages of 13 KB, which are long ones. An index needs some four times as much.
const TEXT_MAX_BYTES: usize = 128 * 1024 * 1024;

const DISALLOWED: &str = "The site's robots.txt does not allow access to this page";
const OUT_OF_TIME: &str = "Not reached: the sync took the maximum time";
const OUT_OF_TEXT: &str = "Not reached: the source has the maximum amount of text";
const SERVER_GONE: &str = "Not reached: the server stopped responding";
const READ_IN_PART: &str = "Read in part: the sitemap lists more than 50,000 URLs or is truncated";
const OUT_OF_SCOPE: &str = "Left out: outside the scope of the source";

/// Reads a source that covers more than one page. Returns its pages, or the reason for its owner why there are none.
///
/// # Errors
/// Problems on our side. `NotFound` when the source was deleted or the job was lost in the meantime.
pub(crate) async fn site(
    reader: &Arc<Reader>,
    active: &ActiveSync,
    options: &SourceOptions,
) -> Result<Result<Crawled, String>> {
    let start = plan::normalise(&Url::parse(&active.source.url).map_err(Error::internal)?);
    let mut ground = Ground::of(sync::known_files(&reader.services, &active.source).await?);
    match ground.judge(reader, &start).await {
        RobotsVerdict::Allowed => {}
        RobotsVerdict::Disallowed => return Ok(Err(DISALLOWED.to_owned())),
        RobotsVerdict::Unknown(reason) => return Ok(Err(no_robots(&reason))),
    }
    let mut crawl = Crawl::open(reader, active, options, &start, ground).await?;
    let visit = crawl.begin(&start).await?.end().await?;
    if let UrlContent::NotText(reason)
    | UrlContent::Unreadable(reason)
    | UrlContent::Missing(reason)
    | UrlContent::Unreachable(reason) = &visit.found
        && !may_be_listed(&visit.found, &start)
    {
        return Ok(Err(reason.clone()));
    }
    crawl.settle(&visit, options);
    crawl.absorb(Planned { url: start, depth: 0 }, visit).await?;
    if options.max_depth > 0 {
        crawl.read_sitemaps().await?;
    }
    crawl.walk().await?;
    crawl.end().await
}

/// Returns whether the pages of a site may be listed although its start has no content: it is a sitemap, or only scripts
/// fill it.
fn may_be_listed(found: &UrlContent, start: &Url) -> bool {
    match found {
        UrlContent::NotText(_) => sitemap::is_sitemap_path(start.path()),
        UrlContent::Unreadable(reason) => reason == reasons::NOTHING_ON_PAGE,
        _ => false,
    }
}

fn no_robots(reason: &str) -> String {
    format!("The site's robots.txt could not be read ({reason}). No page may be read until it can")
}

struct Crawl<'a> {
    reader: &'a Arc<Reader>,
    active: &'a ActiveSync,
    known: HashMap<String, Document>,
    /// URLs that this crawl visited before a crash. The visits themselves are read when it is their turn.
    resumed: HashSet<String>,
    ground: Ground,
    plan: CrawlPlan,
    report: Report,
    title: Option<String>,
    contents: Contents,
    /// Pages that call themselves copies of another page, until that one is known.
    copies: Vec<(Url, Row, TextHashes)>,
    /// Targets of the redirects that were met.
    led: HashMap<Url, Url>,
    /// Pages without content. No page is skipped as a copy of one of them.
    without_content: HashSet<Url>,
    unkept: Vec<(String, String)>,
    /// The visits that are being stored while the crawl goes on.
    keeping: Option<JoinHandle<Result<()>>>,
    kept_at: Instant,
    deadline: Instant,
    unreachable_in_row: u32,
    /// Number of visits that were begun and not processed yet.
    in_flight: usize,
    /// Why the crawl ends early.
    cut: Option<&'static str>,
}

impl<'a> Crawl<'a> {
    async fn open(
        reader: &'a Arc<Reader>,
        active: &'a ActiveSync,
        options: &SourceOptions,
        start: &Url,
        ground: Ground,
    ) -> Result<Self> {
        let (now, source) = (Instant::now(), &active.source);
        Ok(Self {
            reader,
            active,
            known: sync::known_pages(&reader.services, source).await?,
            resumed: sync::visited(&reader.services, source).await?,
            ground,
            plan: plan_of(start, options),
            report: Report::default(),
            title: None,
            contents: Contents::default(),
            copies: Vec::new(),
            led: HashMap::new(),
            without_content: HashSet::new(),
            unkept: Vec::new(),
            keeping: None,
            kept_at: now,
            deadline: now + reader.manners.crawl_time,
            unreachable_in_row: 0,
            in_flight: 0,
            cut: None,
        })
    }

    /// Offers the URLs in the sitemaps, as if the start linked to them.
    async fn read_sitemaps(&mut self) -> Result<()> {
        let start = self.plan.start().clone();
        let mut sitemaps = Sitemaps::of(&self.ground, &start);
        while !self.plan.is_full() && !self.is_late() {
            let delay = self.ground.delay(&start);
            let Some(listed) = sitemaps.next(self.reader, &mut self.ground, delay).await? else { break };
            if listed.is_truncated {
                self.report.add(skipped(listed.url.clone(), READ_IN_PART, EarlierChunks::Stays));
            }
            match listed.pages {
                Ok(pages) => pages.iter().for_each(|page| self.offer(page, 1)),
                Err(reason) => self.report.add(failed(listed.url, reason, EarlierChunks::Stays)),
            }
        }
        Ok(())
    }

    async fn walk(&mut self) -> Result<()> {
        let mut begun: VecDeque<(Planned, Begun)> = VecDeque::new();
        loop {
            if begun.len() < AHEAD
                && !self.is_late()
                && let Some(planned) = self.plan.take()
            {
                match self.ground.judge(self.reader, &planned.url).await {
                    RobotsVerdict::Allowed => {
                        let visit = self.begin(&planned.url).await?;
                        begun.push_back((planned, visit));
                    }
                    RobotsVerdict::Disallowed => {
                        self.report.add(skipped(planned.url, DISALLOWED, EarlierChunks::Leaves))
                    }
                    RobotsVerdict::Unknown(reason) => {
                        self.report.add(skipped(planned.url, no_robots(&reason), EarlierChunks::Stays));
                    }
                }
                continue;
            }
            let Some((planned, visit)) = begun.pop_front() else { break };
            self.in_flight = begun.len();
            let visit = visit.end().await?;
            self.absorb(planned, visit).await?;
        }
        self.list_unvisited();
        Ok(())
    }

    /// Lists the URLs that are still waiting: as not reached when the crawl ended early, or as more than the source
    /// may have. All of them are counted.
    fn list_unvisited(&mut self) {
        let mut listed = 0;
        while let Some(planned) = self.plan.pop() {
            match self.cut {
                Some(reason) => {
                    if listed < report::LEFT_OUT_MAX {
                        self.report.add(skipped(planned.url.clone(), reason, EarlierChunks::Stays));
                    }
                    self.report.count_left_out(&planned.url, reason);
                }
                None => self.report.leave_out(&planned.url, report::reason(Skip::TooMany).unwrap_or_default()),
            }
            listed += 1;
        }
    }

    fn is_late(&mut self) -> bool {
        if self.cut.is_none() {
            self.cut = match () {
                () if Instant::now() >= self.deadline => Some(OUT_OF_TIME),
                () if self.report.text_bytes >= TEXT_MAX_BYTES => Some(OUT_OF_TEXT),
                () if self.unreachable_in_row >= UNREACHABLE_MAX => Some(SERVER_GONE),
                () => None,
            };
        }
        self.cut.is_some()
    }

    /// Visits a URL, or returns the visit that was made before a crash.
    async fn begin(&mut self, url: &Url) -> Result<Begun> {
        if self.resumed.contains(url.as_str())
            && let Some(kept) = sync::visit(&self.reader.services, &self.active.source, url.as_str()).await?
            && let Ok(visit) = serde_json::from_str(&kept)
        {
            return Ok(Begun::Done(visit));
        }
        let known = self.known_of(url).await?;
        let delay = self.ground.delay(url);
        Ok(visit::begin(self.reader, url, &known, delay).await)
    }

    async fn known_of(&self, url: &Url) -> Result<Known> {
        let Some(page) = self.known.get(url.as_str()) else { return Ok(Known::default()) };
        let own = conditions(page);
        if !own.is_empty() || page.outcome != PageOutcome::Skipped {
            return Ok(Known { conditions: own, led_to: None });
        }
        // A redirect. Its target is known by its own URL.
        let links = sync::known_links(&self.reader.services, &self.active.source, page.id).await?;
        let led_to = links.first().and_then(|link| Url::parse(link).ok());
        let target = led_to.as_ref().and_then(|led_to| self.known.get(led_to.as_str()));
        Ok(Known { conditions: target.map(conditions).unwrap_or_default(), led_to })
    }

    /// Processes a visit: its row, its links, and what is stored in case of a crash.
    async fn absorb(&mut self, planned: Planned, visit: Visit) -> Result<()> {
        if !self.resumed.contains(planned.url.as_str()) {
            let kept = serde_json::to_string(&visit).map_err(Error::internal)?;
            self.unkept.push((planned.url.to_string(), kept));
        }
        let is_unreachable = matches!(visit.found, UrlContent::Unreachable(_));
        self.unreachable_in_row = if is_unreachable { self.unreachable_in_row + 1 } else { 0 };
        if let Some(address) = self.arrived(&planned, &visit).await {
            self.take_in(address, planned, visit).await?;
        }
        if self.unkept.len() >= KEEP_PAGES || self.kept_at.elapsed() >= KEEP_EVERY {
            self.keep().await?;
        }
        Ok(())
    }

    async fn take_in(&mut self, url: Url, planned: Planned, visit: Visit) -> Result<()> {
        let row: Row = match visit.found {
            UrlContent::Page(page) => {
                let stored = planned.url.into();
                let Some(row) = self.read(&url, stored, planned.depth, *page, visit.validators) else { return Ok(()) };
                row
            }
            UrlContent::Unchanged => self.unchanged(&url, planned.depth).await?.into(),
            UrlContent::NotText(reason) => {
                report::with(skipped(url.clone(), reason, EarlierChunks::Leaves), visit.validators, Vec::new()).into()
            }
            UrlContent::Missing(reason) => failed(url.clone(), reason, EarlierChunks::Missing).into(),
            UrlContent::Unreadable(reason) | UrlContent::Unreachable(reason) => {
                failed(url.clone(), reason, EarlierChunks::Stays).into()
            }
        };
        if matches!(row.page.outcome, PageOutcome::Skipped | PageOutcome::Failed) {
            self.without_content.insert(url);
        }
        self.report.add(row);
        Ok(())
    }

    async fn unchanged(&mut self, url: &Url, depth: u32) -> Result<SyncedPage> {
        self.plan.note_unchanged(url);
        let page = self.known.get(url.as_str()).cloned();
        let page = page.ok_or_else(|| Error::internal("a page that is not known was called unchanged"))?;
        for link in sync::known_links(&self.reader.services, &self.active.source, page.id).await? {
            if let Ok(link) = Url::parse(&link) {
                self.offer(&link, depth + 1);
            }
        }
        Ok(match page.outcome {
            PageOutcome::Skipped if page.chunk_count == 0 => SyncedPage {
                reason: page.reason,
                etag: page.etag,
                last_modified: page.last_modified,
                earlier: EarlierChunks::Leaves,
                ..SyncedPage::of(url.clone(), PageOutcome::Skipped)
            },
            _ => SyncedPage::of(url.clone(), PageOutcome::Unchanged),
        })
    }

    fn offer(&mut self, url: &Url, depth: u32) {
        if self.plan.is_in_scope(url) && self.ground.known(url) == Some(RobotsVerdict::Disallowed) {
            return self.report.leave_out(&plan::normalise(url), DISALLOWED);
        }
        if let Err(skip) = self.plan.offer(url, depth)
            && let Some(reason) = report::reason(skip)
        {
            self.report.leave_out(&plan::normalise(url), reason);
        }
    }

    async fn end(mut self) -> Result<Result<Crawled, String>> {
        // The rows are completed with the stored visits.
        self.keep().await?;
        self.kept().await?;
        self.settle_copies();
        if !self.report.has_content(&self.known) {
            let reason = self.report.first_reason();
            return Ok(Err(reason.unwrap_or_else(|| reasons::NOTHING_ON_PAGE.to_owned())));
        }
        if let Some(files) = self.ground.end() {
            sync::keep_files(&self.reader.services, self.active, files).await?;
        }
        let (plan, cut) = (&self.plan, self.cut);
        let judge = |url: &str| match (Url::parse(url), cut) {
            (Ok(url), _) if !plan.is_in_scope(&url) => Some((OUT_OF_SCOPE.to_owned(), EarlierChunks::Leaves)),
            (_, Some(reason)) => Some((reason.to_owned(), EarlierChunks::Stays)),
            _ => None,
        };
        let left_out = self.report.left_out();
        let rows = self.report.end(&self.known, judge);
        Ok(Ok(Crawled { title: self.title, rows, left_out }))
    }
}

fn plan_of(start: &Url, options: &SourceOptions) -> CrawlPlan {
    let scope = match options.scope {
        SourceScope::Page => CrawlScope::Page,
        SourceScope::Section => CrawlScope::Section,
        SourceScope::Site => CrawlScope::Site,
    };
    let pages = usize::try_from(options.max_pages).unwrap_or(usize::MAX);
    CrawlPlan::new(start, scope, CrawlLimits { depth: options.max_depth, pages })
}

fn conditions(page: &Document) -> Conditions {
    Conditions { etag: page.etag.clone(), last_modified: page.last_modified.clone() }
}
