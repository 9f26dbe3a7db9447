//! The end of a sync: its pages are taken one by one, and then answer all at once.
//!
//! A small sync is stored in one transaction. A larger one would block all other writes for
//! seconds, so it goes through a stage, in transactions of a bounded number of rows:
//!
//! 1. [`Staging::add`] writes groups of pages to `staged_pages`. Nothing answers from them.
//! 2. [`Staging::end`] *publishes* the stage in one transaction: the index version grows, and from
//!    then on an index is built from the stage in place of what it replaces
//!    (`knowledge::chunks::stored`).
//! 3. [`merging`] moves the pages to `documents` and `chunks`, group by group.
//!
//! A crash before step 2 changes no answer; the next attempt stages again. A crash after it leaves
//! a published stage, which [`sync::begin`](super::sync::begin) merges first.

use std::collections::{HashMap, HashSet};

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use helpbot_domain::source::{Document, Source, SourceStatus};

use crate::knowledge::vectors;
use crate::sources::comparison::{Comparison, Difference};
use crate::sources::page_sync::SyncedPage;
use crate::sources::page_update::{ChunkFate, PageUpdate};
use crate::sources::sync::{self, ActiveSync, CompletedSync};
use crate::sources::sync_report::{LeftOut, PageCounts, SyncReport};
use crate::sources::{merging, storing, test_gate};
use crate::{Result, Services, boxed};

/// When a group of pages takes no further page.
struct GroupLimits {
    pages: usize,
    chunks: usize,
    /// Bytes of text.
    bytes: usize,
}

/// Limits of a sync that is stored in one transaction. Nothing is written twice then, and questions
/// that arrive meanwhile waited for at most 69 milliseconds with 500 pages and 7,900 chunks on SQLite, and
/// for up to 173 while the same pages were staged.
const AT_ONCE: GroupLimits = GroupLimits { pages: 500, chunks: 10_000, bytes: 16 * 1024 * 1024 };
/// Number of chunks from which a transaction of a staged sync takes no further page: some 50
/// milliseconds on SQLite.
pub(super) const GROUP_CHUNKS: usize = 1_000;
/// Limits of a transaction of a staged sync. Each page costs three statements, a few milliseconds for
/// all of them on SQLite.
const GROUP: GroupLimits = GroupLimits { pages: 250, chunks: GROUP_CHUNKS, bytes: 4 * 1024 * 1024 };

/// The pages of a sync, until all are known. Memory does not grow with their texts.
pub struct Staging {
    services: Services,
    active: ActiveSync,
    now: Timestamp,
    /// Pages of earlier syncs that this sync has not named yet, by address.
    known: HashMap<String, Document>,
    visited: HashSet<String>,
    counts: PageCounts,
    group: UpdateGroup,
    /// Number of staged pages.
    staged: i64,
    difference: Difference,
}

#[derive(Default)]
struct UpdateGroup {
    updates: Vec<PageUpdate>,
    chunks: usize,
    bytes: usize,
}

impl UpdateGroup {
    fn add(&mut self, update: PageUpdate) {
        self.chunks += update.chunks.len();
        self.bytes += update.chunks.iter().map(|chunk| chunk.text.len()).sum::<usize>();
        self.updates.push(update);
    }

    fn is_full(&self, limits: &GroupLimits) -> bool {
        self.updates.len() >= limits.pages || self.chunks >= limits.chunks || self.bytes >= limits.bytes
    }
}

impl Staging {
    /// Begins to take the pages of a sync. What an earlier attempt staged is deleted.
    ///
    /// # Errors
    /// `NotFound` when the source was deleted or the job was lost.
    #[boxed]
    pub async fn begin(services: &Services, active: &ActiveSync) -> Result<Self> {
        let source = &active.source;
        if db::staging::of_source(&mut services.db.reader().await?, source.site_id, source.id).await?.is_some() {
            merging::discard(services, active).await?;
        }
        Ok(Self {
            services: services.clone(),
            active: active.clone(),
            now: services.now(),
            known: sync::known_pages(services, source).await?,
            visited: HashSet::new(),
            counts: PageCounts::default(),
            group: UpdateGroup::default(),
            staged: 0,
            difference: Difference::default(),
        })
    }

    /// Takes one page. When an address is named twice, the first page counts.
    ///
    /// # Errors
    /// `NotFound` when the source was deleted or the job was lost.
    #[boxed]
    pub async fn add(&mut self, page: SyncedPage) -> Result<()> {
        let page = page.storable();
        if !self.visited.insert(page.url.clone()) {
            return Ok(());
        }
        self.counts.add(page.outcome);
        let known = self.known.remove(&page.url);
        self.take(PageUpdate::of_visit(&self.active.source, page, known, self.now)).await
    }

    async fn take(&mut self, update: PageUpdate) -> Result<()> {
        // A group is written before it would grow too large, so that the last one can still be
        // stored together with the end of the sync.
        let limits = if self.staged == 0 { &AT_ONCE } else { &GROUP };
        if self.group.is_full(limits) {
            self.flush().await?;
        }
        self.group.add(update);
        Ok(())
    }

    /// Stages the pages that were taken since the last call.
    async fn flush(&mut self) -> Result<()> {
        let mut group = UpdateGroup::default();
        for update in std::mem::take(&mut self.group).updates {
            if group.is_full(&GROUP) {
                self.stage(std::mem::take(&mut group)).await?;
            }
            group.add(update);
        }
        self.stage(group).await
    }

    /// Stages a group. The IDs that its chunks keep are decided here.
    async fn stage(&mut self, group: UpdateGroup) -> Result<()> {
        let mut pages = Vec::with_capacity(group.updates.len());
        let mut reader = self.services.db.reader().await?;
        for mut update in group.updates {
            let difference = identify(&mut reader, &mut update).await?;
            self.difference += difference;
            pages.push(update.staged(self.staged));
            self.staged += 1;
        }
        drop(reader);
        merging::stage(&self.services, &self.active, pages).await
    }

    /// Ends the sync: all its pages answer from now on. Known pages that were not named count a
    /// miss. `left_out` says how many addresses were left out, by reason.
    ///
    /// A sync that would lose too many of the site's test questions is not stored, and the source
    /// fails.
    ///
    /// # Errors
    /// `NotFound` when the source was deleted or the job was lost.
    #[boxed]
    pub async fn end(mut self, title: Option<String>, left_out: Vec<LeftOut>) -> Result<CompletedSync> {
        self.counts.planned = i64::try_from(self.visited.len()).unwrap_or(i64::MAX);
        let mut missed: Vec<Document> = std::mem::take(&mut self.known).into_values().collect();
        missed.sort_by(|one, other| one.url.cmp(&other.url));
        for page in missed {
            self.take(PageUpdate::of_miss(page)).await?;
        }
        let title = title.map(|title| title.replace('\0', ""));
        let result = SyncResult { title, counts: self.counts, left_out, now: self.now };
        let source = self.active.source.clone();
        let gate = test_gate::of(&self.services, &source).await?;
        let completed = if self.staged == 0 && gate.is_none() {
            self.store_at_once(result).await?
        } else {
            self.flush().await?;
            if let Some(gate) = gate
                && let Some(reason) = gate.held_back(&self.services, &source).await?
            {
                merging::discard(&self.services, &self.active).await?;
                sync::fail(&self.services, &self.active, &reason).await?;
                return Ok(CompletedSync { is_held_back: true, ..CompletedSync::default() });
            }
            merging::publish(&self.services, &self.active, result, self.difference).await?;
            merging::merge(&self.services, &self.active).await?;
            let totals = merging::finish(&self.services, &self.active).await?;
            CompletedSync { changed: self.difference.changed, ..totals }
        };
        merging::clear(&self.services, source.site_id, source.id).await?;
        if completed.changed > 0 {
            vectors::want(&self.services, source.site_id).await?;
        }
        Ok(completed)
    }

    async fn store_at_once(&mut self, result: SyncResult) -> Result<CompletedSync> {
        let (ended, updates) = (self.active.clone(), std::mem::take(&mut self.group).updates);
        self.active
            .write(&self.services, move |c, mut source| {
                Box::pin(async move {
                    let now = result.now;
                    let difference = storing::store(c, updates, now).await?;
                    result.write(&mut source);
                    source.status = SourceStatus::Indexed;
                    let totals = storing::count(c, &mut source).await?;
                    sync::end(c, &ended, &mut source, now).await?;
                    bump(c, source.site_id, difference).await?;
                    Ok(CompletedSync { changed: difference.changed, ..totals })
                })
            })
            .await
    }
}

/// Lets the chunks of a page that are stored already keep their IDs. Returns what the update changes.
async fn identify(reader: &mut db::Conn, update: &mut PageUpdate) -> Result<Difference> {
    let document = &update.document;
    match update.fate {
        ChunkFate::Removed => Ok(Difference { changed: update.had, is_retired: update.had > 0 }),
        ChunkFate::Replaced if update.had > 0 => {
            let stored = db::chunks::of_document(reader, document.site_id, document.id).await?;
            let compared = Comparison::of(stored, std::mem::take(&mut update.chunks));
            let difference = compared.difference();
            update.chunks = compared.new.into_iter().map(|(chunk, _)| chunk).collect();
            Ok(difference)
        }
        ChunkFate::Replaced | ChunkFate::Stay => {
            let changed = i64::try_from(update.chunks.len()).unwrap_or(i64::MAX);
            Ok(Difference { changed, is_retired: false })
        }
    }
}

/// What a sync writes to its source, besides its pages.
pub(super) struct SyncResult {
    title: Option<String>,
    counts: PageCounts,
    left_out: Vec<LeftOut>,
    pub(super) now: Timestamp,
}

impl SyncResult {
    pub(super) fn write(self, source: &mut Source) {
        if let Some(report) = SyncReport::of(source) {
            SyncReport { pages: self.counts, left_out: self.left_out, ..report }.write(source);
        }
        source.title = self.title.or(source.title.take());
        source.error = None;
        source.last_scraped_at = Some(self.now);
    }
}

/// Makes the indexes of the site follow a change of its chunks.
pub(super) async fn bump(c: &mut db::Conn, site: SiteId, difference: Difference) -> Result<()> {
    if difference.is_retired {
        db::sites::retire_older_indexes(c, site).await?;
    } else if difference.changed > 0 {
        db::sites::bump_index_version(c, site).await?;
    }
    Ok(())
}
