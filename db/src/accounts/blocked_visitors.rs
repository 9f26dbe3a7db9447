//! Visitors whom the team of a site has blocked.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::blocked_visitor::{BlockKind, BlockedVisitor};
use helpbot_domain::ids::{BlockId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::blocked_visitors as blocked;

#[derive(Queryable, Selectable)]
#[diesel(table_name = blocked)]
struct Row {
    site_id: String,
    id: String,
    kind: String,
    subject: String,
    conversation_id: String,
    note: Option<String>,
    created_at_ms: i64,
}

impl TryFrom<Row> for BlockedVisitor {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(BlockedVisitor {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            kind: columns::named(&row.kind)?,
            subject: row.subject,
            conversation_id: columns::parse(&row.conversation_id)?,
            note: row.note,
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Stores a block. Returns false when the visitor is blocked already.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn insert(c: &mut Conn, new: &BlockedVisitor) -> Result<bool> {
    let count = on!(c, |c| {
        diesel::insert_into(blocked::table)
            .values((
                blocked::site_id.eq(new.site_id.to_string()),
                blocked::id.eq(new.id.to_string()),
                blocked::kind.eq(new.kind.as_str()),
                blocked::subject.eq(&new.subject),
                blocked::conversation_id.eq(new.conversation_id.to_string()),
                blocked::note.eq(&new.note),
                blocked::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Returns all blocks of a site, newest first. `services` limits their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn all(c: &mut Conn, site: SiteId) -> Result<Vec<BlockedVisitor>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        blocked::table
            .filter(blocked::site_id.eq(&site))
            .order((blocked::created_at_ms.desc(), blocked::id.desc()))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(BlockedVisitor::try_from).collect()
}

/// Returns the block of a visitor.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn of(c: &mut Conn, site: SiteId, kind: BlockKind, subject: &str) -> Result<Option<BlockedVisitor>> {
    let site = site.to_string();
    let row: Option<Row> = on!(c, |c| {
        blocked::table
            .filter(blocked::site_id.eq(&site))
            .filter(blocked::kind.eq(kind.as_str()))
            .filter(blocked::subject.eq(subject))
            .select(Row::as_select())
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(BlockedVisitor::try_from).transpose()
}

/// Returns the number of blocks of a site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId) -> Result<i64> {
    let site = site.to_string();
    Ok(on!(c, |c| blocked::table.filter(blocked::site_id.eq(&site)).count().get_result(c).await)?)
}

/// Deletes a block. Returns false when the site has no such block.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, id: BlockId) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::delete(blocked::table.filter(blocked::site_id.eq(&site)).filter(blocked::id.eq(&id))).execute(c).await
    })?;
    Ok(count == 1)
}

/// Deletes the block of a visitor who is recognized by `subject`.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_of(c: &mut Conn, site: SiteId, kind: BlockKind, subject: &str) -> Result<usize> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        diesel::delete(
            blocked::table
                .filter(blocked::site_id.eq(&site))
                .filter(blocked::kind.eq(kind.as_str()))
                .filter(blocked::subject.eq(subject)),
        )
        .execute(c)
        .await
    })?)
}
