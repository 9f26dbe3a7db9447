//! Webhook endpoints: their encrypted secrets and the state of their health.

pub mod attempts;
pub mod deliveries;
pub mod outbox;
pub mod replays;

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::event::EventType;
use helpbot_domain::ids::{SiteId, WebhookId};
use helpbot_domain::webhook::{DisabledReason, Failing};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{ForNoKeyUpdate, locked};
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::webhooks;
use helpbot_domain::webhook::{Overlap, SealedSecret, Webhook};

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks)]
pub(crate) struct Row {
    site_id: String,
    id: String,
    url: String,
    events: String,
    description: Option<String>,
    secret_sealed: Vec<u8>,
    secret_last4: String,
    overlap_sealed: Option<Vec<u8>>,
    overlap_last4: Option<String>,
    overlap_until_ms: Option<i64>,
    is_enabled: bool,
    disabled_reason: Option<String>,
    failing_since_ms: Option<i64>,
    first_failed_event_ms: Option<i64>,
    last_failed_event_ms: Option<i64>,
    paused_until_ms: Option<i64>,
    created_at_ms: i64,
    updated_at_ms: i64,
}

impl TryFrom<Row> for Webhook {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let overlap = row.overlap_sealed.zip(row.overlap_last4).map(|(bytes, last4)| Overlap {
            secret: SealedSecret { bytes, last4 },
            until: columns::ms(row.overlap_until_ms),
        });
        let failing = match (row.failing_since_ms, row.first_failed_event_ms, row.last_failed_event_ms) {
            (Some(since), Some(first), Some(last)) => Some(Failing {
                since: Timestamp::from_ms(since),
                first_event: Timestamp::from_ms(first),
                last_event: Timestamp::from_ms(last),
            }),
            _ => None,
        };
        Ok(Webhook {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            url: row.url,
            events: wanted(&row.events)?,
            description: row.description,
            secret: SealedSecret { bytes: row.secret_sealed, last4: row.secret_last4 },
            overlap,
            disabled: match row.is_enabled {
                true => None,
                false => Some(columns::named(row.disabled_reason.as_deref().unwrap_or_default())?),
            },
            failing,
            paused_until: columns::ms(row.paused_until_ms),
            created_at: Timestamp::from_ms(row.created_at_ms),
            updated_at: Timestamp::from_ms(row.updated_at_ms),
        })
    }
}

/// All columns that can change, with their values.
macro_rules! changes {
    ($webhook:expr) => {{
        let webhook: &Webhook = $webhook;
        let overlap = webhook.overlap.as_ref();
        let failing = webhook.failing;
        (
            webhooks::url.eq(&webhook.url),
            webhooks::events.eq(columns::to_json(&columns::texts(&webhook.events))),
            webhooks::description.eq(&webhook.description),
            webhooks::secret_sealed.eq(&webhook.secret.bytes),
            webhooks::secret_last4.eq(&webhook.secret.last4),
            webhooks::overlap_sealed.eq(overlap.map(|overlap| &overlap.secret.bytes)),
            webhooks::overlap_last4.eq(overlap.map(|overlap| &overlap.secret.last4)),
            webhooks::overlap_until_ms.eq(overlap.and_then(|overlap| overlap.until).map(Timestamp::as_ms)),
            webhooks::is_enabled.eq(webhook.disabled.is_none()),
            webhooks::disabled_reason.eq(webhook.disabled.map(DisabledReason::as_str)),
            webhooks::failing_since_ms.eq(failing.map(|run| run.since.as_ms())),
            webhooks::first_failed_event_ms.eq(failing.map(|run| run.first_event.as_ms())),
            webhooks::last_failed_event_ms.eq(failing.map(|run| run.last_event.as_ms())),
            webhooks::paused_until_ms.eq(webhook.paused_until.map(Timestamp::as_ms)),
            webhooks::updated_at_ms.eq(webhook.updated_at.as_ms()),
        )
    }};
}

/// Stores a new endpoint.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, new: &Webhook) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(webhooks::table)
            .values((
                webhooks::site_id.eq(new.site_id.to_string()),
                webhooks::id.eq(new.id.to_string()),
                webhooks::created_at_ms.eq(new.created_at.as_ms()),
                changes!(new),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Updates everything of an endpoint that can change.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn update(c: &mut Conn, changed: &Webhook) -> Result<()> {
    let (site, id) = (changed.site_id.to_string(), changed.id.to_string());
    on!(c, |c| {
        diesel::update(webhooks::table.filter(webhooks::site_id.eq(&site)).filter(webhooks::id.eq(&id)))
            .set(changes!(changed))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns the endpoints of a site, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(c: &mut Conn, site: SiteId) -> Result<Vec<Webhook>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        webhooks::table.filter(webhooks::site_id.eq(&site)).order(webhooks::id).select(Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(Webhook::try_from).collect()
}

/// Returns up to `limit` IDs of the endpoints of all sites that follow `after`, in the order of sites and IDs.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn ids_after(
    c: &mut Conn,
    after: Option<(SiteId, WebhookId)>,
    limit: i64,
) -> Result<Vec<(SiteId, WebhookId)>> {
    let (site, id) = after.map_or_else(Default::default, |(site, id)| (site.to_string(), id.to_string()));
    let rows: Vec<(String, String)> = on!(c, |c| {
        let is_after = webhooks::site_id.gt(&site).or(webhooks::site_id.eq(&site).and(webhooks::id.gt(&id)));
        webhooks::table
            .filter(is_after)
            .order((webhooks::site_id, webhooks::id))
            .select((webhooks::site_id, webhooks::id))
            .limit(limit)
            .load(c)
            .await
    })?;
    rows.iter().map(|(site, id)| Ok((columns::parse(site)?, columns::parse(id)?))).collect()
}

/// Returns the enabled endpoints of a site with their events, oldest first. It is called for every
/// event, so it reads only these columns.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn subscriptions(c: &mut Conn, site: SiteId) -> Result<Vec<(WebhookId, Vec<EventType>)>> {
    let site = site.to_string();
    let rows: Vec<(String, String)> = on!(c, |c| {
        webhooks::table
            .filter(webhooks::site_id.eq(&site))
            .filter(webhooks::is_enabled.eq(true))
            .order(webhooks::id)
            .select((webhooks::id, webhooks::events))
            .load(c)
            .await
    })?;
    rows.iter().map(|(id, events)| Ok((columns::parse(id)?, wanted(events)?))).collect()
}

fn wanted(events: &str) -> Result<Vec<EventType>> {
    let names: Vec<String> = columns::json(events)?;
    names.iter().map(|name| columns::parse(name)).collect()
}

/// Returns an endpoint of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: WebhookId) -> Result<Option<Webhook>> {
    let (site, id) = (site.to_string(), id.to_string());
    let row: Option<Row> = on!(c, |c| {
        webhooks::table
            .filter(webhooks::site_id.eq(&site))
            .filter(webhooks::id.eq(&id))
            .select(Row::as_select())
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(Webhook::try_from).transpose()
}

/// Returns an endpoint of the site, locked against other writers until the transaction ends.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id_locked(c: &mut Conn, site: SiteId, id: WebhookId) -> Result<Option<Webhook>> {
    let (site, id) = (site.to_string(), id.to_string());
    // This lock does not block a question that adds a delivery for the endpoint.
    let row: Option<Row> = on!(c, |c| {
        let found = webhooks::table.filter(webhooks::site_id.eq(&site)).filter(webhooks::id.eq(&id));
        locked(ForNoKeyUpdate, found.select(Row::as_select())).get_result(c).await.optional()
    })?;
    row.map(Webhook::try_from).transpose()
}

/// Clears the run of failures and the pause of an endpoint after a success.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn recovered(c: &mut Conn, site: SiteId, id: WebhookId) -> Result<()> {
    let (site, id) = (site.to_string(), id.to_string());
    on!(c, |c| {
        diesel::update(
            webhooks::table
                .filter(webhooks::site_id.eq(&site))
                .filter(webhooks::id.eq(&id))
                .filter(webhooks::failing_since_ms.is_not_null().or(webhooks::paused_until_ms.is_not_null())),
        )
        .set((
            webhooks::failing_since_ms.eq(None::<i64>),
            webhooks::first_failed_event_ms.eq(None::<i64>),
            webhooks::last_failed_event_ms.eq(None::<i64>),
            webhooks::paused_until_ms.eq(None::<i64>),
        ))
        .execute(c)
        .await
    })?;
    Ok(())
}

/// Returns the endpoints that are paused at `now`. A pause that ends more than `longest_ms` later
/// was set before the clock was set back, and is ignored.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn resting(c: &mut Conn, now: Timestamp, longest_ms: i64) -> Result<Vec<WebhookId>> {
    let (now, latest) = (now.as_ms(), now.as_ms().saturating_add(longest_ms));
    let ids: Vec<String> = on!(c, |c| {
        webhooks::table
            .filter(webhooks::paused_until_ms.gt(now))
            .filter(webhooks::paused_until_ms.le(latest))
            .select(webhooks::id)
            .load(c)
            .await
    })?;
    ids.iter().map(|id| columns::parse(id)).collect()
}

/// Ends all pauses.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn end_pauses(c: &mut Conn) -> Result<usize> {
    Ok(on!(c, |c| {
        diesel::update(webhooks::table.filter(webhooks::paused_until_ms.is_not_null()))
            .set(webhooks::paused_until_ms.eq(None::<i64>))
            .execute(c)
            .await
    })?)
}

/// Deletes an endpoint with its deliveries. Returns false when the site has no such endpoint.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, id: WebhookId) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::delete(webhooks::table.filter(webhooks::site_id.eq(&site)).filter(webhooks::id.eq(&id)))
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}
