//! Links that are mailed to members, and the requests for them. The links themselves are not stored.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{MemberId, SiteId};
use helpbot_domain::sign_in::{SignInLink, SignInRequest};
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{ForUpdate, locked};
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::{delete_oldest, load_one};
use crate::schema::{sign_in_links as links, sign_in_requests as requests};

#[derive(Queryable, Selectable)]
#[diesel(table_name = links)]
struct Row {
    site_id: String,
    id: String,
    member_id: String,
    mailbox_key: String,
    browser_hash: Option<String>,
    created_at_ms: i64,
    used_at_ms: Option<i64>,
}

impl TryFrom<Row> for SignInLink {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(SignInLink {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            member_id: columns::parse(&row.member_id)?,
            mailbox_key: row.mailbox_key,
            browser_hash: row.browser_hash,
            created_at: Timestamp::from_ms(row.created_at_ms),
            used_at: columns::ms(row.used_at_ms),
        })
    }
}

/// Stores a link.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, new: &SignInLink) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(links::table)
            .values((
                links::site_id.eq(new.site_id.to_string()),
                links::id.eq(new.id.to_string()),
                links::member_id.eq(new.member_id.to_string()),
                links::mailbox_key.eq(&new.mailbox_key),
                links::browser_hash.eq(&new.browser_hash),
                links::created_at_ms.eq(new.created_at.as_ms()),
                links::used_at_ms.eq(new.used_at.map(Timestamp::as_ms)),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns a link of the site, locked against other writers until the transaction ends.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id_locked(c: &mut Conn, site: SiteId, id: Uuid) -> Result<Option<SignInLink>> {
    let (site, id) = (site.to_string(), id.to_string());
    let row: Option<Row> = on!(c, |c| {
        let found = links::table.filter(links::site_id.eq(&site)).filter(links::id.eq(&id)).select(Row::as_select());
        locked(ForUpdate, found).get_result(c).await.optional()
    })?;
    row.map(SignInLink::try_from).transpose()
}

/// Returns a link of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: Uuid) -> Result<Option<SignInLink>> {
    let (site, id) = (site.to_string(), id.to_string());
    load_one!(c, SignInLink, links::table.filter(links::site_id.eq(&site)).filter(links::id.eq(&id)))
}

/// Marks a link as used.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn mark_used(c: &mut Conn, site: SiteId, id: Uuid, now: Timestamp) -> Result<()> {
    let (site, id) = (site.to_string(), id.to_string());
    on!(c, |c| {
        diesel::update(links::table.filter(links::site_id.eq(&site)).filter(links::id.eq(&id)))
            .set(links::used_at_ms.eq(now.as_ms()))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Marks all links of a member that were not used as used, so that none of them signs in anymore.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn end_of_member(c: &mut Conn, site: SiteId, member: MemberId, now: Timestamp) -> Result<()> {
    let (site, member) = (site.to_string(), member.to_string());
    on!(c, |c| {
        diesel::update(
            links::table
                .filter(links::site_id.eq(&site))
                .filter(links::member_id.eq(&member))
                .filter(links::used_at_ms.is_null()),
        )
        .set(links::used_at_ms.eq(now.as_ms()))
        .execute(c)
        .await
    })?;
    Ok(())
}

/// Returns the keyed hash of the mailbox of each link of the site that was created after a time.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn mailboxes_since(c: &mut Conn, site: SiteId, after: Timestamp) -> Result<Vec<String>> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        links::table
            .filter(links::site_id.eq(&site))
            .filter(links::created_at_ms.gt(after.as_ms()))
            .select(links::mailbox_key)
            .load(c)
            .await
    })?)
}

/// Deletes about `limit` links of all sites that were created before `before`, oldest first, and returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_before(c: &mut Conn, before: Timestamp, limit: i64) -> Result<usize> {
    Ok(delete_oldest!(c, links, before, limit))
}

/// Stores a request.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert_request(c: &mut Conn, new: &SignInRequest) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(requests::table)
            .values((
                requests::id.eq(new.id.to_string()),
                requests::mailbox_key.eq(&new.mailbox_key),
                requests::address_key.eq(&new.address_key),
                requests::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns the number of requests after a time for the mailbox of a request, and from its client address.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count_requests(c: &mut Conn, of: &SignInRequest, after: Timestamp) -> Result<(i64, i64)> {
    let mailbox = on!(c, |c| {
        requests::table
            .filter(requests::mailbox_key.eq(&of.mailbox_key))
            .filter(requests::created_at_ms.gt(after.as_ms()))
            .count()
            .get_result(c)
            .await
    })?;
    let Some(address) = &of.address_key else { return Ok((mailbox, 0)) };
    let from_address = on!(c, |c| {
        requests::table
            .filter(requests::address_key.eq(address))
            .filter(requests::created_at_ms.gt(after.as_ms()))
            .count()
            .get_result(c)
            .await
    })?;
    Ok((mailbox, from_address))
}

/// Deletes about `limit` requests that were made before `before`, oldest first, and returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_requests_before(c: &mut Conn, before: Timestamp, limit: i64) -> Result<usize> {
    Ok(delete_oldest!(c, requests, before, limit))
}
