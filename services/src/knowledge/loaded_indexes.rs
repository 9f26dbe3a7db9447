//! The indexes that are in memory, up to a total size, with the locks of running builds. Only
//! [`indexes`](super::indexes) uses it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use helpbot_domain::ids::SiteId;
use helpbot_engine::{Chunk, Index};
use tokio::sync::Mutex as AsyncMutex;

/// Builds an index from chunks in the site's language. Tests replace it to make builds fail.
pub(super) type IndexBuilder = Arc<dyn Fn(Vec<Chunk>, Option<&str>) -> Index + Send + Sync>;

/// The loaded indexes, up to a total size.
pub struct Indexes {
    max_bytes: usize,
    pub(super) builder: IndexBuilder,
    loaded: Mutex<LoadedIndexes>,
    /// One lock per site, held while its index is built, so that concurrent questions build it once.
    pub(super) builds: Mutex<HashMap<SiteId, Arc<AsyncMutex<()>>>>,
}

#[derive(Default)]
pub(super) struct LoadedIndexes {
    pub(super) sites: HashMap<SiteId, LoadedIndex>,
    /// Versions whose build panicked without a chunk to blame. They are not built again.
    failed: HashMap<SiteId, i64>,
    uses: u64,
}

pub(super) struct LoadedIndex {
    version: i64,
    index: Arc<Index>,
    /// Size of the index. Computing it reads the whole index, which is too slow under the lock.
    size_bytes: usize,
    last_use: u64,
}

impl Indexes {
    /// Creates an empty set of indexes that uses at most `max_bytes`. A single larger index is kept.
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, builder: Arc::new(Index::build), loaded: Mutex::default(), builds: Mutex::default() }
    }

    /// Returns the number of loaded indexes and their total size in bytes.
    pub(crate) fn usage(&self) -> (usize, usize) {
        let loaded = self.loaded();
        (loaded.sites.len(), loaded.sites.values().map(|entry| entry.size_bytes).sum())
    }

    pub(super) fn loaded(&self) -> MutexGuard<'_, LoadedIndexes> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, site: SiteId) -> Option<(i64, Arc<Index>)> {
        let mut loaded = self.loaded();
        loaded.uses += 1;
        let uses = loaded.uses;
        let entry = loaded.sites.get_mut(&site)?;
        entry.last_use = uses;
        Some((entry.version, entry.index.clone()))
    }

    pub(super) fn put(&self, site: SiteId, version: i64, index: Arc<Index>) {
        let size_bytes = index.size_bytes();
        let mut loaded = self.loaded();
        loaded.uses += 1;
        let last_use = loaded.uses;
        loaded.failed.remove(&site);
        loaded.sites.insert(site, LoadedIndex { version, index, size_bytes, last_use });
        let mut bytes: usize = loaded.sites.values().map(|entry| entry.size_bytes).sum();
        while bytes > self.max_bytes && loaded.sites.len() > 1 {
            let Some((&oldest, _)) = loaded.sites.iter().min_by_key(|(_, entry)| entry.last_use) else { break };
            if let Some(entry) = loaded.sites.remove(&oldest) {
                bytes -= entry.size_bytes;
            }
        }
    }

    /// Drops everything about a site that was deleted.
    pub(crate) fn forget(&self, site: SiteId) {
        let mut loaded = self.loaded();
        loaded.sites.remove(&site);
        loaded.failed.remove(&site);
        drop(loaded);
        // A build that is running keeps its own reference to the lock.
        self.builds.lock().unwrap_or_else(PoisonError::into_inner).remove(&site);
    }

    pub(super) fn has_failed(&self, site: SiteId, version: i64) -> bool {
        self.loaded().failed.get(&site) == Some(&version)
    }

    pub(super) fn set_failed(&self, site: SiteId, version: i64) {
        self.loaded().failed.insert(site, version);
    }

    pub(super) fn build_lock(&self, site: SiteId) -> Arc<AsyncMutex<()>> {
        self.builds.lock().unwrap_or_else(PoisonError::into_inner).entry(site).or_default().clone()
    }
}
