//! The sync of a source, as `ingest` does it: begun, reported on, then completed or failed.
//!
//! A crawl of many pages stores its visits as it goes ([`keep`]), so that its progress is visible
//! and another worker can continue after a crash with the stored visits ([`visits`]). Answers
//! change only at [`complete`], all at once.
//!
//! Every write of an [`ActiveSync`] first checks, in its own transaction, that its worker still
//! holds the job. A worker that lost the job (its lease ended, or the source was deleted, replaced
//! or given other options) changes nothing more. [`complete`] and [`fail`] end the job in the same
//! transaction.

use std::collections::{HashMap, HashSet};

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{DocumentId, JobId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::{Document, Source, SourceStatus};

use crate::knowledge::vectors;
use crate::runtime::job_kinds::{SOURCE_FAILING_MAIL, SourceJob};
use crate::runtime::jobs;
use crate::runtime::jobs::NewJob;
use crate::sources::options::SourceOptions;
use crate::sources::page_sync::SyncedPage;
use crate::sources::storing::Storing;
use crate::sources::sync_report::{PageCounts, SyncReport};
use crate::sources::{schedule, test_gate};
use crate::{Error, Result, Services, boxed};
use helpbot_domain::job::Job;

pub use helpbot_db::crawl_files::CrawlFile;

/// Maximum length of a stored reason, which is shown in one line of a report.
const REASON_MAX_CHARS: usize = 500;

/// A running sync, and the right to store its results.
#[derive(Debug, Clone)]
pub struct ActiveSync {
    /// The source as it was when the sync began.
    pub source: Source,
    job: JobId,
    owner: String,
}

impl ActiveSync {
    /// Returns the current source, locked until the end of the transaction.
    async fn locked(&self, c: &mut db::Conn) -> Result<Source> {
        let source = db::sources::by_id_locked(c, self.source.site_id, self.source.id).await?;
        let source = source.ok_or(Error::NotFound("Source"))?;
        match db::jobs::is_held(c, self.job, &self.owner).await? {
            true => Ok(source),
            false => Err(Error::NotFound("Lease")),
        }
    }
}

/// Begins the sync of a job for the worker `owner`; the status of the source becomes `scraping`.
/// Returns `None` when the source was deleted or the job was lost. Visits of an earlier, unfinished
/// job are deleted; visits of this job are kept.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn begin(services: &Services, job: &Job, owner: &str) -> Result<Option<ActiveSync>> {
    let SourceJob { source_id } = jobs::payload(job)?;
    let (site, job_id, owner, now) = (job.site_id, job.id, owner.to_owned(), services.now());
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                let Some(mut source) = db::sources::by_id_locked(c, site, source_id).await? else { return Ok(None) };
                if !db::jobs::is_held(c, job_id, &owner).await? {
                    return Ok(None);
                }
                source.status = SourceStatus::Scraping;
                source.updated_at = now;
                if SyncReport::of(&source).is_none_or(|crawl| crawl.job_id != job_id) {
                    db::crawl_visits::delete(c, site, source_id).await?;
                    SyncReport::begun(job_id, now).write(&mut source);
                }
                db::sources::update(c, &source).await?;
                Ok(Some(ActiveSync { source, job: job_id, owner }))
            })
        })
        .await
}

/// Returns the name and the bytes of a file source.
///
/// # Errors
/// `NotFound` when there is no file.
#[boxed]
pub async fn file(services: &Services, source: &Source) -> Result<(String, Vec<u8>)> {
    let file = db::sources::file(&mut services.db.reader().await?, source.site_id, source.id).await?;
    file.ok_or(Error::NotFound("File"))
}

/// Returns the pages of a source from earlier syncs, by address.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn known_pages(services: &Services, source: &Source) -> Result<HashMap<String, Document>> {
    let mut c = services.db.reader().await?;
    let pages = db::documents::of_source(&mut c, source.site_id, source.id, PageRequest::first(i64::MAX)).await?;
    Ok(pages.into_iter().map(|page| (page.url.clone(), page)).collect())
}

/// Returns the links that a page had at the last visit.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn known_links(services: &Services, source: &Source, page: DocumentId) -> Result<Vec<String>> {
    Ok(db::documents::links(&mut services.db.reader().await?, source.site_id, page).await?)
}

/// Returns the visits that [`keep`] stored in this sync, by address, as `ingest` serialized them.
/// Empty when the sync has just begun.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn visits(services: &Services, source: &Source) -> Result<HashMap<String, String>> {
    let mut c = services.db.reader().await?;
    Ok(db::crawl_visits::of_source(&mut c, source.site_id, source.id).await?.into_iter().collect())
}

/// Stores visits, as address and serialized result, and updates the progress.
///
/// # Errors
/// `NotFound` when the source was deleted or the job was lost, and the worker should stop.
#[boxed]
pub async fn keep(
    services: &Services,
    active: &ActiveSync,
    visits: Vec<(String, String)>,
    progress: PageCounts,
) -> Result<()> {
    let active = active.clone();
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut source = active.locked(c).await?;
                for (url, visit) in &visits {
                    db::crawl_visits::insert(c, source.site_id, source.id, url, visit).await?;
                }
                if let Some(crawl) = SyncReport::of(&source) {
                    SyncReport { pages: progress, ..crawl }.write(&mut source);
                    db::sources::update(c, &source).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Returns the robots.txt and sitemaps that the last sync fetched, as [`keep_files`] stored them.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn known_files(services: &Services, source: &Source) -> Result<Vec<CrawlFile>> {
    Ok(db::crawl_files::of_source(&mut services.db.reader().await?, source.site_id, source.id).await?)
}

/// Stores the robots.txt and sitemaps of a sync for the next one. Replaces those of the previous
/// sync.
///
/// # Errors
/// `NotFound` when the source was deleted or the job was lost.
#[boxed]
pub async fn keep_files(services: &Services, active: &ActiveSync, files: Vec<CrawlFile>) -> Result<()> {
    let active = active.clone();
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                let source = active.locked(c).await?;
                Ok(db::crawl_files::replace(c, source.site_id, source.id, &files).await?)
            })
        })
        .await
}

/// Result of a completed sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompletedSync {
    /// Number of pages with content.
    pub documents: i64,
    /// Number of chunks in the index.
    pub chunks: i64,
    /// Number of chunks that were added, changed or removed.
    pub changed: i64,
    /// Whether the sync was held back because it would lose more of the site's test questions than
    /// the owner allows. The source then failed with that reason.
    pub is_held_back: bool,
}

/// Stores the results of a sync and makes them answer, in one transaction. Chunks with unchanged
/// content keep their IDs and phrasings. Known pages that are not in `pages` count a miss. If
/// `pages` contains an address twice, the first one counts.
///
/// A sync that would lose too many of the site's test questions is not stored, and the source
/// fails.
///
/// # Errors
/// `NotFound` when the source was deleted or the job was lost.
#[boxed]
pub async fn complete(
    services: &Services,
    active: &ActiveSync,
    title: Option<String>,
    pages: Vec<SyncedPage>,
) -> Result<CompletedSync> {
    let pages: Vec<SyncedPage> = pages.into_iter().map(SyncedPage::storable).collect();
    let title = title.map(|title| title.replace('\0', ""));
    if let Some(reason) = test_gate::held_back(services, &active.source, &pages).await? {
        fail(services, active, &reason).await?;
        return Ok(CompletedSync { is_held_back: true, ..CompletedSync::default() });
    }
    let (site, active, now) = (active.source.site_id, active.clone(), services.now());
    let completed: CompletedSync = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut source = active.locked(c).await?;
                let (mut visited, mut counts) = (HashSet::new(), PageCounts::default());
                let mut storing = Storing::begin(c, &source, now).await?;
                for page in pages {
                    if visited.insert(page.url.clone()) {
                        counts.add(page.outcome);
                        storing.page(c, page).await?;
                    }
                }
                let difference = storing.end(c).await?;
                counts.planned = i64::try_from(visited.len()).unwrap_or(i64::MAX);
                let (documents, chunks) = db::documents::totals(c, source.site_id, source.id).await?;
                source.title = title.or(source.title);
                source.status = SourceStatus::Indexed;
                source.error = None;
                source.document_count = documents;
                source.chunk_count = chunks;
                source.last_scraped_at = Some(now);
                end(c, &active, &mut source, Some(counts), now).await?;
                if difference.is_retired {
                    db::sites::retire_older_indexes(c, site).await?;
                } else if difference.changed > 0 {
                    db::sites::bump_index_version(c, site).await?;
                }
                Ok::<_, Error>(CompletedSync { documents, chunks, changed: difference.changed, is_held_back: false })
            })
        })
        .await?;
    if completed.changed > 0 {
        vectors::want(services, site).await?;
    }
    Ok(completed)
}

/// Ends a failed sync. Content from earlier syncs keeps answering.
///
/// # Errors
/// `NotFound` when the source was deleted or the job was lost.
#[boxed]
pub async fn fail(services: &Services, active: &ActiveSync, reason: &str) -> Result<()> {
    let (active, now) = (active.clone(), services.now());
    let reason = helpbot_domain::text::cut(reason, REASON_MAX_CHARS).replace('\0', "");
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut source = active.locked(c).await?;
                // The owner is notified once per run of failures, and not about the first sync,
                // whose end they see.
                let was_well = source.last_scraped_at.is_some() && source.error.is_none();
                source.status = SourceStatus::Failed;
                source.error = Some(reason);
                if was_well {
                    source_failing(&source).enqueue(c, now).await?;
                }
                end(c, &active, &mut source, None, now).await
            })
        })
        .await
}

/// Writes the source at the end of a sync, with the report and the time of the next sync, and ends
/// the job.
async fn end(
    c: &mut db::Conn,
    active: &ActiveSync,
    source: &mut Source,
    counts: Option<PageCounts>,
    now: Timestamp,
) -> Result<()> {
    if let Some(crawl) = SyncReport::of(source) {
        let pages = counts.unwrap_or(crawl.pages);
        SyncReport { finished_at: Some(now), pages, ..crawl }.write(source);
    }
    source.next_scrape_at = schedule::next(&SourceOptions::of(source), now);
    source.updated_at = now;
    db::crawl_visits::delete(c, source.site_id, source.id).await?;
    db::sources::update(c, source).await?;
    db::jobs::finish(c, active.job, &active.owner).await?;
    Ok(())
}

fn source_failing(source: &Source) -> NewJob {
    let payload = SourceJob { source_id: source.id };
    NewJob::new(source.site_id, SOURCE_FAILING_MAIL, Some(source.id.to_string()), &payload)
}
