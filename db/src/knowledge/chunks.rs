//! Chunks: questions with their answers, and passages. The engine builds its indexes from them.

use diesel::prelude::*;
use helpbot_domain::ids::{ChunkId, DocumentId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{insert_rows, lower};
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::load_page;
use crate::schema::chunks;
use helpbot_domain::chunk::{Chunk, ChunkKind, EntryFilter, StoredChunk};
use helpbot_domain::page::PageRequest;

#[derive(Queryable, Selectable)]
#[diesel(table_name = chunks)]
struct Row {
    site_id: String,
    id: String,
    source_id: String,
    document_id: String,
    position: i32,
    kind: String,
    question: Option<String>,
    heading: String,
    body: String,
    url: Option<String>,
    page_title: Option<String>,
    language: Option<String>,
    phrasings: String,
    content_hash: String,
}

impl TryFrom<Row> for StoredChunk {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(StoredChunk {
            site_id: columns::parse(&row.site_id)?,
            document_id: columns::parse(&row.document_id)?,
            position: row.position,
            content_hash: row.content_hash,
            chunk: Chunk {
                id: columns::parse(&row.id)?,
                source_id: columns::parse(&row.source_id)?,
                kind: if row.kind == ChunkKind::Faq.as_str() { ChunkKind::Faq } else { ChunkKind::Passage },
                question: row.question,
                heading: columns::json(&row.heading)?,
                text: row.body,
                url: row.url,
                page_title: row.page_title,
                language: row.language,
                phrasings: columns::json(&row.phrasings)?,
            },
        })
    }
}

/// The columns of a chunk with their values.
macro_rules! row {
    ($new:expr) => {{
        let new: &StoredChunk = $new;
        let chunk = &new.chunk;
        (
            chunks::site_id.eq(new.site_id.to_string()),
            chunks::id.eq(chunk.id.to_string()),
            chunks::source_id.eq(chunk.source_id.to_string()),
            chunks::document_id.eq(new.document_id.to_string()),
            chunks::position.eq(new.position),
            chunks::kind.eq(chunk.kind.as_str()),
            chunks::question.eq(&chunk.question),
            chunks::heading.eq(columns::to_json(&chunk.heading)),
            chunks::body.eq(&chunk.text),
            chunks::url.eq(&chunk.url),
            chunks::page_title.eq(&chunk.page_title),
            chunks::language.eq(&chunk.language),
            chunks::phrasings.eq(columns::to_json(&chunk.phrasings)),
            chunks::content_hash.eq(&new.content_hash),
        )
    }};
}

/// Stores a new chunk.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, new: &StoredChunk) -> Result<()> {
    on!(c, |c| diesel::insert_into(chunks::table).values(row!(new)).execute(c).await)?;
    Ok(())
}

/// Stores new chunks.
///
/// # Errors
/// `Conflict` when an ID is taken. Some chunks may be stored then, so roll back the transaction.
pub async fn insert_all(c: &mut Conn, new: &[StoredChunk]) -> Result<()> {
    insert_rows!(c, chunks::table, new, |new| row!(new));
    Ok(())
}

/// Updates the place of a chunk whose content did not change.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn update_place(c: &mut Conn, stored: &StoredChunk) -> Result<()> {
    let (site, chunk) = (stored.site_id.to_string(), &stored.chunk);
    let id = chunk.id.to_string();
    on!(c, |c| {
        diesel::update(chunks::table.filter(chunks::site_id.eq(&site)).filter(chunks::id.eq(&id)))
            .set((
                chunks::position.eq(stored.position),
                chunks::url.eq(&chunk.url),
                chunks::page_title.eq(&chunk.page_title),
                chunks::language.eq(&chunk.language),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns the site's chunks with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[ChunkId]) -> Result<Vec<StoredChunk>> {
    let (site, ids) = (site.to_string(), columns::texts(ids));
    let rows: Vec<Row> = on!(c, |c| {
        chunks::table
            .filter(chunks::site_id.eq(&site))
            .filter(chunks::id.eq_any(&ids))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(StoredChunk::try_from).collect()
}

/// Returns the chunks of a page, in their order on the page.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of_document(c: &mut Conn, site: SiteId, document: DocumentId) -> Result<Vec<StoredChunk>> {
    let (site, document) = (site.to_string(), document.to_string());
    let rows: Vec<Row> = on!(c, |c| {
        chunks::table
            .filter(chunks::site_id.eq(&site))
            .filter(chunks::document_id.eq(&document))
            .order(chunks::position)
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(StoredChunk::try_from).collect()
}

/// Returns one page of the list of a page's entries or passages, in their order on the page. The key
/// is the position.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of_document_part(
    c: &mut Conn,
    site: SiteId,
    document: DocumentId,
    kind: ChunkKind,
    part: PageRequest<i32>,
) -> Result<Vec<StoredChunk>> {
    let (site, document) = (site.to_string(), document.to_string());
    let rows: Vec<Row> = on!(c, |c| {
        let of_kind = chunks::table
            .filter(chunks::site_id.eq(&site))
            .filter(chunks::document_id.eq(&document))
            .filter(chunks::kind.eq(kind.as_str()))
            .limit(part.limit)
            .select(Row::as_select());
        if part.is_backward {
            let before = part.from.unwrap_or(i32::MAX);
            of_kind.filter(chunks::position.lt(before)).order(chunks::position.desc()).load(c).await
        } else {
            let after = part.from.unwrap_or(-1);
            of_kind.filter(chunks::position.gt(after)).order(chunks::position.asc()).load(c).await
        }
    })?;
    rows.into_iter().map(StoredChunk::try_from).collect()
}

/// Returns the number of entries or passages of a page.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count_of_document(c: &mut Conn, site: SiteId, document: DocumentId, kind: ChunkKind) -> Result<i64> {
    let (site, document) = (site.to_string(), document.to_string());
    Ok(on!(c, |c| {
        chunks::table
            .filter(chunks::site_id.eq(&site))
            .filter(chunks::document_id.eq(&document))
            .filter(chunks::kind.eq(kind.as_str()))
            .count()
            .get_result(c)
            .await
    })?)
}

/// Returns up to `limit` chunks of the site with IDs above `after`, ordered by ID. An index is read
/// in such pages.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of_site(c: &mut Conn, site: SiteId, after: Option<ChunkId>, limit: i64) -> Result<Vec<StoredChunk>> {
    let site = site.to_string();
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows: Vec<Row> = on!(c, |c| {
        chunks::table
            .filter(chunks::site_id.eq(&site))
            .filter(chunks::id.gt(&after))
            .order(chunks::id)
            .limit(limit)
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(StoredChunk::try_from).collect()
}

/// Deletes chunks.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, ids: &[ChunkId]) -> Result<()> {
    let (site, ids) = (site.to_string(), columns::texts(ids));
    on!(c, |c| {
        diesel::delete(chunks::table.filter(chunks::site_id.eq(&site)).filter(chunks::id.eq_any(&ids))).execute(c).await
    })?;
    Ok(())
}

/// The entries of a site that meet the conditions of a filter, for the list and for its count.
macro_rules! filtered {
    ($backend:ty, $site:expr, $filter:expr) => {{
        let filter: &EntryFilter = $filter;
        let mut rows = chunks::table
            .filter(chunks::site_id.eq($site.to_string()))
            .filter(chunks::question.is_not_null())
            .into_boxed::<$backend>();
        if let Some(words) = &filter.words {
            let pattern = columns::containing(&words.to_lowercase());
            rows = rows.filter(
                lower(chunks::question.assume_not_null())
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(chunks::body).like(pattern).escape('\\')),
            );
        }
        if let Some(source) = filter.source {
            rows = rows.filter(chunks::source_id.eq(source.to_string()));
        }
        rows
    }};
}

/// Returns one page of the site's entries that meet the conditions, ordered by ID. Words are found in any
/// case (SQLite folds only ASCII letters).
///
/// # Errors
/// Returns an error when the query fails.
pub async fn entries(
    c: &mut Conn,
    site: SiteId,
    filter: &EntryFilter,
    page: PageRequest<ChunkId>,
) -> Result<Vec<StoredChunk>> {
    let rows: Vec<Row> = on!(c, <B> |c| load_page!(c, filtered!(B, site, filter), chunks::id, page))?;
    rows.into_iter().map(StoredChunk::try_from).collect()
}

/// Returns the number of chunks of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId) -> Result<i64> {
    let site = site.to_string();
    Ok(on!(c, |c| chunks::table.filter(chunks::site_id.eq(&site)).count().get_result(c).await)?)
}

/// Returns the number of entries that [`entries`] lists.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn entry_count(c: &mut Conn, site: SiteId, filter: &EntryFilter) -> Result<i64> {
    Ok(on!(c, <B> |c| filtered!(B, site, filter).count().get_result(c).await)?)
}

/// Updates the content of a chunk and its hash. Returns false when the site has no such chunk.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn update_words(c: &mut Conn, stored: &StoredChunk) -> Result<bool> {
    let (site, chunk) = (stored.site_id.to_string(), &stored.chunk);
    let id = chunk.id.to_string();
    let count = on!(c, |c| {
        diesel::update(chunks::table.filter(chunks::site_id.eq(&site)).filter(chunks::id.eq(&id)))
            .set((
                chunks::question.eq(&chunk.question),
                chunks::heading.eq(columns::to_json(&chunk.heading)),
                chunks::body.eq(&chunk.text),
                chunks::url.eq(&chunk.url),
                chunks::phrasings.eq(columns::to_json(&chunk.phrasings)),
                chunks::content_hash.eq(&stored.content_hash),
            ))
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}
