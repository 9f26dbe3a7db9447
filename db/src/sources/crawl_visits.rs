//! What a running crawl has read so far, page by page, until all of it is stored at once. The
//! visits are JSON that `ingest` writes and reads.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::ids::{SiteId, SourceId};

use crate::connection::Conn;
use crate::connection::conn::on;
use crate::error::Result;
use crate::schema::crawl_visits as visits;

/// Keeps what came of the visit to `url`; one that was kept before stays.
///
/// # Errors
/// Only the database's own.
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

/// All visits of the running crawl, with their addresses, in no order.
///
/// # Errors
/// Only the database's own.
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

/// Forgets the visits of a source: its crawl has ended, or a new one begins.
///
/// # Errors
/// Only the database's own.
pub async fn delete(c: &mut Conn, site: SiteId, source: SourceId) -> Result<()> {
    let (site, source) = (site.to_string(), source.to_string());
    on!(c, |c| {
        diesel::delete(visits::table.filter(visits::site_id.eq(&site)).filter(visits::source_id.eq(&source)))
            .execute(c)
            .await
    })?;
    Ok(())
}
