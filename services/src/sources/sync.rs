//! The reading of a source, as `ingest` sees it: begun, kept up with, then completed or failed.
//!
//! A crawl of many pages tells what it has read as it goes ([`keep`]): its progress is seen, and
//! whoever takes its job over after a crash is given the visits back ([`visits`]). Answers change
//! only at [`complete`], all at once.
//!
//! Every write of a [`ActiveSync`] asks first, in its own transaction, whether its worker still has
//! the job: one that lost it (its lease ran out, the source was deleted, or given another file or
//! scope) changes nothing any more. [`complete`] and [`fail`] end the job with what they store.

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

/// The longest reason kept; they are made for a line in a report.
const REASON_MAX_CHARS: usize = 500;

/// A reading under way, and the right to store what it finds.
#[derive(Debug, Clone)]
pub struct ActiveSync {
    /// The source as it was when the reading began.
    pub source: Source,
    job: JobId,
    owner: String,
}

impl ActiveSync {
    /// The source as it stands, locked until the end of the transaction.
    async fn locked(&self, c: &mut db::Conn) -> Result<Source> {
        let source = db::sources::by_id_locked(c, self.source.site_id, self.source.id).await?;
        let source = source.ok_or(Error::NotFound("Source"))?;
        match db::jobs::is_held(c, self.job, &self.owner).await? {
            true => Ok(source),
            false => Err(Error::NotFound("Lease")),
        }
    }
}

/// The reading that a job asks for, done by the worker `owner`, its source now `scraping`; none
/// when the source was deleted or the job lost meanwhile. What an earlier job left unfinished is
/// forgotten, what this one did is kept.
///
/// # Errors
/// Only the database's own.
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

/// The bytes of a file source.
///
/// # Errors
/// `NotFound` when there are none.
#[boxed]
pub async fn file(services: &Services, source: &Source) -> Result<(String, Vec<u8>)> {
    let file = db::sources::file(&mut services.db.reader().await?, source.site_id, source.id).await?;
    file.ok_or(Error::NotFound("File"))
}

/// What is known of the pages of a source from earlier visits, by address.
///
/// # Errors
/// Only the database's own.
#[boxed]
pub async fn known_pages(services: &Services, source: &Source) -> Result<HashMap<String, Document>> {
    let mut c = services.db.reader().await?;
    let pages = db::documents::of_source(&mut c, source.site_id, source.id, PageRequest::first(i64::MAX)).await?;
    Ok(pages.into_iter().map(|page| (page.url.clone(), page)).collect())
}

/// Where a page led when it was last read.
///
/// # Errors
/// Only the database's own.
#[boxed]
pub async fn known_links(services: &Services, source: &Source, page: DocumentId) -> Result<Vec<String>> {
    Ok(db::documents::links(&mut services.db.reader().await?, source.site_id, page).await?)
}

/// The visits that [`keep`] was given in this crawl, by address, as `ingest` wrote them; empty
/// when it has just begun.
///
/// # Errors
/// Only the database's own.
#[boxed]
pub async fn visits(services: &Services, source: &Source) -> Result<HashMap<String, String>> {
    let mut c = services.db.reader().await?;
    Ok(db::crawl_visits::of_source(&mut c, source.site_id, source.id).await?.into_iter().collect())
}

/// Keeps visits, as address and what `ingest` wrote of it, and tells how far the crawl is.
///
/// # Errors
/// `NotFound` when the source was deleted or the job lost meanwhile: there is nothing to go on for.
#[boxed]
pub async fn keep(
    services: &Services,
    reading: &ActiveSync,
    visits: Vec<(String, String)>,
    progress: PageCounts,
) -> Result<()> {
    let reading = reading.clone();
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut source = reading.locked(c).await?;
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

/// What the last crawl of a source was told by its site (robots.txt, sitemaps), as [`keep_files`]
/// was given it.
///
/// # Errors
/// Only the database's own.
#[boxed]
pub async fn known_files(services: &Services, source: &Source) -> Result<Vec<CrawlFile>> {
    Ok(db::crawl_files::of_source(&mut services.db.reader().await?, source.site_id, source.id).await?)
}

/// Keeps what a crawl was told by its site for the next one, in place of what was kept before.
///
/// # Errors
/// `NotFound` when the source was deleted or the job lost meanwhile.
#[boxed]
pub async fn keep_files(services: &Services, reading: &ActiveSync, files: Vec<CrawlFile>) -> Result<()> {
    let reading = reading.clone();
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                let source = reading.locked(c).await?;
                Ok(db::crawl_files::replace(c, source.site_id, source.id, &files).await?)
            })
        })
        .await
}

/// What a completed reading left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompletedSync {
    /// Pages that answers come from.
    pub documents: i64,
    /// Questions and passages in the index.
    pub chunks: i64,
    /// Of these, new or changed.
    pub changed: i64,
    /// Whether nothing of it answers, since it would have lost more of the site's test questions
    /// than the owner allows; the source has failed with that reason.
    pub is_held_back: bool,
}

/// Stores what a reading found and makes it answer, in one transaction. Chunks whose content
/// stayed the same keep their ids and phrasings. Pages known before and not among `pages` count
/// a miss. Of an address that `pages` has twice, the first counts.
///
/// A reading that loses too many of the site's test questions is not stored: the source fails.
///
/// # Errors
/// `NotFound` when the source was deleted or the job lost meanwhile.
#[boxed]
pub async fn complete(
    services: &Services,
    reading: &ActiveSync,
    title: Option<String>,
    pages: Vec<SyncedPage>,
) -> Result<CompletedSync> {
    let pages: Vec<SyncedPage> = pages.into_iter().map(SyncedPage::storable).collect();
    let title = title.map(|title| title.replace('\0', ""));
    if let Some(reason) = test_gate::held_back(services, &reading.source, &pages).await? {
        fail(services, reading, &reason).await?;
        return Ok(CompletedSync { is_held_back: true, ..CompletedSync::default() });
    }
    let (site, reading, now) = (reading.source.site_id, reading.clone(), services.now());
    let completed: CompletedSync = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut source = reading.locked(c).await?;
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
                end(c, &reading, &mut source, Some(counts), now).await?;
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

/// Ends a reading that failed; what was indexed before still answers.
///
/// # Errors
/// `NotFound` when the source was deleted or the job lost meanwhile.
#[boxed]
pub async fn fail(services: &Services, reading: &ActiveSync, reason: &str) -> Result<()> {
    let (reading, now) = (reading.clone(), services.now());
    let reason = helpbot_domain::text::cut(reason, REASON_MAX_CHARS).replace('\0', "");
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut source = reading.locked(c).await?;
                // The owner is told once for a run of failures; of a first reading it sees the end.
                let was_well = source.last_scraped_at.is_some() && source.error.is_none();
                source.status = SourceStatus::Failed;
                source.error = Some(reason);
                if was_well {
                    source_failing(&source).enqueue(c, now).await?;
                }
                end(c, &reading, &mut source, None, now).await
            })
        })
        .await
}

/// Writes the source at the end of its reading (the record of the crawl, and the next one's time)
/// and ends the job.
async fn end(
    c: &mut db::Conn,
    reading: &ActiveSync,
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
    db::jobs::finish(c, reading.job, &reading.owner).await?;
    Ok(())
}

fn source_failing(source: &Source) -> NewJob {
    let payload = SourceJob { source_id: source.id };
    NewJob::new(source.site_id, SOURCE_FAILING_MAIL, Some(source.id.to_string()), &payload)
}
