//! Reading sources and their pages, in lists and by ID.

use helpbot_db as db;
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::key::Scope;

use crate::sources::rights::require_read;
use crate::{Result, Services, Viewer, boxed};
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;
use helpbot_domain::source::{Document, Source};

/// One page of the site's sources, oldest first, in the order of the walk.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    page: PageRequest<SourceId>,
) -> Result<Vec<Source>> {
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
pub async fn pages(
    services: &Services,
    viewer: &Viewer,
    source: &Source,
    page: PageRequest<&str>,
) -> Result<Vec<Document>> {
    viewer.require(Scope::ReadSources)?;
    let site = viewer.site(Some(source.site_id))?;
    Ok(db::documents::of_source(&mut services.db.reader().await?, site, source.id, page).await?)
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
