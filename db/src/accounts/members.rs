//! Members of a site's team.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{MemberId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::lower;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::{members, sites};
use helpbot_domain::member::Member;

#[derive(Queryable, Selectable)]
#[diesel(table_name = members)]
struct Row {
    site_id: String,
    id: String,
    name: String,
    email: String,
    role: String,
    created_at_ms: i64,
    invitation_expires_at_ms: Option<i64>,
}

impl TryFrom<Row> for Member {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Member {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            name: row.name,
            email: row.email,
            role: columns::named(&row.role)?,
            created_at: Timestamp::from_ms(row.created_at_ms),
            invitation_expires_at: columns::ms(row.invitation_expires_at_ms),
        })
    }
}

/// Stores a new member. Returns false when the site already has one with this e-mail address.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn insert(c: &mut Conn, new: &Member) -> Result<bool> {
    let count = on!(c, |c| {
        diesel::insert_into(members::table)
            .values((
                members::site_id.eq(new.site_id.to_string()),
                members::id.eq(new.id.to_string()),
                members::name.eq(&new.name),
                members::email.eq(&new.email),
                members::role.eq(new.role.as_str()),
                members::created_at_ms.eq(new.created_at.as_ms()),
                members::invitation_expires_at_ms.eq(new.invitation_expires_at.map(Timestamp::as_ms)),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Returns the site's members with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[MemberId]) -> Result<Vec<Member>> {
    let (site, ids) = (site.to_string(), columns::texts(ids));
    let rows: Vec<Row> = on!(c, |c| {
        members::table
            .filter(members::site_id.eq(&site))
            .filter(members::id.eq_any(&ids))
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(Member::try_from).collect()
}

/// Returns a member of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: MemberId) -> Result<Option<Member>> {
    Ok(by_ids(c, site, &[id]).await?.pop())
}

/// Returns the site's members, in the order in which they were added.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(c: &mut Conn, site: SiteId) -> Result<Vec<Member>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        members::table.filter(members::site_id.eq(&site)).order(members::id).select(Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(Member::try_from).collect()
}

/// Returns the first `limit` members of all sites who have an e-mail address, in any case. It is a lookup without a
/// site, because a member who signs in by mail names only the address.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_email(c: &mut Conn, email: &str, limit: i64) -> Result<Vec<Member>> {
    let email = email.to_ascii_lowercase();
    let rows: Vec<Row> = on!(c, |c| {
        members::table
            .filter(lower(members::email).eq(&email))
            .filter(members::site_id.eq_any(sites::table.filter(sites::deleted_at_ms.is_null()).select(sites::id)))
            .order((members::site_id, members::id))
            .limit(limit)
            .select(Row::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(Member::try_from).collect()
}

/// Deletes a member. Returns false when the site has no such member.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, id: MemberId) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::delete(members::table.filter(members::site_id.eq(&site)).filter(members::id.eq(&id))).execute(c).await
    })?;
    Ok(count == 1)
}

/// Updates the name, the e-mail address, the role and the invitation of a member.
///
/// # Errors
/// `Conflict` when another member of the site has the address.
pub async fn update(c: &mut Conn, member: &Member) -> Result<()> {
    let (site, id) = (member.site_id.to_string(), member.id.to_string());
    on!(c, |c| {
        diesel::update(members::table.filter(members::site_id.eq(&site)).filter(members::id.eq(&id)))
            .set((
                members::name.eq(&member.name),
                members::email.eq(&member.email),
                members::role.eq(member.role.as_str()),
                members::invitation_expires_at_ms.eq(member.invitation_expires_at.map(Timestamp::as_ms)),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}
