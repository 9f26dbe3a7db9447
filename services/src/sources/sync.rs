//! The sync of a source, as `ingest` does it: begun, reported on, then completed or failed.
//!
//! A crawl of many pages stores its visits as it goes ([`keep`]), so that its progress is visible
//! and another worker can continue after a crash with the stored visits ([`visit`]). Answers change
//! only at the end, all at once ([`Staging`](super::staging::Staging)).
//!
//! Every write of an [`ActiveSync`] first checks, in its own transaction, that its worker still
//! holds the job. A worker that lost the job (its lease ended, or the source was deleted, replaced
//! or given other options) changes nothing more. The end of a sync ends the job in the same
//! transaction.

use std::collections::{HashMap, HashSet};

use futures_util::future::BoxFuture;
use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::event::EventType;
use helpbot_domain::ids::{DocumentId, JobId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::{Document, Source, SourceStatus};

use crate::knowledge::vectors;
use crate::runtime::content_events::{self, ContentEvent};
use crate::runtime::job_kinds::{SOURCE_FAILING_MAIL, SourceJob};
use crate::runtime::jobs;
use crate::runtime::jobs::NewJob;
use crate::sources::options::SourceOptions;
use crate::sources::page_sync::SyncedPage;
use crate::sources::staging::Staging;
use crate::sources::sync_report::{LeftOut, PageCounts, SyncReport};
use crate::sources::{changes, merging, schedule};
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
    /// Number of attempts since the sync last visited a page, this one included.
    pub attempts: u32,
    pub(super) job: JobId,
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

    /// Runs `work` in one transaction with the current source, if the worker still holds the job.
    pub(super) async fn write<T, F>(&self, services: &Services, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut db::Conn, Source) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let active = self.clone();
        services
            .db
            .write(move |c| {
                Box::pin(async move {
                    let source = active.locked(c).await?;
                    work(c, source).await
                })
            })
            .await
    }
}

/// Begins the sync of a job for the worker `owner`; the status of the source becomes `scraping`.
/// Returns `None` when the source was deleted, the job was lost, or nothing but the end of the job
/// was left to do. Visits of an earlier, unfinished job are deleted; visits of this job are kept.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn begin(services: &Services, job: &Job, owner: &str) -> Result<Option<ActiveSync>> {
    loop {
        match begin_step(services, job, owner).await? {
            BeginStep::Lost => return Ok(None),
            BeginStep::Begun(active) => return Ok(Some(active)),
            BeginStep::Clearing => {}
            BeginStep::Published { active, by } => {
                merging::merge(services, &active).await?;
                if by == active.job {
                    merging::finish(services, &active).await?;
                    merging::clear(services, active.source.site_id, active.source.id).await?;
                    vectors::want(services, active.source.site_id).await?;
                    return Ok(None);
                }
                merging::finish_earlier(services, &active).await?;
            }
        }
    }
}

/// What a transaction of [`begin`] found.
enum BeginStep {
    /// The source or the job is gone.
    Lost,
    /// The sync can start.
    Begun(ActiveSync),
    /// Something of an earlier sync is still to be deleted.
    Clearing,
    /// A sync was published and not merged yet; it belongs to the job `by`.
    Published { active: ActiveSync, by: JobId },
}

async fn begin_step(services: &Services, job: &Job, owner: &str) -> Result<BeginStep> {
    let SourceJob { source_id } = jobs::payload(job)?;
    let (site, job_id, owner, now) = (job.site_id, job.id, owner.to_owned(), services.now());
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                let Some(mut source) = db::sources::by_id_locked(c, site, source_id).await? else {
                    return Ok(BeginStep::Lost);
                };
                if !db::jobs::is_held(c, job_id, &owner).await? {
                    return Ok(BeginStep::Lost);
                }
                let before = source.status;
                source.status = SourceStatus::Scraping;
                source.updated_at = now;
                let staged = db::staging::of_source(c, site, source_id).await?;
                let step = match (staged, SyncReport::of(&source).filter(|report| report.job_id == job_id)) {
                    (Some(staged), _) if staged.is_published => {
                        let active = ActiveSync { source: source.clone(), attempts: 0, job: job_id, owner };
                        BeginStep::Published { active, by: staged.job_id }
                    }
                    (_, Some(report)) => {
                        let attempts = report.attempts.saturating_add(1);
                        SyncReport { attempts, ..report }.write(&mut source);
                        BeginStep::Begun(ActiveSync { source: source.clone(), attempts, job: job_id, owner })
                    }
                    (_, None) => {
                        if merging::clear_some(c, site, source_id).await? {
                            SyncReport::begun(job_id, now).write(&mut source);
                            BeginStep::Begun(ActiveSync { source: source.clone(), attempts: 1, job: job_id, owner })
                        } else {
                            BeginStep::Clearing
                        }
                    }
                };
                db::sources::update(c, &source).await?;
                if source.status != before {
                    changes::updated(c, &source, now).await?;
                }
                Ok(step)
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
    let file = db::source_files::of_source(&mut services.db.reader().await?, source.site_id, source.id).await?;
    file.ok_or(Error::NotFound("File"))
}

/// Returns the pages of a source from earlier syncs, by address.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn known_pages(services: &Services, source: &Source) -> Result<HashMap<String, Document>> {
    let mut c = services.db.reader().await?;
    let pages = db::documents::of_source(&mut c, source.site_id, source.id, None, PageRequest::first(i64::MAX)).await?;
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

/// Returns the addresses of the visits that [`keep`] stored in this sync. Empty when the sync has
/// just begun.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn visited(services: &Services, source: &Source) -> Result<HashSet<String>> {
    let mut c = services.db.reader().await?;
    Ok(db::crawl_visits::urls(&mut c, source.site_id, source.id).await?.into_iter().collect())
}

/// Returns a visit that [`keep`] stored in this sync, as `ingest` serialized it. `None` when the
/// address was not visited.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn visit(services: &Services, source: &Source, url: &str) -> Result<Option<String>> {
    let mut c = services.db.reader().await?;
    Ok(db::crawl_visits::by_url(&mut c, source.site_id, source.id, url).await?)
}

/// Stores visits, as address and serialized result, and updates the progress. `left_out` says how
/// many addresses were left out so far, by reason.
///
/// # Errors
/// `NotFound` when the source was deleted or the job was lost, and the worker should stop.
#[boxed]
pub async fn keep(
    services: &Services,
    active: &ActiveSync,
    visits: Vec<(String, String)>,
    progress: PageCounts,
    left_out: Vec<LeftOut>,
) -> Result<()> {
    active
        .write(services, move |c, mut source| {
            Box::pin(async move {
                for (url, visit) in &visits {
                    db::crawl_visits::insert(c, source.site_id, source.id, url, visit).await?;
                }
                if let Some(report) = SyncReport::of(&source) {
                    let report = if visits.is_empty() { report } else { report.with_progress() };
                    SyncReport { pages: progress, left_out, ..report }.write(&mut source);
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
    active
        .write(services, move |c, source| {
            Box::pin(async move { Ok(db::crawl_files::replace(c, source.site_id, source.id, &files).await?) })
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

/// Stores the results of a sync that has all its pages in memory; see [`Staging`].
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
    let mut staging = Staging::begin(services, active).await?;
    for page in pages {
        staging.add(page).await?;
    }
    staging.end(title, Vec::new()).await
}

/// Ends a failed sync. Content from earlier syncs keeps answering.
///
/// # Errors
/// `NotFound` when the source was deleted or the job was lost.
#[boxed]
pub async fn fail(services: &Services, active: &ActiveSync, reason: &str) -> Result<()> {
    let (site, id) = (active.source.site_id, active.source.id);
    let (ended, now) = (active.clone(), services.now());
    let reason = helpbot_domain::text::cut(reason, REASON_MAX_CHARS).replace('\0', "");
    active
        .write(services, move |c, mut source| {
            Box::pin(async move {
                // The owner is notified once per run of failures, and not about the first sync,
                // whose end they see.
                let was_well = source.last_scraped_at.is_some() && source.error.is_none();
                source.status = SourceStatus::Failed;
                source.error = Some(reason);
                if was_well {
                    source_failing(&source).enqueue(c, now).await?;
                }
                end(c, &ended, &mut source, now).await
            })
        })
        .await?;
    merging::clear(services, site, id).await
}

/// Writes the source at the end of a sync, with the report and the time of the next sync, and ends
/// the job. What the sync stored for its own use is deleted afterwards.
pub(super) async fn end(c: &mut db::Conn, active: &ActiveSync, source: &mut Source, now: Timestamp) -> Result<()> {
    if let Some(report) = SyncReport::of(source) {
        let pages = PageCounts { remaining: 0, ..report.pages };
        SyncReport { finished_at: Some(now), pages, ..report }.write(source);
    }
    source.next_scrape_at = schedule::next(&SourceOptions::of(source), now);
    source.updated_at = now;
    db::sources::update(c, source).await?;
    db::jobs::finish(c, active.job, &active.owner).await?;
    let event_type = match source.status {
        SourceStatus::Indexed => EventType::SourceSynced,
        _ => EventType::SourceUpdated,
    };
    content_events::append(c, source.site_id, now, vec![ContentEvent::of_source(event_type, source.id)]).await
}

fn source_failing(source: &Source) -> NewJob {
    let payload = SourceJob { source_id: source.id };
    NewJob::new(source.site_id, SOURCE_FAILING_MAIL, Some(source.id.to_string()), &payload)
}
