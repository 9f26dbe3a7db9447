//! Which chunks of a page stay when it is synced again. Chunks with unchanged content keep their
//! IDs, and thereby what the owner added to them. Staging a sync and storing it use the same
//! rule.

use std::collections::HashMap;

/// The existing chunks of a page, each of which can be kept once.
#[derive(Debug)]
pub(super) struct UnchangedChunks<T>(HashMap<String, Vec<T>>);

impl<T> UnchangedChunks<T> {
    /// Takes the chunks of a page in their order, each with the hash of its content.
    pub(super) fn of(chunks: impl DoubleEndedIterator<Item = (String, T)>) -> Self {
        let mut by_hash: HashMap<String, Vec<T>> = HashMap::new();
        // In reverse, so that equal chunks keep their order.
        for (hash, chunk) in chunks.rev() {
            by_hash.entry(hash).or_default().push(chunk);
        }
        Self(by_hash)
    }

    /// Returns the existing chunk with this content, wherever on the page it is, or `None` when the
    /// content is new.
    pub(super) fn take(&mut self, hash: &str) -> Option<T> {
        self.0.get_mut(hash).and_then(Vec::pop)
    }

    /// Returns the chunks whose content no longer exists, in no particular order.
    pub(super) fn gone(self) -> impl Iterator<Item = T> {
        self.0.into_values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unchanged_chunks_stay_once_and_in_order_and_the_others_are_removed() {
        let old = [("a", 1), ("b", 2), ("a", 3), ("c", 4)];
        let mut kept = UnchangedChunks::of(old.into_iter().map(|(hash, chunk)| (hash.to_owned(), chunk)));

        let taken = ["c", "a", "a", "a", "d"].map(|hash| kept.take(hash));

        assert_eq!(taken, [Some(4), Some(1), Some(3), None, None]);
        assert_eq!(kept.gone().collect::<Vec<_>>(), [2]);
    }
}
