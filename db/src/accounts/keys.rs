//! API keys. Only their hashes are stored.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{KeyId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::schema::keys;
use helpbot_domain::key::{Key, KeyKind};

#[derive(Queryable, Selectable)]
#[diesel(table_name = keys)]
struct Row {
    id: String,
    site_id: Option<String>,
    kind: String,
    name: String,
    hash: String,
    last4: String,
    scopes: String,
    origins: String,
    member_id: Option<String>,
    expires_at_ms: Option<i64>,
    revoked_at_ms: Option<i64>,
    last_used_at_ms: Option<i64>,
    created_at_ms: i64,
}

impl TryFrom<Row> for Key {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Key {
            id: columns::parse(&row.id)?,
            site_id: columns::parse_opt(row.site_id.as_deref())?,
            kind: columns::named(&row.kind)?,
            name: row.name,
            hash: row.hash,
            last4: row.last4,
            scopes: columns::json(&row.scopes)?,
            origins: columns::json(&row.origins)?,
            member_id: columns::parse_opt(row.member_id.as_deref())?,
            expires_at: columns::ms(row.expires_at_ms),
            revoked_at: columns::ms(row.revoked_at_ms),
            last_used_at: columns::ms(row.last_used_at_ms),
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Stores a new key.
///
/// # Errors
/// `Conflict` when its hash is taken.
pub async fn insert(c: &mut Conn, key: &Key) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(keys::table)
            .values((
                keys::id.eq(key.id.to_string()),
                keys::site_id.eq(key.site_id.map(|id| id.to_string())),
                keys::kind.eq(key.kind.as_str()),
                keys::name.eq(&key.name),
                keys::hash.eq(&key.hash),
                keys::last4.eq(&key.last4),
                keys::scopes.eq(columns::to_json(&key.scopes)),
                keys::origins.eq(columns::to_json(&key.origins)),
                keys::member_id.eq(key.member_id.map(|id| id.to_string())),
                keys::expires_at_ms.eq(key.expires_at.map(Timestamp::as_ms)),
                keys::created_at_ms.eq(key.created_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns the key with this hash, even when it is revoked or expired. It is the only lookup
/// without a site, because it determines the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_hash(c: &mut Conn, hash: &str) -> Result<Option<Key>> {
    let row: Option<Row> =
        on!(c, |c| keys::table.filter(keys::hash.eq(hash)).select(Row::as_select()).get_result(c).await.optional())?;
    row.map(Key::try_from).transpose()
}

/// Returns all keys of a site, oldest first, including revoked ones.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(c: &mut Conn, site: SiteId) -> Result<Vec<Key>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| {
        keys::table.filter(keys::site_id.eq(&site)).order(keys::id).select(Row::as_select()).load(c).await
    })?;
    rows.into_iter().map(Key::try_from).collect()
}

/// Revokes a key and returns it. A key that is already revoked keeps its time. `None` when the site
/// has no such key.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn revoke(c: &mut Conn, site: SiteId, id: KeyId, now: Timestamp) -> Result<Option<Key>> {
    let (site, id) = (site.to_string(), id.to_string());
    on!(c, |c| {
        diesel::update(
            keys::table.filter(keys::site_id.eq(&site)).filter(keys::id.eq(&id)).filter(keys::revoked_at_ms.is_null()),
        )
        .set(keys::revoked_at_ms.eq(now.as_ms()))
        .execute(c)
        .await
    })?;
    let row: Option<Row> = on!(c, |c| {
        keys::table
            .filter(keys::site_id.eq(&site))
            .filter(keys::id.eq(&id))
            .select(Row::as_select())
            .get_result(c)
            .await
            .optional()
    })?;
    row.map(Key::try_from).transpose()
}

/// Records that a key was used.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn touch(c: &mut Conn, id: KeyId, now: Timestamp) -> Result<()> {
    let id = id.to_string();
    on!(c, |c| {
        diesel::update(keys::table.filter(keys::id.eq(&id))).set(keys::last_used_at_ms.eq(now.as_ms())).execute(c).await
    })?;
    Ok(())
}

/// Updates the name, the scopes, the origins and the expiry of a key.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn update(c: &mut Conn, key: &Key) -> Result<()> {
    let id = key.id.to_string();
    on!(c, |c| {
        diesel::update(keys::table.filter(keys::id.eq(&id)))
            .set((
                keys::name.eq(&key.name),
                keys::scopes.eq(columns::to_json(&key.scopes)),
                keys::origins.eq(columns::to_json(&key.origins)),
                keys::expires_at_ms.eq(key.expires_at.map(Timestamp::as_ms)),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Deletes about `limit` keys of sign-ins of all sites that expired before `before`, and returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_sign_ins_before(c: &mut Conn, before: Timestamp, limit: i64) -> Result<usize> {
    let expired: Vec<String> = on!(c, |c| {
        keys::table
            .filter(keys::kind.eq(KeyKind::SignIn.as_str()))
            .filter(keys::expires_at_ms.lt(before.as_ms()))
            .order(keys::id)
            .limit(limit)
            .select(keys::id)
            .load(c)
            .await
    })?;
    Ok(on!(c, |c| diesel::delete(keys::table.filter(keys::id.eq_any(&expired))).execute(c).await)?)
}
