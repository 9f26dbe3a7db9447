//! The batch jobs of HelpBot: which kinds there are, the worker that carries them out, and the list that
//! the operator sees.
//!
//! `server` runs one worker per process with [`run`]. [`batches`](crate::runtime::batches) explains how a batch
//! job works. This file only joins the kinds; what a kind does is in the module of its noun.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use helpbot_db as db;
use helpbot_domain::ids::JobId;
use helpbot_domain::job::Job;
use helpbot_domain::page::PageRequest;
use tokio_util::sync::CancellationToken;

use crate::accounts::site_deletion::{self, SiteDeletion};
use crate::conversations::erasure::{self, VisitorErasure};
use crate::conversations::retention::{self, RetentionRun};
use crate::knowledge::previews;
use crate::runtime::batches;
use crate::runtime::job_kinds::{APPLY_RETENTION, DELETE_SITE, ERASE_SESSION, ERASE_VISITOR};
use crate::runtime::job_runner::{Backoff, JobEnd, JobHandler, JobRunner};
use crate::runtime::jobs;
use crate::{Error, Result, Services, Viewer, boxed};

/// The kinds of batch jobs.
pub const KINDS: [&str; 4] = [DELETE_SITE, ERASE_SESSION, ERASE_VISITOR, APPLY_RETENTION];
/// Number of batch jobs at once. Each of them uses up to half of the writer's time.
const CONCURRENCY: usize = 1;
/// Waiting times after a failure, which is one of the database.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(300) };

/// Carries out batch jobs and previews until `stop` is canceled. `owner` is the name on the leases.
pub async fn run(services: Services, owner: String, stop: CancellationToken) {
    let woken = jobs::changes(&services);
    // A preview must not wait for the deletion of a large site.
    let previews = previews::runner(services.clone(), format!("{owner}-previews")).run(woken.clone(), stop.clone());
    tokio::join!(runner(services, owner).run(woken, stop), previews);
}

/// Carries out the batch jobs that are due, then returns. For the command line and for tests.
pub async fn work_off(services: &Services, owner: String) {
    runner(services.clone(), owner).run_until_idle().await;
}

/// Returns one page of the unfinished batch jobs of all sites, oldest first. Only for operators.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(services: &Services, viewer: &Viewer, page: PageRequest<JobId>) -> Result<Vec<Job>> {
    require_operator(viewer)?;
    Ok(db::jobs::list(&mut services.db.reader().await?, &KINDS, page).await?)
}

/// Returns the number of unfinished batch jobs. Only for operators.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn count(services: &Services, viewer: &Viewer) -> Result<i64> {
    require_operator(viewer)?;
    Ok(db::jobs::count(&mut services.db.reader().await?, &KINDS).await?)
}

fn require_operator(viewer: &Viewer) -> Result<()> {
    crate::accounts::sites::require_operator(viewer)
}

fn runner(services: Services, owner: String) -> Arc<JobRunner> {
    let handler = Arc::new(BatchHandler { services: services.clone(), owner: owner.clone() });
    JobRunner::new(services, handler, owner, CONCURRENCY, BACKOFF)
}

struct BatchHandler {
    services: Services,
    owner: String,
}

impl JobHandler for BatchHandler {
    fn kinds(&self) -> &'static [&'static str] {
        &KINDS
    }

    fn work<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<JobEnd>> {
        Box::pin(async move {
            let Self { services, owner } = self;
            match job.kind.as_str() {
                DELETE_SITE => {
                    batches::work::<SiteDeletion>(services, job, owner).await?;
                    site_deletion::ended(services, job.site_id);
                }
                ERASE_SESSION | ERASE_VISITOR => {
                    batches::work::<VisitorErasure>(services, job, owner).await?;
                    erasure::ended(services, job.site_id);
                }
                APPLY_RETENTION => {
                    let run = batches::work::<RetentionRun>(services, job, owner).await?;
                    retention::ended(services, job.site_id, &run);
                }
                other => return Err(Error::internal(format!("{other} is not a batch job"))),
            }
            Ok(JobEnd::Done)
        })
    }
}
