//! Sessions: which session IDs of a site are in use, which token proves each of them, and when its visitor was last
//! seen.
//!
//! The services begin a session in the transaction that stores its first question. The primary key
//! decides which of several concurrent first questions begins it.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
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
