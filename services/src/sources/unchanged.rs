//! Which chunks of a page stay when it is read anew: those that say the same keep their ids, and
//! with these what the owner added to them. One rule for who stores a reading and for who foresees
//! what storing it would give.

use std::collections::HashMap;

/// The chunks of a page that a new reading may keep, each once.
#[derive(Debug)]
pub(super) struct UnchangedChunks<T>(HashMap<String, Vec<T>>);

impl<T> UnchangedChunks<T> {
    /// Of a page's chunks, each with the hash of what it says, in their order on the page.
    pub(super) fn of(chunks: impl DoubleEndedIterator<Item = (String, T)>) -> Self {
        let mut by_hash: HashMap<String, Vec<T>> = HashMap::new();
        // Last first, so that of two equal chunks each keeps its place.
        for (hash, chunk) in chunks.rev() {
            by_hash.entry(hash).or_default().push(chunk);
        }
        Self(by_hash)
    }

    /// The chunk that stays for the next one read that says this, wherever on the page it stands
    /// now; none when that one is new.
    pub(super) fn take(&mut self, hash: &str) -> Option<T> {
        self.0.get_mut(hash).and_then(Vec::pop)
    }

    /// Those that nothing read says any more, in no order.
    pub(super) fn gone(self) -> impl Iterator<Item = T> {
        self.0.into_values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_the_same_stays_once_and_in_its_order_and_the_rest_goes() {
        let old = [("a", 1), ("b", 2), ("a", 3), ("c", 4)];
        let mut kept = UnchangedChunks::of(old.into_iter().map(|(hash, chunk)| (hash.to_owned(), chunk)));

        let taken = ["c", "a", "a", "a", "d"].map(|hash| kept.take(hash));

        assert_eq!(taken, [Some(4), Some(1), Some(3), None, None]);
        assert_eq!(kept.gone().collect::<Vec<_>>(), [2]);
    }
}
