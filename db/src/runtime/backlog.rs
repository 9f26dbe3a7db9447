//! How much background work waits, of all sites together. For `/metrics`, so each query reads at most
//! [`COUNTED_MAX`] rows of an index.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};
use helpbot_domain::Timestamp;

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::prepared::Fixed;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;

/// Number of rows up to which a backlog is counted. Alerts compare with far smaller numbers, and monitoring reads the
/// backlog several times a minute.
pub const COUNTED_MAX: i64 = 10_000;

const JOBS: &str = "
    SELECT kind, state, count(*) AS number, min(due_at_ms) AS first_due_at_ms FROM (
        SELECT kind, due_at_ms, CASE WHEN lease_until_ms >= $1 THEN 'running' WHEN due_at_ms <= $1 THEN 'due'
            WHEN attempts > 0 THEN 'retrying' ELSE 'planned' END AS state
        FROM jobs ORDER BY due_at_ms LIMIT $2 + 0
    ) AS first GROUP BY kind, state ORDER BY kind, state";

const DUE_DELIVERIES: &str = "
    SELECT count(*) AS number, min(due_at_ms) AS first_due_at_ms FROM (
        SELECT due_at_ms FROM deliveries WHERE status = 'pending' AND due_at_ms <= $1 ORDER BY due_at_ms LIMIT $2 + 0
    ) AS first";

const LATER_DELIVERIES: &str = "
    SELECT count(*) AS number, min(due_at_ms) AS first_due_at_ms FROM (
        SELECT due_at_ms FROM deliveries WHERE status = 'pending' AND due_at_ms > $1 ORDER BY due_at_ms LIMIT $2 + 0
    ) AS first";

/// Unfinished jobs of one kind in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobBacklog {
    /// Kind of the jobs.
    pub kind: String,
    /// `running`, `due`, `retrying` or `planned`.
    pub state: String,
    /// Their number and the earliest due time.
    pub waiting: WaitingRows,
}

/// A number of rows that wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitingRows {
    /// Number of rows, at most [`COUNTED_MAX`].
    pub number: i64,
    /// Earliest due time. `None` when there is no row.
    pub first_due_at: Option<Timestamp>,
}

#[derive(QueryableByName)]
struct JobRow {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    first_due_at_ms: Option<i64>,
}

#[derive(QueryableByName)]
struct WaitingCount {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    first_due_at_ms: Option<i64>,
}

/// Returns the unfinished jobs by kind and state, without those that do not exist.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn jobs(c: &mut Conn, now: Timestamp) -> Result<Vec<JobBacklog>> {
    let now = now.as_ms();
    let rows: Vec<JobRow> =
        on!(c, |c| Fixed(sql_query(JOBS).bind::<BigInt, _>(now).bind::<BigInt, _>(COUNTED_MAX)).load(c).await)?;
    let backlog = |row: JobRow| JobBacklog {
        kind: row.kind,
        state: row.state,
        waiting: WaitingRows { number: row.number, first_due_at: row.first_due_at_ms.map(Timestamp::from_ms) },
    };
    Ok(rows.into_iter().map(backlog).collect())
}

/// Returns the webhook deliveries that are due, including those that a worker is sending.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn due_deliveries(c: &mut Conn, now: Timestamp) -> Result<WaitingRows> {
    deliveries(c, DUE_DELIVERIES, now).await
}

/// Returns the webhook deliveries that are attempted again later.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn later_deliveries(c: &mut Conn, now: Timestamp) -> Result<WaitingRows> {
    deliveries(c, LATER_DELIVERIES, now).await
}

async fn deliveries(c: &mut Conn, query: &'static str, now: Timestamp) -> Result<WaitingRows> {
    let now = now.as_ms();
    let rows: Vec<WaitingCount> =
        on!(c, |c| Fixed(sql_query(query).bind::<BigInt, _>(now).bind::<BigInt, _>(COUNTED_MAX)).load(c).await)?;
    let first = rows.into_iter().next();
    let waiting = |row: WaitingCount| WaitingRows {
        number: row.number,
        first_due_at: row.first_due_at_ms.map(Timestamp::from_ms),
    };
    Ok(first.map(waiting).unwrap_or_default())
}
