//! Turns of nodes at the hosts that they read: a node takes the turn of a host for one request, and returns it with the
//! pause that the host is due. A turn that is not returned ends with its lease.

use diesel::prelude::*;
use helpbot_domain::Timestamp;

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::crawl_turns as turns;

/// Stands for no node. No node has this name.
const NOBODY: &str = "";

/// Takes the turn of `host` until `until` for the node `holder`, which may have it already. Returns `None` when the node
/// has it now, and otherwise the time at which it is worth trying again at the latest.
///
/// A node that does not get the turn comes next, unless another one does already. It loses that place when it does not try
/// again before `next_until`.
///
/// A stored time after `latest` is not believed: it was written before the clock was set back, or by a node whose clock is wrong.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn take(
    c: &mut Conn,
    host: &str,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
    next_until: Timestamp,
    latest: Timestamp,
) -> Result<Option<Timestamp>> {
    let new = (
        turns::host.eq(host),
        turns::holder.eq(holder),
        turns::free_at_ms.eq(until.as_ms()),
        turns::next_holder.eq(NOBODY),
        turns::next_until_ms.eq(0),
    );
    let taken = on!(c, |c| diesel::insert_into(turns::table).values(new).on_conflict_do_nothing().execute(c).await)?;
    if taken == 1 {
        return Ok(None);
    }
    let of_host = turns::table.filter(turns::host.eq(host));
    let has_it = of_host.filter(turns::holder.eq(holder));
    let kept = (turns::holder.eq(holder), turns::free_at_ms.eq(until.as_ms()));
    if on!(c, |c| diesel::update(has_it).set(kept).execute(c).await)? == 1 {
        return Ok(None);
    }
    let is_open = turns::next_holder
        .eq(NOBODY)
        .or(turns::next_holder.eq(holder))
        .or(turns::next_until_ms.le(now.as_ms()))
        .or(turns::next_until_ms.gt(latest.as_ms()));
    let is_free = turns::free_at_ms.le(now.as_ms()).or(turns::free_at_ms.gt(latest.as_ms()));
    let free = of_host.filter(is_free).filter(is_open);
    let taken = (kept, turns::next_holder.eq(NOBODY), turns::next_until_ms.eq(0));
    if on!(c, |c| diesel::update(free).set(taken).execute(c).await)? == 1 {
        return Ok(None);
    }
    let next = (turns::next_holder.eq(holder), turns::next_until_ms.eq(next_until.as_ms()));
    on!(c, |c| diesel::update(of_host.filter(is_open)).set(next).execute(c).await)?;
    let row: Option<(i64, i64)> =
        on!(c, |c| of_host.select((turns::free_at_ms, turns::next_until_ms)).get_result(c).await.optional())?;
    // The row may have been deleted in between; the next try inserts it. A turn that is free is kept for the node that
    // comes next.
    Ok(Some(row.map_or(now, |(free_at, kept_until)| {
        Timestamp::from_ms(if free_at > now.as_ms() { free_at } else { kept_until })
    })))
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
            .set((turns::free_at_ms.eq(free_at.as_ms()), turns::holder.eq(NOBODY)))
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
