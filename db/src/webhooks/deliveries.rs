//! Deliveries: the outbox and its log. A row is one event for one endpoint. It is written in the
//! transaction of the event, claimed by lease, and kept as its record.
//!
//! [`crate::outbox`] has the functions of the worker.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::event::Event;
use helpbot_domain::ids::{EventId, SiteId, WebhookId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::webhook::DeliveryStatus;
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{among, insert_rows};
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::deliveries;
use helpbot_domain::webhook::{Delivery, DeliveryFilter};

#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries)]
pub(crate) struct Row {
    id: String,
    site_id: String,
    webhook_id: String,
    event_id: String,
    event_type: String,
    event_seq: Option<i64>,
    event_at_ms: i64,
    body: String,
    status: String,
    run_attempts: i32,
    attempts: i32,
    due_at_ms: i64,
    created_at_ms: i64,
    finished_at_ms: Option<i64>,
}

impl TryFrom<Row> for Delivery {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Delivery {
            id: columns::parse(&row.id)?,
            site_id: columns::parse(&row.site_id)?,
            webhook_id: columns::parse(&row.webhook_id)?,
            event_id: columns::parse(&row.event_id)?,
            event_type: row.event_type,
            event_seq: row.event_seq,
            event_at: Timestamp::from_ms(row.event_at_ms),
            body: row.body,
            status: columns::named(&row.status)?,
            run_attempts: row.run_attempts,
            attempts: row.attempts,
            due_at: Timestamp::from_ms(row.due_at_ms),
            created_at: Timestamp::from_ms(row.created_at_ms),
            finished_at: columns::ms(row.finished_at_ms),
        })
    }
}

/// Stores a new delivery.
///
/// # Errors
/// `Conflict` when the endpoint already has a delivery of this event.
pub async fn insert(c: &mut Conn, new: &Delivery) -> Result<()> {
    insert_all(c, std::slice::from_ref(new)).await
}

/// Stores new deliveries.
///
/// # Errors
/// `Conflict` when an endpoint already has a delivery of an event. Some deliveries may be stored then,
/// so roll back the transaction.
pub async fn insert_all(c: &mut Conn, new: &[Delivery]) -> Result<()> {
    insert_rows!(c, deliveries::table, new, |new| (
        deliveries::id.eq(new.id.to_string()),
        deliveries::site_id.eq(new.site_id.to_string()),
        deliveries::webhook_id.eq(new.webhook_id.to_string()),
        deliveries::event_id.eq(new.event_id.to_string()),
        deliveries::event_type.eq(&new.event_type),
        deliveries::event_seq.eq(new.event_seq),
        deliveries::event_at_ms.eq(new.event_at.as_ms()),
        deliveries::body.eq(&new.body),
        deliveries::status.eq(new.status.as_str()),
        deliveries::run_attempts.eq(new.run_attempts),
        deliveries::attempts.eq(new.attempts),
        deliveries::due_at_ms.eq(new.due_at.as_ms()),
        deliveries::created_at_ms.eq(new.created_at.as_ms()),
    ));
    Ok(())
}

/// Cancels the pending deliveries of a disabled endpoint, and returns their number. A delivery that
/// is being attempted ends with the result of that attempt.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn cancel(c: &mut Conn, site: SiteId, webhook: WebhookId, now: Timestamp) -> Result<usize> {
    let (site, webhook) = (site.to_string(), webhook.to_string());
    Ok(on!(c, |c| {
        diesel::update(
            deliveries::table
                .filter(deliveries::site_id.eq(&site))
                .filter(deliveries::webhook_id.eq(&webhook))
                .filter(deliveries::status.eq(DeliveryStatus::Pending.as_str())),
        )
        .set((deliveries::status.eq(DeliveryStatus::Cancelled.as_str()), deliveries::finished_at_ms.eq(now.as_ms())))
        .execute(c)
        .await
    })?)
}

/// Restarts the retry schedule of deliveries, due at `now`.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn restart(c: &mut Conn, site: SiteId, ids: &[Uuid], now: Timestamp) -> Result<usize> {
    let (site, ids) = (site.to_string(), columns::texts(ids));
    Ok(on!(c, |c| {
        diesel::update(deliveries::table.filter(deliveries::site_id.eq(&site)).filter(deliveries::id.eq_any(&ids)))
            .set((
                deliveries::status.eq(DeliveryStatus::Pending.as_str()),
                deliveries::run_attempts.eq(0),
                deliveries::due_at_ms.eq(now.as_ms()),
                deliveries::finished_at_ms.eq(None::<i64>),
                deliveries::lease_owner.eq(None::<String>),
                deliveries::lease_until_ms.eq(None::<i64>),
            ))
            .execute(c)
            .await
    })?)
}

/// Makes a pending delivery due at `now`. Returns false when the delivery is not pending.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn hurry(c: &mut Conn, site: SiteId, id: Uuid, now: Timestamp) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::update(
            deliveries::table
                .filter(deliveries::site_id.eq(&site))
                .filter(deliveries::id.eq(&id))
                .filter(deliveries::status.eq(DeliveryStatus::Pending.as_str())),
        )
        .set(deliveries::due_at_ms.eq(now.as_ms()))
        .execute(c)
        .await
    })?;
    Ok(count == 1)
}

/// Returns a delivery of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: Uuid) -> Result<Option<Delivery>> {
    let (site, id) = (site.to_string(), id.to_string());
    let row: Option<Row> = on!(c, |c| {
        deliveries::table
            .filter(deliveries::site_id.eq(&site))
            .filter(deliveries::id.eq(&id))
            .select(Row::as_select())
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(Delivery::try_from).transpose()
}

/// Returns the site's deliveries with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[Uuid]) -> Result<Vec<Delivery>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        deliveries::table
            .filter(deliveries::site_id.eq(&site))
            .filter(among(deliveries::id, ids))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(Delivery::try_from).collect()
}

/// Returns an endpoint's deliveries of these events, as event, delivery and state.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of_events(
    c: &mut Conn,
    site: SiteId,
    webhook: WebhookId,
    events: &[Event],
) -> Result<Vec<(EventId, Uuid, DeliveryStatus)>> {
    let (site, webhook) = (site.to_string(), webhook.to_string());
    let events: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
    let rows: Vec<(String, String, String)> = on!(c, |c| {
        deliveries::table
            .filter(deliveries::site_id.eq(&site))
            .filter(deliveries::webhook_id.eq(&webhook))
            .filter(deliveries::event_id.eq_any(&events))
            .select((deliveries::event_id, deliveries::id, deliveries::status))
            .load(c)
            .await
    })?;
    rows.iter()
        .map(|(event, id, status)| Ok((columns::parse(event)?, columns::parse(id)?, columns::named(status)?)))
        .collect()
}

/// Deletes the deliveries of these events to all endpoints, with their attempts.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_of_events(c: &mut Conn, site: SiteId, events: &[EventId]) -> Result<usize> {
    let (site_text, events) = (site.to_string(), columns::texts(events));
    // Their index starts with the endpoint, of which a site has at most five.
    let endpoints = crate::webhooks::list(c, site).await?.into_iter().map(|webhook| webhook.id.to_string());
    let endpoints: Vec<String> = endpoints.collect();
    Ok(on!(c, |c| {
        diesel::delete(
            deliveries::table
                .filter(deliveries::site_id.eq(&site_text))
                .filter(deliveries::webhook_id.eq_any(&endpoints))
                .filter(deliveries::event_id.eq_any(&events)),
        )
        .execute(c)
        .await
    })?)
}

macro_rules! filtered {
    ($backend:ty, $site:expr, $webhook:expr, $filter:expr) => {{
        let filter: &DeliveryFilter = $filter;
        let mut rows = deliveries::table
            .filter(deliveries::site_id.eq($site.to_string()))
            .filter(deliveries::webhook_id.eq($webhook.to_string()))
            .into_boxed::<$backend>();
        if let Some(status) = filter.status {
            rows = rows.filter(deliveries::status.eq(status.as_str()));
        }
        if let Some(event_type) = &filter.event_type {
            rows = rows.filter(deliveries::event_type.eq(event_type.clone()));
        }
        if let Some(since) = filter.since {
            rows = rows.filter(deliveries::event_at_ms.ge(since.as_ms()));
        }
        rows
    }};
}

/// Returns one page of an endpoint's deliveries, newest first.
///
/// # Errors
/// Only the database's own.
pub async fn list(
    c: &mut Conn,
    site: SiteId,
    webhook: WebhookId,
    filter: &DeliveryFilter,
    page: PageRequest<Uuid>,
) -> Result<Vec<Delivery>> {
    let rows: Vec<Row> = on!(c, <B> |c| {
        let mut rows = filtered!(B, site, webhook, filter);
        if let Some(from) = page.from.map(|id| id.to_string()) {
            // IDs rise with time, so what comes later in the list has a smaller ID.
            rows = if page.is_backward {
                rows.filter(deliveries::id.gt(from))
            } else {
                rows.filter(deliveries::id.lt(from))
            };
        }
        rows = if page.is_backward { rows.order(deliveries::id.asc()) } else { rows.order(deliveries::id.desc()) };
        rows.limit(page.limit).select(Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(Delivery::try_from).collect()
}

/// Returns the total number of deliveries in the list.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId, webhook: WebhookId, filter: &DeliveryFilter) -> Result<i64> {
    Ok(on!(c, <B> |c| filtered!(B, site, webhook, filter).count().get_result(c).await)?)
}

/// Deletes up to `limit` deliveries that finished before `before`, and returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_before(c: &mut Conn, before: Timestamp, limit: i64) -> Result<usize> {
    let ids: Vec<String> = on!(c, |c| {
        deliveries::table
            .filter(deliveries::finished_at_ms.lt(before.as_ms()))
            .order(deliveries::finished_at_ms)
            .limit(limit)
            .select(deliveries::id)
            .load(c)
            .await
    })?;
    Ok(on!(c, |c| diesel::delete(deliveries::table.filter(deliveries::id.eq_any(&ids))).execute(c).await)?)
}

/// Deletes up to `limit` deliveries of each endpoint of the site that were created before `before`, in whatever state they
/// are, and returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_of_site_before(c: &mut Conn, site: SiteId, before: Timestamp, limit: i64) -> Result<usize> {
    let mut expired: Vec<String> = Vec::new();
    for webhook in crate::webhooks::list(c, site).await? {
        let (site, webhook) = (site.to_string(), webhook.id.to_string());
        let oldest: Vec<(String, i64)> = on!(c, |c| {
            deliveries::table
                .filter(deliveries::site_id.eq(&site))
                .filter(deliveries::webhook_id.eq(&webhook))
                // IDs rise with time.
                .order(deliveries::id)
                .limit(limit)
                .select((deliveries::id, deliveries::created_at_ms))
                .load(c)
                .await
        })?;
        expired.extend(oldest.into_iter().take_while(|(_, at)| *at < before.as_ms()).map(|(id, _)| id));
    }
    Ok(on!(c, |c| diesel::delete(deliveries::table.filter(deliveries::id.eq_any(&expired))).execute(c).await)?)
}
