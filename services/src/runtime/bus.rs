//! The bus: tells live watchers that a site's log has grown, and keeps its newest events.
//!
//! The number is a hint: who hears it takes the events from here if they are here without a
//! gap, else from the log. So a lost or late hint costs time, not events, and ten thousand
//! watchers of one site cost one reading. Within the process the bus is told after each commit;
//! [`Services::poll`](crate::Services::poll) looks for what other processes wrote.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use helpbot_domain::event::Event;
use helpbot_domain::ids::SiteId;
use tokio::sync::watch;

/// Newest events kept in memory for each watched site: a burst that a watcher may be behind
/// before it reads the log instead.
const RECENT_MAX: usize = 256;

/// Hints and newest events by site; only of sites that somebody watches.
#[derive(Debug, Clone, Default)]
pub struct Bus {
    sites: Arc<Mutex<HashMap<SiteId, Channel>>>,
}

#[derive(Debug)]
struct Channel {
    last_seq: watch::Sender<i64>,
    recent: BTreeMap<i64, Arc<Event>>,
}

impl Bus {
    /// A receiver of the site's hints. Subscribe before reading the log, then nothing between
    /// the reading and the first hint is missed.
    pub fn subscribe(&self, site: SiteId) -> watch::Receiver<i64> {
        let new = || Channel { last_seq: watch::Sender::new(0), recent: BTreeMap::new() };
        self.lock().entry(site).or_insert_with(new).last_seq.subscribe()
    }

    /// Publishes committed events of one site. Costs nothing when nobody watches it.
    pub fn publish(&self, events: Vec<Event>) {
        let Some(last) = events.last() else { return };
        let (site, seq) = (last.site_id, last.seq);
        self.with_watched(site, |channel| {
            channel.recent.extend(events.into_iter().map(|event| (event.seq, Arc::new(event))));
            while channel.recent.len() > RECENT_MAX {
                channel.recent.pop_first();
            }
            channel.grow(seq);
        });
    }

    /// Says that the site's log has grown to `seq`, elsewhere.
    pub fn tell(&self, site: SiteId, seq: i64) {
        self.with_watched(site, |channel| channel.grow(seq));
    }

    /// The events that follow `after` without a gap, as far as they are kept; empty when the
    /// next one is not.
    pub fn recent(&self, site: SiteId, after: i64) -> Vec<Arc<Event>> {
        let sites = self.lock();
        let Some(channel) = sites.get(&site) else { return Vec::new() };
        let following = channel.recent.range(after + 1..).zip(after + 1..);
        following.take_while(|((seq, _), wanted)| *seq == wanted).map(|((_, event), _)| event.clone()).collect()
    }

    /// Drops the events that are kept of a site; watchers read them from the log, as it is now.
    pub fn forget(&self, site: SiteId) {
        self.with_watched(site, |channel| channel.recent.clear());
    }

    /// The sites that somebody watches.
    pub fn watched(&self) -> Vec<SiteId> {
        self.lock().iter().filter(|(_, channel)| !channel.last_seq.is_closed()).map(|(site, _)| *site).collect()
    }

    fn with_watched(&self, site: SiteId, act: impl FnOnce(&mut Channel)) {
        let mut sites = self.lock();
        match sites.get_mut(&site) {
            Some(channel) if channel.last_seq.is_closed() => drop(sites.remove(&site)),
            Some(channel) => act(channel),
            None => {}
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SiteId, Channel>> {
        // The map is whole after every operation, so a panic elsewhere does not spoil it.
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel {
    fn grow(&self, seq: i64) {
        self.last_seq.send_if_modified(|known| {
            let is_news = *known < seq;
            *known = seq.max(*known);
            is_news
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use helpbot_domain::Timestamp;
    use helpbot_domain::event::EventType;
    use helpbot_domain::ids::{ConversationId, EventId};
    use uuid::Uuid;

    fn site() -> SiteId {
        SiteId::from_uuid(Uuid::from_u128(1))
    }

    fn event(seq: i64) -> Event {
        Event {
            site_id: site(),
            seq,
            id: EventId::from_uuid(Uuid::from_u128(seq.unsigned_abs().into())),
            event_type: EventType::ConversationCreated,
            conversation_id: ConversationId::from_uuid(Uuid::from_u128(1)),
            session_id: String::new(),
            data: String::new(),
            created_at: Timestamp::from_ms(0),
        }
    }

    #[tokio::test]
    async fn a_watcher_hears_of_growth_and_of_nothing_older() {
        let bus = Bus::default();
        let mut hints = bus.subscribe(site());

        bus.tell(site(), 5);
        bus.tell(site(), 3);

        assert!(hints.has_changed().is_ok_and(|changed| changed));
        assert_eq!(*hints.borrow_and_update(), 5);
        bus.tell(site(), 4);
        assert!(hints.has_changed().is_ok_and(|changed| !changed));
    }

    #[test]
    fn recent_events_are_given_only_as_far_as_they_have_no_gap() {
        let bus = Bus::default();
        let _watcher = bus.subscribe(site());
        bus.publish(vec![event(4), event(5)]);
        bus.publish(vec![event(7)]);

        let seqs = |after| bus.recent(site(), after).iter().map(|event| event.seq).collect::<Vec<_>>();

        assert_eq!(seqs(3), [4, 5]);
        assert_eq!(seqs(6), [7]);
        assert!(seqs(2).is_empty() && seqs(7).is_empty());
    }

    #[test]
    fn sites_that_nobody_watches_any_more_are_forgotten() {
        let bus = Bus::default();
        drop(bus.subscribe(site()));

        bus.publish(vec![event(1)]);

        assert!(bus.watched().is_empty() && bus.recent(site(), 0).is_empty());
    }
}
