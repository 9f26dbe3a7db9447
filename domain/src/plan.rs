//! Plans and what each allows. A self-hosted site is SCALE unless its operator says otherwise.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a site has booked; ordered, each allows all that the ones before it allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Plan {
    /// Chat, feedback, handoff, widget settings.
    Starter,
    /// Adds analytics, the conversation list and webhooks.
    Growth,
    /// Adds management of sources through the API and a widget without our name.
    Scale,
}

/// Something that a plan may or may not include.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// Reading usage figures.
    Analytics,
    /// Reading the list of conversations.
    Conversations,
    /// Managing webhooks.
    Webhooks,
    /// Managing sources.
    Sources,
    /// Taking "Powered by HelpBot" out of the widget.
    RemoveBranding,
}

/// Credits of a month where the operator sets none: more than any server can use up. It is the
/// largest integer that GraphQL's `Int` and a JavaScript number both hold.
pub const UNLIMITED_CREDITS: i64 = i32::MAX as i64;

impl Plan {
    /// The lowest plan that includes `feature`.
    pub const fn needed_for(feature: Feature) -> Plan {
        match feature {
            Feature::Analytics | Feature::Conversations | Feature::Webhooks => Plan::Growth,
            Feature::Sources | Feature::RemoveBranding => Plan::Scale,
        }
    }

    /// Whether the plan includes `feature`.
    pub fn allows(self, feature: Feature) -> bool {
        self >= Self::needed_for(feature)
    }

    /// The name as stored and shown: `STARTER`, `GROWTH` or `SCALE`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Plan::Starter => "STARTER",
            Plan::Growth => "GROWTH",
            Plan::Scale => "SCALE",
        }
    }

    /// The name as a sentence has it: `Starter`, `Growth` or `Scale`.
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

/// A text that names no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a plan is starter, growth or scale")]
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
    fn each_plan_includes_the_ones_before_it() {
        assert!(!Plan::Starter.allows(Feature::Analytics));
        assert!(Plan::Growth.allows(Feature::Webhooks));
        assert!(!Plan::Growth.allows(Feature::Sources));
        assert!(Plan::Scale.allows(Feature::Analytics) && Plan::Scale.allows(Feature::RemoveBranding));
    }

    #[test]
    fn a_plan_is_read_in_any_case() {
        assert_eq!("growth".parse(), Ok(Plan::Growth));
        assert_eq!("enterprise".parse::<Plan>(), Err(PlanError));
    }
}
