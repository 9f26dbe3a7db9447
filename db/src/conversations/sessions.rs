//! Sessions: which session IDs of a site are in use, which token proves each of them, and when its visitor was last
//! seen.
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
                sessions::last_seen_at_ms.eq(now.as_ms()),
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

const BEGIN_ALL: &str = "INSERT INTO sessions (site_id, session_id, token_id, created_at_ms, last_seen_at_ms) \
    SELECT $1, name, token, ms, ms FROM unnest($2, $3, $4) AS new (name, token, ms) ON CONFLICT DO NOTHING RETURNING session_id AS name";

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

/// Records that the visitor of a session was seen at `now`. Returns whether the token with the ID `token` proves
/// the session; otherwise nothing is recorded. The session is locked until the transaction ends, so that it
/// cannot be deleted meanwhile.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn seen(c: &mut Conn, site: SiteId, session: &str, token: Uuid, now: Timestamp) -> Result<bool> {
    let (site, token, now) = (site.to_string(), token.to_string(), now.as_ms());
    let count = on!(c, |c| {
        let proved = sessions::table
            .filter(sessions::site_id.eq(&site))
            .filter(sessions::session_id.eq(session))
            .filter(sessions::token_id.eq(&token));
        diesel::update(proved).set(sessions::last_seen_at_ms.eq(now)).execute(c).await
    })?;
    Ok(count == 1)
}

/// Records that the visitors of these sessions were seen at `now`. Their proof was checked before.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn seen_all(c: &mut Conn, site: SiteId, sessions: &[&str], now: Timestamp) -> Result<()> {
    let site = site.to_string();
    on!(c, |c| {
        let seen = sessions::table.filter(sessions::site_id.eq(&site)).filter(among(sessions::session_id, sessions));
        diesel::update(seen).set(sessions::last_seen_at_ms.eq(now.as_ms())).execute(c).await
    })?;
    Ok(())
}

/// Returns when the visitor of each of these sessions was last seen, with the token that proves the session.
/// Sessions without a row or without a time are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn last_seen(c: &mut Conn, site: SiteId, sessions: &[String]) -> Result<Vec<(String, Uuid, Timestamp)>> {
    let site = site.to_string();
    let rows: Vec<(String, String, Option<i64>)> = on!(c, |c| {
        sessions::table
            .filter(sessions::site_id.eq(&site))
            .filter(sessions::session_id.eq_any(sessions))
            .filter(sessions::last_seen_at_ms.is_not_null())
            .select((sessions::session_id, sessions::token_id, sessions::last_seen_at_ms))
            .load(c)
            .await
    })?;
    let seen = |(session, token, ms): (String, String, Option<i64>)| {
        Ok((session, columns::parse(&token)?, Timestamp::from_ms(ms.unwrap_or_default())))
    };
    rows.into_iter().map(seen).collect()
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

/// Looks at up to `limit` sessions after `after` in the order of their names. Deletes those whose visitor was last seen before
/// `before` and that have no conversation. Returns the number of deleted sessions, and the name of the last one that was looked at;
/// `None` when there are no more.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_unused(
    c: &mut Conn,
    site: SiteId,
    after: &str,
    before: Timestamp,
    limit: i64,
) -> Result<(usize, Option<String>)> {
    let site_text = site.to_string();
    let rows: Vec<(String, i64, Option<i64>)> = on!(c, |c| {
        sessions::table
            .filter(sessions::site_id.eq(&site_text))
            .filter(sessions::session_id.gt(after))
            .order(sessions::session_id)
            .limit(limit)
            .select((sessions::session_id, sessions::created_at_ms, sessions::last_seen_at_ms))
            .load(c)
            .await
    })?;
    let last = rows.last().map(|(session, ..)| session.clone());
    let is_old = |begun: i64, seen: Option<i64>| seen.unwrap_or(begun).max(begun) < before.as_ms();
    let old: Vec<&str> =
        rows.iter().filter(|(_, begun, seen)| is_old(*begun, *seen)).map(|(session, ..)| session.as_str()).collect();
    if old.is_empty() {
        return Ok((0, last));
    }
    let used = super::sessions_in_use(c, site, &old).await?;
    let unused: Vec<&str> = old.into_iter().filter(|session| !used.iter().any(|name| name == session)).collect();
    let deleted = on!(c, |c| {
        diesel::delete(
            sessions::table.filter(sessions::site_id.eq(&site_text)).filter(sessions::session_id.eq_any(unused)),
        )
        .execute(c)
        .await
    })?;
    Ok((deleted, last))
}

/// Returns when a session began and when its visitor was last seen. `None` when the session does not exist.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn times(c: &mut Conn, site: SiteId, session: &str) -> Result<Option<(Timestamp, Option<Timestamp>)>> {
    let site = site.to_string();
    let found: Option<(i64, Option<i64>)> = on!(c, |c| {
        sessions::table
            .filter(sessions::site_id.eq(&site))
            .filter(sessions::session_id.eq(session))
            .select((sessions::created_at_ms, sessions::last_seen_at_ms))
            .get_result(c)
            .await
            .optional()
    })?;
    Ok(found.map(|(begun, seen)| (Timestamp::from_ms(begun), columns::ms(seen))))
}
