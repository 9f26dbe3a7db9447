//! The search indexes that questions are asked of: one per site, in memory.
//!
//! An index is built when a question first needs it, and again when the site's index version has
//! grown. A question waits for the new index, which takes milliseconds for most sites, so that an
//! answer follows a change at once. When building takes longer than [`PATIENCE`] or fails, the
//! previous index keeps answering, unless its content was deleted or corrected since: the site's
//! *floor* is the oldest version that may answer. When memory is short, the index that was used
//! least recently is dropped.
//!
//! A panic in a build stays in that build. A chunk that causes it is named in the log and left out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::ids::SiteId;
use helpbot_domain::language;
use helpbot_engine::{Chunk, Index};
use tokio::time::Instant;

use crate::knowledge::{answer_rules, chunks, vectors};
use crate::{Error, Result, Services, blocking};
use helpbot_domain::site::Site;

/// How long a question waits for a new index while the previous one could answer.
const PATIENCE: Duration = Duration::from_millis(100);

/// Returns the site's current index. When building it takes longer than [`PATIENCE`] or fails,
/// returns the previous index, if nothing of it was deleted or corrected since.
///
/// # Errors
/// `NotFound` when the site does not exist; errors of the database; `Internal` when the index cannot
/// be built and no previous one may answer.
pub(crate) async fn current_or_previous(services: &Services, site: &Site) -> Result<Arc<Index>> {
    let (version, floor) = versions(services, site.id).await?;
    let loaded = services.indexes.get(site.id);
    if let Some((loaded, index)) = &loaded
        && *loaded >= version
    {
        return Ok(index.clone());
    }
    let previous = loaded.filter(|(loaded, _)| *loaded >= floor).map(|(_, index)| index);
    if services.indexes.has_failed(site.id, version) {
        return previous.ok_or_else(cannot_be_built);
    }
    // A separate task, so that the build continues when the caller stops waiting.
    let build = tokio::spawn({
        let (services, site) = (services.clone(), site.clone());
        async move { current(&services, &site).await }
    });
    let Some(previous) = previous else { return build.await.map_err(Error::internal)? };
    match tokio::time::timeout(PATIENCE, build).await {
        Ok(Ok(Ok(index))) => Ok(index),
        Ok(Ok(Err(gone @ Error::NotFound(_)))) => Err(gone),
        Ok(Ok(Err(error))) => {
            tracing::warn!(site = %site.id, error = error.detail(), "the index was not built; the previous one answers");
            Ok(previous)
        }
        Ok(Err(error)) => {
            tracing::error!(site = %site.id, %error, "the index was not built; the previous one answers");
            Ok(previous)
        }
        Err(_still_building) => Ok(previous),
    }
}

/// Returns the site's current index, however long building it takes.
///
/// # Errors
/// `NotFound` when the site does not exist; errors of the database; `Internal` when the index cannot
/// be built.
pub(crate) async fn current(services: &Services, site: &Site) -> Result<Arc<Index>> {
    let lock = services.indexes.build_lock(site.id);
    let _building = lock.lock().await;
    // Another question may have built the index while this one waited for the lock.
    let (version, _) = versions(services, site.id).await?;
    match services.indexes.get(site.id) {
        Some((loaded, index)) if loaded >= version => Ok(index),
        _ if services.indexes.has_failed(site.id, version) => Err(cannot_be_built()),
        _ => build(services, site.id, version).await,
    }
}

async fn versions(services: &Services, site: SiteId) -> Result<(i64, i64)> {
    let versions = db::sites::index_versions(&mut services.db.reader_of(site).await?, site).await?;
    versions.ok_or(Error::NotFound("Site"))
}

async fn build(services: &Services, site: SiteId, version: i64) -> Result<Arc<Index>> {
    let started = Instant::now();
    let built = build_at(services, site, version).await;
    match &built {
        Ok(_) => services.metrics.index_builds.record(started.elapsed()),
        Err(_) => services.metrics.index_build_failures.add_one(),
    }
    built
}

async fn build_at(services: &Services, site: SiteId, version: i64) -> Result<Arc<Index>> {
    // Read from the database: a cached row may be older than the version.
    let row = db::sites::by_id(&mut services.db.reader_of(site).await?, site).await?.ok_or(Error::NotFound("Site"))?;
    let language = language::primary(&row.widget.ai_language);
    let index = match build_from(services, stored(services, site).await?, language.clone()).await? {
        Some(index) => index,
        None => build_without_faulty_chunks(services, site, version, language).await?,
    };
    let index = vectors::with_external(services, site, index).await?;
    let index = Arc::new(answer_rules::with_rules(services, site, index).await?);
    services.indexes.put(site, version, index.clone());
    Ok(index)
}

/// Builds the index again after a panic, without the chunks that cause one on their own.
async fn build_without_faulty_chunks(
    services: &Services,
    site: SiteId,
    version: i64,
    language: Option<String>,
) -> Result<Index> {
    let builder = services.indexes.builder.clone();
    let (chunks, own_language) = (stored(services, site).await?, language.clone());
    let (faulty, sound): (Vec<Chunk>, Vec<Chunk>) = blocking(move || {
        let panics = |chunk: &Chunk| {
            let build = || builder(vec![chunk.clone()], own_language.as_deref());
            catch_unwind(AssertUnwindSafe(build)).is_err()
        };
        chunks.into_iter().partition(panics)
    })
    .await?;
    for chunk in &faulty {
        tracing::error!(%site, version, chunk = %chunk.id, source = %chunk.source_id, "a chunk made the index build panic and was left out");
    }
    let rebuilt = if faulty.is_empty() { None } else { build_from(services, sound, language).await? };
    rebuilt.ok_or_else(|| {
        tracing::error!(%site, version, "the index build panicked, and no single chunk causes it");
        services.indexes.set_failed(site, version);
        cannot_be_built()
    })
}

/// Builds an index off the threads that answer requests: a large one takes a second. Returns `None`
/// when the build panics.
async fn build_from(services: &Services, chunks: Vec<Chunk>, language: Option<String>) -> Result<Option<Index>> {
    let builder = services.indexes.builder.clone();
    blocking(move || catch_unwind(AssertUnwindSafe(|| builder(chunks, language.as_deref()))).ok()).await
}

async fn stored(services: &Services, site: SiteId) -> Result<Vec<Chunk>> {
    Ok(chunks::stored(services, site).await?.into_iter().map(|stored| stored.chunk).collect())
}

fn cannot_be_built() -> Error {
    Error::internal("the index of the site cannot be built")
}

#[cfg(test)]
mod tests {
    use helpbot_domain::Timestamp;
    use helpbot_domain::ids::KeyId;
    use helpbot_engine::{Engine, EngineSettings};

    use super::*;
    use crate::accounts::{site_deletion, sites};
    use crate::knowledge::entries::{self, NewEntry};
    use crate::knowledge::loaded_indexes::Indexes;
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
    async fn the_least_recently_used_index_is_dropped_when_memory_is_short() {
        let directory = tempfile::tempdir().unwrap();
        let (with_room, viewer) = services(&directory, Settings::new([7; 32])).await;
        let sites = [site(&with_room, &viewer).await, site(&with_room, &viewer).await];
        for site in &sites {
            entries::add(&with_room, &viewer, Some(site.id), entry("Are you open?")).await.unwrap();
        }
        let one = current_or_previous(&with_room, &sites[0]).await.unwrap().size_bytes();
        let settings = Settings { index_memory_bytes: one * 3 / 2, ..Settings::new([7; 32]) };
        let (services, _) = services(&directory, settings).await;
        let loaded = || services.indexes.loaded().sites.keys().copied().collect::<Vec<_>>();

        for asked in [0, 1, 0, 0] {
            let index = current_or_previous(&services, &sites[asked]).await.unwrap();

            assert_eq!((index.len(), loaded()), (1, vec![sites[asked].id]));
        }
        assert_eq!(with_room.indexes.loaded().sites.len(), 1, "only one index was used");
        current_or_previous(&with_room, &sites[1]).await.unwrap();
        assert_eq!(with_room.indexes.loaded().sites.len(), 2, "there is memory for both");
    }

    #[tokio::test]
    async fn a_deleted_site_leaves_no_index() {
        let directory = tempfile::tempdir().unwrap();
        let (services, viewer) = services(&directory, Settings::new([7; 32])).await;
        let site = site(&services, &viewer).await;
        current_or_previous(&services, &site).await.unwrap();

        site_deletion::delete(&services, &viewer, site.id).await.unwrap();

        assert!(services.indexes.loaded().sites.is_empty());
        assert!(services.indexes.builds.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn during_a_long_build_the_previous_index_answers_unless_content_was_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let (services, viewer) = services(&directory, Settings::new([7; 32])).await;
        let site = site(&services, &viewer).await;
        let first = entries::add(&services, &viewer, Some(site.id), entry("Are you open?")).await.unwrap();
        assert_eq!(current_or_previous(&services, &site).await.unwrap().len(), 1);

        // Holding the lock has the same effect as a build that is running.
        let lock = services.indexes.build_lock(site.id);
        let building = lock.lock().await;
        entries::add(&services, &viewer, Some(site.id), entry("Do you have rye?")).await.unwrap();
        let meanwhile = current_or_previous(&services, &site).await.unwrap().len();
        entries::delete(&services, &viewer, Some(site.id), first.id).await.unwrap();
        let waiting = tokio::time::timeout(PATIENCE * 3, current_or_previous(&services, &site)).await;
        drop(building);
        let after = current_or_previous(&services, &site).await.unwrap();

        assert_eq!(meanwhile, 1, "the previous index answers");
        assert!(waiting.is_err(), "deleted content does not answer");
        let left: Vec<_> = after.chunks().iter().map(|chunk| chunk.question.as_deref()).collect();
        assert_eq!(left, [Some("Do you have rye?")]);
    }

    fn question(index: &Index) -> Vec<&str> {
        index.chunks().iter().filter_map(|chunk| chunk.question.as_deref()).collect()
    }

    /// Services whose index builds panic when `is_faulty` is true for their chunks.
    async fn services_with_faults(
        directory: &tempfile::TempDir,
        is_faulty: impl Fn(&[Chunk]) -> bool + Send + Sync + 'static,
    ) -> (Services, Viewer) {
        let (services, viewer) = services(directory, Settings::new([7; 32])).await;
        let builder = move |chunks: Vec<Chunk>, language: Option<&str>| {
            assert!(!is_faulty(&chunks), "injected panic");
            Index::build(chunks, language)
        };
        let mut indexes = Indexes::new(usize::MAX);
        indexes.builder = Arc::new(builder);
        (Services { indexes: Arc::new(indexes), ..services }, viewer)
    }

    #[tokio::test]
    async fn a_panic_in_an_index_build_leaves_the_previous_index_answering() {
        let directory = tempfile::tempdir().unwrap();
        let (services, viewer) = services_with_faults(&directory, |chunks| chunks.len() == 2).await;
        let (site, other) = (site(&services, &viewer).await, site(&services, &viewer).await);
        entries::add(&services, &viewer, Some(site.id), entry("Are you open?")).await.unwrap();
        current_or_previous(&services, &site).await.unwrap();

        entries::add(&services, &viewer, Some(site.id), entry("Do you have rye?")).await.unwrap();
        let after_panic = current_or_previous(&services, &site).await.unwrap();
        let without_build = current_or_previous(&services, &site).await.unwrap();
        let of_other = current_or_previous(&services, &other).await.unwrap();
        entries::add(&services, &viewer, Some(site.id), entry("Do you bake cakes?")).await.unwrap();
        let after_change = current(&services, &site).await.unwrap();

        assert_eq!(question(&after_panic), ["Are you open?"]);
        assert!(Arc::ptr_eq(&after_panic, &without_build), "the failed version is not built again");
        assert!(of_other.is_empty(), "another site is not affected");
        assert_eq!(after_change.len(), 3, "the next change is built again");
    }

    #[tokio::test]
    async fn a_chunk_that_makes_the_index_build_panic_is_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let is_faulty = |chunks: &[Chunk]| chunks.iter().any(|chunk| chunk.question.as_deref() == Some("\u{3b9}?"));
        let (services, viewer) = services_with_faults(&directory, is_faulty).await;
        let site = site(&services, &viewer).await;
        let first = entries::add(&services, &viewer, Some(site.id), entry("Are you open?")).await.unwrap();
        current_or_previous(&services, &site).await.unwrap();

        for words in ["\u{3b9}?", "Do you have rye?"] {
            entries::add(&services, &viewer, Some(site.id), entry(words)).await.unwrap();
        }
        entries::delete(&services, &viewer, Some(site.id), first.id).await.unwrap();
        let index = current_or_previous(&services, &site).await.unwrap();

        assert_eq!(question(&index), ["Do you have rye?"]);
    }
}
