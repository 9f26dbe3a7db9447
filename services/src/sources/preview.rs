//! The chunks that a site would have if a sync went live, for the test questions that decide
//! whether it does. It follows the rules of [`sync::complete`](super::sync::complete) without
//! writing anything.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::ids::{ChunkId, DocumentId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::{Document, PageOutcome, Source};
use helpbot_engine::{Chunk, ChunkDraft};

use crate::knowledge::chunks::{self, content_hash};
use crate::runtime::randomness;
use crate::sources::page_sync::{MISSES_MAX, SyncedPage};
use crate::sources::unchanged::UnchangedChunks;
use crate::{Result, Services, boxed};

/// Returns all chunks of the source's site as they would be after `pages`, ordered like those of an
/// index.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn chunks(services: &Services, source: &Source, pages: &[SyncedPage]) -> Result<Vec<Chunk>> {
    let replaced = replaced(services, source, pages).await?;
    let mut chunks = Vec::new();
    let mut old: HashMap<&str, Vec<StoredChunk>> = HashMap::new();
    for chunk in chunks::stored(services, source.site_id).await? {
        match replaced.get(&chunk.document_id) {
            Some(url) => old.entry(url).or_default().push(chunk),
            None => chunks.push(chunk.chunk),
        }
    }
    for page in pages.iter().filter(|page| page.outcome == PageOutcome::Fetched) {
        let mut own = old.remove(page.url.as_str()).unwrap_or_default();
        own.sort_by_key(|chunk| chunk.position);
        let mut kept = UnchangedChunks::of(own.into_iter().map(|chunk| (chunk.content_hash.clone(), chunk)));
        for draft in &page.chunks {
            let same = kept.take(&content_hash(draft.question.as_deref(), &draft.heading, &draft.text));
            chunks.push(from_draft(services, source, draft, same));
        }
    }
    chunks.sort_by_key(|chunk| chunk.id);
    Ok(chunks)
}

/// Returns the known pages whose chunks are removed, with their addresses: those that were fetched
/// again, and those that were missed too often.
async fn replaced(services: &Services, source: &Source, pages: &[SyncedPage]) -> Result<HashMap<DocumentId, String>> {
    let mut c = services.db.reader().await?;
    let known = db::documents::of_source(&mut c, source.site_id, source.id, PageRequest::first(i64::MAX)).await?;
    let by_url: HashMap<&str, &SyncedPage> = pages.iter().map(|page| (page.url.as_str(), page)).collect();
    let goes = |page: &Document| match by_url.get(page.url.as_str()) {
        Some(synced) => synced.replaces(page.misses),
        None => page.misses + 1 >= MISSES_MAX,
    };
    Ok(known.into_iter().filter(goes).map(|page| (page.id, page.url)).collect())
}

/// Returns the chunk for a draft. If a chunk with the `same` content exists, its ID and phrasings
/// are kept.
fn from_draft(services: &Services, source: &Source, draft: &ChunkDraft, same: Option<StoredChunk>) -> Chunk {
    let chunk = |id| draft.clone().with_ids(id, source.id);
    match same {
        Some(same) => Chunk { phrasings: same.chunk.phrasings, ..chunk(same.chunk.id) },
        None => chunk(ChunkId::from_uuid(randomness::uuid(services.now()))),
    }
}
