//! Recent documents: those that callers sent lately, parsed. They can be requested by their hash as
//! well (Apollo's automatic persisted queries) until more frequently used documents replace them.
//!
//! Documents that stay are in [`trusted`](super::trusted).

use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, UnitWeighter};
use sha2::{Digest, Sha256};

use super::guard;
use super::guard::document::Document;
use super::guard::limits::DocumentSize;
use super::guard::rejection::DocumentRejection;

/// Maximum number of recent documents. A web page uses a few dozen; documents that an attacker
/// invents replace only documents that are rarely used.
const RECENT_MAX: usize = 512;
/// Part of the cache for documents that were requested repeatedly. The rest is for new ones: a client that
/// registers a document requests it by its hash alone soon after, and must find it even while others send a
/// different document with every request.
const REPEATED_SHARE: f64 = 0.5;
/// Parts with a lock and a capacity of their own. With more of them, new documents would leave a small part
/// early.
const SHARDS: usize = 4;
/// Longer documents are parsed on every request: parsed, a document takes about twenty times the
/// memory of its text.
const RECENT_BYTES_MAX: usize = 8 * 1024;

/// Documents that callers sent lately, by the hash of their text. All of them passed the guard, but
/// validation may have found errors in them.
pub(super) struct RecentDocuments(Cache<[u8; 32], Arc<Document>>);

impl Default for RecentDocuments {
    fn default() -> Self {
        let options = OptionsBuilder::new()
            .shards(SHARDS)
            .estimated_items_capacity(RECENT_MAX)
            .weight_capacity(RECENT_MAX as u64)
            .hot_allocation(REPEATED_SHARE)
            .build()
            .expect("both capacities are set");
        Self(Cache::with_options(options, UnitWeighter, DefaultHashBuilder::default(), DefaultLifecycle::default()))
    }
}

impl RecentDocuments {
    /// Returns the document with this text and hash; parses it if it is not cached.
    ///
    /// # Errors
    /// The guard's rejection.
    pub(super) fn read(
        &self,
        text: &str,
        hash: [u8; 32],
        limits: &DocumentSize,
    ) -> Result<Arc<Document>, DocumentRejection> {
        if let Some(known) = self.get(&hash) {
            return Ok(known);
        }
        let document = Arc::new(guard::read(text, limits)?);
        if text.len() <= RECENT_BYTES_MAX {
            self.0.insert(hash, document.clone());
        }
        Ok(document)
    }

    /// Returns the document whose text has this hash, while it is cached.
    pub(super) fn get(&self, hash: &[u8; 32]) -> Option<Arc<Document>> {
        self.0.get(hash)
    }
}

/// SHA-256 of a text.
pub(super) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Reads a hash from hexadecimal digits.
pub(super) fn hash_from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut hash = [0; 32];
    if digits.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_in_use_stays_cached_and_an_unused_one_is_replaced_by_documents_in_use() {
        let recent = RecentDocuments::default();
        let limits = DocumentSize::MAX;
        let read = |text: &str| recent.read(text, hash(text), &limits).map(|_| ());
        read("{ used }").unwrap();
        read("{ unused }").unwrap();

        for n in 0..3 * RECENT_MAX {
            // The cache keeps early documents in place of documents that were requested only once.
            read(&format!("{{ made{n} }}")).unwrap();
            read(&format!("{{ made{n} }}")).unwrap();
            assert!(recent.get(&hash("{ used }")).is_some(), "after {n}");
        }

        assert!(recent.get(&hash("{ unused }")).is_none());
        assert!(recent.0.len() <= RECENT_MAX, "{}", recent.0.len());
    }

    #[test]
    fn a_new_document_outlasts_a_hundred_other_new_documents_in_a_full_cache() {
        let recent = RecentDocuments::default();
        let read = |text: &str| recent.read(text, hash(text), &DocumentSize::MAX).map(|_| ());
        for text in (0..2 * RECENT_MAX).map(|n| format!("{{ known{n} }}")) {
            read(&text).unwrap();
            read(&text).unwrap();
        }

        for n in 0..50 {
            let registered = format!("{{ registered{n} }}");
            read(&registered).unwrap();
            for other in 0..100 {
                read(&format!("{{ made{n}x{other} }}")).unwrap();
            }
            assert!(recent.get(&hash(&registered)).is_some(), "{n}");
        }
    }

    #[test]
    fn a_rejected_or_very_long_document_is_not_cached() {
        let recent = RecentDocuments::default();
        let long = format!("{{ a }}{}", " ".repeat(RECENT_BYTES_MAX));

        assert!(recent.read("{ a", hash("{ a"), &DocumentSize::MAX).is_err());
        assert!(recent.read(&long, hash(&long), &DocumentSize::MAX).is_ok());

        assert!(recent.get(&hash("{ a")).is_none() && recent.get(&hash(&long)).is_none());
    }
}
