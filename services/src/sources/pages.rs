//! What a visit to a page becomes in the database: the page's row, and the difference of its
//! chunks. Only [`super::reading`] calls it, inside its transaction.

use std::collections::{HashMap, HashSet};

use helpbot_db as db;
use helpbot_db::chunks::Chunk;
use helpbot_domain::ids::{ChunkId, DocumentId};
use helpbot_domain::source::PageOutcome;
use helpbot_domain::{Timestamp, text};
use helpbot_engine::{ChunkDraft, ChunkKind};
use sha2::{Digest, Sha256};

use super::reading::{Earlier, PageReading};
use crate::indexes::{FAQ, PASSAGE};
use crate::{Document, Result, Source, chance};

/// A page that is not found this often in a row leaves the index: one miss may be the fault of
/// the moment.
pub(crate) const MISSES_MAX: i32 = 2;
/// What the report says of a page at its first miss.
const NOT_FOUND_AGAIN: &str = "Nothing led to this page at the last visit; if that stays so, it leaves the index";

/// What a reading did to the chunks of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// How many came, changed or went.
    pub changed: i64,
    /// Whether some of what was known is not so any more: gone, or elsewhere. An index that
    /// still has it must not answer.
    pub is_retired: bool,
}

impl std::ops::AddAssign for Difference {
    fn add_assign(&mut self, other: Self) {
        self.changed += other.changed;
        self.is_retired |= other.is_retired;
    }
}

/// Stores one page and the difference of its chunks.
pub(super) async fn store(c: &mut db::Conn, source: &Source, page: PageReading, now: Timestamp) -> Result<Difference> {
    let known = db::documents::by_url(c, source.site_id, source.id, &page.url).await?;
    let mut document = known.unwrap_or_else(|| fresh(source, &page, now));
    let leaves = page.replaces(document.misses);
    document.outcome = page.outcome;
    document.reason = page.reason;
    document.fetched_at = now;
    document.misses = match (page.outcome, page.earlier) {
        (PageOutcome::Fetched | PageOutcome::Unchanged, _) | (_, Earlier::Leaves) => 0,
        (_, Earlier::Missing) => document.misses.saturating_add(1),
        (_, Earlier::Stays) => document.misses,
    };
    let had = document.chunk_count;
    let mut chunks = Vec::new();
    if leaves {
        // With the chunks go the validators: "not modified" must not mean "nothing".
        document.etag = page.etag;
        document.last_modified = page.last_modified;
        document.content_hash = None;
        if page.outcome == PageOutcome::Fetched {
            chunks = numbered(source, document.id, page.chunks, now);
            document.content_hash = Some(hash(chunks.iter().map(|chunk| chunk.content_hash.as_str())));
        }
        document.chunk_count = i64::try_from(chunks.len()).unwrap_or(i64::MAX);
    }
    if page.outcome == PageOutcome::Fetched {
        document.title = page.title;
        document.language = page.language;
    }
    db::documents::put(c, &document).await?;
    if let Some(links) = &page.links {
        db::documents::set_links(c, document.site_id, document.id, links).await?;
    }
    let is_replaced = leaves && (had > 0 || !chunks.is_empty());
    if is_replaced { replace_chunks(c, &document, chunks).await } else { Ok(Difference::default()) }
}

fn fresh(source: &Source, page: &PageReading, now: Timestamp) -> Document {
    Document {
        site_id: source.site_id,
        id: DocumentId::from_uuid(chance::uuid(now)),
        source_id: source.id,
        url: page.url.clone(),
        title: None,
        language: None,
        outcome: page.outcome,
        reason: None,
        etag: None,
        last_modified: None,
        content_hash: None,
        chunk_count: 0,
        misses: 0,
        fetched_at: now,
    }
}

async fn replace_chunks(c: &mut db::Conn, document: &Document, chunks: Vec<Chunk>) -> Result<Difference> {
    let mut old: HashMap<String, Vec<Chunk>> = HashMap::new();
    // Last first, so that of two equal chunks each keeps its place.
    for chunk in db::chunks::of_document(c, document.site_id, document.id).await?.into_iter().rev() {
        old.entry(chunk.content_hash.clone()).or_default().push(chunk);
    }
    let mut difference = Difference::default();
    for mut chunk in chunks {
        match old.get_mut(&chunk.content_hash).and_then(Vec::pop) {
            Some(same) => {
                chunk.id = same.id;
                let is_elsewhere = (&same.url, &same.page_title) != (&chunk.url, &chunk.page_title);
                if is_elsewhere || (same.position, &same.language) != (chunk.position, &chunk.language) {
                    db::chunks::update_place(c, &chunk).await?;
                    difference += Difference { changed: 1, is_retired: is_elsewhere };
                }
            }
            None => {
                db::chunks::insert(c, &chunk).await?;
                difference.changed += 1;
            }
        }
    }
    let gone: Vec<ChunkId> = old.into_values().flatten().map(|chunk| chunk.id).collect();
    if !gone.is_empty() {
        db::chunks::delete(c, document.site_id, &gone).await?;
        difference += Difference { changed: i64::try_from(gone.len()).unwrap_or(i64::MAX), is_retired: true };
    }
    Ok(difference)
}

/// Counts a miss for each known page that was not visited, and drops those with too many.
pub(super) async fn count_misses(c: &mut db::Conn, source: &Source, visited: &HashSet<String>) -> Result<Difference> {
    let mut dropped = Difference::default();
    for mut page in db::documents::of_source(c, source.site_id, source.id, db::part::Part::first(i64::MAX)).await? {
        if visited.contains(&page.url) {
            continue;
        }
        page.misses = page.misses.saturating_add(1);
        if page.misses >= MISSES_MAX {
            db::documents::delete(c, source.site_id, page.id).await?;
            dropped += Difference { changed: page.chunk_count, is_retired: page.chunk_count > 0 };
        } else {
            page.outcome = PageOutcome::Skipped;
            page.reason = Some(NOT_FOUND_AGAIN.to_owned());
            db::documents::put(c, &page).await?;
        }
    }
    Ok(dropped)
}

fn numbered(source: &Source, document_id: DocumentId, drafts: Vec<ChunkDraft>, now: Timestamp) -> Vec<Chunk> {
    let chunk = |(position, draft): (i32, ChunkDraft)| Chunk {
        site_id: source.site_id,
        id: ChunkId::from_uuid(chance::uuid(now)),
        source_id: source.id,
        document_id,
        position,
        kind: if draft.kind == ChunkKind::Faq { FAQ } else { PASSAGE }.to_owned(),
        content_hash: content_hash(draft.question.as_deref(), &draft.heading, &draft.text),
        question: draft.question,
        heading: draft.heading,
        text: draft.text,
        url: draft.url,
        page_title: draft.page_title,
        language: draft.language,
        phrasings: draft.phrasings,
    };
    (0..).zip(drafts).map(chunk).collect()
}

/// Tells whether a chunk says the same as before.
pub(crate) fn content_hash(question: Option<&str>, heading: &[String], text: &str) -> String {
    hash(question.into_iter().chain(heading.iter().map(String::as_str)).chain([text]))
}

/// SHA-256 over the parts, each ended by a byte that no text has; lower hex.
fn hash<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0xff]);
    }
    text::hex(&hasher.finalize())
}
