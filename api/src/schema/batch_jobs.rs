//! Batch jobs: large work that runs in the background, with its progress. Only operators see them.

use async_graphql::{Context, Enum, ID, Object};
use helpbot_api_macros::{OutputObject, paged};
use helpbot_domain::job::Job;
use helpbot_services::batch_jobs;
use helpbot_services::runtime::job_kinds::{APPLY_RETENTION, DELETE_SITE, ERASE_VISITOR};

use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::ids;
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::{DateTime, int};

/// The query field that reads batch jobs.
#[derive(Default)]
pub struct BatchJobQuery;

/// Kind of a batch job, which says what work it does.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchJobKind {
    /// Deletes the data of a site that was deleted.
    DeleteSite,
    /// Erases the data of a session.
    EraseSession,
    /// Erases the data of all sessions of an e-mail address.
    EraseVisitor,
    /// Deletes what is older than the owner of a site wants to keep, as `DataRetention` says.
    ApplyRetention,
}

/// Large work that runs in the background in short transactions, so that other requests do not wait for
/// it. It continues after a restart of the server, and disappears from the list when it is done.
#[derive(Debug, Clone, OutputObject)]
pub struct BatchJob {
    /// ID of the job. `node` does not accept it.
    id: ID,
    /// Kind of the job, which says what work it does.
    kind: BatchJobKind,
    /// ID of the site that the job works on. The site of a `DELETE_SITE` job can no longer be queried.
    site_id: ID,
    /// Number of conversations, events, pages and entries that were processed so far.
    done_rows: i32,
    /// Estimate of `doneRows` at the end of the job. It is null when there is no estimate.
    total_rows: Option<i32>,
    /// Time at which the job was created.
    created_at: DateTime,
    /// Reason why the last attempt failed. It is null when no attempt failed. The job is repeated.
    error: Option<String>,
}

connection! {
    /// A list of batch jobs that are not done, which is sorted by the time of creation, oldest first.
    BatchJobConnection,
    /// An edge that connects the list to a batch job.
    BatchJobEdge,
    BatchJob
}

impl From<Job> for BatchJob {
    fn from(job: Job) -> Self {
        Self {
            id: ids::id(job.id),
            kind: match job.kind.as_str() {
                DELETE_SITE => BatchJobKind::DeleteSite,
                ERASE_VISITOR => BatchJobKind::EraseVisitor,
                APPLY_RETENTION => BatchJobKind::ApplyRetention,
                _ => BatchJobKind::EraseSession,
            },
            site_id: ids::id(job.site_id),
            done_rows: int(job.done_rows),
            total_rows: job.total_rows.map(int),
            created_at: job.created_at.into(),
            error: job.last_error,
        }
    }
}

#[paged]
#[Object]
impl BatchJobQuery {
    /// Returns the batch jobs of all sites that are not done, oldest first. Requires an operator key.
    async fn batch_jobs(&self, ctx: &Context<'_>, args: PageArgs) -> Nullable<BatchJobConnection> {
        nullable(list(Access::of(ctx), &args)).await
    }
}

/// A page of all batch jobs.
async fn list(access: &Access, args: &PageArgs) -> async_graphql::Result<BatchJobConnection> {
    let counted = access.clone();
    let count = async move { batch_jobs::count(&counted.services, &counted.viewer).await };
    let rows = |part| batch_jobs::list(&access.services, &access.viewer, part);
    let (page, total) = page::read(args, rows, count).await?;
    Ok(BatchJobConnection::new(page, total, |row| {
        let position = row.id.to_string();
        (row.into(), position)
    }))
}
