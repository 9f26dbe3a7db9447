//! Plans and their features. A self-hosted site has the plan SCALE unless its operator sets another
//! one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The plan of a site. Plans are ordered, and each includes the features of the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Plan {
    /// Includes chat, feedback, handoffs and widget settings.
    Starter,
    /// Adds analytics, the list of conversations and webhooks.
    Growth,
    /// Adds managing sources through the API, and a widget without our branding.
    Scale,
}

/// A feature that a plan may include.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// Reading analytics.
    Analytics,
    /// Reading the list of conversations.
    Conversations,
    /// Managing webhooks.
    Webhooks,
    /// Managing sources.
    Sources,
    /// Removing "Powered by HelpBot" from the widget.
    RemoveBranding,
}

/// Monthly credits of a site for which the operator sets no limit. It is more than any server can
/// use, and the largest integer that both GraphQL's `Int` and a JavaScript number can represent.
pub const UNLIMITED_CREDITS: i64 = i32::MAX as i64;

impl Plan {
    /// Returns the lowest plan that includes `feature`.
    pub const fn needed_for(feature: Feature) -> Plan {
        match feature {
            Feature::Analytics | Feature::Conversations | Feature::Webhooks => Plan::Growth,
            Feature::Sources | Feature::RemoveBranding => Plan::Scale,
        }
    }

    /// Returns whether the plan includes `feature`.
    pub fn allows(self, feature: Feature) -> bool {
        self >= Self::needed_for(feature)
    }

    /// Returns the name as stored and shown: `STARTER`, `GROWTH` or `SCALE`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Plan::Starter => "STARTER",
            Plan::Growth => "GROWTH",
            Plan::Scale => "SCALE",
        }
    }

    /// Returns the name as used in sentences: `Starter`, `Growth` or `Scale`.
    pub const fn title(self) -> &'static str {
        match self {
            Plan::Starter => "Starter",
            Plan::Growth => "Growth",
            Plan::Scale => "Scale",
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plan must be starter, growth or scale")]
pub struct PlanError;

impl FromStr for Plan {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        match text.to_ascii_uppercase().as_str() {
            "STARTER" => Ok(Plan::Starter),
            "GROWTH" => Ok(Plan::Growth),
            "SCALE" => Ok(Plan::Scale),
            _ => Err(PlanError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_plan_includes_the_lower_ones() {
        assert!(!Plan::Starter.allows(Feature::Analytics));
        assert!(Plan::Growth.allows(Feature::Webhooks));
        assert!(!Plan::Growth.allows(Feature::Sources));
        assert!(Plan::Scale.allows(Feature::Analytics) && Plan::Scale.allows(Feature::RemoveBranding));
    }

    #[test]
    fn a_plan_is_parsed_in_any_case() {
        assert_eq!("growth".parse(), Ok(Plan::Growth));
        assert_eq!("enterprise".parse::<Plan>(), Err(PlanError));
    }
}
