//! Credits: each question costs one, a month (UTC) has so many.

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;

use crate::{Error, Result, Services, Site, boxed};

/// A site's credits of the present month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credits {
    /// Used so far.
    pub used: i64,
    /// Of so many.
    pub limit: i64,
    /// When the count starts anew.
    pub reset_at: Timestamp,
}

impl Credits {
    /// What is left; never below 0.
    pub const fn remaining(&self) -> i64 {
        if self.used < self.limit { self.limit - self.used } else { 0 }
    }
}

/// The site's credits now.
///
/// # Errors
/// Only the database's own.
#[boxed]
pub async fn credits(services: &Services, site: &Site) -> Result<Credits> {
    let month = services.now().month();
    let used = db::usage::used(&mut services.db.reader().await?, site.id, month).await?;
    Ok(Credits { used, limit: site.credit_limit, reset_at: month.end() })
}

/// That a credit is left.
///
/// # Errors
/// `CreditsExhausted`; the database's own.
pub(crate) async fn require_one(services: &Services, site: &Site) -> Result<()> {
    match credits(services, site).await?.remaining() {
        0 => Err(exhausted(services.now())),
        _ => Ok(()),
    }
}

/// Why a question was refused when a month's credits are used up.
pub(crate) fn exhausted(now: Timestamp) -> Error {
    let left_ms = now.month().end().as_ms() - now.as_ms();
    Error::CreditsExhausted { retry_after: Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)) }
}

/// A credit held while a model server writes. The slowest answer is given up after 30 s, so a
/// hold of two minutes only outlives a dead process.
const HOLD_FOR: Duration = Duration::from_secs(120);

/// Sets one credit aside.
///
/// # Errors
/// `CreditsExhausted`.
pub(crate) async fn hold(services: &Services, site: SiteId, limit: i64) -> Result<db::usage::Hold> {
    let now = services.now();
    let id = crate::runtime::randomness::uuid(now).to_string();
    let hold = db::usage::Hold { site_id: site, id, month: now.month(), expires_at: now.plus(HOLD_FOR) };
    let kept = hold.clone();
    let held = services
        .db
        .write(move |c| Box::pin(async move { Ok::<_, Error>(db::usage::hold(c, &hold, limit, now).await?) }));
    // Holding a credit is no effect of a question: one that fails after it may be sent again.
    let is_held = db::idempotency::apart(held).await?;
    if is_held { Ok(kept) } else { Err(exhausted(now)) }
}

/// Gives a held credit back.
///
/// # Errors
/// Only the database's own; the hold ends by itself then.
pub(crate) async fn release(services: &Services, hold: db::usage::Hold) -> Result<()> {
    let released = services.db.write(move |c| Box::pin(async move { Ok(db::usage::release(c, &hold).await?) }));
    db::idempotency::apart(released).await
}
