//! Business hours of sites.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::business_hours::BusinessHours;
use helpbot_domain::ids::SiteId;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::business_hours as hours;

/// Returns the business hours of a site. `None` when it has none.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of(c: &mut Conn, site: SiteId) -> Result<Option<BusinessHours>> {
    let site = site.to_string();
    let found: Option<String> = on!(c, |c| hours::table.find(&site).select(hours::hours).first(c).await.optional())?;
    found.map(|json| columns::json(&json)).transpose()
}

/// Stores the business hours of a site, in place of earlier ones.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn put(c: &mut Conn, site: SiteId, new: &BusinessHours, now: Timestamp) -> Result<()> {
    let values = (hours::hours.eq(columns::to_json(new)), hours::updated_at_ms.eq(now.as_ms()));
    let row = (hours::site_id.eq(site.to_string()), values.clone());
    on!(c, |c| {
        let insert = diesel::insert_into(hours::table).values(row);
        insert.on_conflict(hours::site_id).do_update().set(values).execute(c).await
    })?;
    Ok(())
}

/// Deletes the business hours of a site. Returns false when it has none.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId) -> Result<bool> {
    let site = site.to_string();
    let count = on!(c, |c| diesel::delete(hours::table.filter(hours::site_id.eq(&site))).execute(c).await)?;
    Ok(count == 1)
}
