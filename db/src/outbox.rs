//! Deliveries as a worker takes them: due ones by lease, those of paused endpoints passed over,
//! and given back with what came of them. Sees all sites at once.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::WebhookId;
use helpbot_domain::webhook::DeliveryStatus;
use uuid::Uuid;

use crate::conn::on;
use crate::deliveries::{Delivery, Row};
use crate::fixed::Fixed;
use crate::jobs::Lease;
use crate::schema::{deliveries, webhooks};
use crate::webhooks::Webhook;
use crate::{Conn, Result, columns};

/// Deliveries that nobody has and that are due at `now`. A lease that ends later than one could
/// that was taken now is one from before the clock was set back: it holds nobody up.
macro_rules! free {
    ($now:expr, $horizon:expr) => {
        deliveries::status.eq(DeliveryStatus::Pending.as_str()).and(deliveries::due_at_ms.le($now)).and(
            deliveries::lease_until_ms
                .is_null()
                .or(deliveries::lease_until_ms.lt($now))
                .or(deliveries::lease_until_ms.gt($horizon)),
        )
    };
}

/// What a worker has room for.
#[derive(Debug, Clone, Default)]
pub struct Room {
    /// Deliveries to look at, at most.
    pub limit: i64,
    /// Endpoints that are to be passed over.
    pub full: Vec<WebhookId>,
    /// A pause that ends after this was set by a clock that has been set back since.
    pub longest_pause_ms: i64,
}

fn horizon(lease: &Lease) -> i64 {
    let length_ms = lease.until.as_ms() - lease.now.as_ms();
    lease.until.as_ms().saturating_add(length_ms)
}

/// Whether something is due, at a glance: paused endpoints' deliveries count.
///
/// # Errors
/// Only the database's own.
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

/// Deliveries that may be taken, longest due first and in the order of the log, so that first
/// attempts start in the order of commits: their ids and endpoints. Paused endpoints
/// are passed over. On PostgreSQL the rows are locked, and rows that others hold are left out.
///
/// # Errors
/// Only the database's own.
pub async fn candidates(c: &mut Conn, lease: &Lease, room: &Room) -> Result<Vec<(Uuid, WebhookId)>> {
    let (now, horizon, full) = (lease.now.as_ms(), horizon(lease), columns::texts(&room.full));
    let latest_pause = now.saturating_add(room.longest_pause_ms);
    macro_rules! found {
        () => {
            deliveries::table
                .filter(free!(now, horizon))
                .filter(deliveries::webhook_id.ne_all(&full))
                .filter(
                    deliveries::webhook_id.ne_all(
                        webhooks::table
                            .filter(webhooks::paused_until_ms.gt(now))
                            .filter(webhooks::paused_until_ms.le(latest_pause))
                            .select(webhooks::id),
                    ),
                )
                .order((deliveries::due_at_ms, deliveries::event_seq, deliveries::id))
                .limit(room.limit)
                .select((deliveries::id, deliveries::webhook_id))
        };
    }
    let rows: Vec<(String, String)> =
        on!(c, sqlite | c | found!().load(c).await, pg | c | found!().for_update().skip_locked().load(c).await)?;
    rows.iter().map(|(id, webhook)| Ok((columns::parse(id)?, columns::parse(webhook)?))).collect()
}

/// Takes deliveries for `lease.owner`; gives them with their endpoints, longest due first.
///
/// # Errors
/// Only the database's own.
pub async fn take(c: &mut Conn, ids: &[Uuid], lease: &Lease) -> Result<Vec<(Delivery, Webhook)>> {
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

/// Makes waiting deliveries that have had `run_attempts` attempts and are due later than `latest` due
/// then; gives how many there were.
///
/// # Errors
/// Only the database's own.
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

/// Gives deliveries back that were taken and not attempted.
///
/// # Errors
/// Only the database's own.
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

/// Takes every delivery from whoever holds it; gives how many there were. Only for a caller that
/// knows that nobody else is working.
///
/// # Errors
/// Only the database's own.
pub async fn release_all(c: &mut Conn) -> Result<usize> {
    Ok(on!(c, |c| {
        diesel::update(
            deliveries::table
                .filter(deliveries::status.eq(DeliveryStatus::Pending.as_str()))
                .filter(deliveries::lease_until_ms.is_not_null()),
        )
        .set((deliveries::lease_owner.eq(None::<String>), deliveries::lease_until_ms.eq(None::<i64>)))
        .execute(c)
        .await
    })?)
}

/// Writes down what came of an attempt of a delivery that `owner` holds, and lets it go; false
/// when the lease was lost to another.
///
/// # Errors
/// Only the database's own.
pub async fn end_attempt(c: &mut Conn, delivery: &Delivery, owner: &str) -> Result<bool> {
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

/// Writes down that deliveries which `owner` holds have arrived, and lets them go; gives those that
/// were still its own, with how many attempts each has had now.
///
/// # Errors
/// Only the database's own.
pub async fn end_delivered(c: &mut Conn, ids: &[Uuid], owner: &str, now: Timestamp) -> Result<Vec<(Uuid, i32)>> {
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
            .get_results(c)
            .await
    })?;
    rows.iter().map(|(id, attempts)| Ok((columns::parse(id)?, *attempts))).collect()
}
