//! What the last crawl of a source was told by its site about crawling it (robots.txt, sitemaps),
//! with what the next one needs to ask only whether that has changed. `ingest` writes and reads
//! the content; pages are documents.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::ids::{SiteId, SourceId};

use crate::connection::Conn;
use crate::connection::conn::on;
use crate::error::Result;
use crate::schema::crawl_files as files;

/// One such file.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct CrawlFile {
    /// Its address.
    pub url: String,
    /// For the next conditional request.
    pub etag: Option<String>,
    /// For the next conditional request.
    pub last_modified: Option<String>,
    /// What it said.
    pub content: String,
}

/// Keeps the files of a source in place of those that were kept before.
///
/// # Errors
/// `Conflict` when one address comes twice.
pub async fn replace(c: &mut Conn, site: SiteId, source: SourceId, kept: &[CrawlFile]) -> Result<()> {
    let (site, source) = (site.to_string(), source.to_string());
    on!(c, |c| {
        diesel::delete(files::table.filter(files::site_id.eq(&site)).filter(files::source_id.eq(&source)))
            .execute(c)
            .await
    })?;
    for file in kept {
        on!(c, |c| {
            diesel::insert_into(files::table)
                .values((
                    files::site_id.eq(&site),
                    files::source_id.eq(&source),
                    files::url.eq(&file.url),
                    files::etag.eq(&file.etag),
                    files::last_modified.eq(&file.last_modified),
                    files::content.eq(&file.content),
                ))
                .execute(c)
                .await
        })?;
    }
    Ok(())
}

/// The files that are kept of a source, in no order.
///
/// # Errors
/// Only the database's own.
pub async fn of_source(c: &mut Conn, site: SiteId, source: SourceId) -> Result<Vec<CrawlFile>> {
    let (site, source) = (site.to_string(), source.to_string());
    Ok(on!(c, |c| {
        files::table
            .filter(files::site_id.eq(&site))
            .filter(files::source_id.eq(&source))
            .select((files::url, files::etag, files::last_modified, files::content))
            .load(c)
            .await
    })?)
}
