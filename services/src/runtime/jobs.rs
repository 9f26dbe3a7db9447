//! The queue of background jobs: a use case writes a job in the transaction that causes it, and a
//! worker claims it with a lease.
//!
//! At most one worker holds a job. A worker renews the lease while it works; when it dies, the lease
//! ends after [`LEASE`] and another worker claims the job. [`job_runner`](super::job_runner) does
//! all of this for the crates that work on jobs, which never see rows.

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::ids::{JobId, SiteId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::runtime::randomness;
use crate::{Error, Result, Services, boxed};
use helpbot_domain::job::Job;

/// How long a claimed job belongs to its worker without a renewal.
pub const LEASE: Duration = Duration::from_secs(60);
/// How often a worker looks for jobs that another process has queued.
pub const POLL: Duration = Duration::from_millis(500);

/// A job to be queued.
#[derive(Debug, Clone)]
pub(crate) struct NewJob {
    pub site_id: SiteId,
    pub kind: &'static str,
    pub dedupe: Option<String>,
    pub payload: String,
}

impl NewJob {
    /// Describes a job. No two unfinished jobs of a site and kind have the same `dedupe` value.
    pub(crate) fn new(site_id: SiteId, kind: &'static str, dedupe: Option<String>, payload: &impl Serialize) -> Self {
        Self { site_id, kind, dedupe, payload: db::columns::to_json(payload) }
    }

    /// Queues the job inside the caller's transaction. Returns `false` when the same job is already
    /// queued or running.
    pub(crate) async fn enqueue(self, c: &mut db::Conn, now: helpbot_domain::Timestamp) -> Result<bool> {
        Ok(db::jobs::insert(c, &self.into_job(now)).await?)
    }

    /// Like [`NewJob::enqueue`], but the job is due at `due`.
    pub(crate) async fn enqueue_at(
        self,
        c: &mut db::Conn,
        now: helpbot_domain::Timestamp,
        due: helpbot_domain::Timestamp,
    ) -> Result<bool> {
        Ok(db::jobs::insert(c, &Job { due_at: due, ..self.into_job(now) }).await?)
    }

    /// Returns the job that [`NewJob::enqueue`] would store.
    pub(crate) fn into_job(self, now: helpbot_domain::Timestamp) -> Job {
        Job {
            id: JobId::from_uuid(randomness::uuid(now)),
            site_id: self.site_id,
            kind: self.kind.to_owned(),
            dedupe: self.dedupe,
            payload: self.payload,
            due_at: now,
            attempts: 0,
            last_error: None,
            created_at: now,
            done_rows: 0,
            total_rows: None,
        }
    }
}

/// Parses the payload of a job.
///
/// # Errors
/// `Internal` when the payload does not have the form that this program writes.
pub fn payload<T: DeserializeOwned>(job: &Job) -> Result<T> {
    serde_json::from_str(&job.payload).map_err(Error::internal)
}

/// Claims up to `limit` due jobs of these kinds for the worker `owner`, for [`LEASE`].
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn claim(services: &Services, kinds: &'static [&'static str], owner: &str, limit: i64) -> Result<Vec<Job>> {
    let lease = lease(services, owner);
    services.db.write(move |c| Box::pin(async move { Ok(db::jobs::claim(c, kinds, &lease, limit).await?) })).await
}

/// Extends the lease of a job by another [`LEASE`]. Returns `false` when the job was canceled or
/// another worker has claimed it.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn renew(services: &Services, id: JobId, owner: &str) -> Result<bool> {
    let lease = lease(services, owner);
    services.db.write(move |c| Box::pin(async move { Ok(db::jobs::renew(c, id, &lease).await?) })).await
}

/// Removes a job that is done or abandoned. Returns `false` when `owner` no longer holds it.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn finish(services: &Services, id: JobId, owner: &str) -> Result<bool> {
    let owner = owner.to_owned();
    services.db.write(move |c| Box::pin(async move { Ok(db::jobs::finish(c, id, &owner).await?) })).await
}

/// Returns a job to the queue; it is due again after `wait`. `error` says why, for the site's
/// members. Returns `false` when `owner` no longer holds the job.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn retry(services: &Services, id: JobId, owner: &str, wait: Duration, error: &str) -> Result<bool> {
    let (owner, error, due) = (owner.to_owned(), error.to_owned(), services.now().plus(wait));
    services.db.write(move |c| Box::pin(async move { Ok(db::jobs::retry(c, id, &owner, due, &error).await?) })).await
}

/// Releases the jobs that crashed servers held, whose lease owners begin with `owner_prefix`. Returns their
/// number. Only for a server that knows that none of them still runs.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn release_of(services: &Services, owner_prefix: &str) -> Result<usize> {
    let prefix = owner_prefix.to_owned();
    services.db.write(move |c| Box::pin(async move { Ok(db::jobs::release_of(c, &prefix).await?) })).await
}

/// Returns a receiver that changes whenever this process queues a sync or an embedding job.
pub fn changes(services: &Services) -> watch::Receiver<()> {
    services.jobs.subscribe()
}

/// Wakes the worker of this process. Call it after the commit.
pub(crate) fn wake(services: &Services) {
    services.jobs.send_replace(());
}

pub(crate) fn lease(services: &Services, owner: &str) -> db::jobs::Lease {
    let now = services.now();
    db::jobs::Lease { owner: owner.to_owned(), now, until: now.plus(LEASE) }
}
