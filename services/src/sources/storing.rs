//! Storing the pages of a sync: the row of each page, and the difference of its chunks. Only
//! [`super::sync`] calls it, inside its transaction.

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::ids::{ChunkId, DocumentId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::{Document, PageOutcome, Source};
use helpbot_engine::ChunkDraft;

use crate::Result;
use crate::knowledge::chunks::{content_hash, hash};
use crate::runtime::randomness;
use crate::sources::page_sync::{EarlierChunks, MISSES_MAX, SyncedPage};
use crate::sources::unchanged::UnchangedChunks;

/// Number of new chunks that are written together.
const NEW_AT_ONCE: usize = 500;
/// Reason that the report shows for a page after its first miss.
const NOT_FOUND_AGAIN: &str =
    "The last sync did not find this page. If the next sync does not find it either, its content is removed.";

/// What a sync changed in the chunks of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Number of chunks that were added, changed or removed.
    pub changed: i64,
    /// Whether chunks were removed or moved, so that an older index must not answer.
    pub is_retired: bool,
}

impl std::ops::AddAssign for Difference {
    fn add_assign(&mut self, other: Self) {
        self.changed += other.changed;
        self.is_retired |= other.is_retired;
    }
}

/// The storing of a sync, page by page. Existing pages are read once, because each statement of the
/// transaction blocks all other writes.
pub(super) struct Storing<'a> {
    source: &'a Source,
    now: Timestamp,
    /// Pages of earlier syncs that this sync has not visited yet, by address.
    known: HashMap<String, Document>,
    /// Chunks that are not written yet.
    new: Vec<StoredChunk>,
    difference: Difference,
}

impl<'a> Storing<'a> {
    pub(super) async fn begin(c: &mut db::Conn, source: &'a Source, now: Timestamp) -> Result<Self> {
        let all = db::documents::of_source(c, source.site_id, source.id, PageRequest::first(i64::MAX)).await?;
        let known = all.into_iter().map(|page| (page.url.clone(), page)).collect();
        Ok(Self { source, now, known, new: Vec::new(), difference: Difference::default() })
    }

    /// Stores one page and the difference of its chunks. Call it once per page.
    pub(super) async fn page(&mut self, c: &mut db::Conn, page: SyncedPage) -> Result<()> {
        let known = self.known.remove(&page.url);
        let mut document = known.unwrap_or_else(|| fresh(self.source, &page, self.now));
        let leaves = page.replaces(document.misses);
        document.outcome = page.outcome;
        document.reason = page.reason;
        document.fetched_at = self.now;
        document.misses = match (page.outcome, page.earlier) {
            (PageOutcome::Fetched | PageOutcome::Unchanged, _) | (_, EarlierChunks::Leaves) => 0,
            (_, EarlierChunks::Missing) => document.misses.saturating_add(1),
            (_, EarlierChunks::Stays) => document.misses,
        };
        let had = document.chunk_count;
        let mut chunks = Vec::new();
        if leaves {
            // The validators are replaced with the chunks: otherwise "not modified" could mean "no
            // content".
            document.etag = page.etag;
            document.last_modified = page.last_modified;
            document.content_hash = None;
            if page.outcome == PageOutcome::Fetched {
                chunks = numbered(self.source, document.id, page.chunks, self.now);
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
        if leaves && had > 0 {
            self.replace_chunks(c, &document, chunks).await?;
        } else {
            self.add(chunks);
        }
        if self.new.len() >= NEW_AT_ONCE { self.write(c).await } else { Ok(()) }
    }

    fn add(&mut self, chunks: impl IntoIterator<Item = StoredChunk>) {
        let before = self.new.len();
        self.new.extend(chunks);
        self.difference.changed += i64::try_from(self.new.len() - before).unwrap_or(i64::MAX);
    }

    async fn write(&mut self, c: &mut db::Conn) -> Result<()> {
        db::chunks::insert_all(c, &self.new).await?;
        self.new.clear();
        Ok(())
    }

    async fn replace_chunks(&mut self, c: &mut db::Conn, document: &Document, chunks: Vec<StoredChunk>) -> Result<()> {
        let old = db::chunks::of_document(c, document.site_id, document.id).await?.into_iter();
        let mut kept = UnchangedChunks::of(old.map(|chunk| (chunk.content_hash.clone(), chunk)));
        for mut chunk in chunks {
            let Some(same) = kept.take(&chunk.content_hash) else {
                self.add([chunk]);
                continue;
            };
            chunk.id = same.id;
            let is_elsewhere = (&same.url, &same.page_title) != (&chunk.url, &chunk.page_title);
            if is_elsewhere || (same.position, &same.language) != (chunk.position, &chunk.language) {
                db::chunks::update_place(c, &chunk).await?;
                self.difference += Difference { changed: 1, is_retired: is_elsewhere };
            }
        }
        let gone: Vec<ChunkId> = kept.gone().map(|chunk| chunk.id).collect();
        if !gone.is_empty() {
            db::chunks::delete(c, document.site_id, &gone).await?;
            self.difference += Difference { changed: i64::try_from(gone.len()).unwrap_or(i64::MAX), is_retired: true };
        }
        Ok(())
    }

    /// Counts a miss for each known page that was not visited, removes those with too many misses,
    /// and returns what the sync changed.
    pub(super) async fn end(mut self, c: &mut db::Conn) -> Result<Difference> {
        self.write(c).await?;
        for mut page in std::mem::take(&mut self.known).into_values() {
            page.misses = page.misses.saturating_add(1);
            if page.misses >= MISSES_MAX {
                db::documents::delete(c, page.site_id, page.id).await?;
                self.difference += Difference { changed: page.chunk_count, is_retired: page.chunk_count > 0 };
            } else {
                page.outcome = PageOutcome::Skipped;
                page.reason = Some(NOT_FOUND_AGAIN.to_owned());
                db::documents::put(c, &page).await?;
            }
        }
        Ok(self.difference)
    }
}

fn fresh(source: &Source, page: &SyncedPage, now: Timestamp) -> Document {
    Document {
        site_id: source.site_id,
        id: DocumentId::from_uuid(randomness::uuid(now)),
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

fn numbered(source: &Source, document_id: DocumentId, drafts: Vec<ChunkDraft>, now: Timestamp) -> Vec<StoredChunk> {
    let chunk = |(position, draft): (i32, ChunkDraft)| StoredChunk {
        site_id: source.site_id,
        document_id,
        position,
        content_hash: content_hash(draft.question.as_deref(), &draft.heading, &draft.text),
        chunk: draft.with_ids(ChunkId::from_uuid(randomness::uuid(now)), source.id),
    };
    (0..).zip(drafts).map(chunk).collect()
}
