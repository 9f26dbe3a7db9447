//! Finding the site of an object by its global ID, for `node` and `nodes`. A key of a site searches
//! its own site; for an operator the site is looked up.

use helpbot_db as db;
use helpbot_domain::ids::SiteId;

use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::global_id::GlobalId;

/// Returns the site in which to look for the object: the site of the viewer's key, whether it
/// contains the object or not; for an operator, the site that contains it.
///
/// # Errors
/// `NotFound` when an operator's object is in no site.
#[boxed]
pub async fn site_of(services: &Services, viewer: &Viewer, thing: GlobalId) -> Result<SiteId> {
    if let Some(own) = viewer.site_id {
        return Ok(own);
    }
    if !viewer.is_operator() {
        return Err(Error::NotFound("Site"));
    }
    let found = db::global_ids::site_of(&mut services.db.reader().await?, thing).await?;
    found.ok_or(Error::NotFound("Site"))
}

/// Same as [`site_of`], for several objects, with one query for each kind of object. Objects that an operator finds in no site are left
/// out.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn sites_of(services: &Services, viewer: &Viewer, things: &[GlobalId]) -> Result<Vec<(GlobalId, SiteId)>> {
    if let Some(own) = viewer.site_id {
        return Ok(things.iter().map(|thing| (*thing, own)).collect());
    }
    if !viewer.is_operator() {
        return Ok(Vec::new());
    }
    Ok(db::global_ids::sites_of(&mut services.db.reader().await?, things).await?)
}
