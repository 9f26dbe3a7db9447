//! Vectors of an embedding model in place of the built-in table: made by a job after every change
//! of a site's chunks, used once all chunks have theirs.
//!
//! Until then the vectors of an earlier model serve, if the server still has it, and the built-in
//! table otherwise: a change of model or a server that fails never makes a site worse than it is
//! without one.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_db::vectors::ChunkVectors;
use helpbot_domain::ids::{ChunkId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::text;
use helpbot_engine::{Chunk, Index, external_embeddings};
use sha2::{Digest, Sha256};

use crate::knowledge::indexes::engine_chunk;
use crate::runtime::jobs::NewJob;
use crate::{Error, Job, Result, Services, Site, Viewer, boxed};

/// The kind of the job that makes a site's vectors.
pub const EMBED: &str = "embed";
/// Texts sent to the server at once: what servers take at most is some hundred to two thousand.
const TEXTS_AT_ONCE: usize = 64;
/// Vectors read in one query.
const PAGE: i64 = 2_000;

/// How far a site's vectors are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The model that is set.
    pub model: String,
    /// Chunks that have vectors of it.
    pub embedded: i64,
    /// Chunks there are.
    pub total: i64,
}

/// How far the vectors of the model that is set are; none where the built-in table serves.
///
/// # Errors
/// `Forbidden` without the right to read settings.
#[boxed]
pub async fn progress(services: &Services, viewer: &Viewer, site: &Site) -> Result<Option<Progress>> {
    viewer.require(Scope::ReadConfig)?;
    let site = viewer.site(Some(site.id))?;
    let Some(embedder) = services.engine.embedder() else { return Ok(None) };
    let mut c = services.db.reader().await?;
    let models = db::vectors::models(&mut c, site).await?;
    let embedded = models.into_iter().find(|(model, _)| model == embedder.model()).map_or(0, |(_, count)| count);
    let total = db::chunks::count(&mut c, site).await?;
    Ok(Some(Progress { model: embedder.model().to_owned(), embedded, total }))
}

/// Does a job: embeds what has no vectors of the present model, or those of other words.
///
/// # Errors
/// `Unavailable` when the server fails: what was made until then is kept. The database's own.
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
                ChunkVectors { chunk_id, text_hash: hash(&texts), vector: external_embeddings::encode(&own) }
            })
            .collect();
        store(services, site, model.clone(), made).await?;
    }
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                // Other models' have served until now.
                let is_alone = db::vectors::keep_only(c, site, &model).await? == 0;
                if !(is_alone && has_all) {
                    db::sites::bump_index_version(c, site).await?;
                }
                Ok(())
            })
        })
        .await
}

/// The index with the vectors of the present model where all chunks have them, else those of an
/// earlier one, else as it is; asks for what is missing.
pub(crate) async fn dressed(services: &Services, site: SiteId, index: Index) -> Result<Index> {
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

/// Asks for the job, unless it waits or runs already.
pub(crate) async fn want(services: &Services, site: SiteId) -> Result<()> {
    if services.engine.embedder().is_none() {
        return Ok(());
    }
    let now = services.now();
    let job = NewJob::new(site, EMBED, Some(EMBED.to_owned()), &serde_json::json!({}));
    services.db.write(move |c| Box::pin(async move { job.enqueue(c, now).await })).await?;
    services.wake_workers();
    Ok(())
}

async fn with_vectors(services: &Services, site: SiteId, index: &Index, model: &str) -> Result<Option<Index>> {
    let mut known = stored(services, site, model).await?;
    let current = |chunk: &std::sync::Arc<Chunk>| {
        let found = known.remove(&chunk.id)?;
        (found.text_hash == hash(&external_embeddings::texts(chunk))).then_some(found.vector)
    };
    let vectors: Option<Vec<Vec<u8>>> = index.chunks().iter().map(current).collect();
    Ok(vectors.and_then(|vectors| index.with_vectors(model, &vectors)))
}

async fn missing(services: &Services, site: SiteId, model: &str) -> Result<Vec<Chunk>> {
    let known = stored(services, site, model).await?;
    let chunks = services.stored_chunks(site).await?.into_iter().map(engine_chunk);
    let is_missing =
        |chunk: &Chunk| known.get(&chunk.id).is_none_or(|known| known.text_hash != hash(&external_embeddings::texts(chunk)));
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
                    // One whose chunk has gone meanwhile is not missed.
                    db::vectors::put(c, site, &model, vectors).await?;
                }
                Ok(())
            })
        })
        .await
}

fn hash(texts: &[String]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update(text.as_bytes());
        hasher.update([0xff]);
    }
    text::hex(&hasher.finalize())
}
