//! Webhooks: the states of an endpoint and of a delivery, and the rules for what an owner may set.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::EventType;
use crate::ids::{EventId, ReplayId, SiteId, WebhookId};
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
