//! Hints between nodes: what a node has just done, for the others, which would otherwise notice it at their next look.
//!
//! A node collects its hints for some milliseconds, and [`hint_exchange`](super::hint_exchange) sends them, after the
//! commit and never in the transaction of a use case. A hint may be lost: [`events::poll`](super::events::poll) and
//! the short life of cached rows remain the truth, and presence is repeated.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use helpbot_domain::ids::{ConversationId, KeyId, SiteId};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::runtime::rate_buckets::RateCaller;

/// Time after which a node that sent nothing is gone.
pub(crate) const GONE_AFTER: Duration = Duration::from_secs(25);
/// Maximum number of hints about keys, conversations and teams that wait. Further ones are lost.
const ROOM_HINTS_MAX: usize = 4_096;

/// What happened on another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Hint {
    /// A node is there. It asks the others to greet it when the value is true.
    Hello(bool),
    /// The event log of a site has grown to this number.
    Grown(SiteId, i64),
    /// The plan, the settings or the blocked visitors of a site have changed.
    Access(SiteId),
    /// Something else of a site has changed that live queries show.
    Touched(SiteId),
    /// The key with this hash was changed or revoked.
    Key(String, KeyId),
    /// Something happened in an open conversation.
    Room(RoomHint),
    /// Whether a member of the team of a site is connected to the node.
    Team(SiteId, bool),
    /// A caller used this much of a rate limit, in nanoseconds of the minute that the limit is for.
    Used(RateCaller, u64),
}

/// Presence or typing in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RoomHint {
    pub site: SiteId,
    pub conversation: ConversationId,
    pub news: RoomNews,
}

/// What changed in a conversation on another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RoomNews {
    /// Which sides are present on the node. It asks for the presence on other nodes when `asks` is true.
    Here { visitor: bool, team: bool, asks: bool },
    /// A side is typing or has stopped.
    Typing { is_team: bool, member: Option<String>, is_typing: bool },
}

/// The hints of this node that wait to be sent. Cloning is cheap.
#[derive(Clone, Default)]
pub(crate) struct Hints(Arc<Inner>);

/// The state behind [`Hints`].
#[derive(Default)]
pub(crate) struct Inner {
    /// Whether another node listens.
    pub(super) has_peers: AtomicBool,
    /// Whether the channel was open for some time and no other node was heard.
    pub(super) is_alone: AtomicBool,
    /// Notified when a hint waits.
    pub(super) arrived: Notify,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    grown: HashMap<SiteId, i64>,
    access: HashSet<SiteId>,
    touched: HashSet<SiteId>,
    others: Vec<Hint>,
}

impl Hints {
    /// Tells the other nodes. Does nothing when there are none.
    pub(crate) fn tell(&self, hint: Hint) {
        if !self.0.has_peers.load(Ordering::Relaxed) {
            return;
        }
        let mut waiting = self.lock();
        match hint {
            Hint::Grown(site, seq) => {
                let known = waiting.grown.entry(site).or_insert(seq);
                *known = seq.max(*known);
            }
            Hint::Access(site) => {
                waiting.access.insert(site);
            }
            Hint::Touched(site) => {
                waiting.touched.insert(site);
            }
            other if waiting.others.len() < ROOM_HINTS_MAX => waiting.others.push(other),
            _ => {}
        }
        drop(waiting);
        self.0.arrived.notify_one();
    }

    /// Sends what waits at once.
    pub(crate) fn wake(&self) {
        self.0.arrived.notify_one();
    }

    /// Whether it is certain that no other node is connected to the database.
    pub(crate) fn is_alone(&self) -> bool {
        self.0.is_alone.load(Ordering::Relaxed)
    }

    /// The shared state, for the exchange.
    pub(super) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// Takes the hints that wait.
    pub(super) fn take(&self) -> Vec<Hint> {
        let Waiting { grown, access, touched, others } = std::mem::take(&mut *self.lock());
        let grown = grown.into_iter().map(|(site, seq)| Hint::Grown(site, seq));
        let access = access.into_iter().map(Hint::Access);
        access.chain(grown).chain(touched.into_iter().map(Hint::Touched)).chain(others).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn site(number: u128) -> SiteId {
        SiteId::from_uuid(Uuid::from_u128(number))
    }

    fn active() -> Hints {
        let hints = Hints::default();
        hints.0.has_peers.store(true, Ordering::Relaxed);
        hints
    }

    #[test]
    fn hints_about_a_site_are_collected() {
        let hints = active();

        for seq in [3, 5, 4] {
            hints.tell(Hint::Grown(site(1), seq));
            hints.tell(Hint::Access(site(1)));
        }

        assert_eq!(hints.take(), [Hint::Access(site(1)), Hint::Grown(site(1), 5)]);
        assert!(hints.take().is_empty());
    }

    #[test]
    fn a_node_without_others_collects_nothing() {
        let hints = Hints::default();

        hints.tell(Hint::Touched(site(1)));

        assert!(hints.take().is_empty());
    }
}
