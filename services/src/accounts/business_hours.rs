//! Business hours of a site: when its team is usually there.

use helpbot_db as db;
use helpbot_domain::Invalid;
use helpbot_domain::business_hours::BusinessHours;
use helpbot_domain::ids::SiteId;
use helpbot_domain::key::Scope;
use helpbot_domain::site::Site;

use crate::accounts::sites;
use crate::{Error, Result, Services, Viewer, boxed};

/// Returns the business hours of a site. `None` when it has none.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn of(services: &Services, viewer: &Viewer, site: &Site) -> Result<Option<BusinessHours>> {
    viewer.require(Scope::ReadConfig)?;
    let site = viewer.site(Some(site.id))?;
    Ok(db::business_hours::of(&mut services.db.reader().await?, site).await?)
}

/// Sets or removes the business hours of a site. Invalid hours are reported only to a viewer who may set them.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` for invalid hours.
#[boxed]
pub async fn set(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    hours: Option<Result<BusinessHours, Invalid>>,
) -> Result<Site> {
    viewer.require(Scope::WriteConfig)?;
    let site = sites::get(services, viewer, named).await?;
    let hours = hours.transpose()?;
    let (id, now) = (site.id, services.now());
    let stored = services.db.write(move |c| {
        Box::pin(async move {
            match hours {
                Some(hours) => db::business_hours::put(c, id, &hours, now).await?,
                None => {
                    db::business_hours::delete(c, id).await?;
                }
            }
            Ok::<_, Error>(())
        })
    });
    stored.await?;
    Ok(site)
}
