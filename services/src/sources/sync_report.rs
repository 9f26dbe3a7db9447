//! The report of a sync: the progress of the running one, or the results of the last one.
//!
//! It is stored in the row of its source as JSON, so that a list of sources shows it without
//! another query. The pages themselves are rows in `documents`.

use helpbot_db::columns;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::JobId;
use helpbot_domain::source::{PageOutcome, Source};
use serde::{Deserialize, Serialize};

/// Number of pages by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PageCounts {
    /// Pages found so far; at the end of the sync, all that were found.
    pub planned: i64,
    /// Pages that were found and are still to be visited. 0 at the end of the sync.
    pub remaining: i64,
    /// Pages that were fetched and read.
    pub fetched: i64,
    /// Pages that have not changed since the last sync.
    pub unchanged: i64,
    /// Pages that were left out, each with a reason.
    pub skipped: i64,
    /// Pages that could not be fetched or read.
    pub failed: i64,
}

impl PageCounts {
    /// Counts one page.
    pub fn add(&mut self, outcome: PageOutcome) {
        match outcome {
            PageOutcome::Fetched => self.fetched += 1,
            PageOutcome::Unchanged => self.unchanged += 1,
            PageOutcome::Skipped => self.skipped += 1,
            PageOutcome::Failed => self.failed += 1,
        }
    }
}

/// Addresses that a crawl found and left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The reason, as the rows of the report show it.
    pub reason: String,
    /// Number of addresses, of which the report lists the first ones.
    pub count: i64,
}

/// The report of a running or finished sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncReport {
    /// Job of the sync. A worker that takes over the job continues the sync.
    pub job_id: JobId,
    /// Time at which the sync began.
    pub started_at: Timestamp,
    /// Time at which the sync ended. `None` while it runs.
    pub finished_at: Option<Timestamp>,
    /// Pages by outcome.
    #[serde(flatten)]
    pub pages: PageCounts,
    /// Addresses that were left out, by reason, most first.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    /// Number of attempts since the sync last visited a page. A sync that crashes the process
    /// without any progress must not do so forever.
    #[serde(default)]
    pub attempts: u32,
}

impl SyncReport {
    /// Returns the report of a source's running or last sync. `None` before the first one.
    pub fn of(source: &Source) -> Option<Self> {
        serde_json::from_str(source.crawl.as_deref()?).ok()
    }

    pub(super) fn begun(job_id: JobId, now: Timestamp) -> Self {
        let (pages, left_out) = (PageCounts::default(), Vec::new());
        Self { job_id, started_at: now, finished_at: None, pages, left_out, attempts: 1 }
    }

    /// Returns the report of a sync that has visited a page.
    pub(super) fn with_progress(self) -> Self {
        Self { attempts: 0, ..self }
    }

    pub(super) fn write(&self, source: &mut Source) {
        source.crawl = Some(columns::to_json(self));
    }
}
