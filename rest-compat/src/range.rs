//! The `range` parameter: how far back figures and lists go.

use serde::Serialize;
use utoipa::ToSchema;

/// A range as REST spells it. Days are UTC, today included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(examples("30d"))]
pub(crate) enum Range {
    /// Seven days.
    #[serde(rename = "7d")]
    Week,
    /// 30 days.
    #[serde(rename = "30d")]
    Month,
    /// 90 days.
    #[serde(rename = "90d")]
    Quarter,
    /// 365 days.
    #[serde(rename = "365d")]
    Year,
    /// From the beginning.
    #[serde(rename = "all")]
    All,
}

impl Range {
    /// The range that `text` spells; anything else is no error but no range.
    pub fn spelled(text: Option<&str>) -> Option<Self> {
        match text? {
            "7d" => Some(Self::Week),
            "30d" => Some(Self::Month),
            "90d" => Some(Self::Quarter),
            "365d" => Some(Self::Year),
            "all" => Some(Self::All),
            _ => None,
        }
    }

    /// The range of the analytics: 30 days unless another is spelled.
    pub fn of_analytics(text: Option<&str>) -> Self {
        Self::spelled(text).unwrap_or(Self::Month)
    }

    /// As GraphQL spells it.
    pub fn graphql(self) -> &'static str {
        match self {
            Self::Week => "LAST_7_DAYS",
            Self::Month => "LAST_30_DAYS",
            Self::Quarter => "LAST_90_DAYS",
            Self::Year => "LAST_365_DAYS",
            Self::All => "ALL",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_reads_as_it_is_written_and_anything_else_is_thirty_days() {
        for range in [Range::Week, Range::Month, Range::Quarter, Range::Year, Range::All] {
            let text = serde_json::to_value(range).unwrap();
            assert_eq!(Range::spelled(text.as_str()), Some(range));
        }
        for other in [None, Some(""), Some("30"), Some("7D"), Some("1y")] {
            assert_eq!(Range::of_analytics(other), Range::Month, "{other:?}");
        }
    }
}
