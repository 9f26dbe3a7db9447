//! What the site would answer from if a reading went live: for the test questions that decide
//! whether it does. Follows the rules of [`reading::complete`](super::reading::complete) without
//! writing anything.

use std::collections::{HashMap, HashSet};

use helpbot_db as db;
use helpbot_domain::ids::{ChunkId, DocumentId};
use helpbot_domain::source::PageOutcome;
use helpbot_engine::{Chunk, ChunkDraft};

use super::reading::{MISSES_MAX, PageReading, content_hash};
use crate::indexes::engine_chunk;
use crate::{Result, Services, Source, boxed, chance};

/// All chunks of the source's site as they would be after `pages`, in the order of an index.
///
/// # Errors
/// Only the database's own.
#[boxed]
pub async fn chunks(services: &Services, source: &Source, pages: &[PageReading]) -> Result<Vec<Chunk>> {
    let replaced = replaced(services, source, pages).await?;
    let (mut chunks, mut old) = (Vec::new(), HashMap::new());
    for chunk in services.stored_chunks(source.site_id).await? {
        if replaced.contains(&chunk.document_id) {
            old.insert((chunk.url.clone(), chunk.content_hash.clone()), (chunk.id, chunk.phrasings));
        } else {
            chunks.push(engine_chunk(chunk));
        }
    }
    let read = pages.iter().filter(|page| page.outcome == PageOutcome::Fetched);
    for draft in read.flat_map(|page| &page.chunks) {
        let hash = content_hash(draft.question.as_deref(), &draft.heading, &draft.text);
        let kept = old.remove(&(draft.url.clone(), hash));
        chunks.push(from_draft(services, source, draft, kept));
    }
    chunks.sort_by_key(|chunk| chunk.id);
    Ok(chunks)
}

/// The known pages whose chunks go: those read anew, and those missing once too often.
async fn replaced(services: &Services, source: &Source, pages: &[PageReading]) -> Result<HashSet<DocumentId>> {
    let mut c = services.db.reader().await?;
    let known = db::documents::of_source(&mut c, source.site_id, source.id, db::part::Part::first(i64::MAX)).await?;
    let readings: HashMap<&str, &PageReading> = pages.iter().map(|page| (page.url.as_str(), page)).collect();
    let goes = |page: &db::documents::Document| match readings.get(page.url.as_str()) {
        Some(reading) => reading.replaces(page.misses),
        None => page.misses + 1 >= MISSES_MAX,
    };
    Ok(known.iter().filter(|page| goes(page)).map(|page| page.id).collect())
}

/// The chunk that a draft becomes; where its words are known, with the id and the phrasings that
/// it would keep.
fn from_draft(services: &Services, source: &Source, draft: &ChunkDraft, kept: Option<(ChunkId, Vec<String>)>) -> Chunk {
    let (id, phrasings) =
        kept.unwrap_or_else(|| (ChunkId::from_uuid(chance::uuid(services.now())), draft.phrasings.clone()));
    Chunk {
        id,
        source_id: source.id,
        kind: draft.kind,
        question: draft.question.clone(),
        heading: draft.heading.clone(),
        text: draft.text.clone(),
        url: draft.url.clone(),
        page_title: draft.page_title.clone(),
        language: draft.language.clone(),
        phrasings,
    }
}
