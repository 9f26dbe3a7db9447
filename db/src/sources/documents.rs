//! Pages of sources: what was fetched, skipped or failed, and why. Together they are the sync
//! report.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{DocumentId, SiteId, SourceId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::among;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::load_page;
use crate::schema::documents as docs;
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::{Document, PageOutcome};

#[derive(Queryable, Selectable)]
#[diesel(table_name = docs)]
struct Row {
    site_id: String,
    id: String,
    source_id: String,
    url: String,
    title: Option<String>,
    language: Option<String>,
    outcome: String,
    reason: Option<String>,
    etag: Option<String>,
    last_modified: Option<String>,
    content_hash: Option<String>,
    chunk_count: i64,
    misses: i32,
    fetched_at_ms: i64,
}

impl TryFrom<Row> for Document {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Document {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            source_id: columns::parse(&row.source_id)?,
            url: row.url,
            title: row.title,
            language: row.language,
            outcome: columns::named(&row.outcome)?,
            reason: row.reason,
            etag: row.etag,
            last_modified: row.last_modified,
            content_hash: row.content_hash,
            chunk_count: row.chunk_count,
            misses: row.misses,
            fetched_at: Timestamp::from_ms(row.fetched_at_ms),
        })
    }
}

/// Stores a page, or overwrites the one with the same ID. `links` replaces the links of the page; `None`
/// keeps the stored ones.
///
/// # Errors
/// `Conflict` when the source has another page with this URL.
pub async fn put(c: &mut Conn, doc: &Document, links: Option<&[String]>) -> Result<()> {
    let links = links.map(columns::to_json);
    let kept = links.as_ref().map(|links| docs::links.eq(links));
    let changes = || {
        (
            docs::title.eq(&doc.title),
            docs::language.eq(&doc.language),
            docs::outcome.eq(doc.outcome.as_str()),
            docs::reason.eq(&doc.reason),
            docs::etag.eq(&doc.etag),
            docs::last_modified.eq(&doc.last_modified),
            docs::content_hash.eq(&doc.content_hash),
            docs::chunk_count.eq(doc.chunk_count),
            docs::misses.eq(doc.misses),
            docs::fetched_at_ms.eq(doc.fetched_at.as_ms()),
        )
    };
    let keys = (
        docs::site_id.eq(doc.site_id.to_string()),
        docs::id.eq(doc.id.to_string()),
        docs::source_id.eq(doc.source_id.to_string()),
        docs::url.eq(&doc.url),
    );
    on!(c, |c| {
        diesel::insert_into(docs::table)
            .values((keys, changes(), docs::links.eq(&links)))
            .on_conflict((docs::site_id, docs::id))
            .do_update()
            .set((changes(), kept))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns the links of a page as of the last visit. Empty when none were stored.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn links(c: &mut Conn, site: SiteId, id: DocumentId) -> Result<Vec<String>> {
    let (site, id) = (site.to_string(), id.to_string());
    let links: Option<Option<String>> = on!(c, |c| {
        docs::table
            .filter(docs::site_id.eq(&site))
            .filter(docs::id.eq(&id))
            .select(docs::links)
            .get_result(c)
            .await
            .optional()
    })?;
    links.flatten().as_deref().map_or(Ok(Vec::new()), columns::json)
}

/// Returns the site's pages with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[DocumentId]) -> Result<Vec<Document>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        docs::table.filter(docs::site_id.eq(&site)).filter(among(docs::id, ids)).select(Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(Document::try_from).collect()
}

/// The pages of a source, with `outcomes` only those whose last visit had one of them.
macro_rules! with_outcomes {
    ($backend:ty, $site:expr, $source:expr, $outcomes:expr) => {{
        let outcomes: Option<&[PageOutcome]> = $outcomes;
        let mut rows = docs::table
            .filter(docs::site_id.eq($site.to_string()))
            .filter(docs::source_id.eq($source.to_string()))
            .into_boxed::<$backend>();
        if let Some(outcomes) = outcomes {
            let names: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
            rows = rows.filter(docs::outcome.eq_any(names));
        }
        rows
    }};
}

/// Returns one page of the list of a source's pages, ordered by URL. With `outcomes`, only pages whose last
/// visit had one of them.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of_source(
    c: &mut Conn,
    site: SiteId,
    source: SourceId,
    outcomes: Option<&[PageOutcome]>,
    page: PageRequest<&str>,
) -> Result<Vec<Document>> {
    let rows: Vec<Row> = on!(c, <B> |c| load_page!(c, with_outcomes!(B, site, source, outcomes), docs::url, page))?;
    rows.into_iter().map(Document::try_from).collect()
}

/// Returns the number of pages in the list that [`of_source`] returns.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId, source: SourceId, outcomes: Option<&[PageOutcome]>) -> Result<i64> {
    Ok(on!(c, <B> |c| with_outcomes!(B, site, source, outcomes).count().get_result(c).await)?)
}

/// Returns the page of a source with this URL.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_url(c: &mut Conn, site: SiteId, source: SourceId, url: &str) -> Result<Option<Document>> {
    let (site, source) = (site.to_string(), source.to_string());
    let row: Option<Row> = on!(c, |c| {
        docs::table
            .filter(docs::site_id.eq(&site))
            .filter(docs::source_id.eq(&source))
            .filter(docs::url.eq(url))
            .select(Row::as_select())
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(Document::try_from).transpose()
}

/// Deletes a page with its chunks.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, id: DocumentId) -> Result<()> {
    let (site, id) = (site.to_string(), id.to_string());
    on!(c, |c| diesel::delete(docs::table.filter(docs::site_id.eq(&site)).filter(docs::id.eq(&id))).execute(c).await)?;
    Ok(())
}

/// Returns the number of a source's pages that have chunks, and the number of their chunks.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn totals(c: &mut Conn, site: SiteId, source: SourceId) -> Result<(i64, i64)> {
    let (site, source) = (site.to_string(), source.to_string());
    let counts: Vec<i64> = on!(c, |c| {
        docs::table
            .filter(docs::site_id.eq(&site))
            .filter(docs::source_id.eq(&source))
            .filter(docs::chunk_count.gt(0))
            .select(docs::chunk_count)
            .load(c)
            .await
    })?;
    Ok((i64::try_from(counts.len()).unwrap_or(i64::MAX), counts.iter().sum()))
}
