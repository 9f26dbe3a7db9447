//! Sessions: which session IDs of a site are in use, and which token proves each of them.
//!
//! The services begin a session in the transaction that stores its first question. The primary key
//! decides which of several concurrent first questions begins it.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::AsyncPgConnection;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::{Backend, Conn, on};
use crate::connection::dialect::{ForUpdate, among, locked};
use crate::connection::prepared::Fixed;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::sessions;

/// Begins a session that does not exist yet. Returns false when it exists.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn begin(c: &mut Conn, site: SiteId, session: &str, token: Uuid, now: Timestamp) -> Result<bool> {
    let (site, token) = (site.to_string(), token.to_string());
    let count = on!(c, |c| {
        diesel::insert_into(sessions::table)
            .values((
                sessions::site_id.eq(&site),
                sessions::session_id.eq(session),
                sessions::token_id.eq(&token),
                sessions::created_at_ms.eq(now.as_ms()),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Begins those of the sessions that do not exist yet, each with the ID of its token, and returns their
/// names. Sort the sessions by name, so that two transactions cannot wait for each other.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn begin_all(c: &mut Conn, site: SiteId, new: &[(&str, Uuid, Timestamp)]) -> Result<Vec<String>> {
    // SQLite has no arrays, and a statement costs it no round trip.
    if let Backend::Pg(handle) = &mut c.backend {
        c.statements.add_one();
        let conn: &mut AsyncPgConnection = &mut *handle;
        let names: Vec<&str> = new.iter().map(|(session, ..)| *session).collect();
        let tokens: Vec<String> = new.iter().map(|(_, token, _)| token.to_string()).collect();
        let times: Vec<i64> = new.iter().map(|(.., now)| now.as_ms()).collect();
        let insert = sql_query(BEGIN_ALL)
            .bind::<Text, _>(site.to_string())
            .bind::<Array<Text>, _>(names)
            .bind::<Array<Text>, _>(tokens)
            .bind::<Array<BigInt>, _>(times);
        let rows: Vec<Name> = Fixed(insert).load(conn).await?;
        return Ok(rows.into_iter().map(|row| row.name).collect());
    }
    let mut begun = Vec::new();
    for (session, token, now) in new {
        if begin(c, site, session, *token, *now).await? {
            begun.push((*session).to_owned());
        }
    }
    Ok(begun)
}

const BEGIN_ALL: &str = "INSERT INTO sessions (site_id, session_id, token_id, created_at_ms) \
    SELECT $1, new.* FROM unnest($2, $3, $4) AS new ON CONFLICT DO NOTHING RETURNING session_id AS name";

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Returns the IDs of the tokens that prove the sessions, and locks the sessions until the transaction
/// ends. Sessions that do not exist are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn tokens_locked(c: &mut Conn, site: SiteId, sessions: &[&str]) -> Result<Vec<(String, Uuid)>> {
    let site = site.to_string();
    let rows: Vec<(String, String)> = on!(c, |c| {
        let found = sessions::table
            .filter(sessions::site_id.eq(&site))
            .filter(among(sessions::session_id, sessions))
            .order(sessions::session_id)
            .select((sessions::session_id, sessions::token_id));
        locked(ForUpdate, found).load(c).await
    })?;
    rows.into_iter().map(|(session, token)| Ok((session, columns::parse(&token)?))).collect()
}

/// Returns whether the token with the ID `token` proves the session.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn is_proved_by(c: &mut Conn, site: SiteId, session: &str, token: Uuid) -> Result<bool> {
    let site = site.to_string();
    let found: Option<String> = on!(c, |c| {
        sessions::table
            .filter(sessions::site_id.eq(&site))
            .filter(sessions::session_id.eq(session))
            .select(sessions::token_id)
            .get_result(c)
            .await
            .optional()
    })?;
    Ok(found.is_some_and(|found| found == token.to_string()))
}

/// Like [`is_proved_by`], and locks the session until the transaction ends, so that it cannot be
/// deleted meanwhile.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn is_proved_by_locked(c: &mut Conn, site: SiteId, session: &str, token: Uuid) -> Result<bool> {
    let site = site.to_string();
    let found: Option<String> = on!(c, |c| {
        let found = sessions::table.filter(sessions::site_id.eq(&site)).filter(sessions::session_id.eq(session));
        locked(ForUpdate, found.select(sessions::token_id)).get_result(c).await.optional()
    })?;
    Ok(found.is_some_and(|found| found == token.to_string()))
}

/// Deletes a session, which ends its token.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, session: &str) -> Result<usize> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        diesel::delete(sessions::table.filter(sessions::site_id.eq(&site)).filter(sessions::session_id.eq(session)))
            .execute(c)
            .await
    })?)
}
