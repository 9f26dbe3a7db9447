//! How much background work waits, for `/metrics`: jobs by kind and state, mails and webhook deliveries. The numbers
//! are those of the whole installation, so each node shows the same ones.

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::Timestamp;

use crate::runtime::job_kinds::MAILS;
use crate::{Result, Services, boxed};

pub use helpbot_db::backlog::{COUNTED_MAX, JobBacklog, WaitingRows};

/// The states of an unfinished job: a worker has it, it waits for a worker, it is attempted again later, or it was
/// planned for later.
pub const JOB_STATES: [&str; 4] = ["running", "due", "retrying", "planned"];

/// All background work that waits.
#[derive(Debug, Clone)]
pub struct WorkBacklog {
    /// Jobs by kind and state. States without a job are missing.
    pub jobs: Vec<JobBacklog>,
    /// Mails that no mail server has accepted yet. They are jobs too.
    pub mails: WaitingRows,
    /// Webhook deliveries that are due.
    pub due_deliveries: WaitingRows,
    /// Webhook deliveries that are attempted again later.
    pub later_deliveries: WaitingRows,
    /// Time at which the numbers were read.
    pub read_at: Timestamp,
}

impl WorkBacklog {
    /// Returns how long the oldest of `waiting` has been due.
    pub fn age(&self, waiting: WaitingRows) -> Duration {
        waiting.first_due_at.map(|due| self.read_at.since(due)).unwrap_or_default()
    }
}

/// Reads the backlog.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn read(services: &Services) -> Result<WorkBacklog> {
    let now = services.now();
    let mut conn = services.db.reader().await?;
    let jobs = db::backlog::jobs(&mut conn, now).await?;
    let mails = jobs.iter().filter(|job| MAILS.contains(&job.kind.as_str()));
    let mails = mails.fold(WaitingRows::default(), |sum, job| WaitingRows {
        number: sum.number + job.waiting.number,
        first_due_at: sum.first_due_at.into_iter().chain(job.waiting.first_due_at).min(),
    });
    Ok(WorkBacklog {
        mails,
        due_deliveries: db::backlog::due_deliveries(&mut conn, now).await?,
        later_deliveries: db::backlog::later_deliveries(&mut conn, now).await?,
        read_at: now,
        jobs,
    })
}
