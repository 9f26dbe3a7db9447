//! The update of one page by a sync: its new row, and its new chunks when they replace the stored
//! ones. [`staging`](super::staging) makes updates from what `ingest` found and may store them as
//! JSON; [`storing`](super::storing) writes them. Nothing here reads or writes the database.

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::extraction::{OMISSIONS_MAX, Omission};
use helpbot_domain::ids::{ChunkId, DocumentId};
use helpbot_domain::source::{Document, PageOutcome, Source};
use helpbot_engine::ChunkDraft;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::knowledge::chunks::{content_hash, hash};
use crate::runtime::randomness;
use crate::sources::page_sync::{EarlierChunks, MISSES_MAX, SyncedPage};

/// Reason that the report shows for a page after its first miss.
const NOT_FOUND_AGAIN: &str =
    "The last sync did not find this page. If the next sync does not find it either, its content is removed.";

/// What happens to the stored chunks of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChunkFate {
    /// They stay.
    Stay,
    /// The new ones take their place, of which there may be none.
    Replaced,
    /// They are removed together with the page.
    Removed,
}

/// The update of one page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PageUpdate {
    /// The row of the page after the update.
    pub document: Document,
    /// New links of the page. `None` keeps the stored ones.
    pub links: Option<Vec<String>>,
    /// Texts that the extraction left out. `None` when the page was not read.
    pub omitted: Option<Vec<Omission>>,
    /// Number of stored chunks before the update.
    pub had: i64,
    /// What happens to the stored chunks.
    pub fate: ChunkFate,
    /// New chunks. A staged update has them in a column of their own.
    #[serde(skip)]
    pub chunks: Vec<StoredChunk>,
}

impl PageUpdate {
    /// Returns the update by a visit. `known` is the page as it is stored.
    pub(super) fn of_visit(source: &Source, page: SyncedPage, known: Option<Document>, now: Timestamp) -> Self {
        let mut document = known.unwrap_or_else(|| fresh(source, &page, now));
        let is_replaced = page.replaces(document.misses);
        document.outcome = page.outcome;
        document.reason = page.reason;
        document.fetched_at = now;
        document.misses = match (page.outcome, page.earlier) {
            (PageOutcome::Fetched | PageOutcome::Unchanged, _) | (_, EarlierChunks::Leaves) => 0,
            (_, EarlierChunks::Missing) => document.misses.saturating_add(1),
            (_, EarlierChunks::Stays) => document.misses,
        };
        let had = document.chunk_count;
        let (mut chunks, mut omitted) = (Vec::new(), None);
        if is_replaced {
            // The validators are replaced with the chunks: otherwise "not modified" could mean "no
            // content".
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
            omitted = Some(page.omitted.into_iter().take(OMISSIONS_MAX).collect());
        }
        let fate = if is_replaced { ChunkFate::Replaced } else { ChunkFate::Stay };
        Self { document, links: page.links, omitted, had, fate, chunks }
    }

    /// Returns the update of a known page that the sync did not visit: it counts a miss, and the
    /// page is removed after [`MISSES_MAX`] of them.
    pub(super) fn of_miss(mut document: Document) -> Self {
        document.misses = document.misses.saturating_add(1);
        document.outcome = PageOutcome::Skipped;
        document.reason = Some(NOT_FOUND_AGAIN.to_owned());
        let fate = if document.misses >= MISSES_MAX { ChunkFate::Removed } else { ChunkFate::Stay };
        Self { had: document.chunk_count, document, links: None, omitted: None, fate, chunks: Vec::new() }
    }

    /// Returns the update as it is staged.
    pub(super) fn staged(self, seq: i64) -> db::staging::StagedPage {
        db::staging::StagedPage {
            seq,
            document_id: self.document.id,
            is_replaced: self.fate != ChunkFate::Stay,
            page: db::columns::to_json(&self),
            chunks: self.chunks,
        }
    }

    /// Returns the update of a staged page.
    ///
    /// # Errors
    /// `Corrupt` when this program did not write it.
    pub(super) fn of_staged(staged: db::staging::StagedPage) -> Result<Self> {
        let update: Self = db::columns::json(&staged.page)?;
        Ok(Self { chunks: staged.chunks, ..update })
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
