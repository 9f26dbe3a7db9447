//! What the owner of a site checks about a page: the texts that the last sync left out, and the
//! last change of its content. `services` writes and interprets the JSON. The row is separate from
//! the page, so that lists of pages do not load it.

use diesel::prelude::*;
use helpbot_domain::ids::{DocumentId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::among;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::page_extractions as extractions;

/// What was left out of a page, and how it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageExtraction {
    /// Page that was read.
    pub document_id: DocumentId,
    /// Texts that were left out, as JSON.
    pub omitted: String,
    /// Last change of the page's content, as JSON. `None` when it never changed.
    pub last_change: Option<String>,
}

/// Stores what the last sync left out of a page. `change` replaces the last change; `None` keeps
/// the stored one.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn put(c: &mut Conn, site: SiteId, page: DocumentId, omitted: &str, change: Option<&str>) -> Result<()> {
    let keys = (extractions::site_id.eq(site.to_string()), extractions::document_id.eq(page.to_string()));
    let omitted = extractions::omitted.eq(omitted);
    let kept = change.map(|change| extractions::last_change.eq(change));
    on!(c, |c| {
        diesel::insert_into(extractions::table)
            .values((keys, omitted, extractions::last_change.eq(change)))
            .on_conflict((extractions::site_id, extractions::document_id))
            .do_update()
            .set((omitted, kept))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns the extractions of pages, in no particular order. Pages that were never read have none.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of_pages(c: &mut Conn, site: SiteId, ids: &[DocumentId]) -> Result<Vec<PageExtraction>> {
    let site = site.to_string();
    let rows: Vec<(String, String, Option<String>)> = on!(c, |c| {
        extractions::table
            .filter(extractions::site_id.eq(&site))
            .filter(among(extractions::document_id, ids))
            .select((extractions::document_id, extractions::omitted, extractions::last_change))
            .load(c)
            .await
    })?;
    rows.into_iter()
        .map(|(id, omitted, last_change)| {
            Ok::<_, Error>(PageExtraction { document_id: columns::parse(&id)?, omitted, last_change })
        })
        .collect()
}
