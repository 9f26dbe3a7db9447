//! Replays: requests to send an endpoint the events that it missed. A replay processes a part of
//! the site's log and records its progress.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::event::{Event, EventType};
use helpbot_domain::ids::{ReplayId, SiteId, WebhookId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::runtime::events;
use crate::schema::{events as log, webhook_replays as replays};
use helpbot_domain::webhook::Replay;

#[derive(Queryable, Selectable)]
#[diesel(table_name = replays)]
struct Row {
    site_id: String,
    id: String,
    webhook_id: String,
    event_type: Option<String>,
    since_ms: i64,
    last_seq: i64,
    walked_seq: i64,
    total: i64,
    checked: i64,
    replayed: i64,
    created_at_ms: i64,
    finished_at_ms: Option<i64>,
}

impl TryFrom<Row> for Replay {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Replay {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            webhook_id: columns::parse(&row.webhook_id)?,
            event_type: columns::parse_opt(row.event_type.as_deref())?,
            since: Timestamp::from_ms(row.since_ms),
            last_seq: row.last_seq,
            walked_seq: row.walked_seq,
            total: row.total,
            checked: row.checked,
            replayed: row.replayed,
            created_at: Timestamp::from_ms(row.created_at_ms),
            finished_at: columns::ms(row.finished_at_ms),
        })
    }
}

/// Stores a replay or its progress.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn put(c: &mut Conn, replay: &Replay) -> Result<()> {
    let progress = || {
        (
            replays::walked_seq.eq(replay.walked_seq),
            replays::checked.eq(replay.checked),
            replays::replayed.eq(replay.replayed),
            replays::finished_at_ms.eq(replay.finished_at.map(Timestamp::as_ms)),
        )
    };
    let request = (
        replays::site_id.eq(replay.site_id.to_string()),
        replays::id.eq(replay.id.to_string()),
        replays::webhook_id.eq(replay.webhook_id.to_string()),
        replays::event_type.eq(replay.event_type.map(EventType::as_str)),
        replays::since_ms.eq(replay.since.as_ms()),
        replays::last_seq.eq(replay.last_seq),
        replays::total.eq(replay.total),
        replays::created_at_ms.eq(replay.created_at.as_ms()),
    );
    on!(c, |c| {
        diesel::insert_into(replays::table)
            .values((request, progress()))
            .on_conflict((replays::site_id, replays::id))
            .do_update()
            .set(progress())
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns a replay of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: ReplayId) -> Result<Option<Replay>> {
    let (site, id) = (site.to_string(), id.to_string());
    let row: Option<Row> = on!(c, |c| {
        replays::table
            .filter(replays::site_id.eq(&site))
            .filter(replays::id.eq(&id))
            .select(Row::as_select())
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(Replay::try_from).transpose()
}

/// Returns the last replay of an endpoint.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn last(c: &mut Conn, site: SiteId, webhook: WebhookId) -> Result<Option<Replay>> {
    let (site, webhook) = (site.to_string(), webhook.to_string());
    let row: Option<Row> = on!(c, |c| {
        replays::table
            .filter(replays::site_id.eq(&site))
            .filter(replays::webhook_id.eq(&webhook))
            .order(replays::id.desc())
            .select(Row::as_select())
            .first(c)
            .await
            .optional()
    })?;
    row.map(Replay::try_from).transpose()
}

/// The part of a site's log that a replay processes.
#[derive(Debug, Clone)]
pub struct LogWindow {
    /// Only events with higher numbers.
    pub after: i64,
    /// Only events up to this number.
    pub last: i64,
    /// Only events at or after this time.
    pub since: Timestamp,
    /// Only events of these types.
    pub types: Vec<EventType>,
}

macro_rules! in_window {
    ($site:expr, $window:expr) => {{
        let window: &LogWindow = $window;
        let types: Vec<&str> = window.types.iter().map(|kind| kind.as_str()).collect();
        log::table
            .filter(log::site_id.eq($site.to_string()))
            .filter(log::seq.gt(window.after))
            .filter(log::seq.le(window.last))
            .filter(log::created_at_ms.ge(window.since.as_ms()))
            .filter(log::event_type.eq_any(types))
    }};
}

/// Returns up to `limit` events of the window, in the order of the log.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn events(c: &mut Conn, site: SiteId, window: &LogWindow, limit: i64) -> Result<Vec<Event>> {
    let rows: Vec<events::Row> = on!(c, |c| {
        in_window!(site, window).order(log::seq).limit(limit).select(events::Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(Event::try_from).collect()
}

/// Returns the number of events in the window.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count_events(c: &mut Conn, site: SiteId, window: &LogWindow) -> Result<i64> {
    Ok(on!(c, |c| in_window!(site, window).count().get_result(c).await)?)
}
