//! What the use cases of this folder and of `sources` share about chunks: reading all chunks of a
//! site, and hashing their content. This file imports no other use case.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_domain::chunk::StoredChunk;
pub(crate) use helpbot_domain::chunk::WRITTEN_ANSWERS;
use helpbot_domain::ids::{ChunkId, DocumentId, SiteId, SourceId};
use helpbot_domain::text;
use sha2::{Digest, Sha256};

use crate::{Result, Services};

/// Number of chunks per query.
const PAGE: i64 = 2_000;

/// Maximum number of times that the chunks of a site are read again because a sync was published or
/// merged meanwhile. The next change builds the index again anyway.
const READS_MAX: usize = 5;
/// Number of staged pages per query.
const STAGED_PAGE: i64 = 200;

/// Returns all chunks that a site answers from, ordered by ID like those of an index. Where a
/// published sync is still being merged, its staged chunks are in place of those that they replace.
///
/// # Errors
/// Only errors of the database.
pub(crate) async fn stored(services: &Services, site: SiteId) -> Result<Vec<StoredChunk>> {
    let mut published = db::staging::published(&mut services.db.reader().await?, site).await?;
    for _ in 1..READS_MAX {
        let chunks = over(services, site, &published).await?;
        let after = db::staging::published(&mut services.db.reader().await?, site).await?;
        if after == published {
            return Ok(chunks);
        }
        published = after;
    }
    over(services, site, &published).await
}

/// Returns the chunks that a site would answer from if the stage of a source was published.
///
/// # Errors
/// Only errors of the database.
pub(crate) async fn as_if_published(services: &Services, site: SiteId, source: SourceId) -> Result<Vec<StoredChunk>> {
    let mut published = db::staging::published(&mut services.db.reader().await?, site).await?;
    published.push(source);
    over(services, site, &published).await
}

/// Returns the chunks of a site with those of staged sources in place of what they replace.
///
/// The stages are read first. A page that is merged meanwhile is then found in both places or in
/// its stage alone, never in neither, and the staged chunks count.
async fn over(services: &Services, site: SiteId, staged: &[SourceId]) -> Result<Vec<StoredChunk>> {
    let mut replaced: HashMap<DocumentId, Vec<StoredChunk>> = HashMap::new();
    for &source in staged {
        let mut after = db::staging::BEFORE_FIRST;
        loop {
            let mut reader = services.db.reader().await?;
            let pages = db::staging::pages(&mut reader, site, source, after, STAGED_PAGE).await?;
            let Some(last) = pages.last() else { break };
            after = last.seq;
            let changed = pages.into_iter().filter(|page| page.is_replaced);
            replaced.extend(changed.map(|page| (page.document_id, page.chunks)));
        }
    }
    let mut chunks = in_place(services, site).await?;
    if replaced.is_empty() {
        return Ok(chunks);
    }
    let mut phrasings: HashMap<ChunkId, Vec<String>> = HashMap::new();
    chunks.retain_mut(|chunk| {
        let is_kept = !replaced.contains_key(&chunk.document_id);
        if !is_kept {
            phrasings.insert(chunk.id, std::mem::take(&mut chunk.phrasings));
        }
        is_kept
    });
    chunks.extend(replaced.into_values().flatten().map(|mut chunk| {
        if let Some(kept) = phrasings.remove(&chunk.id) {
            chunk.phrasings = kept;
        }
        chunk
    }));
    chunks.sort_by_key(|chunk| chunk.id);
    Ok(chunks)
}

/// Returns all chunks of a site without those of stages, ordered by ID.
///
/// # Errors
/// Only errors of the database.
pub(crate) async fn in_place(services: &Services, site: SiteId) -> Result<Vec<StoredChunk>> {
    let mut chunks = Vec::new();
    let mut after = None;
    loop {
        let page = db::chunks::of_site(&mut services.db.reader().await?, site, after, PAGE).await?;
        after = page.last().map(|chunk| chunk.id);
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        chunks.extend(page);
        if is_last {
            return Ok(chunks);
        }
    }
}

/// Returns a hash that changes when the content of a chunk changes.
pub(crate) fn content_hash(question: Option<&str>, heading: &[String], text: &str) -> String {
    hash(question.into_iter().chain(heading.iter().map(String::as_str)).chain([text]))
}

/// Returns the SHA-256 of the parts in lowercase hex. Each part ends with a byte that no text
/// contains.
pub(crate) fn hash(parts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_ref().as_bytes());
        hasher.update([0xff]);
    }
    text::hex(&hasher.finalize())
}
