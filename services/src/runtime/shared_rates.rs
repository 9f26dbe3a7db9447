//! Rate limits that hold over all nodes: counts operations on this node, and tells the others what it accepted.
//!
//! A node alone, and every node on SQLite, counts in memory and nothing else. Several nodes tell each other over the
//! [exchange of hints](super::hint_exchange): at once what matters to a limit, and the rest twice a second. The channel
//! delivers the texts of all nodes in one order, to their senders too. A node that hears its own text has therefore heard
//! everything that was sent before it, and knows that the others will have heard of it (docs/decisions/0063).

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

use crate::runtime::hints::{Hint, Hints};
use crate::runtime::rate_buckets::{RateBuckets, RateCaller, RateLimit, Verdict, WINDOW};

/// Longest time that a request waits for the other nodes. It is decided by what this node knows then.
const WAIT_MAX: Duration = Duration::from_millis(100);
/// Part of a limit that each node, divided by their number, may keep to itself until the next regular text.
const UNTOLD_PART: u32 = 20;
/// Callers whose use is reported to other nodes in one text or group of texts. Further ones are counted on this node only.
const TOLD_MAX: usize = 20_000;

/// The rate limits of one node.
pub struct SharedRates {
    buckets: RateBuckets,
    /// Begins with the key of the installation, so that nobody can choose what they are counted with.
    hasher: DefaultHasher,
    started: Instant,
    nodes: AtomicU32,
    untold: Mutex<HashMap<RateCaller, Duration>>,
    /// Number of own texts that came back.
    rounds: watch::Sender<u64>,
    hints: Hints,
}

impl SharedRates {
    /// Creates limits with nothing counted yet.
    pub(crate) fn new(key: &[u8; 32], hints: Hints) -> Arc<Self> {
        let mut hasher = DefaultHasher::new();
        hasher.write(key);
        Arc::new(Self {
            buckets: RateBuckets::default(),
            hasher,
            started: Instant::now(),
            nodes: AtomicU32::new(1),
            untold: Mutex::default(),
            rounds: watch::Sender::default(),
            hints,
        })
    }

    /// Creates limits of a node that will never hear of others. For tests of limits.
    pub fn alone() -> Arc<Self> {
        Self::new(&[0; 32], Hints::default())
    }

    /// Names a caller.
    pub fn caller(&self, limit: RateLimit, subject: impl Hash) -> RateCaller {
        let mut hasher = self.hasher.clone();
        (limit as u8).hash(&mut hasher);
        subject.hash(&mut hasher);
        RateCaller { limit, hash: hasher.finish() }
    }

    /// Counts `number` operations of a caller who may send `per_minute`. Returns how many they may send now.
    ///
    /// # Errors
    /// When the limit is exceeded, the time until one more operation is accepted.
    pub async fn count(&self, caller: RateCaller, per_minute: NonZeroU32, number: NonZeroU32) -> Result<u32, Duration> {
        let each = WINDOW / per_minute.get();
        let Some(charge) = each.checked_mul(number.get()).filter(|charge| *charge <= WINDOW) else {
            // More than a whole minute allows: it never succeeds, however long the caller waits.
            return Err(WINDOW);
        };
        let mut waiting_since = None::<Instant>;
        loop {
            let nodes = self.nodes.load(Ordering::Relaxed);
            let may_ask = waiting_since.is_none_or(|since| since.elapsed() < WAIT_MAX);
            // Before the buckets are looked at, so that no round in between is missed.
            let mut rounds = self.rounds.subscribe();
            match self.buckets.count(self.now(), caller, charge, nodes, may_ask) {
                Verdict::Accepted { used } => {
                    if nodes > 1 {
                        self.note(caller, charge, nodes);
                    }
                    let left = (WINDOW - used).as_nanos() / each.as_nanos().max(1);
                    return Ok(u32::try_from(left).unwrap_or(u32::MAX).min(per_minute.get()));
                }
                Verdict::Refused { wait } => return Err(wait),
                Verdict::Ask => {
                    let since = *waiting_since.get_or_insert_with(Instant::now);
                    self.hints.wake();
                    // The time is over or the channel is lost: the next look decides alone.
                    let _ = timeout(WAIT_MAX.saturating_sub(since.elapsed()), rounds.changed()).await;
                }
            }
        }
    }

    /// Number of nodes that share the limits, this one included.
    pub fn nodes(&self) -> u32 {
        self.nodes.load(Ordering::Relaxed)
    }

    /// Sets the number of nodes, this one included. One that is alone again has nobody to tell.
    pub(crate) fn set_nodes(&self, nodes: u32) {
        if self.nodes.swap(nodes.max(1), Ordering::Relaxed) > 1 && nodes <= 1 {
            self.lock().clear();
            self.buckets.confirm_all();
        }
    }

    /// Takes what must be reported to the other nodes.
    pub(crate) fn take(&self) -> Vec<Hint> {
        let untold = std::mem::take(&mut *self.lock());
        untold.into_iter().map(|(caller, charge)| Hint::Used(caller, nanoseconds(charge))).collect()
    }

    /// Adds what another node accepted.
    pub(crate) fn used_elsewhere(&self, caller: RateCaller, nanoseconds: u64) {
        self.buckets.add(self.now(), caller, Duration::from_nanos(nanoseconds));
    }

    /// Notes what an own text, which came back, reported to the others.
    pub(crate) fn told(&self, told: impl IntoIterator<Item = (RateCaller, u64)>) {
        for (caller, nanoseconds) in told {
            self.buckets.confirm(caller, Duration::from_nanos(nanoseconds));
        }
        self.rounds.send_modify(|rounds| *rounds += 1);
    }

    /// Remembers to tell the others, at once when it matters to the limit.
    fn note(&self, caller: RateCaller, charge: Duration, nodes: u32) {
        let mut untold = self.lock();
        if untold.len() >= TOLD_MAX && !untold.contains_key(&caller) {
            drop(untold);
            self.buckets.confirm(caller, charge);
            return;
        }
        let amount = untold.entry(caller).or_default();
        *amount += charge;
        if *amount * nodes * UNTOLD_PART >= WINDOW {
            drop(untold);
            self.hints.wake();
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RateCaller, Duration>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: NonZeroU32 = NonZeroU32::MIN;

    fn limit(per_minute: u32) -> NonZeroU32 {
        NonZeroU32::new(per_minute).expect("not zero")
    }

    #[tokio::test]
    async fn a_node_alone_accepts_exactly_the_limit_and_tells_nobody() {
        let rates = SharedRates::alone();
        let caller = rates.caller(RateLimit::Visitor, "a");

        for left in (0..7).rev() {
            assert_eq!(rates.count(caller, limit(7), ONE).await, Ok(left));
        }
        assert!(rates.count(caller, limit(7), ONE).await.is_err());
        assert_eq!(rates.count(caller, limit(7), limit(8)).await, Err(WINDOW));
        assert_eq!(rates.count(rates.caller(RateLimit::Visitor, "b"), limit(7), ONE).await, Ok(6));
        assert_eq!(rates.count(rates.caller(RateLimit::Key, "a"), limit(7), ONE).await, Ok(6));
        assert!(rates.take().is_empty());
    }

    #[tokio::test]
    async fn three_nodes_accept_the_limit_together() {
        let nodes = [(); 3].map(|()| SharedRates::alone());
        let caller = nodes[0].caller(RateLimit::QuestionsPerSession, "a");
        nodes.iter().for_each(|node| node.set_nodes(3));
        let exchange = async {
            loop {
                for (place, node) in nodes.iter().enumerate() {
                    let told: Vec<_> = node.take().into_iter().map(used).collect();
                    for (other, elsewhere) in nodes.iter().enumerate() {
                        if other != place {
                            told.iter().for_each(|(caller, amount)| elsewhere.used_elsewhere(*caller, *amount));
                        }
                    }
                    node.told(told);
                }
                tokio::task::yield_now().await;
            }
        };
        let asking =
            futures_util::future::join_all((0..60).map(|number| nodes[number % 3].count(caller, limit(20), ONE)));

        let answers = tokio::select! {
            answers = asking => answers,
            () = exchange => unreachable!("it never ends"),
        };

        let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!((20..=22).contains(&accepted), "{accepted} of 20");
    }

    #[tokio::test]
    async fn a_node_that_hears_nothing_decides_after_a_moment_by_itself() {
        let rates = SharedRates::alone();
        rates.set_nodes(3);
        let caller = rates.caller(RateLimit::Visitor, "a");

        let accepted = futures_util::future::join_all((0..30).map(|_| rates.count(caller, limit(20), ONE))).await;

        assert_eq!(accepted.iter().filter(|answer| answer.is_ok()).count(), 20);
    }

    fn used(hint: Hint) -> (RateCaller, u64) {
        match hint {
            Hint::Used(caller, amount) => (caller, amount),
            other => panic!("{other:?}"),
        }
    }
}
