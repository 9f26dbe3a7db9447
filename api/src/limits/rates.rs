//! Rate limits: how many operations a key, a visitor or an address may send per minute.
//!
//! The gateway counts every operation here before it executes it. [`SharedRates`] counts in memory, bounded in
//! number, and adds up what several nodes accept; credits, which cost the owner money, are counted in the database.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use helpbot_domain::client_address::subscriber;
use helpbot_domain::ids::KeyId;
use helpbot_domain::key::KeyKind;
use helpbot_services::Viewer;
use helpbot_services::runtime::rate_buckets::RateLimit;
use helpbot_services::runtime::shared_rates::SharedRates;

use super::allowance::RateAllowance;

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

/// The rate limits of the installation.
pub struct RateLimits {
    settings: RateSettings,
    shared: Arc<SharedRates>,
}

/// One visitor of a site. The widget key alone does not identify a visitor: it is in every page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum WidgetVisitor {
    Address(KeyId, IpAddr),
    Session(KeyId, String),
    Unknown(KeyId),
}

impl RateLimits {
    /// Creates limits that `shared` counts.
    pub fn new(settings: &RateSettings, shared: Arc<SharedRates>) -> Self {
        Self { settings: *settings, shared }
    }

    /// Counts one operation of `viewer` from `address`. Returns what remains, or `None` when the
    /// caller has no limit.
    ///
    /// # Errors
    /// `RateExceeded` when the caller has used up its limit.
    pub async fn operation(
        &self,
        viewer: &Viewer,
        address: Option<IpAddr>,
    ) -> Result<Option<RateAllowance>, RateExceeded> {
        self.operations(viewer, address.map(subscriber), NonZeroU32::MIN).await
    }

    /// Counts what an operation does beyond the one operation that [`RateLimits::operation`] counted: the
    /// other root fields of a mutation, and the questions of a visitor.
    ///
    /// # Errors
    /// `RateExceeded` when the caller has used up a limit.
    pub async fn work(
        &self,
        viewer: &Viewer,
        address: Option<IpAddr>,
        work: OperationWork,
    ) -> Result<(), RateExceeded> {
        let address = address.map(subscriber);
        if let Some(others) = NonZeroU32::new(work.mutations.saturating_sub(1)) {
            self.operations(viewer, address, others).await?;
        }
        if let (KeyKind::Widget, Some(questions)) = (viewer.kind, NonZeroU32::new(work.questions)) {
            if let Some(address) = address {
                self.count(RateLimit::QuestionsPerAddress, (viewer.key_id, address), questions).await?;
            }
            if let Some(session) = viewer.session_id() {
                self.count(RateLimit::QuestionsPerSession, (viewer.key_id, session), questions).await?;
            }
        }
        Ok(())
    }

    async fn operations(
        &self,
        viewer: &Viewer,
        address: Option<IpAddr>,
        number: NonZeroU32,
    ) -> Result<Option<RateAllowance>, RateExceeded> {
        if let Some(address) = address {
            self.count(RateLimit::Address, address, number).await?;
        }
        match viewer.kind {
            KeyKind::Widget => self.count(RateLimit::Visitor, visitor(viewer, address), number).await,
            KeyKind::Secret | KeyKind::Member | KeyKind::SignIn | KeyKind::Operator | KeyKind::Legacy => {
                self.count(RateLimit::Key, viewer.key_id, number).await
            }
        }
    }

    /// Counts rejected credentials from `address`.
    ///
    /// # Errors
    /// `RateExceeded` when the address sent too many of them.
    pub async fn rejected(&self, address: Option<IpAddr>) -> Result<(), RateExceeded> {
        match address {
            Some(address) => self.count(RateLimit::Rejected, subscriber(address), NonZeroU32::MIN).await.map(drop),
            None => Ok(()),
        }
    }

    /// Counts operations of one caller. Returns what remains, or `None` when there is no limit.
    async fn count(
        &self,
        limit: RateLimit,
        caller: impl Hash,
        number: NonZeroU32,
    ) -> Result<Option<RateAllowance>, RateExceeded> {
        let settings = &self.settings;
        let per_minute = match limit {
            RateLimit::Visitor => settings.visitor,
            RateLimit::Key => settings.key,
            RateLimit::Address => settings.address,
            RateLimit::Rejected => settings.rejected,
            RateLimit::QuestionsPerAddress => settings.questions_per_address,
            RateLimit::QuestionsPerSession => settings.questions_per_session,
            // `services` counts these, with a limit of its own.
            RateLimit::ReplyDrafts => None,
        };
        let Some(per_minute) = per_minute else { return Ok(None) };
        let caller = self.shared.caller(limit, caller);
        match self.shared.count(caller, per_minute, number).await {
            Ok(remaining) => Ok(Some(allowance(per_minute, remaining))),
            Err(wait) => Err(RateExceeded { wait, allowance: allowance(per_minute, 0) }),
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

    fn limits(settings: &RateSettings) -> RateLimits {
        RateLimits::new(settings, SharedRates::alone())
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[tokio::test]
    async fn each_visitor_of_a_widget_has_its_own_limit() {
        let limits = limits(&RateSettings { visitor: NonZeroU32::new(2), ..RateSettings::default() });
        let widget = viewer(KeyKind::Widget, 1);

        let first = limits.operation(&widget, address("192.0.2.1")).await.unwrap();
        limits.operation(&widget, address("192.0.2.1")).await.unwrap();
        let exceeded = limits.operation(&widget, address("192.0.2.1")).await.unwrap_err();

        assert_eq!(first, Some(RateAllowance { limit: 2, remaining: 1, reset_seconds: 30 }));
        assert_eq!(exceeded.allowance, RateAllowance { limit: 2, remaining: 0, reset_seconds: 60 });
        assert!(exceeded.wait <= Duration::from_secs(30));
        assert!(limits.operation(&widget, address("192.0.2.2")).await.is_ok());
    }

    #[tokio::test]
    async fn a_secret_key_has_one_limit_for_all_its_addresses() {
        let limits = limits(&RateSettings { key: NonZeroU32::new(1), ..RateSettings::default() });

        assert!(limits.operation(&viewer(KeyKind::Secret, 1), address("192.0.2.1")).await.is_ok());
        assert!(limits.operation(&viewer(KeyKind::Secret, 1), address("192.0.2.2")).await.is_err());
        assert!(limits.operation(&viewer(KeyKind::Secret, 2), address("192.0.2.1")).await.is_ok());
    }

    #[tokio::test]
    async fn an_ipv6_subscriber_cannot_avoid_a_limit_by_changing_addresses_within_its_network() {
        let limits = limits(&RateSettings { rejected: NonZeroU32::new(1), ..RateSettings::default() });

        assert!(limits.rejected(address("2001:db8::1")).await.is_ok());
        assert!(limits.rejected(address("2001:db8::2")).await.is_err());
        assert!(limits.rejected(address("2001:db8:0:1::1")).await.is_ok());
    }

    #[tokio::test]
    async fn each_root_field_of_a_mutation_and_each_question_of_a_visitor_is_counted() {
        let settings = RateSettings {
            visitor: NonZeroU32::new(10),
            questions_per_address: NonZeroU32::new(4),
            questions_per_session: NonZeroU32::new(2),
            ..RateSettings::default()
        };
        let limits = limits(&settings);
        let (widget, from) = (viewer(KeyKind::Widget, 1), address("192.0.2.1"));
        let session = ProvedSession { id: "s".into(), token_id: Uuid::nil() };
        let in_session = Viewer { session: Some(session), ..widget.clone() };
        let ask = |questions| OperationWork { mutations: questions, questions };

        assert!(limits.work(&widget, from, OperationWork { mutations: 50, questions: 0 }).await.is_err());
        assert!(limits.work(&in_session, from, ask(2)).await.is_ok());
        assert!(limits.work(&in_session, from, ask(1)).await.is_err(), "the session has asked two questions");
        assert!(limits.work(&widget, from, ask(2)).await.is_err(), "the address has asked three questions");
        assert!(limits.work(&widget, address("192.0.2.2"), ask(2)).await.is_ok());
        assert!(limits.work(&viewer(KeyKind::Secret, 2), from, ask(5)).await.is_ok(), "secret keys are not limited");
    }
}
