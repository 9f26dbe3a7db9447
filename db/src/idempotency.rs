//! Answers kept so that the same request sent twice has one effect.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;

use crate::conn::on;
use crate::schema::idempotent_answers as kept;
use crate::{Conn, Result};

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// SHA-256 of what was asked, lower hex.
    pub request_hash: String,
    /// What was answered; none while the first request still runs.
    pub answer: Option<String>,
    /// When it was first sent.
    pub created_at: Timestamp,
}

/// Reserves a key for a request; when it is taken, gives what is known of the first one.
///
/// # Errors
/// Only the database's own.
pub async fn begin(c: &mut Conn, site: SiteId, key: &str, request_hash: &str, now: Timestamp) -> Result<Option<Kept>> {
    let site = site.to_string();
    let count = on!(c, |c| {
        diesel::insert_into(kept::table)
            .values((
                kept::site_id.eq(&site),
                kept::idempotency_key.eq(key),
                kept::request_hash.eq(request_hash),
                kept::created_at_ms.eq(now.as_ms()),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    if count == 1 {
        return Ok(None);
    }
    let row: Option<(String, Option<String>, i64)> = on!(c, |c| {
        kept::table
            .filter(kept::site_id.eq(&site))
            .filter(kept::idempotency_key.eq(key))
            .select((kept::request_hash, kept::answer, kept::created_at_ms))
            .first(c)
            .await
            .optional()
    })?;
    Ok(row.map(|(request_hash, answer, ms)| Kept { request_hash, answer, created_at: Timestamp::from_ms(ms) }))
}

/// Keeps the answer of a reserved request.
///
/// # Errors
/// Only the database's own.
pub async fn finish(c: &mut Conn, site: SiteId, key: &str, answer: &str) -> Result<()> {
    let site = site.to_string();
    on!(c, |c| {
        diesel::update(kept::table.filter(kept::site_id.eq(&site)).filter(kept::idempotency_key.eq(key)))
            .set(kept::answer.eq(answer))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Frees the key of a request that failed, so that it can be sent again.
///
/// # Errors
/// Only the database's own.
pub async fn forget(c: &mut Conn, site: SiteId, key: &str) -> Result<()> {
    let site = site.to_string();
    on!(c, |c| {
        diesel::delete(kept::table.filter(kept::site_id.eq(&site)).filter(kept::idempotency_key.eq(key)))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Forgets what was first sent before `before`.
///
/// # Errors
/// Only the database's own.
pub async fn delete_before(c: &mut Conn, before: Timestamp) -> Result<usize> {
    Ok(on!(c, |c| diesel::delete(kept::table.filter(kept::created_at_ms.lt(before.as_ms()))).execute(c).await)?)
}
