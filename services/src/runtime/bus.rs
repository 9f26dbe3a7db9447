//! The bus: tells subscribers in this process that a site's event log has grown, and keeps its
//! newest events in memory.
//!
//! A notification carries only the newest sequence number. A subscriber takes the events from here
//! when they are available without a gap, and from the log otherwise. A lost or late notification
//! therefore costs time, not events, and ten thousand subscribers of one site cost one query. The
//! bus is notified after each commit of this process; [`events::poll`](super::events::poll) finds
//! what other processes wrote.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use helpbot_domain::event::Event;
use helpbot_domain::ids::SiteId;
use tokio::sync::watch;

/// Number of events kept per site. A subscriber that is further behind reads the log.
const RECENT_MAX: usize = 256;

/// Notifications and newest events by site, only for sites that have subscribers.
#[derive(Debug, Clone, Default)]
pub struct Bus {
    sites: Arc<Mutex<HashMap<SiteId, SiteChannel>>>,
}

/// What the bus keeps of one site while it has subscribers.
#[derive(Debug, Default)]
struct SiteChannel {
    /// Newest sequence number of the site's event log.
    last_seq: watch::Sender<i64>,
    /// Number of changes of the site that this process noticed, with and without an event.
    changes: watch::Sender<u64>,
    recent: BTreeMap<i64, Arc<Event>>,
    /// How often another event came with a number that was known: the log lost its end and continued.
    rewrites: u64,
    /// The access version of the site that was last read from the database.
    access_version: Option<i64>,
}

impl Bus {
    /// Returns a receiver of the site's newest sequence number. Subscribe before reading the log,
    /// so that no event between the two is missed.
    pub fn subscribe(&self, site: SiteId) -> watch::Receiver<i64> {
        self.lock().entry(site).or_default().last_seq.subscribe()
    }

    /// Returns a receiver that is notified whenever the site's log has grown, and by [`Bus::touch`].
    pub fn changes(&self, site: SiteId) -> watch::Receiver<u64> {
        self.lock().entry(site).or_default().changes.subscribe()
    }

    /// Notifies the receivers of [`Bus::changes`] of a change that has no event.
    pub fn touch(&self, site: SiteId) {
        self.with_watched(site, |channel| channel.changes.send_modify(|number| *number += 1));
    }

    /// Publishes committed events of one site. Does nothing when the site has no subscribers.
    pub fn publish(&self, events: Vec<Event>) {
        let Some(last) = events.last() else { return };
        let (site, seq) = (last.site_id, last.seq);
        self.with_watched(site, |channel| {
            if channel.is_rewritten_by(&events) {
                channel.recent.clear();
                channel.rewrites += 1;
                // The numbers may all be known, and everyone must look.
                channel.last_seq.send_modify(|_| {});
            }
            channel.recent.extend(events.into_iter().map(|event| (event.seq, Arc::new(event))));
            while channel.recent.len() > RECENT_MAX {
                channel.recent.pop_first();
            }
            channel.grow(seq);
        });
    }

    /// Tells subscribers that another process has extended the site's log to `seq`.
    pub fn tell(&self, site: SiteId, seq: i64) {
        self.with_watched(site, |channel| channel.grow(seq));
    }

    /// Returns the newest sequence number that subscribers of a site were notified of, 0 if there was none. `None` when
    /// the site has no subscribers.
    pub fn known(&self, site: SiteId) -> Option<i64> {
        self.lock().get(&site).filter(|channel| channel.is_watched()).map(|channel| *channel.last_seq.borrow())
    }

    /// Makes all subscribers of a site check again whether they may follow it.
    pub fn recheck(&self, site: SiteId) {
        self.with_watched(site, |channel| channel.last_seq.send_modify(|_| {}));
    }

    /// Records the access version of a site as a poll read it. Returns whether it has changed since the last
    /// poll.
    pub fn has_new_access(&self, site: SiteId, version: i64) -> bool {
        let mut is_new = false;
        self.with_watched(site, |channel| {
            is_new = channel.access_version.replace(version).is_some_and(|known| known != version);
        });
        is_new
    }

    /// Returns the events that follow `after` without a gap, as far as they are in memory. Empty
    /// when the next event is not. The number says how often the log was rewritten.
    pub fn recent(&self, site: SiteId, after: i64) -> (Vec<Arc<Event>>, u64) {
        let sites = self.lock();
        let Some(channel) = sites.get(&site) else { return (Vec::new(), 0) };
        let following = channel.recent.range(after + 1..).zip(after + 1..);
        let following = following.take_while(|((seq, _), wanted)| *seq == wanted);
        (following.map(|((_, event), _)| event.clone()).collect(), channel.rewrites)
    }

    /// Makes all subscribers read the log and compare it with what they have passed. For a database that was lost: another
    /// one may have taken its place that has not received the last commits.
    pub fn doubt(&self) {
        for channel in self.lock().values_mut() {
            channel.recent.clear();
            channel.rewrites += 1;
            channel.last_seq.send_modify(|known| *known = 0);
        }
    }

    /// Drops the events that are kept for a site. Subscribers then read them from the log.
    pub fn forget(&self, site: SiteId) {
        self.with_watched(site, |channel| channel.recent.clear());
    }

    /// Returns the sites that have subscribers.
    pub fn watched(&self) -> Vec<SiteId> {
        self.lock().iter().filter(|(_, channel)| channel.is_watched()).map(|(site, _)| *site).collect()
    }

    fn with_watched(&self, site: SiteId, act: impl FnOnce(&mut SiteChannel)) {
        let mut sites = self.lock();
        match sites.get_mut(&site) {
            Some(channel) if channel.is_watched() => act(channel),
            Some(_) => drop(sites.remove(&site)),
            None => {}
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SiteId, SiteChannel>> {
        // The map is consistent after every operation, so a panic elsewhere does not corrupt it.
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SiteChannel {
    /// Whether these events have the numbers of others, as after a fail-over that lost the end of the log. Events far
    /// below the newest one are no longer in memory, and none is written there otherwise.
    fn is_rewritten_by(&self, events: &[Event]) -> bool {
        let known = *self.last_seq.borrow();
        events.iter().any(|event| match self.recent.get(&event.seq) {
            Some(recent) => recent.id != event.id,
            None => event.seq + (RECENT_MAX as i64) < known,
        })
    }

    fn is_watched(&self) -> bool {
        !self.last_seq.is_closed() || !self.changes.is_closed()
    }

    fn grow(&self, seq: i64) {
        let mut is_news = false;
        self.last_seq.send_if_modified(|known| {
            is_news = *known < seq;
            *known = seq.max(*known);
            is_news
        });
        if is_news {
            self.changes.send_modify(|number| *number += 1);
        }
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
            conversation_id: Some(ConversationId::from_uuid(Uuid::from_u128(1))),
            session_id: String::new(),
            token_id: None,
            data: String::new(),
            created_at: Timestamp::from_ms(0),
        }
    }

    #[tokio::test]
    async fn a_subscriber_is_notified_of_newer_events_only() {
        let bus = Bus::default();
        let mut hints = bus.subscribe(site());

        bus.tell(site(), 5);
        bus.tell(site(), 3);

        assert!(hints.has_changed().is_ok_and(|changed| changed));
        assert_eq!(*hints.borrow_and_update(), 5);
        bus.tell(site(), 4);
        assert!(hints.has_changed().is_ok_and(|changed| !changed));
    }

    #[tokio::test]
    async fn a_live_query_is_notified_of_changes_with_and_without_an_event() {
        let bus = Bus::default();
        let mut changes = bus.changes(site());
        let is_news = |changes: &mut watch::Receiver<u64>| {
            let is_news = changes.has_changed().is_ok_and(|changed| changed);
            changes.borrow_and_update();
            is_news
        };

        bus.publish(vec![event(1)]);
        assert!(is_news(&mut changes));
        bus.tell(site(), 1);
        assert!(!is_news(&mut changes), "the event is known");
        bus.touch(site());
        assert!(is_news(&mut changes));

        assert_eq!(bus.watched(), [site()]);
        drop(changes);
        bus.touch(site());
        assert!(bus.watched().is_empty());
    }

    #[test]
    fn recent_events_are_returned_up_to_the_first_gap() {
        let bus = Bus::default();
        let _watcher = bus.subscribe(site());
        bus.publish(vec![event(4), event(5)]);
        bus.publish(vec![event(7)]);

        let seqs = |after| bus.recent(site(), after).0.iter().map(|event| event.seq).collect::<Vec<_>>();

        assert_eq!(seqs(3), [4, 5]);
        assert_eq!(seqs(6), [7]);
        assert!(seqs(2).is_empty() && seqs(7).is_empty());
    }

    #[test]
    fn events_with_known_numbers_are_a_rewrite_and_wake_subscribers() {
        let bus = Bus::default();
        let mut hints = bus.subscribe(site());
        bus.publish(vec![event(4), event(5)]);
        bus.publish(vec![event(5)]);
        hints.borrow_and_update();
        assert_eq!(bus.recent(site(), 3).1, 0, "the same event came twice");

        bus.publish(vec![Event { id: EventId::from_uuid(Uuid::from_u128(50)), ..event(5) }]);

        let (recent, rewrites) = bus.recent(site(), 4);
        assert_eq!((recent.len(), rewrites), (1, 1));
        assert!(hints.has_changed().is_ok_and(|changed| changed));
        assert!(bus.recent(site(), 3).0.is_empty(), "earlier events are read from the log");
    }

    #[test]
    fn sites_without_subscribers_are_forgotten() {
        let bus = Bus::default();
        drop(bus.subscribe(site()));

        bus.publish(vec![event(1)]);

        assert!(bus.watched().is_empty() && bus.recent(site(), 0).0.is_empty());
    }
}
