//! Scalars of the schema: times and days, and the conversion of counts to `Int`.
//!
//! Used by every noun. Values are stored and returned in UTC.

use async_graphql::{Description, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use helpbot_domain::Timestamp;
use helpbot_domain::time::Day;

/// A count as GraphQL's `Int`. Counts above 2,147,483,647 are returned as that number.
pub(crate) fn int(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// What is wrong with a value of one of these scalars, for the guard.
pub(crate) fn problem(scalar: &str, value: &Value) -> Option<String> {
    let problem = |error: &str| Some(error.to_owned());
    match (scalar, value) {
        ("DateTime", value) if DateTime::parse(value.clone()).is_err() => problem(DATE_TIME_FORMAT),
        ("Date", value) if Date::parse(value.clone()).is_err() => problem(DATE_FORMAT),
        ("Upload", value) if !matches!(value, Value::String(_)) => problem("The value is not an uploaded file."),
        _ => None,
    }
}

const DATE_TIME_FORMAT: &str = "The value is not in RFC 3339 format. Write it like 2026-01-15T10:30:00Z.";
const DATE_FORMAT: &str = "The value is not a day. Write it like 2026-01-15.";

/// A point in time in RFC 3339 format, for example `2026-01-15T10:30:00.000Z`. Responses use UTC
/// and milliseconds. Inputs may have any offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Description)]
pub struct DateTime(pub Timestamp);

#[Scalar(use_type_description, specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                let moment = Timestamp::from_rfc3339(text);
                moment.map(DateTime).ok_or_else(|| InputValueError::custom(DATE_TIME_FORMAT))
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

/// A calendar day, which is written `YYYY-MM-DD`. It is a day in UTC unless the description of the field names another time
/// zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Description)]
pub struct Date(pub Day);

#[Scalar(use_type_description, specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                let start = Timestamp::from_rfc3339(&format!("{text}T00:00:00Z"));
                start.map(|start| Date(start.day())).ok_or_else(|| InputValueError::custom(DATE_FORMAT))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}
