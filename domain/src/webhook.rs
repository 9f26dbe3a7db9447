//! Webhooks: endpoints, deliveries, attempts and replays with their states, and the rules for what
//! an owner may set.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::EventType;
use crate::ids::{EventId, ReplayId, SiteId, WebhookId};
use crate::{Invalid, Timestamp, text};

/// Maximum number of endpoints per site, as documented.
pub const WEBHOOKS_MAX: i64 = 5;
const DESCRIPTION_MAX_CHARS: usize = 200;

/// Why an endpoint is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// The owner disabled it.
    Owner,
    /// The endpoint answered 410.
    Gone,
    /// Every attempt has failed for days.
    Failing,
}

impl DisabledReason {
    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            DisabledReason::Owner => "owner",
            DisabledReason::Gone => "gone",
            DisabledReason::Failing => "failing",
        }
    }
}

/// The state of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// The delivery is waiting for its next attempt, or an attempt is running.
    Pending,
    /// The endpoint answered with a 2xx status.
    Delivered,
    /// The last attempt failed.
    Failed,
    /// The endpoint was disabled before the delivery ended.
    Cancelled,
}

impl DeliveryStatus {
    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            DeliveryStatus::Pending => "pending",
            DeliveryStatus::Delivered => "delivered",
            DeliveryStatus::Failed => "failed",
            DeliveryStatus::Cancelled => "cancelled",
        }
    }
}

/// A run of failed attempts without a success in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Time at which the first attempt of the run failed.
    pub since: Timestamp,
    /// Time of the oldest event that failed in the run.
    pub first_event: Timestamp,
    /// Time of the newest event that failed in the run.
    pub last_event: Timestamp,
}

/// A signing secret in its encrypted form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// Encrypted secret. Only `services` can decrypt it.
    pub bytes: Vec<u8>,
    /// Last four characters of the secret.
    pub last4: String,
}

/// The second secret of an endpoint while its secrets are rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The next secret while it is staged, or the previous one after it was replaced.
    pub secret: SealedSecret,
    /// Time at which the previous secret expires. `None` while the next secret is staged.
    pub until: Option<Timestamp>,
}

/// A webhook endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Site that the endpoint belongs to.
    pub site_id: SiteId,
    /// ID of the endpoint.
    pub id: WebhookId,
    /// URL as the owner wrote it.
    pub url: String,
    /// Events that are sent to the endpoint, in the documented order.
    pub events: Vec<EventType>,
    /// Note of the owner.
    pub description: Option<String>,
    /// Secret that deliveries are signed with.
    pub secret: SealedSecret,
    /// Second secret during a rotation.
    pub overlap: Option<Overlap>,
    /// Why the endpoint is disabled. `None` while it is enabled.
    pub disabled: Option<DisabledReason>,
    /// Current run of failures. `None` while deliveries succeed.
    pub failing: Option<Failing>,
    /// Time until which no attempts are made.
    pub paused_until: Option<Timestamp>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the owner's last change.
    pub updated_at: Timestamp,
}

/// One event for one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// ID of the delivery, the same for all attempts.
    pub id: Uuid,
    /// Site that the delivery belongs to.
    pub site_id: SiteId,
    /// Endpoint that receives the delivery.
    pub webhook_id: WebhookId,
    /// ID of the event.
    pub event_id: EventId,
    /// Name of the event.
    pub event_type: String,
    /// Position of the event in the site's log. `None` for a test delivery.
    pub event_seq: Option<i64>,
    /// Time of the event.
    pub event_at: Timestamp,
    /// Request body.
    pub body: String,
    /// State of the delivery.
    pub status: DeliveryStatus,
    /// Attempts since the delivery was created or last replayed: its position in the retry schedule.
    pub run_attempts: i32,
    /// Attempts in total.
    pub attempts: i32,
    /// Time at which the next attempt is due, or the last one was.
    pub due_at: Timestamp,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time at which the delivery succeeded, failed for good or was canceled.
    pub finished_at: Option<Timestamp>,
}

/// The log entry of one attempt at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Site that the attempt belongs to.
    pub site_id: SiteId,
    /// Delivery that was attempted.
    pub delivery_id: Uuid,
    /// Number of the attempt, from 1. Replays continue the numbering.
    pub number: i32,
    /// URL that the request was sent to.
    pub url: String,
    /// HTTP status. `None` when there was no response.
    pub status: Option<i32>,
    /// Stable code of the error. `None` when there was a response.
    pub error: Option<String>,
    /// Description of the error.
    pub error_text: Option<String>,
    /// Duration of the DNS lookup. `None` for a reused connection or an IP address.
    pub dns_ms: Option<i64>,
    /// Duration of the TCP and TLS handshakes. `None` for a reused connection.
    pub connect_ms: Option<i64>,
    /// Time until the response headers arrived.
    pub first_byte_ms: Option<i64>,
    /// Duration of the whole attempt.
    pub total_ms: i64,
    /// Request headers, as a JSON list of pairs.
    pub request_headers: String,
    /// Response headers, as a JSON list of pairs.
    pub response_headers: String,
    /// Beginning of the response body.
    pub response: String,
    /// Time at which the attempt started.
    pub started_at: Timestamp,
}

/// Deliveries that a list includes. All conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Only deliveries in this state.
    pub status: Option<DeliveryStatus>,
    /// Only deliveries of events with this name.
    pub event_type: Option<String>,
    /// Only deliveries of events at or after this time.
    pub since: Option<Timestamp>,
}

/// A request to send an endpoint the events that it missed, with its progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Site that the replay belongs to.
    pub site_id: SiteId,
    /// ID of the replay.
    pub id: ReplayId,
    /// Endpoint that receives the events.
    pub webhook_id: WebhookId,
    /// Only events of this type. `None` means all types that the endpoint receives.
    pub event_type: Option<EventType>,
    /// Only events at or after this time.
    pub since: Timestamp,
    /// Position in the site's log of the last event that the replay includes.
    pub last_seq: i64,
    /// Position of the last event that was processed.
    pub walked_seq: i64,
    /// Number of events to process.
    pub total: i64,
    /// Number of events processed so far.
    pub checked: i64,
    /// Number of processed events that were scheduled for delivery.
    pub replayed: i64,
    /// Time of the request.
    pub created_at: Timestamp,
    /// Time at which the replay finished.
    pub finished_at: Option<Timestamp>,
}

/// Validates the events of an endpoint. Returns them in the documented order, without duplicates.
///
/// # Errors
/// Names `events` when the list is empty or contains an event that is not sent to webhooks.
pub fn events(wanted: &[EventType]) -> Result<Vec<EventType>, Invalid> {
    if wanted.is_empty() {
        return Err(Invalid::new("events", "events must contain at least one event"));
    }
    if let Some(other) = wanted.iter().find(|event| !EventType::WEBHOOK.contains(event)) {
        return Err(Invalid::new("events", format!("{other} is not sent to webhooks")));
    }
    Ok(EventType::WEBHOOK.into_iter().filter(|event| wanted.contains(event)).collect())
}

/// Validates the owner's note. Returns `None` when it is empty.
///
/// # Errors
/// Names `description` when it is longer than 200 characters.
pub fn description(given: Option<&str>) -> Result<Option<String>, Invalid> {
    let note = text::bounded("description", given.unwrap_or_default(), DESCRIPTION_MAX_CHARS)?;
    Ok(Some(note).filter(|note| !note.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_returned_in_the_documented_order_without_duplicates() {
        let wanted = [EventType::ConversationHandoff, EventType::ConversationCreated, EventType::ConversationHandoff];

        assert_eq!(events(&wanted), Ok(vec![EventType::ConversationCreated, EventType::ConversationHandoff]));
        assert!(events(&[]).is_err());
        assert!(events(&[EventType::MessageCreated]).is_err());
    }

    #[test]
    fn a_description_counts_code_points_and_an_empty_one_is_absent() {
        assert_eq!(description(Some(" CRM ")), Ok(Some("CRM".into())));
        assert_eq!(description(Some("  ")), Ok(None));
        assert_eq!(description(None), Ok(None));
        assert!(description(Some(&"\u{fc}".repeat(200))).is_ok());
        assert!(description(Some(&"\u{fc}".repeat(201))).is_err());
    }
}
