//! Events of entries and sources, so that a list of them that is followed stays true.
//!
//! The use cases of `knowledge` and `sources` append them in the transaction of the change, after everything else that it
//! does, because the event counter of the site is locked from then on. Nothing is published after the commit: every
//! process finds new events in the log by polling ([`events`](super::events)). A sync has one event for all entries that
//! it changes, of which there can be thousands.

use helpbot_db as db;
use helpbot_db::events::NewEvent;
use helpbot_domain::Timestamp;
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::event::{ContentEventData, EventType};
use helpbot_domain::ids::{EventId, SiteId, SourceId};

use crate::Result;
use crate::runtime::randomness;

/// An event about an entry or a source.
pub(crate) struct ContentEvent {
    event_type: EventType,
    data: ContentEventData,
}

impl ContentEvent {
    /// An event about an entry.
    pub(crate) fn of_entry(event_type: EventType, entry: &StoredChunk) -> Self {
        Self { event_type, data: ContentEventData { source_id: entry.source_id, entry_id: Some(entry.id) } }
    }

    /// An event about a source.
    pub(crate) fn of_source(event_type: EventType, source_id: SourceId) -> Self {
        Self { event_type, data: ContentEventData { source_id, entry_id: None } }
    }
}

/// Appends events to the log of a site. Call it last in the transaction.
///
/// # Errors
/// Only errors of the database.
pub(crate) async fn append(c: &mut db::Conn, site: SiteId, now: Timestamp, events: Vec<ContentEvent>) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let new = events.into_iter().map(|ContentEvent { event_type, data }| NewEvent {
        id: EventId::from_uuid(randomness::uuid(now)),
        event_type,
        conversation_id: None,
        session_id: String::new(),
        token_id: None,
        data: db::columns::to_json(&data),
    });
    db::events::append(c, site, now, new.collect()).await?;
    Ok(())
}
