//! A job: one unit of background work, stored as a row and claimed by a worker.

use crate::Timestamp;
use crate::ids::{JobId, SiteId};

/// A unit of background work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// ID of the job.
    pub id: JobId,
    /// Site that the job belongs to.
    pub site_id: SiteId,
    /// Kind of work, for example `scrape`.
    pub kind: String,
    /// Deduplication key: no two unfinished jobs of a site and kind share one.
    pub dedupe: Option<String>,
    /// Input of the job, as JSON that the worker for this kind parses.
    pub payload: String,
    /// Earliest time at which the job may start.
    pub due_at: Timestamp,
    /// Number of times the job was started.
    pub attempts: i32,
    /// Error of the last attempt.
    pub last_error: Option<String>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Number of rows that a batch job has changed so far. 0 for other jobs.
    pub done_rows: i64,
    /// Estimated number of rows of a batch job. `None` for other jobs, or when it is not known.
    pub total_rows: Option<i64>,
}
