//! Sources: added, listed, read again, deleted by their owners; read by `ingest`.
//!
//! Adding or re-reading writes the source and its job in one transaction. A worker of `ingest`
//! takes the job, fetches and extracts with no transaction open, and hands all it found to
//! [`reading::complete`] at once, so that answers change from the old index to the new one in
//! one step. A failed reading keeps what was indexed before.

mod cancel;
pub mod crawl;
mod kept;
pub mod options;
mod pages;
pub(crate) mod preview;
pub mod progress;
pub mod reading;
mod schedule;
mod stored;

use std::collections::HashMap;

use helpbot_db as db;
use helpbot_domain::conversation::Citation;
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::key::Scope;
use helpbot_domain::plan::Feature;
use helpbot_domain::source::{SourceKind, SourceStatus, normal_url};
use helpbot_domain::{Invalid, Timestamp};

use crate::accounts::sites;
use crate::runtime::jobs::NewJob;
use crate::runtime::randomness;
use crate::{Document, Error, Part, Result, Services, Site, Source, Viewer, boxed};

pub use cancel::cancel;
pub use crawl::Crawl;
pub use helpbot_db::sources::Page;
pub use options::{Change, Options};
pub use stored::{FILE_MAX_BYTES, add_file, add_text, reread};

/// The kind of the job that reads a source.
pub const SCRAPE: &str = "scrape";
/// Sources of a site: many times what a help site has; bounds a runaway script.
const SOURCES_MAX: i64 = 1_000;

/// Adds an address and asks for its reading. One that is there already is given as it is, with
/// false.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `LimitReached`; `Invalid` for an address that is none or must
/// not be fetched.
#[boxed]
pub async fn add_url(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    address: &str,
) -> Result<(Source, bool)> {
    add_crawl(services, viewer, named, address, Change::default()).await
}

/// Adds an address with more than its own page, or with a schedule, and asks for its reading. One
/// that is there already is given as it is, with false.
///
/// # Errors
/// Those of [`add_url`]; `Invalid` for caps out of bounds.
#[boxed]
pub async fn add_crawl(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    address: &str,
    wishes: Change,
) -> Result<(Source, bool)> {
    let site = writable(services, viewer, named).await?;
    let url = normal_url(address)?;
    (services.url_policy)(&url).map_err(|reason| Invalid::new("url", reason))?;
    let options = wishes.apply(Options::default())?;
    add(
        services,
        Source { options: written(&options), ..fresh(site.id, SourceKind::Url, url.into(), services.now()) },
        None,
    )
    .await
}

/// Writes options as their column has them; those that are the default are not written, so that
/// a later default holds for them.
fn written(options: &Options) -> String {
    if *options == Options::default() { "{}".to_owned() } else { db::columns::to_json(options) }
}

/// Whether the viewer may add sources to a site: asked before a large file is taken in.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`.
#[boxed]
pub async fn may_add(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<()> {
    writable(services, viewer, named).await.map(drop)
}

async fn add(services: &Services, new: Source, file: Option<stored::NewFile>) -> Result<(Source, bool)> {
    let now = services.now();
    let source = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let (site, kind, url) = (new.site_id, new.kind, new.url.clone());
                if db::sources::count(c, site).await? >= SOURCES_MAX {
                    return Err(Error::LimitReached(format!("A site may have {SOURCES_MAX} sources")));
                }
                let is_new = db::sources::insert(c, &new).await?;
                let mut source = match is_new {
                    true => new,
                    false => db::sources::by_url(c, site, kind, &url).await?.ok_or(Error::NotFound("Source"))?,
                };
                if let Some(stored::NewFile { name, content }) = &file {
                    db::sources::put_file(c, site, source.id, name, content).await?;
                }
                if is_new || file.is_some() {
                    begin_anew(c, &mut source, now).await?;
                }
                Ok((source, is_new))
            })
        })
        .await?;
    services.wake_workers();
    Ok(source)
}

pub(crate) fn fresh(site_id: SiteId, kind: SourceKind, url: String, now: Timestamp) -> Source {
    Source {
        site_id,
        id: SourceId::from_uuid(randomness::uuid(now)),
        kind,
        url,
        title: None,
        status: SourceStatus::Pending,
        error: None,
        document_count: 0,
        chunk_count: 0,
        options: "{}".into(),
        next_scrape_at: None,
        last_scraped_at: None,
        created_at: now,
        updated_at: now,
        crawl: None,
    }
}

async fn enqueue(c: &mut db::Conn, source: &mut Source, now: Timestamp) -> Result<()> {
    let payload = serde_json::json!({ "sourceId": source.id });
    let job = NewJob::new(source.site_id, SCRAPE, Some(source.id.to_string()), &payload);
    if job.enqueue(c, now).await? && !source.status.is_busy() {
        source.status = SourceStatus::Pending;
        source.updated_at = now;
        db::sources::update(c, source).await?;
    }
    Ok(())
}

/// Tells the citations that have no address under which name their source is stored.
///
/// # Errors
/// Only the database's own.
pub(crate) async fn name(services: &Services, site: SiteId, citations: &mut [Citation]) -> Result<()> {
    let mut ids: Vec<SourceId> = citations.iter().filter(|one| one.url.is_none()).map(|one| one.source_id).collect();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    let (now, before) = (services.now(), services.source_names.before());
    let mut names: HashMap<SourceId, String> =
        ids.iter().filter_map(|id| Some((*id, services.source_names.get(id, now)?))).collect();
    ids.retain(|id| !names.contains_key(id));
    if !ids.is_empty() {
        for source in db::sources::by_ids(&mut services.db.reader().await?, site, &ids).await? {
            services.source_names.put(before, now, source.id, source.url.clone());
            names.insert(source.id, source.url);
        }
    }
    for citation in citations.iter_mut().filter(|one| one.url.is_none()) {
        citation.source_name = names.get(&citation.source_id).cloned();
    }
    Ok(())
}

/// Asks for a reading in place of one that waits or runs, which is of something else: that one's
/// worker finds its job gone and stores nothing.
async fn begin_anew(c: &mut db::Conn, source: &mut Source, now: Timestamp) -> Result<()> {
    db::jobs::cancel(c, source.site_id, SCRAPE, &source.id.to_string()).await?;
    enqueue(c, source, now).await
}

/// Asks for another reading of an address; while one waits or runs, no second.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`; `Invalid` for a file or text: there is nothing to
/// fetch.
#[boxed]
pub async fn rescrape(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: SourceId) -> Result<Source> {
    ask_again(services, viewer, named, id, SourceKind::Url, "Only URL sources can be re-scraped").await
}

async fn ask_again(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: SourceId,
    kind: SourceKind,
    refusal: &'static str,
) -> Result<Source> {
    let (site, now) = (writable(services, viewer, named).await?.id, services.now());
    let source = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut source = db::sources::locked(c, site, id).await?.ok_or(Error::NotFound("Source"))?;
                if source.kind != kind {
                    return Err(Invalid::new("sourceId", refusal).into());
                }
                enqueue(c, &mut source, now).await?;
                Ok::<_, Error>(source)
            })
        })
        .await?;
    services.wake_workers();
    Ok(source)
}

/// Changes how far and how often an address is read. When other pages belong to it then, it is
/// read again at once.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`; `Invalid` for caps out of bounds, and for a file or
/// text.
#[boxed]
pub async fn update(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: SourceId,
    change: Change,
) -> Result<Source> {
    let (site, now) = (writable(services, viewer, named).await?.id, services.now());
    let source = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut source = db::sources::locked(c, site, id).await?.ok_or(Error::NotFound("Source"))?;
                if source.kind != SourceKind::Url {
                    return Err(Invalid::new("id", "Only URL sources have a scope and a schedule").into());
                }
                let before = Options::of(&source);
                let after = change.apply(before)?;
                source.options = written(&after);
                if after.schedule != before.schedule {
                    source.next_scrape_at = schedule::next(&after, now);
                }
                source.updated_at = now;
                db::sources::update(c, &source).await?;
                if !after.reads_as(&before) {
                    begin_anew(c, &mut source, now).await?;
                }
                Ok::<_, Error>(source)
            })
        })
        .await?;
    services.wake_workers();
    Ok(source)
}

/// Deletes a source; no answer comes from it any more.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`.
#[boxed]
pub async fn delete(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: SourceId) -> Result<()> {
    let site = writable(services, viewer, named).await?.id;
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                if !db::sources::delete(c, site, id).await? {
                    return Err(Error::NotFound("Source"));
                }
                db::jobs::cancel(c, site, SCRAPE, &id.to_string()).await?;
                Ok(db::sites::retire_older_indexes(c, site).await?)
            })
        })
        .await
}

/// One page of the site's sources, oldest first, in the order of the walk.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn list(services: &Services, viewer: &Viewer, site: &Site, page: Page) -> Result<Vec<Source>> {
    require_read(viewer, site)?;
    Ok(db::sources::list(&mut services.db.reader().await?, site.id, page).await?)
}

/// How many sources the site has.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, site: &Site) -> Result<i64> {
    require_read(viewer, site)?;
    Ok(db::sources::count(&mut services.db.reader().await?, site.id).await?)
}

/// Sources of the viewer's site by id, as the citations of an answer name them; for who may
/// read conversations or sources. Absent ones are left out.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn by_ids(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    ids: &[SourceId],
) -> Result<Vec<Source>> {
    viewer.require(Scope::ReadSources).or_else(|_| viewer.require(Scope::ReadConversations))?;
    Ok(db::sources::by_ids(&mut services.db.reader().await?, viewer.site(named)?, ids).await?)
}

/// The pages of a source, by address, after `after`, at most `limit`: its crawl report.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn pages(services: &Services, viewer: &Viewer, source: &Source, part: Part<&str>) -> Result<Vec<Document>> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(source.site_id))?;
    Ok(db::documents::of_source(&mut services.db.reader().await?, site, source.id, part).await?)
}

/// How many pages a source has.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn page_total(services: &Services, viewer: &Viewer, source: &Source) -> Result<i64> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(source.site_id))?;
    Ok(db::documents::count(&mut services.db.reader().await?, site, source.id).await?)
}

async fn writable(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Site> {
    viewer.require(Scope::WriteSources)?;
    let site = sites::get(services, viewer, named).await?;
    require_plan(viewer, &site)?;
    Ok(site)
}

fn require_read(viewer: &Viewer, site: &Site) -> Result<()> {
    viewer.require(Scope::ReadSources)?;
    viewer.site(Some(site.id))?;
    require_plan(viewer, site)
}

/// The plan gates what a site's own keys manage; its operator may always.
fn require_plan(viewer: &Viewer, site: &Site) -> Result<()> {
    if viewer.is_operator() { Ok(()) } else { sites::require_feature(site, Feature::Sources) }
}
