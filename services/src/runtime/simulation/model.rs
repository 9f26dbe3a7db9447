//! Models of what the program does not simulate with its own code: the random choices, the database with its log, leases
//! and credits, and the faults that a test plants.

use helpbot_domain::Timestamp;
use helpbot_domain::event::{Event, EventType};
use helpbot_domain::ids::{ConversationId, EventId, SiteId};
use uuid::Uuid;

/// A time of the simulation, in microseconds.
pub(super) type Moment = u64;
pub(super) const MS: Moment = 1_000;
/// The lease of a delivery. It is shorter than that of the program, so that a schedule is.
pub(super) const LEASE: Moment = 1_000 * MS;

/// A fault that a test plants, to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planted {
    Nothing,
    /// Writes are acknowledged before their commit.
    EarlyAnswers,
    /// Subscribers take the number in a hint for what they have read.
    HintsAreTruth,
    /// Leases follow the clock of the machine instead of that of the database.
    MachineClocks,
    /// Credits are checked before the lock is held.
    EarlyCredits,
}

impl Planted {
    pub(super) const ALL: [Self; 4] =
        [Self::EarlyAnswers, Self::HintsAreTruth, Self::MachineClocks, Self::EarlyCredits];
}

/// Random numbers from a seed (SplitMix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `from` to before `to`.
    pub(super) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }

    pub(super) fn place(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).expect("below the count")
    }

    pub(super) fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    /// A time between two processes: mostly short, sometimes long.
    pub(super) fn latency(&mut self) -> Moment {
        if self.percent(5) { self.between(20 * MS, 300 * MS) } else { self.between(100, 8 * MS) }
    }
}

/// A row of the outbox.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) write: u64,
    pub(super) owner: Option<(usize, u64)>,
    /// End of the lease by the clock of the node that took it.
    pub(super) until: Moment,
    pub(super) is_done: bool,
}

/// The database as it is committed.
#[derive(Default)]
pub(super) struct Database {
    pub(super) log: Vec<Event>,
    /// The write that each event is of.
    pub(super) writes: Vec<u64>,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) used: u64,
    pub(super) limit: u64,
    pub(super) is_down: bool,
    /// Changes when the database stops: what was not committed before is lost.
    pub(super) generation: u64,
    /// When the lock of the counter of the site becomes free.
    pub(super) lock_free_at: Moment,
    pub(super) ids: u128,
}

pub(super) fn site() -> SiteId {
    SiteId::from_uuid(Uuid::from_u128(1))
}

impl Database {
    pub(super) fn last(&self) -> i64 {
        self.log.len() as i64
    }

    pub(super) fn oldest(&self) -> Option<i64> {
        self.log.first().map(|event| event.seq)
    }

    /// Up to `limit` events after a number.
    pub(super) fn after(&self, seq: i64, limit: usize) -> Vec<Event> {
        let from = usize::try_from(seq).unwrap_or(0);
        self.log.iter().skip(from).take(limit).cloned().collect()
    }

    pub(super) fn id_at(&self, seq: i64) -> Option<EventId> {
        let place = usize::try_from(seq - 1).ok()?;
        self.log.get(place).map(|event| event.id)
    }

    /// Stores a write in a transaction. Returns its event, `None` when no credit is left.
    pub(super) fn commit(&mut self, write: u64, has_credit: Option<bool>) -> Option<Event> {
        let is_free = has_credit.unwrap_or(self.used < self.limit);
        if !is_free {
            return None;
        }
        self.used += 1;
        self.ids += 1;
        let event = Event {
            site_id: site(),
            seq: self.last() + 1,
            id: EventId::from_uuid(Uuid::from_u128(self.ids)),
            event_type: EventType::ConversationCreated,
            conversation_id: Some(ConversationId::from_uuid(Uuid::from_u128(u128::from(write)))),
            session_id: String::new(),
            token_id: None,
            data: String::new(),
            created_at: Timestamp::from_ms(0),
        };
        self.log.push(event.clone());
        self.writes.push(write);
        self.deliveries.push(Delivery { write, owner: None, until: 0, is_done: false });
        Some(event)
    }

    /// Loses the last `count` events with everything that was written with them. Returns their writes.
    pub(super) fn lose(&mut self, count: usize) -> Vec<u64> {
        let kept = self.log.len().saturating_sub(count);
        self.log.truncate(kept);
        let lost = self.writes.split_off(kept);
        self.deliveries.retain(|delivery| !lost.contains(&delivery.write));
        self.used -= lost.len() as u64;
        lost
    }
}
