//! A cache of rows that every request needs and that rarely change: keys, sites, source names.
//!
//! An entry is used for less than a second, so a change that another node makes takes effect
//! within that time. A change on this node removes the entry at once with [`TtlCache::forget`].
//! A lookup that was running at that moment may have read the old row; its result is not cached.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use helpbot_domain::Timestamp;
use quick_cache::sync::Cache;

/// How long an entry is used. Revocations and setting changes must reach all nodes within a second.
const TTL: Duration = Duration::from_millis(900);
/// Maximum number of entries of one cache; the least used ones are evicted first.
const ENTRIES_MAX: usize = 10_000;

/// Values by key, each with the time at which it was looked up.
pub(crate) struct TtlCache<K, V> {
    entries: Cache<K, (Timestamp, V)>,
    /// Number of calls of [`TtlCache::forget`].
    forgotten: AtomicU64,
}

/// State of a cache before a lookup, taken with [`TtlCache::before_lookup`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct BeforeLookup(u64);

impl<K: Eq + Hash, V: Clone> Default for TtlCache<K, V> {
    fn default() -> Self {
        Self { entries: Cache::new(ENTRIES_MAX), forgotten: AtomicU64::new(0) }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> TtlCache<K, V> {
    /// Returns the value if it was looked up less than [`TTL`] ago.
    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let (since, value) = self.entries.get(key)?;
        // If the clock was set back, the entry appears to be from the future and is not used.
        (since <= now && now < since.plus(TTL)).then_some(value)
    }

    /// Returns the state to pass to [`TtlCache::put`] after the lookup.
    pub(crate) fn before_lookup(&self) -> BeforeLookup {
        BeforeLookup(self.forgotten.load(Ordering::SeqCst))
    }

    /// Caches a looked-up value, unless an entry was forgotten since `before`.
    pub(crate) fn put(&self, before: BeforeLookup, now: Timestamp, key: K, value: V) {
        if self.before_lookup().0 != before.0 {
            return;
        }
        self.entries.insert(key.clone(), (now, value));
        // `forget` counts before it removes. A call that this comparison does not see removes the
        // entry itself, because it removes after the insertion above.
        if self.before_lookup().0 != before.0 {
            self.entries.remove(&key);
        }
    }

    /// Removes the value because the row has changed.
    pub(crate) fn forget(&self, key: &K) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.entries.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_ms(1_773_576_000_000);

    #[test]
    fn a_value_is_used_for_less_than_a_second() {
        let cache = TtlCache::default();

        cache.put(cache.before_lookup(), NOON, "site", 1);

        assert_eq!(cache.get(&"site", NOON), Some(1));
        assert_eq!(cache.get(&"site", NOON.plus(Duration::from_millis(899))), Some(1));
        assert_eq!(cache.get(&"site", NOON.plus(Duration::from_millis(900))), None);
        assert_eq!(cache.get(&"site", Timestamp::from_ms(NOON.as_ms() - 1)), None);
    }

    #[test]
    fn a_lookup_that_began_before_a_change_is_not_cached_after_it() {
        let cache = TtlCache::default();
        let before = cache.before_lookup();

        cache.forget(&"site");
        cache.put(before, NOON, "site", 1);
        assert_eq!(cache.get(&"site", NOON), None);

        cache.put(cache.before_lookup(), NOON, "site", 2);
        assert_eq!(cache.get(&"site", NOON), Some(2));
        cache.forget(&"site");
        assert_eq!(cache.get(&"site", NOON), None);
    }

    #[test]
    fn the_number_of_entries_is_bounded() {
        let cache = TtlCache::default();

        for key in 0..ENTRIES_MAX * 2 {
            cache.put(cache.before_lookup(), NOON, key, key);
        }

        let kept = (0..ENTRIES_MAX * 2).filter(|key| cache.get(key, NOON) == Some(*key)).count();
        assert!((1..=ENTRIES_MAX).contains(&kept), "{kept}");
    }
}
