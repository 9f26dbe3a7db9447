//! Deliveries: the outbox and its log. A row stands for one event and one endpoint; it is
//! written in the transaction of the event, taken by lease, and kept as its record.
//!
//! How a worker takes them stands in [`crate::outbox`].

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::Timestamp;
use helpbot_domain::event::Event;
use helpbot_domain::ids::{EventId, SiteId, WebhookId};
use helpbot_domain::webhook::DeliveryStatus;
use uuid::Uuid;

use crate::conn::on;
use crate::schema::deliveries;
use crate::{Conn, Error, Result, columns};

/// One event on its way to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id, the same over all attempts.
    pub id: Uuid,
    /// Whose.
    pub site_id: SiteId,
    /// Where to.
    pub webhook_id: WebhookId,
    /// The event's id.
    pub event_id: EventId,
    /// The event's name.
    pub event_type: String,
    /// The event's place in the site's log; a test delivery has none.
    pub event_seq: Option<i64>,
    /// When the event happened.
    pub event_at: Timestamp,
    /// The bytes that are sent.
    pub body: String,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// Attempts since it was begun or last replayed: its place in the schedule.
    pub run_attempts: i32,
    /// Attempts in all.
    pub attempts: i32,
    /// When it is, or was last, due.
    pub due_at: Timestamp,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
}

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
/// `Conflict` when the endpoint has one of that event.
pub async fn insert(c: &mut Conn, new: &Delivery) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(deliveries::table)
            .values((
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
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Ends what waits for an endpoint that gets nothing any more; gives how many there were. One
/// that is being attempted ends as its attempt says.
///
/// # Errors
/// Only the database's own.
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

/// Puts deliveries back to the start of their schedule, due at `now`.
///
/// # Errors
/// Only the database's own.
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

/// Makes a waiting delivery due at `now`; false when it does not wait.
///
/// # Errors
/// Only the database's own.
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

/// One delivery of the site.
///
/// # Errors
/// Only the database's own.
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

/// What an endpoint has of some events: the event, the delivery and how far that has come.
///
/// # Errors
/// Only the database's own.
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

/// Deletes the deliveries of some events, to all endpoints, with their attempts.
///
/// # Errors
/// Only the database's own.
pub async fn delete_of_events(c: &mut Conn, site: SiteId, events: &[EventId]) -> Result<usize> {
    let (site_text, events) = (site.to_string(), columns::texts(events));
    // Their index begins with the endpoint, of which a site has five at most.
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

/// Which deliveries of an endpoint a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those that have come so far.
    pub status: Option<DeliveryStatus>,
    /// Only of this event's kind, by name.
    pub event_type: Option<String>,
    /// Only of events from this moment on.
    pub since: Option<Timestamp>,
}

/// Which part of the list of deliveries, which goes by id backwards: newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Page {
    /// Only after this one, which is older.
    pub after: Option<Uuid>,
    /// Only before this one, which is newer.
    pub before: Option<Uuid>,
    /// From the end.
    pub is_backward: bool,
    /// At most so many.
    pub limit: i64,
}

macro_rules! filtered {
    ($backend:ty, $site:expr, $webhook:expr, $filter:expr) => {{
        let filter: &Filter = $filter;
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

/// One page of an endpoint's deliveries, in the order of the walk.
///
/// # Errors
/// Only the database's own.
pub async fn list(
    c: &mut Conn,
    site: SiteId,
    webhook: WebhookId,
    filter: &Filter,
    page: Page,
) -> Result<Vec<Delivery>> {
    macro_rules! page {
        ($backend:ty, $c:expr) => {{
            let mut rows = filtered!($backend, site, webhook, filter);
            if let Some(after) = page.after {
                rows = rows.filter(deliveries::id.lt(after.to_string()));
            }
            if let Some(before) = page.before {
                rows = rows.filter(deliveries::id.gt(before.to_string()));
            }
            rows = if page.is_backward { rows.order(deliveries::id.asc()) } else { rows.order(deliveries::id.desc()) };
            rows.limit(page.limit).select(Row::as_select()).load($c).await
        }};
    }
    let rows: Vec<Row> = on!(c, sqlite | c | page!(diesel::sqlite::Sqlite, c), pg | c | page!(diesel::pg::Pg, c))?;
    rows.into_iter().map(Delivery::try_from).collect()
}

/// How many deliveries the list has in all.
///
/// # Errors
/// Only the database's own.
pub async fn count(c: &mut Conn, site: SiteId, webhook: WebhookId, filter: &Filter) -> Result<i64> {
    macro_rules! counted {
        ($backend:ty, $c:expr) => {
            filtered!($backend, site, webhook, filter).count().get_result($c).await
        };
    }
    Ok(on!(c, sqlite | c | counted!(diesel::sqlite::Sqlite, c), pg | c | counted!(diesel::pg::Pg, c))?)
}

/// Forgets up to `limit` deliveries that ended before `before`; gives how many there were.
///
/// # Errors
/// Only the database's own.
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
