//! Caps: limits that the owner of a site sets on the credits of a day, for all visitors together and
//! for each client address.
//!
//! They are counted while they are set, in the transaction that takes the credit, so they are exact.
//! Days are UTC. The cap of an address applies to widget keys and imported keys, which web pages
//! contain; the address of a server with a secret key says nothing about its visitors.

use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::ids::SiteId;
use helpbot_domain::key::Scope;
use helpbot_domain::limit::LimitKind;
use helpbot_domain::plan::UNLIMITED_CREDITS;
use helpbot_domain::site::Site;
use helpbot_domain::{Invalid, Timestamp, Together as _};

use crate::accounts::{limit_notices, sites};
use crate::{Error, Result, Services, Viewer, boxed};

/// A change of the caps. The outer `None` leaves a cap unchanged, the inner one removes it.
#[derive(Debug, Clone, Copy, Default)]
pub struct CapsPatch {
    /// Credits per day.
    pub per_day: Option<Option<i64>>,
    /// Credits per day and client address.
    pub per_address: Option<Option<i64>>,
}

/// What counts against the caps of a site.
#[derive(Debug, Clone)]
pub(crate) struct CappedQuestion {
    site: SiteId,
    per_day: Option<i64>,
    per_address: Option<i64>,
    address_key: Option<String>,
}

/// Returns the credits of today that were counted against the cap of the day. `None` when the site has
/// no such cap.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn used_today(services: &Services, site: &Site) -> Result<Option<i64>> {
    if site.daily_credit_limit.is_none() {
        return Ok(None);
    }
    let today = services.now().day();
    Ok(Some(db::usage::used_on_day(&mut services.db.reader().await?, site.id, today, None).await?))
}

/// Changes the caps of a site.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` names the field.
#[boxed]
pub async fn update(services: &Services, viewer: &Viewer, named: Option<SiteId>, patch: CapsPatch) -> Result<Site> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(named)?;
    let per_day = patch.per_day.map(|cap| checked("perDay", cap)).transpose();
    let per_address = patch.per_address.map(|cap| checked("perAddressPerDay", cap)).transpose();
    let (per_day, per_address) = (per_day, per_address).together()?;
    let changed = sites::change(services, site, move |site| {
        site.daily_credit_limit = per_day.unwrap_or(site.daily_credit_limit);
        site.address_credit_limit = per_address.unwrap_or(site.address_credit_limit);
        Ok(())
    });
    changed.await.map(|(site, ())| site)
}

fn checked(field: &'static str, cap: Option<i64>) -> Result<Option<i64>, Invalid> {
    match cap {
        Some(cap) if !(0..=UNLIMITED_CREDITS).contains(&cap) => {
            Err(Invalid::new(field, format!("{field} must be between 0 and {UNLIMITED_CREDITS}.")))
        }
        cap => Ok(cap),
    }
}

impl CappedQuestion {
    /// The question of a visitor whose client address has the hash `address_key`.
    pub(crate) fn of(site: &Site, address_key: Option<String>) -> Self {
        Self { site: site.id, per_day: site.daily_credit_limit, per_address: site.address_credit_limit, address_key }
    }

    /// Whether anything counts against a cap.
    pub(crate) fn has_caps(&self) -> bool {
        self.per_day.is_some() || self.address_cap().is_some()
    }

    /// Checks that the caps have room for the question, before an answer is paid for.
    ///
    /// # Errors
    /// `CapReached`; errors of the database.
    pub(crate) async fn require_room(&self, services: &Services) -> Result<()> {
        if !self.has_caps() {
            return Ok(());
        }
        let now = services.now();
        let mut c = services.db.reader().await?;
        if let Some(cap) = self.per_day {
            require(db::usage::used_on_day(&mut c, self.site, now.day(), None).await? < cap, false, now)?;
        }
        if let Some((key, cap)) = self.address_cap() {
            require(db::usage::used_on_day(&mut c, self.site, now.day(), Some(key)).await? < cap, true, now)?;
        }
        Ok(())
    }

    /// Counts the question inside the transaction that takes its credit.
    ///
    /// # Errors
    /// `CapReached`, after which the transaction must be undone; errors of the database.
    pub(crate) async fn count(&self, c: &mut db::Conn, now: Timestamp) -> Result<()> {
        if let Some(cap) = self.per_day {
            require(db::usage::add_to_day(c, self.site, now.day(), None).await? <= cap, false, now)?;
        }
        if let Some((key, cap)) = self.address_cap() {
            require(db::usage::add_to_day(c, self.site, now.day(), Some(key)).await? <= cap, true, now)?;
        }
        Ok(())
    }

    fn address_cap(&self) -> Option<(&str, i64)> {
        Some((self.address_key.as_deref()?, self.per_address?))
    }
}

fn require(has_room: bool, of_address: bool, now: Timestamp) -> Result<()> {
    if has_room {
        return Ok(());
    }
    let left_ms = now.day().minus(-1).start().as_ms() - now.as_ms();
    Err(Error::CapReached { of_address, retry_after: Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)) })
}

/// Returns `result`, and notifies the owner when it is a refusal because credits or a cap are used up.
pub(crate) async fn notifying_owner<T>(services: &Services, site: SiteId, result: Result<T>) -> Result<T> {
    let kind = match &result {
        Err(Error::CreditsExhausted { .. }) => LimitKind::MonthlyCredits,
        Err(Error::CapReached { of_address: false, .. }) => LimitKind::DailyCredits,
        Err(Error::CapReached { of_address: true, .. }) => LimitKind::AddressCredits,
        _ => return result,
    };
    limit_notices::notify(services, site, kind).await;
    result
}

/// Deletes counts of days that have passed. Returns their number.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn delete_expired(services: &Services) -> Result<usize> {
    let today = services.now().day();
    services.db.write(move |c| Box::pin(async move { Ok(db::usage::delete_days_before(c, today).await?) })).await
}
