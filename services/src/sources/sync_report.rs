//! The record of a crawl: how far the running one is, what came of the pages of the last one.
//!
//! It stands in its source's row as JSON, so that a list of sources shows it without another
//! query. The pages themselves are documents.

use helpbot_db::columns;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::JobId;
use helpbot_domain::source::{PageOutcome, Source};
use serde::{Deserialize, Serialize};

/// Pages by what came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PageCounts {
    /// Found so far and to be read; all that were, once the crawl has ended.
    pub planned: i64,
    /// Fetched and read.
    pub fetched: i64,
    /// The same as at the visit before.
    pub unchanged: i64,
    /// Left out for a reason.
    pub skipped: i64,
    /// Not to be had or not to be read.
    pub failed: i64,
}

impl PageCounts {
    /// Counts one more page.
    pub fn add(&mut self, outcome: PageOutcome) {
        match outcome {
            PageOutcome::Fetched => self.fetched += 1,
            PageOutcome::Unchanged => self.unchanged += 1,
            PageOutcome::Skipped => self.skipped += 1,
            PageOutcome::Failed => self.failed += 1,
        }
    }
}

/// One crawl of a source, running or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncReport {
    /// The job that does it: who takes the job over goes on with the crawl.
    pub job_id: JobId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none while it runs.
    pub finished_at: Option<Timestamp>,
    /// What came of its pages.
    #[serde(flatten)]
    pub pages: PageCounts,
}

impl SyncReport {
    /// The last or running crawl of a source; none before the first.
    pub fn of(source: &Source) -> Option<Self> {
        serde_json::from_str(source.crawl.as_deref()?).ok()
    }

    pub(super) fn begun(job_id: JobId, now: Timestamp) -> Self {
        Self { job_id, started_at: now, finished_at: None, pages: PageCounts::default() }
    }

    pub(super) fn write(&self, source: &mut Source) {
        source.crawl = Some(columns::to_json(self));
    }
}
