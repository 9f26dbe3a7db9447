//! The pages of a sync that is too large for one transaction. They wait here until all of them are
//! known, answer from here once the sync is published, and are then moved to `documents` and
//! `chunks` in groups. `services` writes and interprets the JSON of a page; both it and the chunks
//! are deleted with their group.

use diesel::prelude::*;
use helpbot_domain::chunk::StoredChunk;
use helpbot_domain::ids::{DocumentId, JobId, SiteId, SourceId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::insert_rows;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::{staged_pages as pages, staged_syncs as syncs};

/// Position before the first page of a stage.
pub const BEFORE_FIRST: i64 = -1;

/// The state of a staged sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StagedSync {
    /// Job of the sync.
    pub job_id: JobId,
    /// Whether the staged pages answer already.
    pub is_published: bool,
}

/// A staged page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedPage {
    /// Position of the page in its sync, from 0.
    pub seq: i64,
    /// ID that the page has or will have.
    pub document_id: DocumentId,
    /// Whether `chunks` replaces the stored chunks of the page.
    pub is_replaced: bool,
    /// The change of the page, as JSON.
    pub page: String,
    /// New chunks of the page.
    pub chunks: Vec<StoredChunk>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = pages)]
struct Row {
    seq: i64,
    document_id: String,
    is_replaced: bool,
    page: String,
    chunks: String,
}

impl TryFrom<Row> for StagedPage {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(StagedPage {
            seq: row.seq,
            document_id: columns::parse(&row.document_id)?,
            is_replaced: row.is_replaced,
            page: row.page,
            chunks: columns::json(&row.chunks)?,
        })
    }
}

/// Begins the stage of a sync, which is not published. A stage of the same source stays.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn begin(c: &mut Conn, site: SiteId, source: SourceId, job: JobId) -> Result<()> {
    let values = || {
        (
            syncs::site_id.eq(site.to_string()),
            syncs::source_id.eq(source.to_string()),
            syncs::job_id.eq(job.to_string()),
            syncs::is_published.eq(false),
        )
    };
    on!(c, |c| diesel::insert_into(syncs::table).values(values()).on_conflict_do_nothing().execute(c).await)?;
    Ok(())
}

/// Returns the staged sync of a source.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of_source(c: &mut Conn, site: SiteId, source: SourceId) -> Result<Option<StagedSync>> {
    let (site, source) = (site.to_string(), source.to_string());
    let row: Option<(String, bool)> = on!(c, |c| {
        syncs::table
            .filter(syncs::site_id.eq(&site))
            .filter(syncs::source_id.eq(&source))
            .select((syncs::job_id, syncs::is_published))
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(|(job, is_published)| Ok(StagedSync { job_id: columns::parse(&job)?, is_published })).transpose()
}

/// Returns the sources of a site whose staged pages answer already, ordered by ID.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn published(c: &mut Conn, site: SiteId) -> Result<Vec<SourceId>> {
    let site = site.to_string();
    let ids: Vec<String> = on!(c, |c| {
        syncs::table
            .filter(syncs::site_id.eq(&site))
            .filter(syncs::is_published.eq(true))
            .order(syncs::source_id)
            .select(syncs::source_id)
            .load(c)
            .await
    })?;
    ids.iter().map(|id| columns::parse(id)).collect()
}

/// Lets the staged pages of a source answer.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn publish(c: &mut Conn, site: SiteId, source: SourceId) -> Result<()> {
    let (site, source) = (site.to_string(), source.to_string());
    on!(c, |c| {
        diesel::update(syncs::table.filter(syncs::site_id.eq(&site)).filter(syncs::source_id.eq(&source)))
            .set(syncs::is_published.eq(true))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Stores pages at the end of a stage.
///
/// # Errors
/// `Conflict` when a position is taken.
pub async fn add(c: &mut Conn, site: SiteId, source: SourceId, new: &[StagedPage]) -> Result<()> {
    let (site, source) = (site.to_string(), source.to_string());
    insert_rows!(c, pages::table, new, |new| (
        pages::site_id.eq(&site),
        pages::source_id.eq(&source),
        pages::seq.eq(new.seq),
        pages::document_id.eq(new.document_id.to_string()),
        pages::is_replaced.eq(new.is_replaced),
        pages::page.eq(&new.page),
        pages::chunks.eq(columns::to_json(&new.chunks)),
    ));
    Ok(())
}

/// Returns up to `limit` staged pages of a source with positions above `after`, in their order.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn pages(c: &mut Conn, site: SiteId, source: SourceId, after: i64, limit: i64) -> Result<Vec<StagedPage>> {
    let (site, source) = (site.to_string(), source.to_string());
    let rows: Vec<Row> = on!(c, |c| {
        pages::table
            .filter(pages::site_id.eq(&site))
            .filter(pages::source_id.eq(&source))
            .filter(pages::seq.gt(after))
            .order(pages::seq)
            .limit(limit)
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(StagedPage::try_from).collect()
}

/// Deletes the staged pages of a source up to a position, that one included.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_to(c: &mut Conn, site: SiteId, source: SourceId, last: i64) -> Result<()> {
    let (site, source) = (site.to_string(), source.to_string());
    on!(c, |c| {
        let staged = pages::table.filter(pages::site_id.eq(&site)).filter(pages::source_id.eq(&source));
        diesel::delete(staged.filter(pages::seq.le(last))).execute(c).await
    })?;
    Ok(())
}

/// Deletes up to `limit` staged pages of a source. Returns whether none is left.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_some(c: &mut Conn, site: SiteId, source: SourceId, limit: i64) -> Result<bool> {
    let (of_site, of_source) = (site.to_string(), source.to_string());
    let found: Vec<i64> = on!(c, |c| {
        pages::table
            .filter(pages::site_id.eq(&of_site))
            .filter(pages::source_id.eq(&of_source))
            .order(pages::seq)
            .limit(limit)
            .select(pages::seq)
            .load(c)
            .await
    })?;
    if let Some(&last) = found.last() {
        delete_to(c, site, source, last).await?;
    }
    Ok((found.len() as i64) < limit)
}

/// Ends the stage of a source. Its pages must have been deleted before.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn end(c: &mut Conn, site: SiteId, source: SourceId) -> Result<()> {
    let (site, source) = (site.to_string(), source.to_string());
    on!(c, |c| {
        diesel::delete(syncs::table.filter(syncs::site_id.eq(&site)).filter(syncs::source_id.eq(&source)))
            .execute(c)
            .await
    })?;
    Ok(())
}
