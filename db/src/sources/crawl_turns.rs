//! Turns of nodes at the hosts that they read: a node takes the turn of a host for one request, and returns it with the
//! pause that the host is due. A turn that is not returned ends with its lease.

use diesel::prelude::*;
use helpbot_domain::Timestamp;

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::crawl_turns as turns;

/// Takes the turn of `host` until `until` for the node `holder`, which may have it already. Returns `None` when the node
/// has it now, and otherwise the time at which it becomes free at the latest.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn take(
    c: &mut Conn,
    host: &str,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Timestamp>> {
    let taken = on!(c, |c| {
        diesel::insert_into(turns::table)
            .values((turns::host.eq(host), turns::holder.eq(holder), turns::free_at_ms.eq(until.as_ms())))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    if taken == 1 {
        return Ok(None);
    }
    let taken = on!(c, |c| {
        let free = turns::free_at_ms.le(now.as_ms()).or(turns::holder.eq(holder));
        diesel::update(turns::table.filter(turns::host.eq(host)).filter(free))
            .set((turns::holder.eq(holder), turns::free_at_ms.eq(until.as_ms())))
            .execute(c)
            .await
    })?;
    if taken == 1 {
        return Ok(None);
    }
    let free_at: Option<i64> = on!(c, |c| {
        turns::table.filter(turns::host.eq(host)).select(turns::free_at_ms).get_result(c).await.optional()
    })?;
    // The row may have been deleted in between; the next try inserts it.
    Ok(Some(free_at.map_or(now, Timestamp::from_ms)))
}

/// Keeps the turn of `host` until `until`. Returns false when `holder` has lost or returned it.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn renew(c: &mut Conn, host: &str, holder: &str, until: Timestamp) -> Result<bool> {
    let renewed = on!(c, |c| {
        diesel::update(turns::table.filter(turns::host.eq(host)).filter(turns::holder.eq(holder)))
            .set(turns::free_at_ms.eq(until.as_ms()))
            .execute(c)
            .await
    })?;
    Ok(renewed == 1)
}

/// Returns the turn of `host`, which is free for everyone from `free_at`. Does nothing when `holder` has lost it.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn give_back(c: &mut Conn, host: &str, holder: &str, free_at: Timestamp) -> Result<()> {
    on!(c, |c| {
        diesel::update(turns::table.filter(turns::host.eq(host)).filter(turns::holder.eq(holder)))
            .set((turns::free_at_ms.eq(free_at.as_ms()), turns::holder.eq("")))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Deletes the turns that became free before `before`, and returns their number. There is one for each host that was read
/// lately, so they are few.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_before(c: &mut Conn, before: Timestamp) -> Result<usize> {
    Ok(on!(c, |c| diesel::delete(turns::table.filter(turns::free_at_ms.lt(before.as_ms()))).execute(c).await)?)
}
