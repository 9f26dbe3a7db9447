//! The sealed secrets that sign the identity tokens of a site.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::contact::IdentitySecret;
use helpbot_domain::ids::{IdentitySecretId, SiteId};
use helpbot_domain::webhook::SealedSecret;

use crate::columns;
use crate::connection::conn::{Conn, on};
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::identity_secrets as secrets;

#[derive(Queryable, Selectable)]
#[diesel(table_name = secrets)]
struct Row {
    site_id: String,
    id: String,
    secret_sealed: Vec<u8>,
    secret_last4: String,
    created_at_ms: i64,
}

impl TryFrom<Row> for IdentitySecret {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(IdentitySecret {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            secret: SealedSecret { bytes: row.secret_sealed, last4: row.secret_last4 },
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Stores a secret.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, new: &IdentitySecret) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(secrets::table)
            .values((
                secrets::site_id.eq(new.site_id.to_string()),
                secrets::id.eq(new.id.to_string()),
                secrets::secret_sealed.eq(&new.secret.bytes),
                secrets::secret_last4.eq(&new.secret.last4),
                secrets::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns the secrets of a site, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(c: &mut Conn, site: SiteId) -> Result<Vec<IdentitySecret>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        secrets::table.filter(secrets::site_id.eq(&site)).order(secrets::id).select(Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(IdentitySecret::try_from).collect()
}

/// Returns up to `limit` secrets of all sites that follow `after`, in the order of sites and IDs.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn after(c: &mut Conn, after: Option<(SiteId, IdentitySecretId)>, limit: i64) -> Result<Vec<IdentitySecret>> {
    let (site, id) = after.map_or_else(Default::default, |(site, id)| (site.to_string(), id.to_string()));
    let rows: Vec<Row> = on!(c, |c| {
        let is_after = secrets::site_id.gt(&site).or(secrets::site_id.eq(&site).and(secrets::id.gt(&id)));
        secrets::table
            .filter(is_after)
            .order((secrets::site_id, secrets::id))
            .select(Row::as_select())
            .limit(limit)
            .load(c)
            .await
    })?;
    rows.into_iter().map(IdentitySecret::try_from).collect()
}

/// Stores a secret that was sealed again. Nothing happens when it was deleted meanwhile.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn reseal(c: &mut Conn, site: SiteId, id: IdentitySecretId, sealed: &SealedSecret) -> Result<()> {
    let (site, id) = (site.to_string(), id.to_string());
    on!(c, |c| {
        diesel::update(secrets::table.filter(secrets::site_id.eq(&site)).filter(secrets::id.eq(&id)))
            .set(secrets::secret_sealed.eq(&sealed.bytes))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Deletes a secret. Returns false when the site has no such secret.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, id: IdentitySecretId) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::delete(secrets::table.filter(secrets::site_id.eq(&site)).filter(secrets::id.eq(&id))).execute(c).await
    })?;
    Ok(count == 1)
}
