//! The pages that a running sync has visited so far. They are stored one by one until the sync
//! stores its result. `ingest` writes and interprets the JSON of a visit.

use crate::connection::run::RunQueryDsl;
use diesel::prelude::*;
use helpbot_domain::ids::{SiteId, SourceId};

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::error::Result;
use crate::schema::crawl_visits as visits;

/// Stores the result of the visit to `url`. An earlier result for the same URL stays.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn insert(c: &mut Conn, site: SiteId, source: SourceId, url: &str, visit: &str) -> Result<()> {
    let (site, source) = (site.to_string(), source.to_string());
    on!(c, |c| {
        diesel::insert_into(visits::table)
            .values((
                visits::site_id.eq(&site),
                visits::source_id.eq(&source),
                visits::url.eq(url),
                visits::visit.eq(visit),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns all visits of the running sync with their URLs, in no particular order.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of_source(c: &mut Conn, site: SiteId, source: SourceId) -> Result<Vec<(String, String)>> {
    let (site, source) = (site.to_string(), source.to_string());
    Ok(on!(c, |c| {
        visits::table
            .filter(visits::site_id.eq(&site))
            .filter(visits::source_id.eq(&source))
            .select((visits::url, visits::visit))
            .load(c)
            .await
    })?)
}

/// Deletes the visits of a source when its sync has ended or a new one starts.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, source: SourceId) -> Result<()> {
    let (site, source) = (site.to_string(), source.to_string());
    on!(c, |c| {
        diesel::delete(visits::table.filter(visits::site_id.eq(&site)).filter(visits::source_id.eq(&source)))
            .execute(c)
            .await
    })?;
    Ok(())
}
