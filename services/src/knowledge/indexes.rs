//! The indexes that questions are asked of: one a site, in memory, loaded when first needed,
//! loaded anew when the site's index version has moved on, and dropped by age when memory runs
//! short.
//!
//! A new index of a usual site takes milliseconds, and whoever asks waits for it, so that an
//! answer follows a change at once. A huge one takes longer than anybody should wait: there the
//! old index answers until the new one stands, unless something of it was deleted, corrected or
//! found changed by a new reading since; for that, everybody waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::ids::SiteId;
use helpbot_domain::language;
use helpbot_engine::{Chunk, ChunkKind, Index};
use tokio::sync::Mutex as AsyncMutex;

use crate::knowledge::vectors;
use crate::{Error, Result, Services, Site, blocking};

/// How long a question waits for a new index while an old one could answer.
const PATIENCE: Duration = Duration::from_millis(100);
/// Chunks read in one query while an index is built.
const PAGE: i64 = 2_000;

/// Loaded indexes, bounded by their memory.
pub struct Indexes {
    max_bytes: usize,
    loaded: Mutex<Loaded>,
    /// One build of a site at a time: others that need it wait for that one.
    builds: Mutex<HashMap<SiteId, Arc<AsyncMutex<()>>>>,
}

#[derive(Default)]
struct Loaded {
    sites: HashMap<SiteId, Entry>,
    uses: u64,
}

struct Entry {
    version: i64,
    index: Arc<Index>,
    /// Of the index: counting them reads all of it, which takes too long under the lock.
    size_bytes: usize,
    last_use: u64,
}

impl Indexes {
    /// Room for `max_bytes` of indexes.
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, loaded: Mutex::default(), builds: Mutex::default() }
    }

    fn get(&self, site: SiteId) -> Option<(i64, Arc<Index>)> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.uses += 1;
        let uses = loaded.uses;
        let entry = loaded.sites.get_mut(&site)?;
        entry.last_use = uses;
        Some((entry.version, entry.index.clone()))
    }

    fn put(&self, site: SiteId, version: i64, index: Arc<Index>) {
        let size_bytes = index.size_bytes();
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.uses += 1;
        let last_use = loaded.uses;
        loaded.sites.insert(site, Entry { version, index, size_bytes, last_use });
        let mut bytes: usize = loaded.sites.values().map(|entry| entry.size_bytes).sum();
        while bytes > self.max_bytes && loaded.sites.len() > 1 {
            let Some((&oldest, _)) = loaded.sites.iter().min_by_key(|(_, entry)| entry.last_use) else { break };
            if let Some(entry) = loaded.sites.remove(&oldest) {
                bytes -= entry.size_bytes;
            }
        }
    }

    pub(crate) fn forget(&self, site: SiteId) {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).sites.remove(&site);
        // Whoever still builds holds the lock itself, and is alone with it.
        self.builds.lock().unwrap_or_else(PoisonError::into_inner).remove(&site);
    }

    fn build_lock(&self, site: SiteId) -> Arc<AsyncMutex<()>> {
        self.builds.lock().unwrap_or_else(PoisonError::into_inner).entry(site).or_default().clone()
    }
}

impl Services {
    /// The site's index as of now; where building it takes longer than [`PATIENCE`], the one
    /// before, if nothing of it was deleted or corrected since.
    ///
    /// # Errors
    /// `NotFound` when the site is gone; the database's own.
    pub(crate) async fn index(&self, site: &Site) -> Result<Arc<Index>> {
        let (version, floor) = self.index_versions(site.id).await?;
        let loaded = self.indexes.get(site.id);
        if let Some((loaded, index)) = &loaded
            && *loaded >= version
        {
            return Ok(index.clone());
        }
        // A task of its own: whoever stops waiting does not stop the building.
        let (services, site) = (self.clone(), site.clone());
        let mut build = tokio::spawn(async move { services.current_index(&site).await });
        if let Some((_, old)) = loaded.filter(|(loaded, _)| *loaded >= floor) {
            return match tokio::time::timeout(PATIENCE, &mut build).await {
                Ok(built) => built.map_err(Error::internal)?,
                Err(_) => Ok(old),
            };
        }
        build.await.map_err(Error::internal)?
    }

    /// The site's index as of now, however long that takes: for figures that an owner waits for.
    ///
    /// # Errors
    /// `NotFound` when the site is gone; the database's own.
    pub(crate) async fn current_index(&self, site: &Site) -> Result<Arc<Index>> {
        let lock = self.indexes.build_lock(site.id);
        let _building = lock.lock().await;
        // Another question may have built it while this one waited.
        let (version, _) = self.index_versions(site.id).await?;
        match self.indexes.get(site.id) {
            Some((loaded, index)) if loaded >= version => Ok(index),
            _ => self.build_index(site.id, version).await,
        }
    }

    async fn index_versions(&self, site: SiteId) -> Result<(i64, i64)> {
        let versions = db::sites::index_versions(&mut self.db.reader().await?, site).await?;
        versions.ok_or(Error::NotFound("Site"))
    }

    /// All chunks of a site, by id: the order of an index.
    ///
    /// # Errors
    /// Only the database's own.
    pub(crate) async fn stored_chunks(&self, site: SiteId) -> Result<Vec<db::chunks::Chunk>> {
        let mut chunks = Vec::new();
        let mut after = None;
        loop {
            let page = db::chunks::of_site(&mut self.db.reader().await?, site, after, PAGE).await?;
            after = page.last().map(|chunk| chunk.id);
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            chunks.extend(page);
            if is_last {
                return Ok(chunks);
            }
        }
    }

    async fn build_index(&self, site: SiteId, version: i64) -> Result<Arc<Index>> {
        let chunks = self.stored_chunks(site).await?.into_iter().map(engine_chunk).collect();
        // As it is now: a row that is believed for a moment may be of before the version.
        let row = db::sites::by_id(&mut self.db.reader().await?, site).await?.ok_or(Error::NotFound("Site"))?;
        let language = language::primary(&row.widget.ai_language);
        // Building takes milliseconds for a usual site and a second for a huge one: not on the
        // threads that answer.
        let index = blocking(move || Index::build(chunks, language.as_deref())).await?;
        let index = Arc::new(vectors::dressed(self, site, index).await?);
        self.indexes.put(site, version, index.clone());
        Ok(index)
    }
}

pub(crate) fn engine_chunk(chunk: db::chunks::Chunk) -> Chunk {
    Chunk {
        id: chunk.id,
        source_id: chunk.source_id,
        kind: if chunk.kind == FAQ { ChunkKind::Faq } else { ChunkKind::Passage },
        question: chunk.question,
        heading: chunk.heading,
        text: chunk.text,
        url: chunk.url,
        page_title: chunk.page_title,
        language: chunk.language,
        phrasings: chunk.phrasings,
    }
}

/// How a question with its answer is stored.
pub(crate) const FAQ: &str = "faq";
/// How a passage is stored.
pub(crate) const PASSAGE: &str = "passage";

#[cfg(test)]
mod tests {
    use helpbot_domain::Timestamp;
    use helpbot_domain::ids::KeyId;
    use helpbot_engine::{Engine, EngineSettings};

    use super::*;
    use crate::accounts::sites;
    use crate::knowledge::entries::{self, NewEntry};
    use crate::runtime::clock::ManualClock;
    use crate::runtime::randomness;
    use crate::{Settings, Viewer};

    const NOW: Timestamp = Timestamp::from_ms(1_772_366_400_000);

    async fn services(directory: &tempfile::TempDir, settings: Settings) -> (Services, Viewer) {
        let db = db::Db::open(&db::DatabaseUrl::Sqlite(directory.path().join("helpbot.db"))).await.unwrap();
        let (engine, clock) = (Engine::new(EngineSettings::default()), Arc::new(ManualClock::at(NOW)));
        let services = Services::new(db, engine, clock, Arc::new(|_| Ok(())), settings);
        (services, Viewer::operator(KeyId::from_uuid(randomness::uuid(NOW))))
    }

    async fn site(services: &Services, viewer: &Viewer) -> Site {
        let site = sites::NewSite {
            name: "Bakery".into(),
            owner_email: "owner@example.com".into(),
            plan: None,
            credit_limit: None,
        };
        sites::create(services, viewer, site).await.unwrap()
    }

    fn entry(question: &str) -> NewEntry {
        NewEntry { question: question.into(), answer: "Yes.".into(), phrasings: Vec::new(), url: None }
    }

    #[tokio::test]
    async fn where_memory_holds_one_index_the_site_asked_longest_ago_goes_and_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let (with_room, viewer) = services(&directory, Settings::new([7; 32])).await;
        let sites = [site(&with_room, &viewer).await, site(&with_room, &viewer).await];
        for site in &sites {
            entries::add(&with_room, &viewer, Some(site.id), entry("Are you open?")).await.unwrap();
        }
        let one = with_room.index(&sites[0]).await.unwrap().size_bytes();
        let settings = Settings { index_memory_bytes: one * 3 / 2, ..Settings::new([7; 32]) };
        let (services, _) = services(&directory, settings).await;
        let loaded = || services.indexes.loaded.lock().unwrap().sites.keys().copied().collect::<Vec<_>>();

        for asked in [0, 1, 0, 0] {
            let index = services.index(&sites[asked]).await.unwrap();

            assert_eq!((index.len(), loaded()), (1, vec![sites[asked].id]));
        }
        assert_eq!(with_room.indexes.loaded.lock().unwrap().sites.len(), 1, "only one was asked of it");
        with_room.index(&sites[1]).await.unwrap();
        assert_eq!(with_room.indexes.loaded.lock().unwrap().sites.len(), 2, "it has room for both");
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_deleted_site() {
        let directory = tempfile::tempdir().unwrap();
        let (services, viewer) = services(&directory, Settings::new([7; 32])).await;
        let site = site(&services, &viewer).await;
        services.index(&site).await.unwrap();

        sites::delete(&services, &viewer, site.id).await.unwrap();

        assert!(services.indexes.loaded.lock().unwrap().sites.is_empty());
        assert!(services.indexes.builds.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_long_build_lets_the_old_index_answer_unless_something_was_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let (services, viewer) = services(&directory, Settings::new([7; 32])).await;
        let site = site(&services, &viewer).await;
        let first = entries::add(&services, &viewer, Some(site.id), entry("Are you open?")).await.unwrap();
        assert_eq!(services.index(&site).await.unwrap().len(), 1);

        // Whoever holds the lock is building, for as long as it takes.
        let lock = services.indexes.build_lock(site.id);
        let building = lock.lock().await;
        entries::add(&services, &viewer, Some(site.id), entry("Do you have rye?")).await.unwrap();
        let meanwhile = services.index(&site).await.unwrap().len();
        entries::delete(&services, &viewer, Some(site.id), first.id).await.unwrap();
        let waiting = tokio::time::timeout(PATIENCE * 3, services.index(&site)).await;
        drop(building);
        let after = services.index(&site).await.unwrap();

        assert_eq!(meanwhile, 1, "the old index answers");
        assert!(waiting.is_err(), "what was deleted does not");
        let left: Vec<_> = after.chunks().iter().map(|chunk| chunk.question.as_deref()).collect();
        assert_eq!(left, [Some("Do you have rye?")]);
    }
}
