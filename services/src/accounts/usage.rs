//! Credits: each question costs one, and a site has a number of them per month (UTC).

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;

use crate::{Error, Result, Services, boxed};
use helpbot_domain::site::Site;

/// Credits of a site in the current month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthlyCredits {
    /// Credits used so far.
    pub used: i64,
    /// Credits per month.
    pub limit: i64,
    /// Time at which the next month begins and the count restarts.
    pub reset_at: Timestamp,
}

impl MonthlyCredits {
    /// Number of credits left, at least 0.
    pub const fn remaining(&self) -> i64 {
        if self.used < self.limit { self.limit - self.used } else { 0 }
    }
}

/// Returns the credits of the site.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn credits(services: &Services, site: &Site) -> Result<MonthlyCredits> {
    let month = services.now().month();
    let used = db::usage::used(&mut services.db.reader().await?, site.id, month).await?;
    Ok(MonthlyCredits { used, limit: site.credit_limit, reset_at: month.end() })
}

/// Checks that a credit is left.
///
/// # Errors
/// `CreditsExhausted`; errors of the database.
pub(crate) async fn require_one(services: &Services, site: &Site) -> Result<()> {
    match credits(services, site).await?.remaining() {
        0 => Err(exhausted(services.now())),
        _ => Ok(()),
    }
}

/// Returns the error for a question that is refused because no credits are left.
pub(crate) fn exhausted(now: Timestamp) -> Error {
    let left_ms = now.month().end().as_ms() - now.as_ms();
    Error::CreditsExhausted { retry_after: Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)) }
}

/// How long a credit is held while a model server writes an answer. An answer may take 30 seconds,
/// so only the hold of a crashed process reaches this limit.
const HOLD_FOR: Duration = Duration::from_secs(120);

/// Holds one credit.
///
/// # Errors
/// `CreditsExhausted`; errors of the database.
pub(crate) async fn hold(services: &Services, site: SiteId, limit: i64) -> Result<db::usage::Hold> {
    let now = services.now();
    let id = crate::runtime::randomness::uuid(now).to_string();
    let hold = db::usage::Hold { site_id: site, id, month: now.month(), expires_at: now.plus(HOLD_FOR) };
    let kept = hold.clone();
    let held = services
        .db
        .write(move |c| Box::pin(async move { Ok::<_, Error>(db::usage::hold(c, &hold, limit, now).await?) }));
    // A hold is not an effect of the question: a question that fails afterwards may be sent again.
    let is_held = db::idempotency::apart(held).await?;
    if is_held { Ok(kept) } else { Err(exhausted(now)) }
}

/// Returns a held credit.
///
/// # Errors
/// Only errors of the database. The hold then ends by itself.
pub(crate) async fn release(services: &Services, hold: db::usage::Hold) -> Result<()> {
    let released = services.db.write(move |c| Box::pin(async move { Ok(db::usage::release(c, &hold).await?) }));
    db::idempotency::apart(released).await
}
