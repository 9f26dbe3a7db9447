//! What an installation sets about executing operations, and what holds where it sets nothing.

use std::time::Duration;

use crate::guard;
use crate::limits::{Network, RateSettings};

/// What an installation sets about executing.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Limits of the guard, for documents that callers bring.
    pub guard: guard::Limits,
    /// Complexity of one operation at most, as the schema counts it.
    pub complexity: usize,
    /// How long a query or mutation may take.
    pub deadline: Duration,
    /// The same for stored operations, of which one waits for a model to write an answer.
    pub stored_deadline: Duration,
    /// The same for operations that come with a file, of which one writes ten thousand entries.
    pub upload_deadline: Duration,
    /// Whether only trusted documents are executed.
    pub documents: Documents,
    /// Whether the schema may be asked for.
    pub introspection: Introspection,
    /// Operations a minute.
    pub rates: RateSettings,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            guard: guard::Limits::default(),
            complexity: crate::schema::COMPLEXITY,
            deadline: Duration::from_secs(10),
            stored_deadline: Duration::from_secs(30),
            upload_deadline: Duration::from_secs(60),
            documents: Documents::Any,
            introspection: Introspection::Allowed,
            rates: RateSettings::default(),
            trusted_proxies: Network::loopback().into(),
        }
    }
}

/// Which documents callers may have executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Documents {
    /// Any that the guard lets through.
    Any,
    /// Those given at construction, by their id.
    TrustedOnly,
}

/// Whether the schema may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Introspection {
    /// By everybody with a key.
    Allowed,
    /// By nobody.
    Refused,
}
