//! What an installation can configure about the execution of operations, with the defaults.

use std::time::Duration;

use ipnet::IpNet;

use super::guard::limits::DocumentSize;
use crate::limits::rates::RateSettings;
use crate::limits::{CostLimits, peer};

/// Settings for the execution of operations.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Limits for documents that callers send.
    pub guard: DocumentSize,
    /// Maximum cost of one operation.
    pub costs: CostLimits,
    /// Maximum duration of a query or mutation.
    pub deadline: Duration,
    /// Maximum duration of a stored operation. Longer, because one of them waits until a language
    /// model has written an answer.
    pub stored_deadline: Duration,
    /// Maximum duration of an operation with a file. Longest, because one of them writes 10,000
    /// entries.
    pub upload_deadline: Duration,
    /// Which documents are executed.
    pub documents: DocumentPolicy,
    /// Whether callers may query the schema.
    pub introspection: Introspection,
    /// Maximum number of operations per minute.
    pub rates: RateSettings,
    /// Networks of the proxies whose `X-Forwarded-For` header is trusted.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            guard: DocumentSize::MAX,
            costs: CostLimits::default(),
            deadline: Duration::from_secs(10),
            stored_deadline: Duration::from_secs(30),
            upload_deadline: Duration::from_secs(60),
            documents: DocumentPolicy::Any,
            introspection: Introspection::Allowed,
            rates: RateSettings::default(),
            trusted_proxies: peer::loopback().into(),
        }
    }
}

/// Which documents are executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentPolicy {
    /// Every document that passes the guard.
    Any,
    /// Only trusted documents: those of the widget and the dashboard, and those of the installation.
    TrustedOnly,
}

/// Whether callers may query the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Introspection {
    /// Every caller with a valid key may.
    Allowed,
    /// No caller may.
    Refused,
}
