//! Background jobs: rows that become due at a time and are claimed by lease. When a worker crashes,
//! its lease expires and another worker takes the job. No transaction is open while a job runs.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{JobId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{ForUpdate, SkipLocked, locked};
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::load_page;
use crate::schema::jobs;
use helpbot_domain::job::Job;
use helpbot_domain::page::PageRequest;

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs)]
struct Row {
    id: String,
    site_id: String,
    kind: String,
    dedupe: Option<String>,
    payload: String,
    due_at_ms: i64,
    attempts: i32,
    last_error: Option<String>,
    created_at_ms: i64,
    done_rows: i64,
    total_rows: Option<i64>,
}

impl TryFrom<Row> for Job {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Job {
            id: columns::parse(&row.id)?,
            site_id: columns::parse(&row.site_id)?,
            kind: row.kind,
            dedupe: row.dedupe,
            payload: row.payload,
            due_at: Timestamp::from_ms(row.due_at_ms),
            attempts: row.attempts,
            last_error: row.last_error,
            created_at: Timestamp::from_ms(row.created_at_ms),
            done_rows: row.done_rows,
            total_rows: row.total_rows,
        })
    }
}

/// Adds a job. Returns false when an unfinished job has the same `dedupe` key.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn insert(c: &mut Conn, job: &Job) -> Result<bool> {
    let count = on!(c, |c| {
        diesel::insert_into(jobs::table)
            .values((
                jobs::id.eq(job.id.to_string()),
                jobs::site_id.eq(job.site_id.to_string()),
                jobs::kind.eq(&job.kind),
                jobs::dedupe.eq(&job.dedupe),
                jobs::payload.eq(&job.payload),
                jobs::due_at_ms.eq(job.due_at.as_ms()),
                jobs::attempts.eq(job.attempts),
                jobs::created_at_ms.eq(job.created_at.as_ms()),
                jobs::total_rows.eq(job.total_rows),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Returns up to `limit` unfinished jobs of these kinds, oldest first, of one site or of all sites.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn waiting(c: &mut Conn, site: Option<SiteId>, kinds: &[&str], limit: i64) -> Result<Vec<Job>> {
    let rows: Vec<Row> = on!(c, <B> |c| {
        let mut rows = jobs::table.filter(jobs::kind.eq_any(kinds.iter().copied())).into_boxed::<B>();
        if let Some(site) = site {
            rows = rows.filter(jobs::site_id.eq(site.to_string()));
        }
        rows.order((jobs::created_at_ms, jobs::id)).limit(limit).select(Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(Job::try_from).collect()
}

/// The lease of a worker on a row.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Name of the worker.
    pub owner: String,
    /// Time of the claim.
    pub now: Timestamp,
    /// Time at which the lease expires.
    pub until: Timestamp,
}

/// The columns of a job that is given to a worker: its lease, and one more attempt.
macro_rules! held {
    ($lease:ident) => {
        (
            jobs::lease_owner.eq(&$lease.owner),
            jobs::lease_until_ms.eq($lease.until.as_ms()),
            jobs::attempts.eq(jobs::attempts + 1),
        )
    };
}

/// Claims up to `limit` due jobs of these kinds, longest overdue first, and counts the attempt.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn claim(c: &mut Conn, kinds: &[&str], lease: &Lease, limit: i64) -> Result<Vec<Job>> {
    let now = lease.now.as_ms();
    // Workers on other nodes may claim at the same time. Each one skips the rows of the others.
    let ids: Vec<String> = on!(c, |c| {
        let free = jobs::table
            .filter(jobs::kind.eq_any(kinds.iter().copied()))
            .filter(jobs::due_at_ms.le(now))
            .filter(jobs::lease_until_ms.is_null().or(jobs::lease_until_ms.lt(now)))
            .order((jobs::due_at_ms, jobs::id))
            .limit(limit)
            .select(jobs::id);
        locked(SkipLocked, free).load(c).await
    })?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    on!(c, |c| diesel::update(jobs::table.filter(jobs::id.eq_any(&ids))).set(held!(lease)).execute(c).await)?;
    let rows: Vec<Row> = on!(c, |c| {
        jobs::table
            .filter(jobs::id.eq_any(&ids))
            .order((jobs::due_at_ms, jobs::id))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(Job::try_from).collect()
}

/// Makes unfinished jobs of these kinds due at `latest` when they are due later, and returns their
/// number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn pull_in(c: &mut Conn, kinds: &[&str], latest: Timestamp) -> Result<usize> {
    let latest = latest.as_ms();
    Ok(on!(c, |c| {
        diesel::update(jobs::table.filter(jobs::kind.eq_any(kinds.iter().copied())).filter(jobs::due_at_ms.gt(latest)))
            .set(jobs::due_at_ms.eq(latest))
            .execute(c)
            .await
    })?)
}

/// Extends the lease on a job. Returns false when another worker holds the job.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn renew(c: &mut Conn, id: JobId, lease: &Lease) -> Result<bool> {
    let id = id.to_string();
    let count = on!(c, |c| {
        diesel::update(jobs::table.filter(jobs::id.eq(&id)).filter(jobs::lease_owner.eq(&lease.owner)))
            .set(jobs::lease_until_ms.eq(lease.until.as_ms()))
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Returns whether `owner` still holds the job, and keeps others from claiming it until the
/// transaction ends. An expired lease counts as held until somebody else claims the job.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn is_held(c: &mut Conn, id: JobId, owner: &str) -> Result<bool> {
    let id = id.to_string();
    let found: Option<String> = on!(c, |c| {
        let held = jobs::table.filter(jobs::id.eq(&id)).filter(jobs::lease_owner.eq(owner)).select(jobs::id);
        locked(ForUpdate, held).get_result(c).await.optional()
    })?;
    Ok(found.is_some())
}

/// Deletes a job that succeeded or was given up. Returns false when another worker holds the job.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn finish(c: &mut Conn, id: JobId, owner: &str) -> Result<bool> {
    let id = id.to_string();
    let count = on!(c, |c| {
        diesel::delete(jobs::table.filter(jobs::id.eq(&id)).filter(jobs::lease_owner.eq(owner))).execute(c).await
    })?;
    Ok(count == 1)
}

/// Postpones a failed job until `due_at`. Returns false when another worker holds the job.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn retry(c: &mut Conn, id: JobId, owner: &str, due_at: Timestamp, error: &str) -> Result<bool> {
    let id = id.to_string();
    let count = on!(c, |c| {
        diesel::update(jobs::table.filter(jobs::id.eq(&id)).filter(jobs::lease_owner.eq(owner)))
            .set((
                jobs::due_at_ms.eq(due_at.as_ms()),
                jobs::last_error.eq(error),
                jobs::lease_owner.eq(None::<String>),
                jobs::lease_until_ms.eq(None::<i64>),
            ))
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Deletes a waiting or running job of a site whose subject no longer exists.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn cancel(c: &mut Conn, site: SiteId, kind: &str, dedupe: &str) -> Result<()> {
    let site = site.to_string();
    on!(c, |c| {
        diesel::delete(
            jobs::table.filter(jobs::site_id.eq(&site)).filter(jobs::kind.eq(kind)).filter(jobs::dedupe.eq(dedupe)),
        )
        .execute(c)
        .await
    })?;
    Ok(())
}

/// Deletes jobs of a site and kind that have one of these payloads, even when a worker holds them.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_of(c: &mut Conn, site: SiteId, kind: &str, payloads: &[String]) -> Result<usize> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        diesel::delete(
            jobs::table
                .filter(jobs::site_id.eq(&site))
                .filter(jobs::kind.eq(kind))
                .filter(jobs::payload.eq_any(payloads)),
        )
        .execute(c)
        .await
    })?)
}

/// Gives a job that was inserted in the same transaction to a worker.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn hold(c: &mut Conn, id: JobId, lease: &Lease) -> Result<()> {
    let id = id.to_string();
    on!(c, |c| diesel::update(jobs::table.filter(jobs::id.eq(&id))).set(held!(lease)).execute(c).await)?;
    Ok(())
}

/// Records the progress of a job: its payload from now on, and `rows` more rows. Extends its lease.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn record_progress(c: &mut Conn, id: JobId, payload: &str, rows: i64, lease: &Lease) -> Result<()> {
    let id = id.to_string();
    on!(c, |c| {
        diesel::update(jobs::table.filter(jobs::id.eq(&id)))
            .set((
                jobs::payload.eq(payload),
                jobs::done_rows.eq(jobs::done_rows + rows),
                jobs::lease_until_ms.eq(lease.until.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns one page of the unfinished jobs of these kinds, ordered by ID and therefore oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(c: &mut Conn, kinds: &[&str], page: PageRequest<JobId>) -> Result<Vec<Job>> {
    let rows: Vec<Row> =
        on!(c, |c| load_page!(c, jobs::table.filter(jobs::kind.eq_any(kinds.iter().copied())), jobs::id, page))?;
    rows.into_iter().map(Job::try_from).collect()
}

/// Returns the number of unfinished jobs of these kinds.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, kinds: &[&str]) -> Result<i64> {
    Ok(on!(c, |c| jobs::table.filter(jobs::kind.eq_any(kinds.iter().copied())).count().get_result(c).await)?)
}

/// Deletes up to `limit` jobs of a site, except those of the kind `kept`, even when a worker holds
/// them. Returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_all_except(c: &mut Conn, site: SiteId, kept: &str, limit: i64) -> Result<usize> {
    let site = site.to_string();
    let ids: Vec<String> = on!(c, |c| {
        jobs::table
            .filter(jobs::site_id.eq(&site))
            .filter(jobs::kind.ne(kept))
            .limit(limit)
            .select(jobs::id)
            .load(c)
            .await
    })?;
    Ok(on!(c, |c| diesel::delete(jobs::table.filter(jobs::id.eq_any(&ids))).execute(c).await)?)
}

/// Releases claimed jobs whose lease owner begins with `owner_prefix`, and returns their number. Only for a
/// caller that knows that none of these workers runs.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn release_of(c: &mut Conn, owner_prefix: &str) -> Result<usize> {
    let owners = columns::beginning(owner_prefix);
    Ok(on!(c, |c| {
        diesel::update(jobs::table.filter(jobs::lease_owner.like(&owners).escape('\\')))
            .set((jobs::lease_owner.eq(None::<String>), jobs::lease_until_ms.eq(None::<i64>)))
            .execute(c)
            .await
    })?)
}
