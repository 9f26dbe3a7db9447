//! What was looked up a moment ago: rows that every request needs and that change rarely.
//!
//! Believed for less than a second, so that a change on another node is effective within it. A
//! change on this node forgets the row at once; a look-up that was under way meanwhile may have
//! read the old one, and is not remembered.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use helpbot_domain::Timestamp;

/// How long a look-up is believed.
const BELIEVED_FOR: Duration = Duration::from_millis(900);
/// Values at most; past it all are forgotten, which costs one look-up each.
const MAX: usize = 10_000;

/// Values by key, each with the moment of its look-up.
pub(crate) struct Memory<K, V>(Mutex<Known<K, V>>);

struct Known<K, V> {
    values: HashMap<K, (Timestamp, V)>,
    /// How often something was forgotten.
    forgotten: u64,
}

/// The state of a memory before a look-up began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before(u64);

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Known { values: HashMap::new(), forgotten: 0 }))
    }
}

impl<K: Eq + Hash, V: Clone> Memory<K, V> {
    /// The value, if it was looked up just now.
    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let known = self.known();
        let (since, value) = known.values.get(key)?;
        // A clock that was turned back makes the entry look as if from the future: not believed.
        (*since <= now && now < since.plus(BELIEVED_FOR)).then(|| value.clone())
    }

    /// To be asked for before a look-up, for [`Memory::put`].
    pub(crate) fn before(&self) -> Before {
        Before(self.known().forgotten)
    }

    /// Remembers what was looked up, unless something was forgotten since `before`.
    pub(crate) fn put(&self, before: Before, now: Timestamp, key: K, value: V) {
        let mut known = self.known();
        if known.forgotten != before.0 {
            return;
        }
        if known.values.len() >= MAX {
            known.values.clear();
        }
        known.values.insert(key, (now, value));
    }

    /// Forgets the value: it has changed.
    pub(crate) fn forget(&self, key: &K) {
        let mut known = self.known();
        known.values.remove(key);
        known.forgotten += 1;
    }

    fn known(&self) -> MutexGuard<'_, Known<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_ms(1_773_576_000_000);

    #[test]
    fn a_value_is_believed_for_less_than_a_second() {
        let memory = Memory::default();

        memory.put(memory.before(), NOON, "site", 1);

        assert_eq!(memory.get(&"site", NOON), Some(1));
        assert_eq!(memory.get(&"site", NOON.plus(Duration::from_millis(899))), Some(1));
        assert_eq!(memory.get(&"site", NOON.plus(Duration::from_millis(900))), None);
        assert_eq!(memory.get(&"site", Timestamp::from_ms(NOON.as_ms() - 1)), None);
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let memory = Memory::default();
        let before = memory.before();

        memory.forget(&"site");
        memory.put(before, NOON, "site", 1);
        assert_eq!(memory.get(&"site", NOON), None);

        memory.put(memory.before(), NOON, "site", 2);
        assert_eq!(memory.get(&"site", NOON), Some(2));
        memory.forget(&"site");
        assert_eq!(memory.get(&"site", NOON), None);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let memory = Memory::default();

        for key in 0..=MAX {
            memory.put(memory.before(), NOON, key, key);
        }

        assert_eq!(memory.get(&MAX, NOON), Some(MAX));
        assert_eq!(memory.get(&0, NOON), None);
    }
}
