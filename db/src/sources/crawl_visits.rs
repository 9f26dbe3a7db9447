//! The pages that a running sync has visited so far. They are stored one by one until the sync
//! stores its result. `ingest` writes and interprets the JSON of a visit.

use diesel::prelude::*;
use helpbot_domain::ids::{SiteId, SourceId};

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
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

/// Returns the URLs of all visits of the running sync, in no particular order.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn urls(c: &mut Conn, site: SiteId, source: SourceId) -> Result<Vec<String>> {
    let (site, source) = (site.to_string(), source.to_string());
    Ok(on!(c, |c| {
        visits::table
            .filter(visits::site_id.eq(&site))
            .filter(visits::source_id.eq(&source))
            .select(visits::url)
            .load(c)
            .await
    })?)
}

/// Returns whether a sync has left visits.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn any(c: &mut Conn, site: SiteId, source: SourceId) -> Result<bool> {
    let (site, source) = (site.to_string(), source.to_string());
    let of_source = visits::table.filter(visits::site_id.eq(&site)).filter(visits::source_id.eq(&source));
    Ok(on!(c, |c| diesel::select(diesel::dsl::exists(of_source)).get_result(c).await)?)
}

/// Returns the visit to `url`, when the running sync has stored one.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_url(c: &mut Conn, site: SiteId, source: SourceId, url: &str) -> Result<Option<String>> {
    let (site, source) = (site.to_string(), source.to_string());
    Ok(on!(c, |c| {
        visits::table
            .filter(visits::site_id.eq(&site))
            .filter(visits::source_id.eq(&source))
            .filter(visits::url.eq(url))
            .select(visits::visit)
            .get_result(c)
            .await
            .optional()
    })?)
}

/// Deletes up to `limit` visits of a source whose sync has ended, or before a new one starts.
/// Returns whether none is left.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_some(c: &mut Conn, site: SiteId, source: SourceId, limit: i64) -> Result<bool> {
    let (site, source) = (site.to_string(), source.to_string());
    let found: Vec<String> = on!(c, |c| {
        visits::table
            .filter(visits::site_id.eq(&site))
            .filter(visits::source_id.eq(&source))
            .order(visits::url)
            .limit(limit)
            .select(visits::url)
            .load(c)
            .await
    })?;
    if let Some(last) = found.last() {
        on!(c, |c| {
            let of_source = visits::table.filter(visits::site_id.eq(&site)).filter(visits::source_id.eq(&source));
            diesel::delete(of_source.filter(visits::url.le(last))).execute(c).await
        })?;
    }
    Ok((found.len() as i64) < limit)
}
