//! Webhooks: the states of an endpoint and of a delivery, and the rules for what an owner may set.

use serde::{Deserialize, Serialize};

use crate::event::EventType;
use crate::{Invalid, Timestamp, text};

/// Endpoints of a site; the documented limit.
pub const WEBHOOKS_MAX: i64 = 5;
const DESCRIPTION_MAX_CHARS: usize = 200;

/// Why an endpoint gets nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// Its owner said so.
    Owner,
    /// It answered 410.
    Gone,
    /// Nothing but failures for days.
    Failing,
}

impl DisabledReason {
    /// The name as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            DisabledReason::Owner => "owner",
            DisabledReason::Gone => "gone",
            DisabledReason::Failing => "failing",
        }
    }
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Waiting for its next attempt, or in one.
    Pending,
    /// Answered with 2xx.
    Delivered,
    /// Its last attempt has failed.
    Failed,
    /// Its endpoint was disabled before it came to an end.
    Cancelled,
}

impl DeliveryStatus {
    /// The name as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            DeliveryStatus::Pending => "pending",
            DeliveryStatus::Delivered => "delivered",
            DeliveryStatus::Failed => "failed",
            DeliveryStatus::Cancelled => "cancelled",
        }
    }
}

/// A run of failures of an endpoint without a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failing {
    /// When the first attempt of the run failed.
    pub since: Timestamp,
    /// When the oldest event that failed in it happened.
    pub first_event: Timestamp,
    /// When the newest one happened.
    pub last_event: Timestamp,
}

/// The events of an endpoint: in the order of the reference page, repeats folded.
///
/// # Errors
/// Names `events` when there are none, or one that webhooks do not get.
pub fn events(wanted: &[EventType]) -> Result<Vec<EventType>, Invalid> {
    if wanted.is_empty() {
        return Err(Invalid::new("events", "events must name at least one event"));
    }
    if let Some(other) = wanted.iter().find(|event| !EventType::WEBHOOK.contains(event)) {
        return Err(Invalid::new("events", format!("{other} is not sent to webhooks")));
    }
    Ok(EventType::WEBHOOK.into_iter().filter(|event| wanted.contains(event)).collect())
}

/// A note of the owner; none when it is empty.
///
/// # Errors
/// Names `description` when it has more than 200 characters.
pub fn description(given: Option<&str>) -> Result<Option<String>, Invalid> {
    let note = text::bounded("description", given.unwrap_or_default(), DESCRIPTION_MAX_CHARS)?;
    Ok(Some(note).filter(|note| !note.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_folded_into_the_order_of_the_page() {
        let wanted = [EventType::ConversationHandoff, EventType::ConversationCreated, EventType::ConversationHandoff];

        assert_eq!(events(&wanted), Ok(vec![EventType::ConversationCreated, EventType::ConversationHandoff]));
        assert!(events(&[]).is_err());
        assert!(events(&[EventType::MessageCreated]).is_err());
    }

    #[test]
    fn a_description_counts_code_points_and_an_empty_one_is_none() {
        assert_eq!(description(Some(" CRM ")), Ok(Some("CRM".into())));
        assert_eq!(description(Some("  ")), Ok(None));
        assert_eq!(description(None), Ok(None));
        assert!(description(Some(&"\u{fc}".repeat(200))).is_ok());
        assert!(description(Some(&"\u{fc}".repeat(201))).is_err());
    }
}
