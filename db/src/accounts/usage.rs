//! Monthly credits. They are taken one by one and never exceed the limit, even under concurrent
//! requests.

use diesel::prelude::*;
use diesel::upsert::excluded;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use helpbot_domain::time::{Day, Month};

use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::prepared::Fixed;
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::{credit_holds, usage_days, usage_months};

/// Returns the credits used in `month`.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn used(c: &mut Conn, site: SiteId, month: Month) -> Result<i64> {
    let site = site.to_string();
    let used: Option<i64> = on!(c, |c| {
        usage_months::table
            .filter(usage_months::site_id.eq(&site))
            .filter(usage_months::month.eq(month.number()))
            .select(usage_months::used)
            .get_result(c)
            .await
            .optional()
    })?;
    Ok(used.unwrap_or(0))
}

/// Takes one credit unless used and held credits reach `limit`. Returns the number of used credits,
/// including this one, or `None` when none was left. Other requests of the same site wait until the
/// transaction ends, so the count is exact.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn take(c: &mut Conn, site: SiteId, month: Month, limit: i64, now: Timestamp) -> Result<Option<i64>> {
    take_all(c, site, month, Quota { count: 1, limit }, now).await
}

/// A number of credits to take, and the limit of the month.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    /// Credits to take, at least 1.
    pub count: i64,
    /// Credits per month.
    pub limit: i64,
}

/// Takes all credits of `quota`, or none of them. Returns the number of used credits, including these,
/// or `None` when fewer were left. Other requests of the same site wait until the transaction ends, so
/// the count is exact.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn take_all(c: &mut Conn, site: SiteId, month: Month, quota: Quota, now: Timestamp) -> Result<Option<i64>> {
    // The month's row comes first because it is the lock: holds that were counted before could be
    // outdated.
    let used = add(c, site, month, quota.count).await?;
    if used <= quota.limit && used + held(c, site, month, now).await? <= quota.limit {
        return Ok(Some(used));
    }
    add(c, site, month, -quota.count).await?;
    Ok(None)
}

/// Returns how many credits of the month are neither used nor held, at least 0, without a lock.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn left(c: &mut Conn, site: SiteId, month: Month, limit: i64, now: Timestamp) -> Result<i64> {
    Ok((limit - used(c, site, month).await? - held(c, site, month, now).await?).max(0))
}

/// Holds one credit for an answer that takes time. Returns false when none was left.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn hold(c: &mut Conn, hold: &Hold, limit: i64, now: Timestamp) -> Result<bool> {
    // Taking and returning a credit locks the month's row, so that two holds cannot exceed the
    // limit.
    if take(c, hold.site_id, hold.month, limit, now).await?.is_none() {
        return Ok(false);
    }
    add(c, hold.site_id, hold.month, -1).await?;
    let site = hold.site_id.to_string();
    on!(c, |c| {
        diesel::insert_into(credit_holds::table)
            .values((
                credit_holds::site_id.eq(&site),
                credit_holds::id.eq(&hold.id),
                credit_holds::month.eq(hold.month.number()),
                credit_holds::expires_at_ms.eq(hold.expires_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(true)
}

/// A credit that is set aside for an answer in progress.
#[derive(Debug, Clone)]
pub struct Hold {
    /// Site that the credit belongs to.
    pub site_id: SiteId,
    /// Unique ID of the hold.
    pub id: String,
    /// Month whose allowance the credit belongs to.
    pub month: Month,
    /// Time at which the hold expires in case its holder has crashed.
    pub expires_at: Timestamp,
}

/// Ends a hold without using the credit.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn release(c: &mut Conn, hold: &Hold) -> Result<()> {
    let site = hold.site_id.to_string();
    on!(c, |c| {
        diesel::delete(
            credit_holds::table.filter(credit_holds::site_id.eq(&site)).filter(credit_holds::id.eq(&hold.id)),
        )
        .execute(c)
        .await
    })?;
    Ok(())
}

async fn held(c: &mut Conn, site: SiteId, month: Month, now: Timestamp) -> Result<i64> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        credit_holds::table
            .filter(credit_holds::site_id.eq(&site))
            .filter(credit_holds::month.eq(month.number()))
            .filter(credit_holds::expires_at_ms.gt(now.as_ms()))
            .count()
            .get_result(c)
            .await
    })?)
}

/// Counts `more` credits as used and locks the month's row. Returns the new count.
async fn add(c: &mut Conn, site: SiteId, month: Month, more: i64) -> Result<i64> {
    let site = site.to_string();
    let first = (usage_months::site_id.eq(&site), usage_months::month.eq(month.number()), usage_months::used.eq(more));
    Ok(on!(c, |c| {
        let upsert = diesel::insert_into(usage_months::table)
            .values(first)
            .on_conflict((usage_months::site_id, usage_months::month))
            .do_update()
            .set(usage_months::used.eq(usage_months::used + excluded(usage_months::used)))
            .returning(usage_months::used);
        Fixed(upsert).get_result(c).await
    })?)
}

/// Key under which the credits of a whole site are counted, beside those of its client addresses.
const WHOLE_SITE: &str = "";

/// Counts one more credit of a day, of one client address or of the whole site. Returns the new count.
/// Other requests with the same key wait until the transaction ends, so the count is exact.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn add_to_day(c: &mut Conn, site: SiteId, day: Day, address_key: Option<&str>) -> Result<i64> {
    let site = site.to_string();
    let first = (
        usage_days::site_id.eq(&site),
        usage_days::day.eq(day.number()),
        usage_days::address_key.eq(address_key.unwrap_or(WHOLE_SITE)),
        usage_days::used.eq(1_i64),
    );
    Ok(on!(c, |c| {
        let upsert = diesel::insert_into(usage_days::table)
            .values(first)
            .on_conflict((usage_days::site_id, usage_days::day, usage_days::address_key))
            .do_update()
            .set(usage_days::used.eq(usage_days::used + excluded(usage_days::used)))
            .returning(usage_days::used);
        Fixed(upsert).get_result(c).await
    })?)
}

/// Returns the credits of a day that were counted, of one client address or of the whole site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn used_on_day(c: &mut Conn, site: SiteId, day: Day, address_key: Option<&str>) -> Result<i64> {
    let site = site.to_string();
    let used: Option<i64> = on!(c, |c| {
        usage_days::table
            .filter(usage_days::site_id.eq(&site))
            .filter(usage_days::day.eq(day.number()))
            .filter(usage_days::address_key.eq(address_key.unwrap_or(WHOLE_SITE)))
            .select(usage_days::used)
            .get_result(c)
            .await
            .optional()
    })?;
    Ok(used.unwrap_or(0))
}

/// Deletes the counts of days before `day`, of all sites, and returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_days_before(c: &mut Conn, day: Day) -> Result<usize> {
    Ok(on!(c, |c| diesel::delete(usage_days::table.filter(usage_days::day.lt(day.number()))).execute(c).await)?)
}
