//! The outbox as the worker uses it: due deliveries are claimed by lease, endpoint by endpoint, and
//! returned with the result of their attempts. These functions see all sites.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use helpbot_domain::Timestamp;
use helpbot_domain::ids::WebhookId;
use helpbot_domain::webhook::{Delivery, DeliveryStatus, Webhook};
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{SkipLocked, locked};
use crate::connection::prepared::Fixed;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::runtime::jobs::Lease;
use crate::schema::{deliveries, webhooks};
use crate::webhooks::deliveries::Row;

/// Due deliveries of one endpoint that nobody has claimed.
///
/// A lease that ends later than a lease taken now could end is from before the clock was set back,
/// and is ignored. `$4 + 0` keeps SQLite from preparing the statement again for each limit: it does
/// so when a limit is nothing but a bound value.
const CLAIMABLE: &str = "\
    SELECT id FROM deliveries WHERE status = 'pending' AND webhook_id = $1 AND due_at_ms <= $2 \
    AND (lease_until_ms IS NULL OR lease_until_ms < $2 OR lease_until_ms > $3) \
    ORDER BY due_at_ms, event_seq, id LIMIT $4 + 0";

/// Number of due deliveries up to which the backlog is read row by row. A claim then costs only as
/// much as is due; above it, as much as there are endpoints.
const SMALL_BACKLOG: i64 = 256;

/// The endpoints of the first due deliveries, with the number of each.
const DUE_OF_SMALL_BACKLOG: &str = "
    SELECT webhook_id AS id, count(*) AS due_count FROM (
        SELECT webhook_id, due_at_ms FROM deliveries WHERE status = 'pending' AND due_at_ms <= $1
        ORDER BY due_at_ms LIMIT $2 + 0
    ) AS first GROUP BY webhook_id ORDER BY min(due_at_ms), webhook_id";

/// The endpoints with due deliveries. It jumps from one endpoint to the next in an index, which
/// costs two lookups per endpoint, however many deliveries each has.
const DUE_ENDPOINTS: &str = "
    WITH RECURSIVE endpoint(id) AS (
        SELECT min(webhook_id) FROM deliveries WHERE status = 'pending'
        UNION ALL
        SELECT (SELECT min(webhook_id) FROM deliveries WHERE status = 'pending' AND webhook_id > endpoint.id)
        FROM endpoint WHERE endpoint.id IS NOT NULL
    )
    SELECT id FROM (
        SELECT id, (SELECT min(due_at_ms) FROM deliveries WHERE status = 'pending' AND webhook_id = endpoint.id) AS due
        FROM endpoint WHERE id IS NOT NULL
    ) AS found
    WHERE due <= $1 ORDER BY due, id";

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

#[derive(QueryableByName)]
struct DueCount {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    due_count: i64,
}

fn horizon(lease: &Lease) -> i64 {
    let length_ms = lease.until.as_ms() - lease.now.as_ms();
    lease.until.as_ms().saturating_add(length_ms)
}

/// Returns whether any delivery is due, including those of paused endpoints.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn is_due(c: &mut Conn, now: Timestamp) -> Result<bool> {
    let now = now.as_ms();
    let first: Option<i64> = on!(c, |c| {
        deliveries::table
            .filter(deliveries::status.eq(DeliveryStatus::Pending.as_str()))
            .filter(deliveries::due_at_ms.le(now))
            .select(deliveries::due_at_ms)
            .first(c)
            .await
            .optional()
    })?;
    Ok(first.is_some())
}

/// Returns the endpoints with deliveries due at `now`, longest overdue first. Claimed deliveries
/// and paused endpoints are included.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn due_endpoints(c: &mut Conn, now: Timestamp) -> Result<Vec<WebhookId>> {
    let now = now.as_ms();
    let rows: Vec<DueCount> =
        on!(c, |c| Fixed(sql_query(DUE_OF_SMALL_BACKLOG).bind::<BigInt, _>(now).bind::<BigInt, _>(SMALL_BACKLOG))
            .load(c)
            .await)?;
    if rows.iter().map(|row| row.due_count).sum::<i64>() < SMALL_BACKLOG {
        return rows.iter().map(|row| columns::parse(&row.id)).collect();
    }
    let rows: Vec<Id> = on!(c, |c| Fixed(sql_query(DUE_ENDPOINTS).bind::<BigInt, _>(now)).load(c).await)?;
    rows.iter().map(|row| columns::parse(&row.id)).collect()
}

/// Returns up to `limit` deliveries of an endpoint that can be claimed, longest overdue first and
/// in the order of the log, so that first attempts start in the order of commits. PostgreSQL locks
/// the rows and skips those that others have locked.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn claimable(c: &mut Conn, lease: &Lease, webhook: WebhookId, limit: i64) -> Result<Vec<Uuid>> {
    let (now, horizon, webhook) = (lease.now.as_ms(), horizon(lease), webhook.to_string());
    let rows: Vec<Id> = on!(c, |c| {
        let claimable = sql_query(CLAIMABLE)
            .bind::<Text, _>(&webhook)
            .bind::<BigInt, _>(now)
            .bind::<BigInt, _>(horizon)
            .bind::<BigInt, _>(limit);
        locked(SkipLocked, Fixed(claimable)).load(c).await
    })?;
    rows.iter().map(|row| columns::parse(&row.id)).collect()
}

/// Claims deliveries for `lease.owner`. Returns them with their endpoints, longest overdue first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn claim(c: &mut Conn, ids: &[Uuid], lease: &Lease) -> Result<Vec<(Delivery, Webhook)>> {
    let ids = columns::texts(ids);
    on!(c, |c| {
        diesel::update(deliveries::table.filter(deliveries::id.eq_any(&ids)))
            .set((deliveries::lease_owner.eq(&lease.owner), deliveries::lease_until_ms.eq(lease.until.as_ms())))
            .execute(c)
            .await
    })?;
    let endpoint = webhooks::site_id.eq(deliveries::site_id).and(webhooks::id.eq(deliveries::webhook_id));
    let rows: Vec<(Row, crate::webhooks::Row)> = on!(c, |c| {
        deliveries::table
            .inner_join(webhooks::table.on(endpoint))
            .filter(deliveries::id.eq_any(&ids))
            .order((deliveries::due_at_ms, deliveries::event_seq, deliveries::id))
            .select((Row::as_select(), crate::webhooks::Row::as_select()))
            .load(c)
            .await
    })?;
    rows.into_iter().map(|(delivery, webhook)| Ok((delivery.try_into()?, webhook.try_into()?))).collect()
}

/// Makes pending deliveries with `run_attempts` attempts due at `latest` when they are due later,
/// and returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn pull_in(c: &mut Conn, run_attempts: i32, latest: Timestamp) -> Result<usize> {
    let latest = latest.as_ms();
    Ok(on!(c, |c| {
        diesel::update(
            deliveries::table
                .filter(deliveries::status.eq(DeliveryStatus::Pending.as_str()))
                .filter(deliveries::due_at_ms.gt(latest))
                .filter(deliveries::run_attempts.eq(run_attempts)),
        )
        .set(deliveries::due_at_ms.eq(latest))
        .execute(c)
        .await
    })?)
}

/// Releases claimed deliveries that were not attempted.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn release(c: &mut Conn, ids: &[Uuid], owner: &str) -> Result<()> {
    let ids = columns::texts(ids);
    on!(c, |c| {
        diesel::update(deliveries::table.filter(deliveries::id.eq_any(&ids)).filter(deliveries::lease_owner.eq(owner)))
            .set((deliveries::lease_owner.eq(None::<String>), deliveries::lease_until_ms.eq(None::<i64>)))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Releases claimed deliveries whose lease owner begins with `owner_prefix`, and returns their number. Only
/// for a caller that knows that none of these workers runs.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn release_of(c: &mut Conn, owner_prefix: &str) -> Result<usize> {
    let owners = columns::beginning(owner_prefix);
    Ok(on!(c, |c| {
        diesel::update(
            deliveries::table
                .filter(deliveries::status.eq(DeliveryStatus::Pending.as_str()))
                .filter(deliveries::lease_owner.like(&owners).escape('\\')),
        )
        .set((deliveries::lease_owner.eq(None::<String>), deliveries::lease_until_ms.eq(None::<i64>)))
        .execute(c)
        .await
    })?)
}

/// Records the result of an attempt at a delivery that `owner` holds, and releases it. Returns
/// false when another worker holds it.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn record_attempt(c: &mut Conn, delivery: &Delivery, owner: &str) -> Result<bool> {
    let id = delivery.id.to_string();
    let count = on!(c, |c| {
        let held = deliveries::table.filter(deliveries::id.eq(&id)).filter(deliveries::lease_owner.eq(owner));
        let update = diesel::update(held).set((
            deliveries::status.eq(delivery.status.as_str()),
            deliveries::run_attempts.eq(delivery.run_attempts),
            deliveries::attempts.eq(delivery.attempts),
            deliveries::due_at_ms.eq(delivery.due_at.as_ms()),
            deliveries::finished_at_ms.eq(delivery.finished_at.map(Timestamp::as_ms)),
            deliveries::lease_owner.eq(None::<String>),
            deliveries::lease_until_ms.eq(None::<i64>),
        ));
        Fixed(update).execute(c).await
    })?;
    Ok(count == 1)
}

/// Records that deliveries that `owner` holds were delivered, and releases them. Returns those that
/// it still held, with the number of attempts of each.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn record_delivered(c: &mut Conn, ids: &[Uuid], owner: &str, now: Timestamp) -> Result<Vec<(Uuid, i32)>> {
    let ids = columns::texts(ids);
    let rows: Vec<(String, i32)> = on!(c, |c| {
        diesel::update(deliveries::table.filter(deliveries::id.eq_any(&ids)).filter(deliveries::lease_owner.eq(owner)))
            .set((
                deliveries::status.eq(DeliveryStatus::Delivered.as_str()),
                deliveries::run_attempts.eq(deliveries::run_attempts + 1),
                deliveries::attempts.eq(deliveries::attempts + 1),
                deliveries::finished_at_ms.eq(now.as_ms()),
                deliveries::lease_owner.eq(None::<String>),
                deliveries::lease_until_ms.eq(None::<i64>),
            ))
            .returning((deliveries::id, deliveries::attempts))
            .load(c)
            .await
    })?;
    rows.iter().map(|(id, attempts)| Ok((columns::parse(id)?, *attempts))).collect()
}
