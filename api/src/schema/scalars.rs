//! Scalars of our own: moments and days.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use helpbot_domain::Timestamp;
use helpbot_domain::time::Day;

/// A moment: RFC 3339, UTC, with milliseconds, for example `2026-01-15T10:30:00.000Z`. As an
/// input any offset is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime(pub Timestamp);

/// A moment: RFC 3339, UTC, with milliseconds, for example `2026-01-15T10:30:00.000Z`. As an
/// input any offset is read.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                let moment = Timestamp::from_rfc3339(text);
                moment.map(DateTime).ok_or_else(|| InputValueError::custom("not an RFC 3339 time"))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339())
    }
}

impl From<Timestamp> for DateTime {
    fn from(moment: Timestamp) -> Self {
        Self(moment)
    }
}

/// A day in UTC: `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date(pub Day);

/// A day in UTC: `YYYY-MM-DD`.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                let start = Timestamp::from_rfc3339(&format!("{text}T00:00:00Z"));
                start.map(|start| Date(start.day())).ok_or_else(|| InputValueError::custom("not a day"))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}
