//! The installation: the fingerprint of its secret key, who creates the first site, and the clock of
//! its database.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel_async::AsyncPgConnection;
use helpbot_domain::Timestamp;

use crate::connection::conn::{Backend, Conn, on};
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::installation;

/// Key of the only row.
const ROW: i32 = 1;

/// Returns the fingerprint of the secret key. `None` when no server has started yet.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn key_fingerprint(c: &mut Conn) -> Result<Option<String>> {
    let found: Option<Option<String>> = on!(c, |c| {
        installation::table
            .filter(installation::id.eq(ROW))
            .select(installation::key_fingerprint)
            .get_result(c)
            .await
            .optional()
    })?;
    Ok(found.flatten())
}

/// Stores the fingerprint of the secret key if there is none.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn set_key_fingerprint(c: &mut Conn, fingerprint: &str) -> Result<()> {
    on!(c, |c| {
        let row = installation::table.filter(installation::id.eq(ROW));
        diesel::update(row.filter(installation::key_fingerprint.is_null()))
            .set(installation::key_fingerprint.eq(fingerprint))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns the sealed key with which client addresses and mailboxes are hashed. `None` while that is the secret key.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn hash_key(c: &mut Conn) -> Result<Option<Vec<u8>>> {
    let found: Option<Option<Vec<u8>>> = on!(c, |c| {
        let row = installation::table.filter(installation::id.eq(ROW));
        row.select(installation::hash_key_sealed).get_result(c).await.optional()
    })?;
    Ok(found.flatten())
}

/// Replaces the fingerprint `old` by that of the new secret key, and the sealed key for hashes. Returns false when
/// the stored fingerprint is another one.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn rotate(c: &mut Conn, old: &str, new: &str, hash_key_sealed: &[u8]) -> Result<bool> {
    let count = on!(c, |c| {
        let row = installation::table.filter(installation::id.eq(ROW));
        diesel::update(row.filter(installation::key_fingerprint.eq(old)))
            .set((installation::key_fingerprint.eq(Some(new)), installation::hash_key_sealed.eq(Some(hash_key_sealed))))
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Reserves the first start for `owner` until `until`. Returns false while another node has it.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn claim_first_start(c: &mut Conn, owner: &str, now: Timestamp, until: Timestamp) -> Result<bool> {
    let count = on!(c, |c| {
        let row = installation::table.filter(installation::id.eq(ROW));
        let is_free =
            installation::first_start_until_ms.is_null().or(installation::first_start_until_ms.lt(now.as_ms()));
        diesel::update(row.filter(is_free))
            .set((installation::first_start_owner.eq(owner), installation::first_start_until_ms.eq(until.as_ms())))
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Ends the reservation of `owner`.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn end_first_start(c: &mut Conn, owner: &str) -> Result<()> {
    on!(c, |c| {
        diesel::update(installation::table.filter(installation::first_start_owner.eq(owner)))
            .set((
                installation::first_start_owner.eq(None::<String>),
                installation::first_start_until_ms.eq(None::<i64>),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

#[derive(QueryableByName)]
struct Now {
    #[diesel(sql_type = BigInt)]
    now_ms: i64,
}

/// Returns the time of the database server. `None` on SQLite, whose clock is that of this machine.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn clock(c: &mut Conn) -> Result<Option<Timestamp>> {
    let Backend::Pg(handle) = &mut c.backend else { return Ok(None) };
    c.statements.add_one();
    let conn: &mut AsyncPgConnection = &mut *handle;
    let query = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms";
    let now: Now = sql_query(query).get_result(conn).await?;
    Ok(Some(Timestamp::from_ms(now.now_ms)))
}
