//! Documents that are known already. Trusted ones are given when the gateway is made and asked
//! for by their id. Others are those that callers brought lately: parsed once, and asked for by
//! their hash too (Apollo's automatic persisted queries), until newer ones need the room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use helpbot_domain::text;
use sha2::{Digest, Sha256};

use crate::guard::{self, Document, Refusal};

/// Recent documents at most. A page has tens; what attackers make up pushes out what is not used.
const RECENT_MAX: usize = 512;
/// Longer texts are parsed each time: a parsed one takes some twenty times its text.
const RECENT_BYTES_MAX: usize = 8 * 1024;

/// The documents that callers brought lately, by the hash of their text, all of which the guard
/// let through. In two generations: what is used while the younger one fills up stays.
#[derive(Debug, Default)]
pub(super) struct RecentDocuments(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<[u8; 32], Arc<Document>>,
    old: HashMap<[u8; 32], Arc<Document>>,
}

impl RecentDocuments {
    /// The document of `text`, whose hash is `hash`; read if it is not known.
    ///
    /// # Errors
    /// What the guard says of it.
    pub(super) fn read(&self, text: &str, hash: [u8; 32], limits: &guard::Limits) -> Result<Arc<Document>, Refusal> {
        if let Some(known) = self.get(&hash) {
            return Ok(known);
        }
        let document = Arc::new(guard::read(text, limits)?);
        if text.len() <= RECENT_BYTES_MAX {
            self.lock().put(hash, document.clone());
        }
        Ok(document)
    }

    /// The document whose text has this hash, while it is kept.
    pub(super) fn get(&self, hash: &[u8; 32]) -> Option<Arc<Document>> {
        let mut generations = self.lock();
        if let Some(known) = generations.young.get(hash) {
            return Some(known.clone());
        }
        let known = generations.old.remove(hash)?;
        generations.put(*hash, known.clone());
        Some(known)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn put(&mut self, hash: [u8; 32], document: Arc<Document>) {
        if self.young.len() >= RECENT_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, document);
    }
}

/// SHA-256 of a text.
pub(super) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// A hash as callers write it, read.
pub(super) fn of_hex(text: &str) -> Option<[u8; 32]> {
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

/// Documents by id, parsed once.
#[derive(Debug, Clone, Default)]
pub struct TrustedDocuments {
    by_id: HashMap<String, Arc<Document>>,
}

impl TrustedDocuments {
    /// The documents of `texts`.
    ///
    /// # Errors
    /// What the guard says of the first that it refuses: trust is no excuse for cost.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Refusal> {
        let limits = guard::Limits::default();
        let read = |text: &'a str| Ok((Self::id(text), Arc::new(guard::read(text, &limits)?)));
        Ok(Self { by_id: texts.into_iter().map(read).collect::<Result<_, Refusal>>()? })
    }

    /// The id of a document: `sha256:` and the hash of its text in lower hex.
    pub fn id(text: &str) -> String {
        format!("sha256:{}", text::hex(&hash(text)))
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Document>> {
        self.by_id.get(id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_makes_room() {
        let recent = RecentDocuments::default();
        let limits = guard::Limits::default();
        let read = |text: &str| recent.read(text, hash(text), &limits).map(|_| ());
        read("{ used }").unwrap();
        read("{ unused }").unwrap();

        for n in 0..3 * RECENT_MAX {
            read(&format!("{{ made{n} }}")).unwrap();
            assert!(recent.get(&hash("{ used }")).is_some(), "after {n}");
        }

        assert!(recent.get(&hash("{ unused }")).is_none());
        let generations = recent.lock();
        let kept = generations.young.len() + generations.old.len();
        assert!(kept <= RECENT_MAX, "{kept}");
    }

    #[test]
    fn what_the_guard_refuses_is_not_kept() {
        let recent = RecentDocuments::default();
        let long = format!("{{ a }}{}", " ".repeat(RECENT_BYTES_MAX));

        assert!(recent.read("{ a", hash("{ a"), &guard::Limits::default()).is_err());
        assert!(recent.read(&long, hash(&long), &guard::Limits::default()).is_ok());

        assert!(recent.get(&hash("{ a")).is_none() && recent.get(&hash(&long)).is_none());
    }
}
