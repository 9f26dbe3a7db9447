//! How far and how often a source is read, and what came of its last crawl.

use async_graphql::{Enum, SimpleObject};
use helpbot_services::sources::Crawl;
use helpbot_services::sources::options;

use crate::schema::scalars::DateTime;
use crate::schema::sites::int;

/// How far the reading of a source goes from its address.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "options::SourceScope")]
pub enum SourceScope {
    /// That page alone, on the word of whoever named it.
    Page,
    /// Pages in the folder of that page and below, as far as robots.txt allows.
    Section,
    /// All pages of its host, as far as robots.txt allows.
    Site,
}

/// How often a source is read again by itself; the moment is spread by a tenth around it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "options::SourceSchedule")]
pub enum SourceSchedule {
    /// Only when asked for.
    None,
    /// Every hour.
    Hourly,
    /// Every day.
    Daily,
    /// Every seven days.
    Weekly,
    /// Every thirty days.
    Monthly,
}

/// What came of the pages of the last reading of a source, or so far of the running one.
#[derive(Clone, SimpleObject)]
pub struct CrawlReport {
    /// Pages found and to be read; all that were met, once it has ended.
    planned: i32,
    /// Pages fetched and read.
    fetched: i32,
    /// Pages that were the same as at the visit before.
    unchanged: i32,
    /// Pages left out; each says why.
    skipped: i32,
    /// Pages not to be had or not to be read; each says why.
    failed: i32,
    /// When it began.
    started_at: DateTime,
    /// When it ended; null while it runs.
    finished_at: Option<DateTime>,
}

impl From<Crawl> for CrawlReport {
    fn from(crawl: Crawl) -> Self {
        let pages = crawl.pages;
        Self {
            planned: int(pages.planned),
            fetched: int(pages.fetched),
            unchanged: int(pages.unchanged),
            skipped: int(pages.skipped),
            failed: int(pages.failed),
            started_at: crawl.started_at.into(),
            finished_at: crawl.finished_at.map(DateTime),
        }
    }
}
