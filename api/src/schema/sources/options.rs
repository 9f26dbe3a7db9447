//! How far and how often a source is synced, and the report about its last sync.

use async_graphql::Enum;
use helpbot_api_macros::OutputObject;
use helpbot_services::sources;
use helpbot_services::sources::options;

use crate::schema::scalars::{DateTime, int};

/// Scope of the syncs of a source, which says how far they follow links.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "options::SourceScope")]
pub enum SyncScope {
    /// Syncs fetch only the page at the address of the source. Its robots.txt is not consulted.
    Page,
    /// Syncs fetch the pages in the folder of the address and below. They respect robots.txt.
    Section,
    /// Syncs fetch all pages of the host. They respect robots.txt.
    Site,
}

/// Interval between the scheduled syncs of a source. Each interval varies by up to 10 percent, so that
/// sources that were added together are not synced together.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "options::SourceSchedule")]
pub enum SyncSchedule {
    /// The source is synced only on request.
    None,
    /// The source is synced every hour.
    Hourly,
    /// The source is synced every day.
    Daily,
    /// The source is synced every 7 days.
    Weekly,
    /// The source is synced every 30 days.
    Monthly,
}

/// Report about a sync of a source, which may still be running.
#[derive(Clone, OutputObject)]
pub struct SourceSync {
    /// Number of pages that the sync has found so far. After the sync, it is the number of all pages.
    planned: i32,
    /// Number of pages that the sync has found and still has to visit. It is 0 after the sync.
    remaining: i32,
    /// Number of pages that were fetched and whose content was extracted.
    fetched: i32,
    /// Number of pages that had not changed since the previous visit.
    unchanged: i32,
    /// Number of pages that were left out. The field `Page.reason` contains the cause of each.
    skipped: i32,
    /// Number of pages that could not be fetched or parsed. The field `Page.reason` contains the cause of
    /// each.
    failed: i32,
    /// Addresses that the sync found and left out, by reason, most first. The list of pages contains the first
    /// 500 of them. The list is empty when nothing was left out.
    left_out: Vec<LeftOut>,
    /// Time at which the sync started.
    started_at: DateTime,
    /// Time at which the sync ended. It is null while the sync is running.
    finished_at: Option<DateTime>,
}

impl From<sources::SyncReport> for SourceSync {
    fn from(sync: sources::SyncReport) -> Self {
        let pages = sync.pages;
        Self {
            planned: int(pages.planned),
            remaining: int(pages.remaining),
            fetched: int(pages.fetched),
            unchanged: int(pages.unchanged),
            skipped: int(pages.skipped),
            failed: int(pages.failed),
            left_out: sync.left_out.into_iter().map(LeftOut::from).collect(),
            started_at: sync.started_at.into(),
            finished_at: sync.finished_at.map(DateTime),
        }
    }
}

/// Addresses that a sync found and left out for the same reason.
#[derive(Clone, OutputObject)]
pub struct LeftOut {
    /// Reason why the addresses were left out.
    reason: String,
    /// Number of addresses. A sync counts at most 100,000.
    count: i32,
}

impl From<sources::sync_report::LeftOut> for LeftOut {
    fn from(left_out: sources::sync_report::LeftOut) -> Self {
        Self { reason: left_out.reason, count: int(left_out.count) }
    }
}
