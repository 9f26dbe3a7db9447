//! Reading sources and their pages, in lists and by ID.

use helpbot_db as db;
use helpbot_domain::ids::{DocumentId, SiteId, SourceId};
use helpbot_domain::key::Scope;

use crate::runtime::lookups::find_by_ids;
use crate::sources::rights::require_read;
use crate::{Result, Services, Viewer, boxed};
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;
use helpbot_domain::source::{Document, PageOutcome, Source, SourceFilter};

/// Returns one page of the site's sources that meet the conditions, oldest first. A backward page is in reverse order.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    filter: &SourceFilter,
    page: PageRequest<SourceId>,
) -> Result<Vec<Source>> {
    require_read(viewer, site)?;
    Ok(db::sources::list(&mut services.db.reader().await?, site.id, filter, page).await?)
}

/// Returns the number of the site's sources that meet the conditions.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, site: &Site, filter: &SourceFilter) -> Result<i64> {
    require_read(viewer, site)?;
    Ok(db::sources::count(&mut services.db.reader().await?, site.id, filter).await?)
}

/// Returns the sources with these IDs, for viewers who may read conversations or sources. Unknown
/// IDs are left out.
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

/// Returns one page of a source's pages, ordered by address, with the result of the last visit to
/// each. With `outcomes`, only pages whose last visit had one of them.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn pages(
    services: &Services,
    viewer: &Viewer,
    source: &Source,
    outcomes: Option<&[PageOutcome]>,
    page: PageRequest<&str>,
) -> Result<Vec<Document>> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(source.site_id))?;
    Ok(db::documents::of_source(&mut services.db.reader().await?, site, source.id, outcomes, page).await?)
}

find_by_ids! {
    /// Returns the pages of the site with these IDs. Unknown IDs are left out.
    pages_by_ids, ReadSources, DocumentId => Document, db::documents::by_ids
}

/// Returns the number of a source's pages. With `outcomes`, only pages whose last visit had one of them.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn page_total(
    services: &Services,
    viewer: &Viewer,
    source: &Source,
    outcomes: Option<&[PageOutcome]>,
) -> Result<i64> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(source.site_id))?;
    Ok(db::documents::count(&mut services.db.reader().await?, site, source.id, outcomes).await?)
}
