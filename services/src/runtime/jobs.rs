//! Background work: asked for inside the transaction that causes it, taken by lease.
//!
//! The rooms that do the work (`ingest`, `delivery`) take it from here; they never see rows.

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::ids::{JobId, SiteId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::runtime::randomness;
use crate::{Error, Job, Result, Services, boxed};

/// A dead worker's job is taken over after this; a living one renews in time.
pub const LEASE: Duration = Duration::from_secs(60);
/// How often a worker looks for jobs that another process asked for.
pub const POLL: Duration = Duration::from_millis(500);

/// A job as the code that asks for it sees it.
#[derive(Debug, Clone)]
pub(crate) struct NewJob {
    pub site_id: SiteId,
    pub kind: &'static str,
    pub dedupe: Option<String>,
    pub payload: String,
}

impl NewJob {
    /// A job of `kind` for what `payload` says.
    pub(crate) fn new(site_id: SiteId, kind: &'static str, dedupe: Option<String>, payload: &impl Serialize) -> Self {
        Self { site_id, kind, dedupe, payload: db::columns::to_json(payload) }
    }

    /// Asks for it now, inside the caller's transaction; false when it waits or runs already.
    pub(crate) async fn enqueue(self, c: &mut db::Conn, now: helpbot_domain::Timestamp) -> Result<bool> {
        let job = Job {
            id: JobId::from_uuid(randomness::uuid(now)),
            site_id: self.site_id,
            kind: self.kind.to_owned(),
            dedupe: self.dedupe,
            payload: self.payload,
            due_at: now,
            attempts: 0,
            last_error: None,
            created_at: now,
        };
        Ok(db::jobs::insert(c, &job).await?)
    }
}

/// Reads what a job is to be done to.
///
/// # Errors
/// `Internal` when it is not what this program writes.
pub fn payload<T: DeserializeOwned>(job: &Job) -> Result<T> {
    serde_json::from_str(&job.payload).map_err(Error::internal)
}

impl Services {
    /// Takes up to `limit` due jobs of those kinds for `owner`, for [`LEASE`].
    ///
    /// # Errors
    /// Only the database's own.
    #[boxed]
    pub async fn claim_jobs(&self, kinds: &'static [&'static str], owner: &str, limit: i64) -> Result<Vec<Job>> {
        let lease = self.lease(owner);
        self.db.write(move |c| Box::pin(async move { Ok(db::jobs::claim(c, kinds, &lease, limit).await?) })).await
    }

    /// Keeps a job for another [`LEASE`]; false when it was lost to another worker.
    ///
    /// # Errors
    /// Only the database's own.
    #[boxed]
    pub async fn renew_job(&self, id: JobId, owner: &str) -> Result<bool> {
        let lease = self.lease(owner);
        self.db.write(move |c| Box::pin(async move { Ok(db::jobs::renew(c, id, &lease).await?) })).await
    }

    /// Ends a job that is done or given up.
    ///
    /// # Errors
    /// Only the database's own.
    #[boxed]
    pub async fn finish_job(&self, id: JobId, owner: &str) -> Result<bool> {
        let owner = owner.to_owned();
        self.db.write(move |c| Box::pin(async move { Ok(db::jobs::finish(c, id, &owner).await?) })).await
    }

    /// Puts a failed job back for `wait`.
    ///
    /// # Errors
    /// Only the database's own.
    #[boxed]
    pub async fn retry_job(&self, id: JobId, owner: &str, wait: Duration, error: &str) -> Result<bool> {
        let (owner, error, due) = (owner.to_owned(), error.to_owned(), self.now().plus(wait));
        self.db.write(move |c| Box::pin(async move { Ok(db::jobs::retry(c, id, &owner, due, &error).await?) })).await
    }

    /// Returns when work may be waiting: it was asked for here, or [`POLL`] has passed.
    #[boxed]
    pub async fn work_may_wait(&self) {
        let _ = tokio::time::timeout(POLL, self.wake.notified()).await;
    }

    pub(crate) fn wake_workers(&self) {
        self.wake.notify_one();
    }

    fn lease(&self, owner: &str) -> db::jobs::Lease {
        let now = self.now();
        db::jobs::Lease { owner: owner.to_owned(), now, until: now.plus(LEASE) }
    }
}
