//! Sessions: which session IDs of a site are in use, and which token proves each of them.
//!
//! The services begin a session in the transaction that stores its first question. The primary key
//! decides which of several concurrent first questions begins it.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use uuid::Uuid;

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{ForUpdate, locked};
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
