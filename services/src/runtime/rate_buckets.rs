//! What callers have used of their rate limits, on this node and, as far as it is known, on the others. Pure: the time is
//! an argument, and [`shared_rates`](super::shared_rates) does the waiting and the telling.
//!
//! All amounts are times: an operation under a limit of 60 per minute costs a second, and a caller may have used
//! [`WINDOW`] at most, which passes as time does. A bucket therefore needs no limit of its own, and nodes can add up what
//! they tell each other.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The whole minute that a caller may use at once.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);
/// Most that a caller can have used according to all nodes together. What they accept beyond the limit, before they have
/// heard of each other, is subtracted from the next minute and from no other.
const DEBT_MAX: Duration = Duration::from_secs(120);
/// Callers that each limit remembers. Beyond that, idle callers are forgotten first; when few are idle, all are
/// forgotten.
pub(crate) const REMEMBERED_MAX: usize = 100_000;
/// Parts of a limit that are locked on their own.
const SHARDS: usize = 32;
const SHARD_MAX: usize = REMEMBERED_MAX / SHARDS;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RateLimit {
    /// Operations of one visitor of a widget.
    Visitor,
    /// Operations with one key of any kind except widget keys.
    Key,
    /// Operations from one client address.
    Address,
    /// Rejected credentials from one client address.
    Rejected,
    /// Questions with a widget key from one client address.
    QuestionsPerAddress,
    /// Questions with a widget key in one session.
    QuestionsPerSession,
    /// Drafts of replies with one key.
    ReplyDrafts,
}

impl RateLimit {
    const COUNT: usize = 7;
}

/// One caller under one limit. The number is a keyed hash, which is the same on all nodes of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RateCaller {
    pub(crate) limit: RateLimit,
    pub(crate) hash: u64,
}

/// What a node decides about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was counted. The caller has now used this much.
    Accepted { used: Duration },
    /// It exceeds the limit and was not counted. Another one is accepted after this time.
    Refused { wait: Duration },
    /// It is within the limit, but beyond the share of this node in what is left. The other nodes must know first what
    /// this one has accepted.
    Ask,
}

/// Use of one caller.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// The time at which nothing is used.
    free_at: Duration,
    /// Part of the use that this node accepted and that the others may not know yet.
    unconfirmed: Duration,
}

/// The buckets of all callers.
#[derive(Debug)]
pub(crate) struct RateBuckets(Vec<Mutex<HashMap<u64, Bucket>>>);

impl Default for RateBuckets {
    fn default() -> Self {
        Self((0..RateLimit::COUNT * SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl RateBuckets {
    /// Counts an operation that costs `charge` at the time `now`, on one of `nodes` nodes.
    ///
    /// Each node may accept its share of what is left before the others have heard of it: all shares together are what
    /// is left. When others have heard of everything, one more operation is accepted. So `nodes - 1` operations are
    /// accepted too many at most. A request that has waited long enough no longer asks (without `may_ask`).
    pub(crate) fn count(
        &self,
        now: Duration,
        caller: RateCaller,
        charge: Duration,
        nodes: u32,
        may_ask: bool,
    ) -> Verdict {
        let mut shard = self.shard(caller);
        if !shard.contains_key(&caller.hash) {
            make_room(&mut shard, now);
        }
        let bucket = shard.entry(caller.hash).or_default();
        let used = bucket.free_at.saturating_sub(now);
        if used + charge > WINDOW {
            return Verdict::Refused { wait: used + charge - WINDOW };
        }
        if nodes > 1 {
            bucket.unconfirmed = bucket.unconfirmed.min(used);
            let left = WINDOW - used + bucket.unconfirmed;
            if may_ask && !bucket.unconfirmed.is_zero() && (bucket.unconfirmed + charge) * nodes > left {
                return Verdict::Ask;
            }
            bucket.unconfirmed += charge;
        }
        bucket.free_at = now + used + charge;
        Verdict::Accepted { used: used + charge }
    }

    /// Adds what another node accepted.
    pub(crate) fn add(&self, now: Duration, caller: RateCaller, charge: Duration) {
        let mut shard = self.shard(caller);
        if !shard.contains_key(&caller.hash) {
            make_room(&mut shard, now);
        }
        let bucket = shard.entry(caller.hash).or_default();
        bucket.free_at = (bucket.free_at.max(now) + charge).min(now + DEBT_MAX);
    }

    /// Notes that the other nodes know of this part of what this node accepted.
    pub(crate) fn confirm(&self, caller: RateCaller, charge: Duration) {
        if let Some(bucket) = self.shard(caller).get_mut(&caller.hash) {
            bucket.unconfirmed = bucket.unconfirmed.saturating_sub(charge);
        }
    }

    /// Forgets which use the others do not know, because they will never learn of it.
    pub(crate) fn confirm_all(&self) {
        for shard in &self.0 {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.values_mut().for_each(|bucket| bucket.unconfirmed = Duration::ZERO);
        }
    }

    /// Number of callers that a limit remembers.
    #[cfg(test)]
    pub(crate) fn remembered(&self) -> usize {
        self.0.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    fn shard(&self, caller: RateCaller) -> MutexGuard<'_, HashMap<u64, Bucket>> {
        let place = usize::try_from(caller.hash % SHARDS as u64).unwrap_or_default();
        // A shard is consistent after every operation, so a panic elsewhere does not corrupt it.
        self.0[caller.limit as usize * SHARDS + place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for one more caller.
fn make_room(shard: &mut HashMap<u64, Bucket>, now: Duration) {
    if shard.len() < SHARD_MAX {
        return;
    }
    shard.retain(|_, bucket| bucket.free_at > now);
    if shard.len() > SHARD_MAX * 3 / 4 {
        // This number of active callers is either an attack or a crowd; the memory must stay bounded in both cases.
        tracing::warn!(callers = REMEMBERED_MAX, "a rate limit was reset because it had too many active callers");
        shard.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn caller(hash: u64) -> RateCaller {
        RateCaller { limit: RateLimit::Key, hash }
    }

    #[test]
    fn a_whole_minute_may_be_used_at_once_and_then_as_time_passes() {
        let buckets = RateBuckets::default();
        let count = |at: u64| buckets.count(SECOND * u32::try_from(at).unwrap(), caller(1), SECOND * 20, 1, true);

        assert_eq!(count(5), Verdict::Accepted { used: SECOND * 20 });
        assert_eq!(count(5), Verdict::Accepted { used: SECOND * 40 });
        assert_eq!(count(5), Verdict::Accepted { used: SECOND * 60 });
        assert_eq!(count(6), Verdict::Refused { wait: SECOND * 19 });
        assert_eq!(count(25), Verdict::Accepted { used: SECOND * 60 });
        assert_eq!(buckets.count(SECOND, caller(2), WINDOW + SECOND, 1, true), Verdict::Refused { wait: SECOND });
    }

    #[test]
    fn nodes_that_do_not_hear_of_each_other_accept_their_shares_only() {
        let nodes = [(); 3].map(|()| RateBuckets::default());

        let accepted = nodes.each_ref().map(|node| {
            (0..60)
                .filter(|_| matches!(node.count(SECOND, caller(1), SECOND, 3, true), Verdict::Accepted { .. }))
                .count()
        });

        assert_eq!(accepted, [20, 20, 20]);
        assert_eq!(nodes[0].count(SECOND, caller(1), SECOND, 3, true), Verdict::Ask);
    }

    #[test]
    fn what_other_nodes_accepted_counts_and_is_limited() {
        let buckets = RateBuckets::default();

        buckets.add(SECOND, caller(1), SECOND * 59);
        assert_eq!(buckets.count(SECOND, caller(1), SECOND, 3, true), Verdict::Accepted { used: WINDOW });
        assert!(matches!(buckets.count(SECOND, caller(1), SECOND, 3, true), Verdict::Refused { .. }));
        buckets.add(SECOND, caller(1), SECOND * 1_000);
        assert!(matches!(buckets.count(SECOND + DEBT_MAX, caller(1), SECOND, 3, true), Verdict::Accepted { .. }));
    }

    #[test]
    fn memory_stays_bounded_when_there_are_more_callers_than_remembered() {
        let buckets = RateBuckets::default();

        for hash in 0..250_000 {
            let counted = buckets.count(SECOND, caller(hash), SECOND, 1, true);
            assert!(matches!(counted, Verdict::Accepted { .. }));
        }

        assert!(buckets.remembered() <= REMEMBERED_MAX);
    }
}
