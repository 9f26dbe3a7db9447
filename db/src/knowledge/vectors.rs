//! Embeddings of external models for chunks. Only the engine interprets their content.

use diesel::dsl::count_star;
use diesel::prelude::*;
use helpbot_domain::ids::{ChunkId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::chunk_vectors as vectors;

/// The embeddings of a chunk by one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkVectors {
    /// Chunk that was embedded.
    pub chunk_id: ChunkId,
    /// Hash of the embedded text, which tells whether the chunk has changed since.
    pub text_hash: String,
    /// Embeddings in the binary format of the engine.
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

/// Stores the embeddings of a chunk by `model`, replacing earlier ones. Returns false and stores
/// nothing when the chunk does not exist.
///
/// # Errors
/// Returns an error when the query fails.
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

/// Returns up to `limit` embeddings of the site by `model`, for chunks with IDs above `after`,
/// ordered by chunk.
///
/// # Errors
/// Returns an error when the query fails.
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

/// Returns the models of which the site has embeddings, ordered by name, with the number of chunks
/// of each.
///
/// # Errors
/// Returns an error when the query fails.
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

/// Deletes the site's embeddings of all models except `model`, and returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn keep_only(c: &mut Conn, site: SiteId, model: &str) -> Result<usize> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        diesel::delete(vectors::table.filter(vectors::site_id.eq(&site)).filter(vectors::model.ne(model)))
            .execute(c)
            .await
    })?)
}
