//! Sources: web sites, files and texts that answers come from, and the bytes of file sources.

pub mod crawl_files;
pub mod crawl_turns;
pub mod crawl_visits;
pub mod documents;
pub mod page_extractions;
pub mod source_files;
pub mod staging;

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::source::SourceKind;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{ForUpdate, among, locked};
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::{load_one, load_page};
use crate::schema::{sites, sources};
use helpbot_domain::source::{Source, SourceFilter};

#[derive(Queryable, Selectable)]
#[diesel(table_name = sources)]
struct Row {
    site_id: String,
    id: String,
    kind: String,
    url: String,
    title: Option<String>,
    status: String,
    error: Option<String>,
    document_count: i64,
    chunk_count: i64,
    options: String,
    next_scrape_at_ms: Option<i64>,
    last_scraped_at_ms: Option<i64>,
    created_at_ms: i64,
    updated_at_ms: i64,
    crawl: Option<String>,
}

impl TryFrom<Row> for Source {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Source {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            kind: columns::named(&row.kind)?,
            url: row.url,
            title: row.title,
            status: columns::named(&row.status)?,
            error: row.error,
            document_count: row.document_count,
            chunk_count: row.chunk_count,
            options: row.options,
            next_scrape_at: columns::ms(row.next_scrape_at_ms),
            last_scraped_at: columns::ms(row.last_scraped_at_ms),
            created_at: Timestamp::from_ms(row.created_at_ms),
            updated_at: Timestamp::from_ms(row.updated_at_ms),
            crawl: row.crawl,
        })
    }
}

/// The columns of a source that change after it was added.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = sources, treat_none_as_null = true)]
struct SourceChanges<'a> {
    title: Option<&'a str>,
    status: &'static str,
    error: Option<&'a str>,
    document_count: i64,
    chunk_count: i64,
    options: &'a str,
    next_scrape_at_ms: Option<i64>,
    last_scraped_at_ms: Option<i64>,
    updated_at_ms: i64,
    crawl: Option<&'a str>,
}

impl<'a> SourceChanges<'a> {
    fn of(source: &'a Source) -> Self {
        Self {
            title: source.title.as_deref(),
            status: source.status.as_str(),
            error: source.error.as_deref(),
            document_count: source.document_count,
            chunk_count: source.chunk_count,
            options: &source.options,
            next_scrape_at_ms: source.next_scrape_at.map(Timestamp::as_ms),
            last_scraped_at_ms: source.last_scraped_at.map(Timestamp::as_ms),
            updated_at_ms: source.updated_at.as_ms(),
            crawl: source.crawl.as_deref(),
        }
    }
}

/// Stores a new source. Returns false when the site already has one of this kind and URL.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn insert(c: &mut Conn, new: &Source) -> Result<bool> {
    let count = on!(c, |c| {
        diesel::insert_into(sources::table)
            .values((
                sources::site_id.eq(new.site_id.to_string()),
                sources::id.eq(new.id.to_string()),
                sources::kind.eq(new.kind.as_str()),
                sources::url.eq(&new.url),
                sources::created_at_ms.eq(new.created_at.as_ms()),
                SourceChanges::of(new),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Updates everything of a source except its ID, kind and URL. Returns false when the source does
/// not exist.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn update(c: &mut Conn, changed: &Source) -> Result<bool> {
    let (site, id) = (changed.site_id.to_string(), changed.id.to_string());
    let count = on!(c, |c| {
        diesel::update(sources::table.filter(sources::site_id.eq(&site)).filter(sources::id.eq(&id)))
            .set(SourceChanges::of(changed))
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Returns the site's sources with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[SourceId]) -> Result<Vec<Source>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        sources::table
            .filter(sources::site_id.eq(&site))
            .filter(among(sources::id, ids))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(Source::try_from).collect()
}

/// Returns a source of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: SourceId) -> Result<Option<Source>> {
    let (site, id) = (site.to_string(), id.to_string());
    let found = sources::table.filter(sources::site_id.eq(&site)).filter(sources::id.eq(&id));
    load_one!(c, Source, found)
}

/// Returns a source of the site, locked against other writers until the transaction ends.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id_locked(c: &mut Conn, site: SiteId, id: SourceId) -> Result<Option<Source>> {
    let (site, id) = (site.to_string(), id.to_string());
    let row: Option<Row> = on!(c, |c| {
        let found = sources::table.filter(sources::site_id.eq(&site)).filter(sources::id.eq(&id));
        locked(ForUpdate, found.select(Row::as_select())).get_result(c).await.optional()
    })?;
    row.map(Source::try_from).transpose()
}

/// Returns the source of this kind and URL.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_url(c: &mut Conn, site: SiteId, kind: SourceKind, url: &str) -> Result<Option<Source>> {
    let site = site.to_string();
    let found = sources::table
        .filter(sources::site_id.eq(&site))
        .filter(sources::kind.eq(kind.as_str()))
        .filter(sources::url.eq(url));
    load_one!(c, Source, found)
}

/// The sources of a site that meet the conditions of a filter.
macro_rules! filtered {
    ($backend:ty, $site:expr, $filter:expr) => {{
        let filter: &SourceFilter = $filter;
        let mut rows = sources::table.filter(sources::site_id.eq($site.to_string())).into_boxed::<$backend>();
        if let Some(statuses) = &filter.statuses {
            let names: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
            rows = rows.filter(sources::status.eq_any(names));
        }
        if let Some(kinds) = &filter.kinds {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            rows = rows.filter(sources::kind.eq_any(names));
        }
        rows
    }};
}

/// Returns one page of the site's sources that meet the conditions, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(
    c: &mut Conn,
    site: SiteId,
    filter: &SourceFilter,
    page: PageRequest<SourceId>,
) -> Result<Vec<Source>> {
    let rows: Vec<Row> = on!(c, <B> |c| load_page!(c, filtered!(B, site, filter), sources::id, page))?;
    rows.into_iter().map(Source::try_from).collect()
}

/// Returns the number of sources of the site that meet the conditions.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId, filter: &SourceFilter) -> Result<i64> {
    Ok(on!(c, <B> |c| filtered!(B, site, filter).count().get_result(c).await)?)
}

/// Returns sources of any site whose scheduled sync is due, longest overdue first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn due(c: &mut Conn, now: Timestamp, limit: i64) -> Result<Vec<Source>> {
    let rows: Vec<Row> = on!(c, |c| {
        sources::table
            .filter(sources::next_scrape_at_ms.le(now.as_ms()))
            .filter(sources::site_id.ne_all(sites::table.filter(sites::deleted_at_ms.is_not_null()).select(sites::id)))
            .order(sources::next_scrape_at_ms)
            .limit(limit)
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(Source::try_from).collect()
}

/// Deletes a source with its pages and chunks. Returns false when the site has no such source.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, id: SourceId) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::delete(sources::table.filter(sources::site_id.eq(&site)).filter(sources::id.eq(&id))).execute(c).await
    })?;
    Ok(count == 1)
}
