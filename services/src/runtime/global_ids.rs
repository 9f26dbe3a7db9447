//! The site of a thing of which only the id is known, for `node` and its like. An operator's key
//! opens every site, so that it has to be looked up; a key of a site looks in its own.

use helpbot_db as db;
use helpbot_domain::ids::SiteId;

use crate::{Error, Result, Services, Thing, Viewer, boxed};

/// Where the viewer would find the thing: in the site that its key opens, whether it is there or
/// not; for an operator, in the site that has it.
///
/// # Errors
/// `NotFound` for an operator when no site has it.
#[boxed]
pub async fn site_of(services: &Services, viewer: &Viewer, thing: Thing) -> Result<SiteId> {
    if let Some(own) = viewer.site_id {
        return Ok(own);
    }
    if !viewer.is_operator() {
        return Err(Error::NotFound("Site"));
    }
    let found = db::nodes::site_of(&mut services.db.reader().await?, thing).await?;
    found.ok_or(Error::NotFound("Site"))
}
