//! The event log of each site.
//!
//! Each event takes its number from the site's counter, inside the transaction that writes the
//! event. Numbers therefore have no gaps and rise in the order of commits: a reader that has seen
//! event `n` cannot miss an earlier one. A database sequence cannot guarantee that, because it is
//! not rolled back with its transaction.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use helpbot_domain::Timestamp;
use helpbot_domain::event::{Event, EventType};
use helpbot_domain::ids::{ConversationId, EventId, SiteId};
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::insert_columns;
use crate::connection::prepared::Fixed;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::delete_oldest;
use crate::schema::{events, site_counters};

/// An event that has no number yet.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// ID of the event.
    pub id: EventId,
    /// Type of the event.
    pub event_type: EventType,
    /// Conversation that the event belongs to. `None` for an event about an entry or a source.
    pub conversation_id: Option<ConversationId>,
    /// Session of the conversation. Empty for an event about an entry or a source.
    pub session_id: String,
    /// ID of the session token that proved the question of the conversation.
    pub token_id: Option<Uuid>,
    /// Payload, as JSON text.
    pub data: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = events)]
pub(crate) struct Row {
    site_id: String,
    seq: i64,
    id: String,
    event_type: String,
    conversation_id: String,
    session_id: String,
    data: String,
    created_at_ms: i64,
    token_id: Option<String>,
}

impl TryFrom<Row> for Event {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Event {
            site_id: columns::parse(&row.site_id)?,
            seq: row.seq,
            id: columns::parse(&row.id)?,
            event_type: columns::parse(&row.event_type)?,
            conversation_id: columns::parse_opt(Some(row.conversation_id.as_str()).filter(|id| !id.is_empty()))?,
            session_id: row.session_id,
            token_id: columns::parse_opt(row.token_id.as_deref())?,
            data: row.data,
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Appends events to the site's log, in order, and returns them with their numbers.
///
/// Locks the site's counter until the transaction ends, so call it last.
///
/// # Errors
/// `Corrupt` when the site has no counter.
pub async fn append(c: &mut Conn, site: SiteId, now: Timestamp, new: Vec<NewEvent>) -> Result<Vec<Event>> {
    append_all(c, site, new.into_iter().map(|event| (now, event)).collect()).await
}

/// Same as [`append`], for events of different times.
///
/// # Errors
/// Same as [`append`].
pub async fn append_all(c: &mut Conn, site: SiteId, new: Vec<(Timestamp, NewEvent)>) -> Result<Vec<Event>> {
    let count = i64::try_from(new.len()).unwrap_or(i64::MAX);
    let site_text = site.to_string();
    let last: Option<i64> = on!(c, |c| {
        let update = diesel::update(site_counters::table.filter(site_counters::site_id.eq(&site_text)))
            .set(site_counters::event_seq.eq(site_counters::event_seq + count))
            .returning(site_counters::event_seq);
        Fixed(update).get_result(c).await.optional()
    })?;
    let last = last.ok_or_else(|| Error::Corrupt { what: "event counter", value: site_text.clone() })?;
    let numbered = |(seq, (created_at, event)): (i64, (Timestamp, NewEvent))| Event {
        site_id: site,
        seq,
        id: event.id,
        event_type: event.event_type,
        conversation_id: event.conversation_id,
        session_id: event.session_id,
        token_id: event.token_id,
        data: event.data,
        created_at,
    };
    let stored: Vec<Event> = (last - count + 1..).zip(new).map(numbered).collect();
    insert_columns!(c, events, &stored, |event| {
        site_id: Text = event.site_id.to_string(),
        seq: BigInt = event.seq,
        id: Text = event.id.to_string(),
        event_type: Text = event.event_type.as_str(),
        conversation_id: Text = event.conversation_id.map(|id| id.to_string()).unwrap_or_default(),
        session_id: Text = &event.session_id,
        data: Text = &event.data,
        created_at_ms: BigInt = event.created_at.as_ms(),
        token_id: Nullable<Text> = event.token_id.map(|id| id.to_string()),
    });
    Ok(stored)
}

/// Returns up to `limit` events of the site with numbers above `after`, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn after(c: &mut Conn, site: SiteId, after: i64, limit: i64) -> Result<Vec<Event>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        events::table
            .filter(events::site_id.eq(&site))
            .filter(events::seq.gt(after))
            .order(events::seq)
            .limit(limit)
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(Event::try_from).collect()
}

/// Returns the number of the site's last event, or 0 when it has none. `None` when the site does
/// not exist.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn last_seq(c: &mut Conn, site: SiteId) -> Result<Option<i64>> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        site_counters::table
            .filter(site_counters::site_id.eq(&site))
            .select(site_counters::event_seq)
            .get_result(c)
            .await
            .optional()
    })?)
}

/// Returns the last event numbers and the access versions of several sites, for a poller that looks for
/// the changes of other nodes.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn last_seqs(c: &mut Conn, sites: &[SiteId]) -> Result<Vec<(SiteId, i64, i64)>> {
    let sites = columns::texts(sites);
    let rows: Vec<(String, i64, i64)> = on!(c, |c| {
        site_counters::table
            .filter(site_counters::site_id.eq_any(&sites))
            .select((site_counters::site_id, site_counters::event_seq, site_counters::access_version))
            .load(c)
            .await
    })?;
    rows.into_iter().map(|(site, seq, access)| Ok((columns::parse(&site)?, seq, access))).collect()
}

/// Returns the ID of the event with the number `seq`. `None` when the site has no such event, or it was
/// deleted.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn id_at(c: &mut Conn, site: SiteId, seq: i64) -> Result<Option<EventId>> {
    let site = site.to_string();
    let id: Option<String> = on!(c, |c| {
        events::table
            .filter(events::site_id.eq(&site))
            .filter(events::seq.eq(seq))
            .select(events::id)
            .get_result(c)
            .await
            .optional()
    })?;
    id.as_deref().map(columns::parse).transpose()
}

/// Returns the number of the oldest stored event. `None` when the log is empty.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn first_seq(c: &mut Conn, site: SiteId) -> Result<Option<i64>> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        events::table.filter(events::site_id.eq(&site)).select(diesel::dsl::min(events::seq)).get_result(c).await
    })?)
}

/// Deletes the oldest `limit` of the events that are older than `before`, with those of the same
/// millisecond as the last of them, and returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_before(c: &mut Conn, before: Timestamp, limit: i64) -> Result<usize> {
    Ok(delete_oldest!(c, events, before, limit))
}

/// Deletes up to `limit` of the site's oldest events, as far as they are older than `before`, and returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_of_site_before(c: &mut Conn, site: SiteId, before: Timestamp, limit: i64) -> Result<usize> {
    let site = site.to_string();
    // The index on the time contains the events of all sites, and numbers rise with the time.
    let oldest: Vec<(i64, i64)> = on!(c, |c| {
        events::table
            .filter(events::site_id.eq(&site))
            .order(events::seq)
            .limit(limit)
            .select((events::seq, events::created_at_ms))
            .load(c)
            .await
    })?;
    let expired = oldest.into_iter().take_while(|(_, at)| *at < before.as_ms()).map(|(seq, _)| seq);
    let Some(last) = expired.last() else { return Ok(0) };
    Ok(on!(c, |c| {
        diesel::delete(events::table.filter(events::site_id.eq(&site)).filter(events::seq.le(last))).execute(c).await
    })?)
}

/// Returns the events of these sessions with numbers above `after` and up to `last`, as number and ID.
/// Reads all events of the site with these numbers.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of_sessions(
    c: &mut Conn,
    site: SiteId,
    sessions: &[String],
    after: i64,
    last: i64,
) -> Result<Vec<(i64, EventId)>> {
    let site = site.to_string();
    let rows: Vec<(i64, String)> = on!(c, |c| {
        events::table
            .filter(events::site_id.eq(&site))
            .filter(events::session_id.eq_any(sessions))
            .filter(events::seq.gt(after))
            .filter(events::seq.le(last))
            .order(events::seq)
            .select((events::seq, events::id))
            .load(c)
            .await
    })?;
    rows.into_iter().map(|(seq, id)| Ok((seq, columns::parse(&id)?))).collect()
}

/// Removes payload and session from events. Their places in the log remain.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn erase(c: &mut Conn, site: SiteId, seqs: &[i64]) -> Result<usize> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        diesel::update(events::table.filter(events::site_id.eq(&site)).filter(events::seq.eq_any(seqs)))
            .set((events::data.eq(Event::ERASED), events::session_id.eq(""), events::token_id.eq(None::<String>)))
            .execute(c)
            .await
    })?)
}
