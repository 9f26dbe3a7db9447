//! Large work in batches, so that it does not stop other writes.
//!
//! A batch is one transaction that changes a bounded number of rows ([`ROWS`]). After each batch the
//! work rests for as long as the batch took, so that it uses at most half of the writer's time.
//!
//! There are two forms. A *batch job* ([`BatchWork`]) is a row in `jobs`: each batch also stores the progress of the job, in
//! the same transaction, so a job that was interrupted by a crash continues with its next batch when its lease ends.
//! [`work`] carries out a job that a worker holds, and [`run_now`] queues a job and carries it out at once. Work that needs
//! no memory of its own, such as deleting what has expired, uses [`repeat`] or [`delete_before`]. Which batch jobs exist is listed in
//! `batch_jobs`.

use std::time::Duration;

use futures_util::future::BoxFuture;
use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use helpbot_domain::job::Job;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::runtime::jobs::{self, NewJob};
use crate::runtime::randomness;
use crate::{Error, Result, Services};

/// Cost of a batch, in rows of a plain table. On two cores, such a transaction takes 2 to 10 ms.
pub(crate) const ROWS: i64 = 200;
/// Longest rest between two batches, for batches that had to wait for others themselves.
const REST_MAX: Duration = Duration::from_millis(250);
/// Time between two log lines about the progress of the same work.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// What one batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Number of rows that count as progress.
    pub rows: usize,
    /// Whether the work is done.
    pub is_last: bool,
}

/// The payload of a batch job: what the work is about, and where it continues.
pub(crate) trait BatchWork: Serialize + DeserializeOwned + Clone + Send + 'static {
    /// Does the next batch inside a transaction, and changes `self` to where the following one begins.
    fn batch<'c>(&'c mut self, c: &'c mut db::Conn, site: SiteId) -> BoxFuture<'c, Result<Batch>>;
}

/// Carries out a batch job that `owner` holds, and returns its last payload.
///
/// # Errors
/// `Conflict` when the job was lost to another worker; the errors of the work.
pub(crate) async fn work<W: BatchWork>(services: &Services, job: &Job, owner: &str) -> Result<W> {
    let mut state: W = jobs::payload(job)?;
    let mut pace = Pace::begin(job.kind.clone());
    loop {
        let (next, batch) = one(services, job, owner, state).await?;
        state = next;
        if batch.is_last {
            pace.end(batch.rows);
            return Ok(state);
        }
        pace.rest(batch.rows).await;
    }
}

/// Queues a batch job, carries it out and returns its last payload. When the caller goes away or the
/// process ends, a worker continues the job as soon as its lease ends.
///
/// # Errors
/// The errors of [`work`].
pub(crate) async fn run_now<W: BatchWork>(services: &Services, new: NewJob) -> Result<W> {
    let now = services.now();
    let job = new.into_job(now);
    let owner = format!("caller-{}", randomness::uuid(now));
    let lease = jobs::lease(services, &owner);
    let stored = job.clone();
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                db::jobs::insert(c, &stored).await?;
                Ok::<_, Error>(db::jobs::hold(c, stored.id, &lease).await?)
            })
        })
        .await?;
    let state = work(services, &job, &owner).await?;
    jobs::finish(services, job.id, &owner).await?;
    Ok(state)
}

/// Repeats a batch until it changes no row, and returns the number of all rows.
///
/// # Errors
/// The first error of a batch. The rows of earlier batches stay changed.
pub(crate) async fn repeat<F>(what: &'static str, mut batch: impl FnMut() -> F) -> Result<usize>
where
    F: Future<Output = Result<usize>>,
{
    let mut pace = Pace::begin(what.to_owned());
    loop {
        let rows = batch().await?;
        if rows == 0 {
            return Ok(pace.rows);
        }
        pace.rest(rows).await;
    }
}

/// Deletes all rows from before a time in batches. `delete` deletes about as many of them as its limit
/// says and returns their number.
///
/// # Errors
/// Only errors of the database. The rows of earlier batches stay deleted.
pub(crate) async fn delete_before<F>(
    services: &Services,
    what: &'static str,
    before: Timestamp,
    delete: F,
) -> Result<usize>
where
    F: for<'c> Fn(&'c mut db::Conn, Timestamp, i64) -> BoxFuture<'c, db::Result<usize>> + Copy + Send + 'static,
{
    let batch = || services.db.write(move |c| Box::pin(async move { Ok::<_, Error>(delete(c, before, ROWS).await?) }));
    repeat(what, batch).await
}

/// One batch in a transaction of its own, with the record of the progress.
async fn one<W: BatchWork>(services: &Services, job: &Job, owner: &str, mut state: W) -> Result<(W, Batch)> {
    let (id, site, lease) = (job.id, job.site_id, jobs::lease(services, owner));
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                if !db::jobs::is_held(c, id, &lease.owner).await? {
                    return Err(Error::Conflict("Another worker continues this job.".into()));
                }
                let batch = state.batch(c, site).await?;
                let rows = i64::try_from(batch.rows).unwrap_or(i64::MAX);
                db::jobs::record_progress(c, id, &db::columns::to_json(&state), rows, &lease).await?;
                Ok((state, batch))
            })
        })
        .await
}

/// Measures batches, rests between them and logs their progress.
struct Pace {
    what: String,
    started: Instant,
    batch: Instant,
    logged: Instant,
    rows: usize,
}

impl Pace {
    fn begin(what: String) -> Self {
        let now = Instant::now();
        Self { what, started: now, batch: now, logged: now, rows: 0 }
    }

    /// Counts a batch and waits for as long as it took.
    async fn rest(&mut self, rows: usize) {
        self.rows += rows;
        if self.logged.elapsed() >= LOG_EVERY {
            self.logged = Instant::now();
            tracing::info!(work = self.what, rows = self.rows, "work in batches continues");
        }
        tokio::time::sleep(self.batch.elapsed().min(REST_MAX)).await;
        self.batch = Instant::now();
    }

    fn end(&self, rows: usize) {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(work = self.what, rows = self.rows + rows, ms, "work in batches is done");
    }
}
