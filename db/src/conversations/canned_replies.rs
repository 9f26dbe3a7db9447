//! Canned replies of a site.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{CannedReplyId, SiteId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::triage::CannedReply;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::{load_by_ids, load_one, load_page};
use crate::schema::canned_replies as replies;

#[derive(Queryable, Selectable)]
#[diesel(table_name = replies)]
struct Row {
    site_id: String,
    id: String,
    name: String,
    body: String,
    created_at_ms: i64,
    updated_at_ms: i64,
}

impl TryFrom<Row> for CannedReply {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(CannedReply {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            name: row.name,
            text: row.body,
            created_at: Timestamp::from_ms(row.created_at_ms),
            updated_at: Timestamp::from_ms(row.updated_at_ms),
        })
    }
}

/// Stores a reply.
///
/// # Errors
/// `Conflict` when the ID or the name is taken.
pub async fn insert(c: &mut Conn, new: &CannedReply) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(replies::table)
            .values((
                replies::site_id.eq(new.site_id.to_string()),
                replies::id.eq(new.id.to_string()),
                replies::name.eq(&new.name),
                replies::body.eq(&new.text),
                replies::created_at_ms.eq(new.created_at.as_ms()),
                replies::updated_at_ms.eq(new.updated_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Changes the name and the text of a reply. Returns false when the site has no such reply.
///
/// # Errors
/// `Conflict` when the name is taken.
pub async fn update(c: &mut Conn, changed: &CannedReply) -> Result<bool> {
    let (site, id) = (changed.site_id.to_string(), changed.id.to_string());
    let count = on!(c, |c| {
        let row = replies::table.filter(replies::site_id.eq(&site)).filter(replies::id.eq(&id));
        let values = (
            replies::name.eq(&changed.name),
            replies::body.eq(&changed.text),
            replies::updated_at_ms.eq(changed.updated_at.as_ms()),
        );
        diesel::update(row).set(values).execute(c).await
    })?;
    Ok(count == 1)
}

/// Returns a reply of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: CannedReplyId) -> Result<Option<CannedReply>> {
    let (site, id) = (site.to_string(), id.to_string());
    load_one!(c, CannedReply, replies::table.filter(replies::site_id.eq(&site)).filter(replies::id.eq(&id)))
}

/// Returns the replies of the site with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[CannedReplyId]) -> Result<Vec<CannedReply>> {
    load_by_ids!(c, CannedReply, replies, site, ids)
}

/// Returns one page of the replies of a site, ordered by name.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(c: &mut Conn, site: SiteId, page: PageRequest<String>) -> Result<Vec<CannedReply>> {
    let site = site.to_string();
    let rows: Vec<Row> =
        on!(c, |c| load_page!(c, replies::table.filter(replies::site_id.eq(&site)), replies::name, page))?;
    rows.into_iter().map(CannedReply::try_from).collect()
}

/// Returns the number of replies of a site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId) -> Result<i64> {
    let site = site.to_string();
    Ok(on!(c, |c| replies::table.filter(replies::site_id.eq(&site)).count().get_result(c).await)?)
}

/// Deletes a reply. Returns false when the site has no such reply.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, id: CannedReplyId) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::delete(replies::table.filter(replies::site_id.eq(&site)).filter(replies::id.eq(&id))).execute(c).await
    })?;
    Ok(count == 1)
}
