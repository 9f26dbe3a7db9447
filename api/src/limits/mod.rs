//! Limits of the API: how expensive one operation may be, and how often a caller may send one.
//!
//! [`rates`] counts operations for each key, visitor and address; [`peer`] finds the address that a
//! request comes from; [`allowance`] is what a response says about the caller's limit. Used by the
//! gateway and the transports. Nothing here knows HTTP headers or GraphQL documents.

pub mod allowance;
pub mod peer;
pub mod rates;

use helpbot_domain::key::KeyKind;

/// Maximum cost of one operation by the kind of key. The cost is an estimate of the highest number of
/// objects that the response can contain.
///
/// An object takes about 10 µs, so 10,000 of them are a tenth of a second of one processor. Widget keys
/// are public, and the widget's own operations cost less than 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostLimits {
    /// Limit of widget keys.
    pub widget: u64,
    /// Limit of secret keys, including those of imported accounts.
    pub secret: u64,
    /// Limit of the keys of members, including those of sign-ins.
    pub member: u64,
    /// Limit of the keys of operators.
    pub operator: u64,
}

impl Default for CostLimits {
    fn default() -> Self {
        Self { widget: 2_000, secret: 10_000, member: 10_000, operator: 10_000 }
    }
}

impl CostLimits {
    /// The limit of a kind of key.
    pub fn of(&self, kind: KeyKind) -> u64 {
        match kind {
            KeyKind::Widget => self.widget,
            KeyKind::Secret | KeyKind::Legacy => self.secret,
            KeyKind::Member | KeyKind::SignIn => self.member,
            KeyKind::Operator => self.operator,
        }
    }
}

/// Maximum number of root fields in one mutation with a widget key, which is public. The widget itself
/// sends one.
pub const MAX_WIDGET_MUTATIONS: u32 = 5;
/// Maximum number of root fields in one mutation with any other key.
pub const MAX_MUTATIONS: u32 = 25;

/// Maximum of the live queries of one key that are open at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveLimits {
    /// Number of live queries.
    pub queries: usize,
    /// Sum of their costs. Each of them may read that many objects again with every change.
    pub points: u64,
}

/// The live queries of a key other than a widget key: 2,000 of them, each as expensive as 100 objects.
pub const MAX_LIVE: LiveLimits = LiveLimits { queries: 2_000, points: 200_000 };
/// The live queries of a widget key, which all visitors of a site share: one for each connection that the
/// key may have. Visitors without a session have the same rights, so their queries are executed once.
pub const MAX_WIDGET_LIVE: LiveLimits = LiveLimits { queries: 20_000, points: 2_000_000 };
