//! Rate limits: how many operations a key, a visitor or an address may send per minute.
//!
//! The gateway counts every operation here before it executes it. The counters live in this process
//! and are bounded in number: with N nodes, a caller that spreads its requests over all of them has
//! N times the limit. That is acceptable for a limit on bursts; credits, which cost the owner money,
//! are counted in the database.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use helpbot_domain::client_address::subscriber;
use helpbot_domain::ids::KeyId;
use helpbot_domain::key::KeyKind;
use helpbot_services::Viewer;

use super::allowance::RateAllowance;

/// Callers that each limit remembers. Beyond that, idle callers are forgotten first; when none is
/// idle, all are forgotten.
const REMEMBERED_MAX: usize = 100_000;
const MINUTE: Duration = Duration::from_secs(60);

/// Maximum number of operations per minute; `None` means unlimited. The operations of a whole minute
/// may arrive at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateSettings {
    /// For one visitor of a widget, identified by address, or by session where the address is unknown.
    pub visitor: Option<NonZeroU32>,
    /// For one key of any kind except widget keys.
    pub key: Option<NonZeroU32>,
    /// For one address with all its keys. Higher than the other limits because an office shares one
    /// address.
    pub address: Option<NonZeroU32>,
    /// For rejected credentials from one address.
    pub rejected: Option<NonZeroU32>,
    /// For questions with a widget key from one address. Several visitors may share an address.
    pub questions_per_address: Option<NonZeroU32>,
    /// For questions with a widget key in one session.
    pub questions_per_session: Option<NonZeroU32>,
}

impl RateSettings {
    /// No limits, for installations in which a proxy limits rates.
    pub const UNLIMITED: Self = Self {
        visitor: None,
        key: None,
        address: None,
        rejected: None,
        questions_per_address: None,
        questions_per_session: None,
    };
}

impl Default for RateSettings {
    fn default() -> Self {
        Self {
            visitor: NonZeroU32::new(600),
            key: NonZeroU32::new(3_000),
            address: NonZeroU32::new(12_000),
            rejected: NonZeroU32::new(120),
            questions_per_address: NonZeroU32::new(60),
            questions_per_session: NonZeroU32::new(20),
        }
    }
}

/// What one operation does, in terms of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OperationWork {
    /// Root fields of a mutation; 0 for a query or a subscription.
    pub mutations: u32,
    /// Root fields that ask a question.
    pub questions: u32,
}

/// A caller sent more operations than its limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateExceeded {
    /// Time until the next operation is accepted.
    pub wait: Duration,
    /// The limit that was exceeded.
    pub allowance: RateAllowance,
}

/// The rate limits of one process.
pub struct RateLimits {
    visitors: KeyedLimiter<WidgetVisitor>,
    keys: KeyedLimiter<KeyId>,
    addresses: KeyedLimiter<IpAddr>,
    rejected: KeyedLimiter<IpAddr>,
    questions_per_address: KeyedLimiter<(KeyId, IpAddr)>,
    questions_per_session: KeyedLimiter<(KeyId, String)>,
}

/// One visitor of a site. The widget key alone does not identify a visitor: it is in every page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum WidgetVisitor {
    Address(KeyId, IpAddr),
    Session(KeyId, String),
    Unknown(KeyId),
}

impl RateLimits {
    /// Creates limits with nothing counted yet.
    pub fn new(settings: &RateSettings) -> Self {
        Self {
            visitors: KeyedLimiter::new(settings.visitor),
            keys: KeyedLimiter::new(settings.key),
            addresses: KeyedLimiter::new(settings.address),
            rejected: KeyedLimiter::new(settings.rejected),
            questions_per_address: KeyedLimiter::new(settings.questions_per_address),
            questions_per_session: KeyedLimiter::new(settings.questions_per_session),
        }
    }

    /// Counts one operation of `viewer` from `address`. Returns what remains, or `None` when the
    /// caller has no limit.
    ///
    /// # Errors
    /// `RateExceeded` when the caller has used up its limit.
    pub fn operation(&self, viewer: &Viewer, address: Option<IpAddr>) -> Result<Option<RateAllowance>, RateExceeded> {
        self.operations(viewer, address.map(subscriber), NonZeroU32::MIN)
    }

    /// Counts what an operation does beyond the one operation that [`RateLimits::operation`] counted: the
    /// other root fields of a mutation, and the questions of a visitor.
    ///
    /// # Errors
    /// `RateExceeded` when the caller has used up a limit.
    pub fn work(&self, viewer: &Viewer, address: Option<IpAddr>, work: OperationWork) -> Result<(), RateExceeded> {
        let address = address.map(subscriber);
        if let Some(others) = NonZeroU32::new(work.mutations.saturating_sub(1)) {
            self.operations(viewer, address, others)?;
        }
        if let (KeyKind::Widget, Some(questions)) = (viewer.kind, NonZeroU32::new(work.questions)) {
            if let Some(address) = address {
                self.questions_per_address.count((viewer.key_id, address), questions)?;
            }
            if let Some(session) = viewer.session_id() {
                self.questions_per_session.count((viewer.key_id, session.to_owned()), questions)?;
            }
        }
        Ok(())
    }

    fn operations(
        &self,
        viewer: &Viewer,
        address: Option<IpAddr>,
        number: NonZeroU32,
    ) -> Result<Option<RateAllowance>, RateExceeded> {
        if let Some(address) = address {
            self.addresses.count(address, number)?;
        }
        match viewer.kind {
            KeyKind::Widget => self.visitors.count(visitor(viewer, address), number),
            KeyKind::Secret | KeyKind::Member | KeyKind::SignIn | KeyKind::Operator | KeyKind::Legacy => {
                self.keys.count(viewer.key_id, number)
            }
        }
    }

    /// Counts rejected credentials from `address`.
    ///
    /// # Errors
    /// `RateExceeded` when the address sent too many of them.
    pub fn rejected(&self, address: Option<IpAddr>) -> Result<(), RateExceeded> {
        match address {
            Some(address) => self.rejected.count(subscriber(address), NonZeroU32::MIN).map(|_| ()),
            None => Ok(()),
        }
    }
}

fn visitor(viewer: &Viewer, address: Option<IpAddr>) -> WidgetVisitor {
    match (address, viewer.session_id()) {
        (Some(address), _) => WidgetVisitor::Address(viewer.key_id, address),
        (None, Some(session)) => WidgetVisitor::Session(viewer.key_id, session.to_owned()),
        (None, None) => WidgetVisitor::Unknown(viewer.key_id),
    }
}

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// One limit that applies to many callers, with a bound on how many it remembers.
struct KeyedLimiter<K: Hash + Eq + Clone> {
    limiter: Option<(NonZeroU32, RwLock<Limiter<K>>)>,
}

impl<K: Hash + Eq + Clone> KeyedLimiter<K> {
    fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self { limiter: per_minute.map(|limit| (limit, RwLock::new(limiter(limit)))) }
    }

    fn count(&self, caller: K, number: NonZeroU32) -> Result<Option<RateAllowance>, RateExceeded> {
        let Some((limit, limiter)) = &self.limiter else { return Ok(None) };
        self.make_room(*limit, limiter);
        let limiter = limiter.read().unwrap_or_else(PoisonError::into_inner);
        match limiter.check_key_n(&caller, number) {
            Ok(Ok(snapshot)) => Ok(Some(allowance(*limit, snapshot.remaining_burst_capacity()))),
            Ok(Err(until)) => {
                let wait = until.wait_time_from(limiter.clock().now());
                Err(RateExceeded { wait, allowance: allowance(*limit, 0) })
            }
            // More than a whole minute allows: it never succeeds, however long the caller waits.
            Err(_) => Err(RateExceeded { wait: MINUTE, allowance: allowance(*limit, 0) }),
        }
    }

    fn make_room(&self, limit: NonZeroU32, limiter: &RwLock<Limiter<K>>) {
        if limiter.read().unwrap_or_else(PoisonError::into_inner).len() < REMEMBERED_MAX {
            return;
        }
        let mut limiter = limiter.write().unwrap_or_else(PoisonError::into_inner);
        limiter.retain_recent();
        if limiter.len() >= REMEMBERED_MAX {
            // This number of active callers is either an attack or a crowd; the memory must stay
            // bounded in both cases.
            tracing::warn!(callers = REMEMBERED_MAX, "a rate limit was reset because it had too many active callers");
            *limiter = self::limiter(limit);
        }
    }
}

fn limiter<K: Hash + Eq + Clone>(per_minute: NonZeroU32) -> Limiter<K> {
    RateLimiter::dashmap(Quota::per_minute(per_minute)).with_middleware()
}

fn allowance(limit: NonZeroU32, remaining: u32) -> RateAllowance {
    let used = u64::from(limit.get().saturating_sub(remaining));
    let reset = (used * MINUTE.as_secs()).div_ceil(u64::from(limit.get()));
    RateAllowance { limit: limit.get(), remaining, reset_seconds: u32::try_from(reset).unwrap_or(u32::MAX) }
}

#[cfg(test)]
mod tests {
    use helpbot_domain::ids::SiteId;
    use helpbot_domain::key::Scope;
    use helpbot_services::ProvedSession;
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
    fn each_visitor_of_a_widget_has_its_own_limit() {
        let limits = RateLimits::new(&RateSettings { visitor: NonZeroU32::new(2), ..RateSettings::default() });
        let widget = viewer(KeyKind::Widget, 1);

        let first = limits.operation(&widget, address("192.0.2.1")).unwrap();
        limits.operation(&widget, address("192.0.2.1")).unwrap();
        let exceeded = limits.operation(&widget, address("192.0.2.1")).unwrap_err();

        assert_eq!(first, Some(RateAllowance { limit: 2, remaining: 1, reset_seconds: 30 }));
        assert_eq!(exceeded.allowance, RateAllowance { limit: 2, remaining: 0, reset_seconds: 60 });
        assert!(exceeded.wait <= Duration::from_secs(30));
        assert!(limits.operation(&widget, address("192.0.2.2")).is_ok());
    }

    #[test]
    fn a_secret_key_has_one_limit_for_all_its_addresses() {
        let limits = RateLimits::new(&RateSettings { key: NonZeroU32::new(1), ..RateSettings::default() });

        assert!(limits.operation(&viewer(KeyKind::Secret, 1), address("192.0.2.1")).is_ok());
        assert!(limits.operation(&viewer(KeyKind::Secret, 1), address("192.0.2.2")).is_err());
        assert!(limits.operation(&viewer(KeyKind::Secret, 2), address("192.0.2.1")).is_ok());
    }

    #[test]
    fn an_ipv6_subscriber_cannot_avoid_a_limit_by_changing_addresses_within_its_network() {
        let limits = RateLimits::new(&RateSettings { rejected: NonZeroU32::new(1), ..RateSettings::default() });

        assert!(limits.rejected(address("2001:db8::1")).is_ok());
        assert!(limits.rejected(address("2001:db8::2")).is_err());
        assert!(limits.rejected(address("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn each_root_field_of_a_mutation_and_each_question_of_a_visitor_is_counted() {
        let settings = RateSettings {
            visitor: NonZeroU32::new(10),
            questions_per_address: NonZeroU32::new(4),
            questions_per_session: NonZeroU32::new(2),
            ..RateSettings::default()
        };
        let limits = RateLimits::new(&settings);
        let (widget, from) = (viewer(KeyKind::Widget, 1), address("192.0.2.1"));
        let session = ProvedSession { id: "s".into(), token_id: Uuid::nil() };
        let in_session = Viewer { session: Some(session), ..widget.clone() };
        let ask = |questions| OperationWork { mutations: questions, questions };

        assert!(limits.work(&widget, from, OperationWork { mutations: 50, questions: 0 }).is_err());
        assert!(limits.work(&in_session, from, ask(2)).is_ok());
        assert!(limits.work(&in_session, from, ask(1)).is_err(), "the session has asked two questions");
        assert!(limits.work(&widget, from, ask(2)).is_err(), "the address has asked three questions");
        assert!(limits.work(&widget, address("192.0.2.2"), ask(2)).is_ok());
        assert!(limits.work(&viewer(KeyKind::Secret, 2), from, ask(5)).is_ok(), "secret keys are not limited");
    }

    #[test]
    fn memory_stays_bounded_when_there_are_more_callers_than_remembered() {
        let keyed: KeyedLimiter<u32> = KeyedLimiter::new(NonZeroU32::new(1));

        for caller in 0..250_000 {
            keyed.count(caller, NonZeroU32::MIN).unwrap();
        }

        let (_, limiter) = keyed.limiter.as_ref().unwrap();
        assert!(limiter.read().unwrap().len() <= REMEMBERED_MAX);
    }
}
