//! The permissions to read and change the sources of a site.

use helpbot_domain::ids::SiteId;
use helpbot_domain::key::Scope;
use helpbot_domain::plan::Feature;

use crate::accounts::sites;
use crate::{Result, Services, Viewer, boxed};
use helpbot_domain::site::Site;

/// Checks that the viewer may add sources to a site. Used before a large upload is accepted.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`.
#[boxed]
pub async fn may_add(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<()> {
    writable(services, viewer, named).await.map(drop)
}

/// Returns the viewer's site if the viewer may change its sources.
pub(super) async fn writable(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Site> {
    viewer.require(Scope::WriteSources)?;
    let site = sites::get(services, viewer, named).await?;
    require_plan(viewer, &site)?;
    Ok(site)
}

/// Checks that the viewer may read the sources of a site.
pub(super) fn require_read(viewer: &Viewer, site: &Site) -> Result<()> {
    viewer.require(Scope::ReadSources)?;
    viewer.site(Some(site.id))?;
    require_plan(viewer, site)
}

/// The plan limits the keys of a site. An operator may always manage sources.
fn require_plan(viewer: &Viewer, site: &Site) -> Result<()> {
    if viewer.is_operator() { Ok(()) } else { sites::require_feature(site, Feature::Sources) }
}
