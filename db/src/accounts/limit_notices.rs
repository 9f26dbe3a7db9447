//! Limits of a site that were reached: once for each limit and day, so that the owner is notified once.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use helpbot_domain::limit::LimitKind;

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::paging::delete_oldest;
use crate::schema::limit_notices as notices;

/// Records that a limit was reached on the day (UTC) of `now`. Returns false when this was recorded
/// already.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn insert(c: &mut Conn, site: SiteId, kind: LimitKind, now: Timestamp) -> Result<bool> {
    let site = site.to_string();
    let count = on!(c, |c| {
        diesel::insert_into(notices::table)
            .values((
                notices::site_id.eq(&site),
                notices::kind.eq(kind.as_str()),
                notices::day.eq(now.day().number()),
                notices::created_at_ms.eq(now.as_ms()),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Deletes about `limit` notices of all sites that were created before `before`, oldest first, and returns their
/// number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_before(c: &mut Conn, before: Timestamp, limit: i64) -> Result<usize> {
    Ok(delete_oldest!(c, notices, before, limit))
}
