//! Storing the updates of pages: the row of each page, and the difference of its chunks. Called
//! with a group of pages inside a transaction, which blocks all other writes on SQLite, so that its
//! callers keep groups small.

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::extraction::PageChange;
use helpbot_domain::ids::ChunkId;
use helpbot_domain::source::Source;

use crate::Result;
use crate::sources::comparison::{Compared, Comparison, Difference};
use crate::sources::page_update::{ChunkFate, PageUpdate};
use crate::sources::sync::CompletedSync;

/// Stores the updates of a group of pages. Returns what they changed in the chunks.
pub(super) async fn store(c: &mut db::Conn, updates: Vec<PageUpdate>, now: Timestamp) -> Result<Difference> {
    let mut storing = Storing { now, new: Vec::new(), difference: Difference::default() };
    for update in updates {
        storing.page(c, update).await?;
    }
    db::chunks::insert_all(c, &storing.new).await?;
    Ok(storing.difference)
}

/// Counts the pages and chunks of a source after a sync, and writes the numbers to `source`.
pub(super) async fn count(c: &mut db::Conn, source: &mut Source) -> Result<CompletedSync> {
    let (documents, chunks) = db::documents::totals(c, source.site_id, source.id).await?;
    (source.document_count, source.chunk_count) = (documents, chunks);
    Ok(CompletedSync { documents, chunks, ..CompletedSync::default() })
}

struct Storing {
    now: Timestamp,
    /// Chunks that are not written yet.
    new: Vec<StoredChunk>,
    difference: Difference,
}

impl Storing {
    async fn page(&mut self, c: &mut db::Conn, update: PageUpdate) -> Result<()> {
        let PageUpdate { document, links, omitted, had, fate, chunks } = update;
        let (site, id) = (document.site_id, document.id);
        if fate == ChunkFate::Removed {
            self.difference += Difference { changed: had, is_retired: had > 0 };
            return Ok(db::documents::delete(c, site, id).await?);
        }
        db::documents::put(c, &document, links.as_deref()).await?;
        let mut change = None;
        if fate == ChunkFate::Replaced && had > 0 {
            let stored = db::chunks::of_document(c, site, id).await?;
            change = self.replace(c, Comparison::of(stored, chunks)).await?;
        } else {
            self.difference.changed += i64::try_from(chunks.len()).unwrap_or(i64::MAX);
            self.new.extend(chunks);
        }
        if omitted.is_some() || change.is_some() {
            let change = change.as_ref().map(db::columns::to_json);
            let omitted = db::columns::to_json(&omitted.unwrap_or_default());
            db::page_extractions::put(c, site, id, &omitted, change.as_deref()).await?;
        }
        Ok(())
    }

    async fn replace(&mut self, c: &mut db::Conn, compared: Comparison) -> Result<Option<PageChange>> {
        self.difference += compared.difference();
        let change = compared.page_change(self.now);
        if let Some(first) = compared.gone.first() {
            let gone: Vec<ChunkId> = compared.gone.iter().map(|chunk| chunk.id).collect();
            db::chunks::delete(c, first.site_id, &gone).await?;
        }
        for (chunk, change) in compared.new {
            match change {
                Compared::Added => self.new.push(chunk),
                Compared::Moved | Compared::Elsewhere => db::chunks::update_place(c, &chunk).await?,
                Compared::Same => {}
            }
        }
        Ok(change)
    }
}
