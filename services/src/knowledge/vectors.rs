//! Embeddings of an external model, which replace those of the built-in table. A job computes them
//! after every change of a site's chunks, and they are used as soon as all chunks have one.
//!
//! Until then, the embeddings of an earlier model are used if the server still offers it, and the
//! built-in table otherwise. A new model or a failing server therefore never makes answers worse
//! than without an external model.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_db::vectors::ChunkVectors;
use helpbot_domain::ids::{ChunkId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_engine::{Chunk, Index, external_embeddings};

use crate::knowledge::chunks;
use crate::runtime::job_kinds::EMBED;
use crate::runtime::jobs::{self, NewJob};
use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::job::Job;
use helpbot_domain::site::Site;

/// Number of texts per request. Servers commonly accept a few hundred to two thousand.
const TEXTS_AT_ONCE: usize = 64;
/// Number of embeddings per query.
const PAGE: i64 = 2_000;

/// Progress of a site's embeddings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorProgress {
    /// The configured model.
    pub model: String,
    /// Number of chunks that have embeddings of this model.
    pub embedded: i64,
    /// Number of chunks.
    pub total: i64,
}

/// Returns the progress of the embeddings of the configured model. `None` when the built-in table
/// is used.
///
/// # Errors
/// `Forbidden` without the scope to read settings.
#[boxed]
pub async fn progress(services: &Services, viewer: &Viewer, site: &Site) -> Result<Option<VectorProgress>> {
    viewer.require(Scope::ReadConfig)?;
    let site = viewer.site(Some(site.id))?;
    let Some(embedder) = services.engine.embedder() else { return Ok(None) };
    let mut c = services.db.reader().await?;
    let models = db::vectors::models(&mut c, site).await?;
    let embedded = models.into_iter().find(|(model, _)| model == embedder.model()).map_or(0, |(_, count)| count);
    let total = db::chunks::count(&mut c, site).await?;
    Ok(Some(VectorProgress { model: embedder.model().to_owned(), embedded, total }))
}

/// Does an embedding job: computes the embeddings that are missing or outdated.
///
/// # Errors
/// `Unavailable` when the server fails, in which case finished batches are kept; errors of the
/// database.
#[boxed]
pub async fn embed(services: &Services, job: &Job) -> Result<()> {
    let Some(embedder) = services.engine.embedder() else { return Ok(()) };
    let (site, model) = (job.site_id, embedder.model().to_owned());
    let missing = missing(services, site, &model).await?;
    let has_all = missing.is_empty();
    let mut batch: Vec<(ChunkId, Vec<String>)> = Vec::new();
    let mut rest = missing.iter().peekable();
    while let Some(chunk) = rest.next() {
        batch.push((chunk.id, external_embeddings::texts(chunk)));
        let count: usize = batch.iter().map(|(_, texts)| texts.len()).sum();
        if count < TEXTS_AT_ONCE && rest.peek().is_some() {
            continue;
        }
        let texts = batch.iter().flat_map(|(_, texts)| texts.clone()).collect();
        let vectors = embedder.embed(&model, texts).await.map_err(|error| Error::Unavailable {
            cause: error.to_string(),
            retry_after: std::time::Duration::from_secs(2),
        })?;
        let mut vectors = vectors.into_iter();
        let made: Vec<ChunkVectors> = batch
            .drain(..)
            .map(|(chunk_id, texts)| {
                let own: Vec<Vec<f32>> = vectors.by_ref().take(texts.len()).collect();
                ChunkVectors { chunk_id, text_hash: chunks::hash(&texts), vector: external_embeddings::encode(&own) }
            })
            .collect();
        store(services, site, model.clone(), made).await?;
    }
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                // Embeddings of other models were used until now.
                let is_alone = db::vectors::keep_only(c, site, &model).await? == 0;
                if !(is_alone && has_all) {
                    db::sites::bump_index_version(c, site).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Adds embeddings to an index: those of the configured model if all chunks have one, otherwise
/// those of an earlier model, otherwise none. Queues the job for missing ones.
pub(crate) async fn with_external(services: &Services, site: SiteId, index: Index) -> Result<Index> {
    let Some(embedder) = services.engine.embedder() else { return Ok(index) };
    if index.is_empty() {
        return Ok(index);
    }
    if let Some(dressed) = with_vectors(services, site, &index, embedder.model()).await? {
        return Ok(dressed);
    }
    want(services, site).await?;
    let models = db::vectors::models(&mut services.db.reader().await?, site).await?;
    for (model, _) in models.iter().filter(|(model, _)| model != embedder.model()) {
        if let Some(dressed) = with_vectors(services, site, &index, model).await? {
            return Ok(dressed);
        }
    }
    Ok(index)
}

/// Queues the embedding job, unless it is already queued or running.
pub(crate) async fn want(services: &Services, site: SiteId) -> Result<()> {
    if services.engine.embedder().is_none() {
        return Ok(());
    }
    let now = services.now();
    let job = NewJob::new(site, EMBED, Some(EMBED.to_owned()), &serde_json::json!({}));
    services.db.write(move |c| Box::pin(async move { job.enqueue(c, now).await })).await?;
    jobs::wake(services);
    Ok(())
}

async fn with_vectors(services: &Services, site: SiteId, index: &Index, model: &str) -> Result<Option<Index>> {
    let mut known = stored(services, site, model).await?;
    let current = |chunk: &std::sync::Arc<Chunk>| {
        let found = known.remove(&chunk.id)?;
        (found.text_hash == chunks::hash(external_embeddings::texts(chunk))).then_some(found.vector)
    };
    let vectors: Option<Vec<Vec<u8>>> = index.chunks().iter().map(current).collect();
    Ok(vectors.and_then(|vectors| index.with_vectors(model, &vectors)))
}

async fn missing(services: &Services, site: SiteId, model: &str) -> Result<Vec<Chunk>> {
    let known = stored(services, site, model).await?;
    // Staged chunks have no row that an embedding could refer to. They are embedded once they are merged.
    let chunks = chunks::in_place(services, site).await?.into_iter().map(|stored| stored.chunk);
    let is_missing = |chunk: &Chunk| {
        known.get(&chunk.id).is_none_or(|known| known.text_hash != chunks::hash(external_embeddings::texts(chunk)))
    };
    Ok(chunks.filter(is_missing).collect())
}

async fn stored(services: &Services, site: SiteId, model: &str) -> Result<HashMap<ChunkId, ChunkVectors>> {
    let (mut all, mut after) = (HashMap::new(), None);
    loop {
        let page = db::vectors::of_site(&mut services.db.reader().await?, site, model, after, PAGE).await?;
        after = page.last().map(|vectors| vectors.chunk_id);
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        all.extend(page.into_iter().map(|vectors| (vectors.chunk_id, vectors)));
        if is_last {
            return Ok(all);
        }
    }
}

async fn store(services: &Services, site: SiteId, model: String, made: Vec<ChunkVectors>) -> Result<()> {
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                for vectors in &made {
                    // An embedding whose chunk was deleted in the meantime is ignored.
                    db::vectors::put(c, site, &model, vectors).await?;
                }
                Ok(())
            })
        })
        .await
}
