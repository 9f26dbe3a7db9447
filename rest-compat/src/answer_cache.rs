//! Caches answers that depend only on a key, the settings of its site and a variant, such as a language. A widget reads its
//! configuration on every page of a visit, and a site has few keys and languages.

use helpbot_api::{KeyId, SettingsSnapshot};
use quick_cache::sync::Cache;

use crate::respond::CacheableAnswer;

/// Maximum number of answers, one for each key and variant.
const ANSWERS_MAX: usize = 10_000;

/// The last answer for each key and variant, with the settings that it was computed from.
pub(crate) struct AnswerCache(Cache<(KeyId, String), (SettingsSnapshot, CacheableAnswer)>);

impl Default for AnswerCache {
    fn default() -> Self {
        Self(Cache::new(ANSWERS_MAX))
    }
}

impl AnswerCache {
    /// The answer that was computed from the same settings, if it is cached.
    pub fn get(&self, snapshot: &SettingsSnapshot, variant: &str) -> Option<CacheableAnswer> {
        let (of, answer) = self.0.get(&(snapshot.key, variant.to_owned()))?;
        (of == *snapshot).then_some(answer)
    }

    /// Caches `answer`, which was computed after `snapshot` was taken.
    pub fn put(&self, snapshot: SettingsSnapshot, variant: String, answer: CacheableAnswer) {
        self.0.insert((snapshot.key, variant), (snapshot, answer));
    }
}
