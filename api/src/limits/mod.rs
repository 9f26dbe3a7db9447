//! Rate limits: how many operations a key, a visitor or an address may run in a minute.
//!
//! The gateway asks here before it executes; the answer says also what is left, for the
//! `RateLimit-*` headers. State is per process and bounded: with N nodes a caller that spreads
//! over all of them has N times the limit, which is what a burst limit is for. Credits, which
//! count for money, are counted in the database.

mod peer;

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use helpbot_domain::ids::KeyId;
use helpbot_domain::key::KeyKind;
use helpbot_services::Viewer;

pub use peer::{Network, NetworkError, peer};

use crate::error::{ErrorCode, Failure};

/// Callers that are remembered at most, by each limit; past it the idle ones are forgotten, and
/// if none is idle, all.
const REMEMBERED_MAX: usize = 100_000;
const MINUTE: Duration = Duration::from_secs(60);

/// Operations a minute; none means no limit. A whole minute's worth may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateSettings {
    /// For one visitor of a widget: an address, or a session where no address is known.
    pub visitor: Option<NonZeroU32>,
    /// For one secret, member's, imported or operator's key.
    pub key: Option<NonZeroU32>,
    /// For one address whatever keys it uses; above the others, since an office shares one.
    pub address: Option<NonZeroU32>,
    /// Refused credentials of one address.
    pub refused: Option<NonZeroU32>,
}

impl Default for RateSettings {
    fn default() -> Self {
        Self {
            visitor: NonZeroU32::new(600),
            key: NonZeroU32::new(3_000),
            address: NonZeroU32::new(12_000),
            refused: NonZeroU32::new(120),
        }
    }
}

/// What a caller has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Operations a minute.
    pub limit: u32,
    /// How many may come at once now.
    pub remaining: u32,
    /// Seconds until all may.
    pub reset_seconds: u32,
}

/// The limits of one process.
pub struct RateLimits {
    visitors: Keyed<Visitor>,
    keys: Keyed<KeyId>,
    addresses: Keyed<IpAddr>,
    refused: Keyed<IpAddr>,
}

/// One visitor of a site's widget, whose key stands in every page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Visitor {
    Address(KeyId, IpAddr),
    Session(KeyId, String),
    Unknown(KeyId),
}

impl RateLimits {
    /// Limits as `settings` say, with nothing used.
    pub fn new(settings: &RateSettings) -> Self {
        Self {
            visitors: Keyed::new(settings.visitor),
            keys: Keyed::new(settings.key),
            addresses: Keyed::new(settings.address),
            refused: Keyed::new(settings.refused),
        }
    }

    /// Counts one operation of `viewer` from `address`; what is left, if there is a limit.
    ///
    /// # Errors
    /// `RATE_LIMITED` with the time to wait and the limit that was gone past.
    pub fn operation(&self, viewer: &Viewer, address: Option<IpAddr>) -> Result<Option<Standing>, Failure> {
        let address = address.map(subscriber);
        if let Some(address) = address {
            self.addresses.count(address)?;
        }
        match viewer.kind {
            KeyKind::Widget => self.visitors.count(visitor(viewer, address)),
            KeyKind::Secret | KeyKind::Member | KeyKind::Operator | KeyKind::Legacy => self.keys.count(viewer.key_id),
        }
    }

    /// Counts a refused credential from `address`.
    ///
    /// # Errors
    /// `RATE_LIMITED` when there were too many.
    pub fn refused(&self, address: Option<IpAddr>) -> Result<(), Failure> {
        match address {
            Some(address) => self.refused.count(subscriber(address)).map(|_| ()),
            None => Ok(()),
        }
    }
}

fn visitor(viewer: &Viewer, address: Option<IpAddr>) -> Visitor {
    match (address, &viewer.session) {
        (Some(address), _) => Visitor::Address(viewer.key_id, address),
        (None, Some(session)) => Visitor::Session(viewer.key_id, session.clone()),
        (None, None) => Visitor::Unknown(viewer.key_id),
    }
}

/// What one subscriber of the internet has: an IPv4 address or a /64 of IPv6.
fn subscriber(address: IpAddr) -> IpAddr {
    const PREFIX: u128 = !0 << 64;
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & PREFIX).into(),
        v4 => v4,
    }
}

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// One limit over many callers, bounded in how many it remembers.
struct Keyed<K: Hash + Eq + Clone> {
    limiter: Option<(NonZeroU32, RwLock<Limiter<K>>)>,
}

impl<K: Hash + Eq + Clone> Keyed<K> {
    fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self { limiter: per_minute.map(|limit| (limit, RwLock::new(limiter(limit)))) }
    }

    fn count(&self, caller: K) -> Result<Option<Standing>, Failure> {
        let Some((limit, limiter)) = &self.limiter else { return Ok(None) };
        self.make_room(*limit, limiter);
        let limiter = limiter.read().unwrap_or_else(PoisonError::into_inner);
        match limiter.check_key(&caller) {
            Ok(snapshot) => Ok(Some(standing(*limit, snapshot.remaining_burst_capacity()))),
            Err(until) => {
                let wait = until.wait_time_from(limiter.clock().now());
                let failure = Failure::new(ErrorCode::RateLimited, "Too many requests").retry_after(wait);
                Err(Failure { standing: Some(standing(*limit, 0)), ..failure })
            }
        }
    }

    fn make_room(&self, limit: NonZeroU32, limiter: &RwLock<Limiter<K>>) {
        if limiter.read().unwrap_or_else(PoisonError::into_inner).len() < REMEMBERED_MAX {
            return;
        }
        let mut limiter = limiter.write().unwrap_or_else(PoisonError::into_inner);
        limiter.retain_recent();
        if limiter.len() >= REMEMBERED_MAX {
            // So many active callers at once are an attack or a crowd: neither may take the memory.
            tracing::warn!(callers = REMEMBERED_MAX, "a rate limit forgot its callers for want of room");
            *limiter = self::limiter(limit);
        }
    }
}

fn limiter<K: Hash + Eq + Clone>(per_minute: NonZeroU32) -> Limiter<K> {
    RateLimiter::dashmap(Quota::per_minute(per_minute)).with_middleware()
}

fn standing(limit: NonZeroU32, remaining: u32) -> Standing {
    let used = u64::from(limit.get().saturating_sub(remaining));
    let reset = (used * MINUTE.as_secs()).div_ceil(u64::from(limit.get()));
    Standing { limit: limit.get(), remaining, reset_seconds: u32::try_from(reset).unwrap_or(u32::MAX) }
}

#[cfg(test)]
mod tests {
    use helpbot_domain::ids::SiteId;
    use helpbot_domain::key::Scope;
    use uuid::Uuid;

    use super::*;

    fn viewer(kind: KeyKind, key: u128) -> Viewer {
        Viewer {
            kind,
            site_id: Some(SiteId::from_uuid(Uuid::from_u128(1))),
            scopes: Scope::ALL.to_vec(),
            ..Viewer::operator(KeyId::from_uuid(Uuid::from_u128(key)))
        }
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn visitors_of_one_widget_have_a_limit_each() {
        let limits = RateLimits::new(&RateSettings { visitor: NonZeroU32::new(2), ..RateSettings::default() });
        let widget = viewer(KeyKind::Widget, 1);

        let first = limits.operation(&widget, address("192.0.2.1")).unwrap();
        limits.operation(&widget, address("192.0.2.1")).unwrap();
        let refused = limits.operation(&widget, address("192.0.2.1")).unwrap_err();

        assert_eq!(first, Some(Standing { limit: 2, remaining: 1, reset_seconds: 30 }));
        assert_eq!(refused.code, ErrorCode::RateLimited);
        assert_eq!(refused.standing, Some(Standing { limit: 2, remaining: 0, reset_seconds: 60 }));
        assert!(refused.retry_after.is_some_and(|wait| wait <= Duration::from_secs(30)));
        assert!(limits.operation(&widget, address("192.0.2.2")).is_ok());
    }

    #[test]
    fn a_secret_key_has_one_limit_from_all_its_addresses() {
        let limits = RateLimits::new(&RateSettings { key: NonZeroU32::new(1), ..RateSettings::default() });

        assert!(limits.operation(&viewer(KeyKind::Secret, 1), address("192.0.2.1")).is_ok());
        assert!(limits.operation(&viewer(KeyKind::Secret, 1), address("192.0.2.2")).is_err());
        assert!(limits.operation(&viewer(KeyKind::Secret, 2), address("192.0.2.1")).is_ok());
    }

    #[test]
    fn a_subscriber_of_ipv6_cannot_dodge_a_limit_within_its_network() {
        let limits = RateLimits::new(&RateSettings { refused: NonZeroU32::new(1), ..RateSettings::default() });

        assert!(limits.refused(address("2001:db8::1")).is_ok());
        assert!(limits.refused(address("2001:db8::2")).is_err());
        assert!(limits.refused(address("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn callers_beyond_those_remembered_do_not_take_memory() {
        let keyed: Keyed<u32> = Keyed::new(NonZeroU32::new(1));

        for caller in 0..250_000 {
            keyed.count(caller).unwrap();
        }

        let (_, limiter) = keyed.limiter.as_ref().unwrap();
        assert!(limiter.read().unwrap().len() <= REMEMBERED_MAX);
    }
}
