//! The `range` parameter: the period that analytics and lists cover.

use serde::Serialize;
use utoipa::ToSchema;

/// A period that ends today, as REST spells it. Days are UTC days; today is included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Range, examples("30d"))]
pub(crate) enum DateRange {
    /// The last 7 days.
    #[serde(rename = "7d")]
    Week,
    /// The last 30 days.
    #[serde(rename = "30d")]
    Month,
    /// The last 90 days.
    #[serde(rename = "90d")]
    Quarter,
    /// The last 365 days.
    #[serde(rename = "365d")]
    Year,
    /// Everything since the site was created.
    #[serde(rename = "all")]
    All,
}

impl DateRange {
    /// Reads a range. Returns `None` for any other text.
    pub fn parse(text: Option<&str>) -> Option<Self> {
        match text? {
            "7d" => Some(Self::Week),
            "30d" => Some(Self::Month),
            "90d" => Some(Self::Quarter),
            "365d" => Some(Self::Year),
            "all" => Some(Self::All),
            _ => None,
        }
    }

    /// Reads the range of analytics. Defaults to 30 days.
    pub fn for_analytics(text: Option<&str>) -> Self {
        Self::parse(text).unwrap_or(Self::Month)
    }

    /// The value in GraphQL.
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
    fn a_range_is_read_as_it_is_written_and_any_other_text_means_thirty_days() {
        for range in [DateRange::Week, DateRange::Month, DateRange::Quarter, DateRange::Year, DateRange::All] {
            let text = serde_json::to_value(range).unwrap();
            assert_eq!(DateRange::parse(text.as_str()), Some(range));
        }
        for other in [None, Some(""), Some("30"), Some("7D"), Some("1y")] {
            assert_eq!(DateRange::for_analytics(other), DateRange::Month, "{other:?}");
        }
    }
}
