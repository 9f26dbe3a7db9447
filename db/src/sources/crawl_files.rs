//! The crawl files of a source (robots.txt, sitemaps) as the last sync read them, with the
//! validators for conditional requests. `ingest` writes and interprets the content. Pages are
//! documents.

use diesel::prelude::*;
use helpbot_domain::ids::{SiteId, SourceId};

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::crawl_files as files;

/// A crawl file.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct CrawlFile {
    /// URL of the file.
    pub url: String,
    /// Validator for the next conditional request.
    pub etag: Option<String>,
    /// Validator for the next conditional request.
    pub last_modified: Option<String>,
    /// Content of the file.
    pub content: String,
}

/// Replaces the stored crawl files of a source.
///
/// # Errors
/// `Conflict` when two files have the same URL.
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

/// Returns the crawl files of a source, in no particular order.
///
/// # Errors
/// Returns an error when the query fails.
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
