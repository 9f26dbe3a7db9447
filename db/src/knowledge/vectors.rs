//! Vectors of embedding models that are not built in, beside the chunks that they are of. What is
//! in them is the engine's.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::ids::{ChunkId, SiteId};

use crate::columns;
use crate::connection::Conn;
use crate::connection::conn::on;
use crate::error::{Error, Result};
use crate::schema::chunk_vectors as vectors;

/// The vectors of a chunk by one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkVectors {
    /// Of which chunk.
    pub chunk_id: ChunkId,
    /// Tells whether the chunk still says what was embedded.
    pub text_hash: String,
    /// In the engine's form.
    pub vector: Vec<u8>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = vectors)]
struct Row {
    chunk_id: String,
    text_hash: String,
    vector: Vec<u8>,
}

impl TryFrom<Row> for ChunkVectors {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self { chunk_id: columns::parse(&row.chunk_id)?, text_hash: row.text_hash, vector: row.vector })
    }
}

/// Stores the vectors of a chunk by `model`, in place of those that it had; false, and nothing
/// stored, when the chunk has gone.
///
/// # Errors
/// Only the database's own.
pub async fn put(c: &mut Conn, site: SiteId, model: &str, new: &ChunkVectors) -> Result<bool> {
    if super::chunks::by_ids(c, site, &[new.chunk_id]).await?.is_empty() {
        return Ok(false);
    }
    let (site, chunk) = (site.to_string(), new.chunk_id.to_string());
    on!(c, |c| {
        diesel::insert_into(vectors::table)
            .values((
                vectors::site_id.eq(&site),
                vectors::chunk_id.eq(&chunk),
                vectors::model.eq(model),
                vectors::text_hash.eq(&new.text_hash),
                vectors::vector.eq(&new.vector),
            ))
            .on_conflict((vectors::site_id, vectors::model, vectors::chunk_id))
            .do_update()
            .set((vectors::text_hash.eq(&new.text_hash), vectors::vector.eq(&new.vector)))
            .execute(c)
            .await
    })?;
    Ok(true)
}

/// The site's vectors by `model`, by chunk after `after`, at most `limit`.
///
/// # Errors
/// Only the database's own.
pub async fn of_site(
    c: &mut Conn,
    site: SiteId,
    model: &str,
    after: Option<ChunkId>,
    limit: i64,
) -> Result<Vec<ChunkVectors>> {
    let site = site.to_string();
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows: Vec<Row> = on!(c, |c| {
        vectors::table
            .filter(vectors::site_id.eq(&site))
            .filter(vectors::model.eq(model))
            .filter(vectors::chunk_id.gt(&after))
            .order(vectors::chunk_id)
            .limit(limit)
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(ChunkVectors::try_from).collect()
}

/// The models of which the site has vectors, by name, with how many chunks each has.
///
/// # Errors
/// Only the database's own.
pub async fn models(c: &mut Conn, site: SiteId) -> Result<Vec<(String, i64)>> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        vectors::table
            .filter(vectors::site_id.eq(&site))
            .group_by(vectors::model)
            .order(vectors::model)
            .select((vectors::model, count_star()))
            .load(c)
            .await
    })?)
}

/// Deletes the site's vectors by all models but `model`; gives how many.
///
/// # Errors
/// Only the database's own.
pub async fn keep_only(c: &mut Conn, site: SiteId, model: &str) -> Result<usize> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        diesel::delete(vectors::table.filter(vectors::site_id.eq(&site)).filter(vectors::model.ne(model)))
            .execute(c)
            .await
    })?)
}
