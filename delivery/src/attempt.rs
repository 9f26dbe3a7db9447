//! One attempt at one delivery: sign, post, judge, and keep what the owner will want to see.
//!
//! The worker brings a claimed row and writes down the [`Attempt`]; no transaction is open in
//! between. At most one attempt of a delivery runs at a time, which is the lease's business.

use bytes::Bytes;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::EventId;
use helpbot_outbound::{Client, FetchError, HeaderMap, HeaderName, HeaderValue, Timing, WebhookLimits};
use url::Url;
use uuid::Uuid;

use crate::schedule::{Outcome, judge};
use crate::signature::Secrets;

/// A delivery that is due and ours to make.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// One per event and endpoint, the same over retries and replays.
    pub delivery_id: Uuid,
    /// One per event, so that two endpoints on one handler can drop the second.
    pub event_id: EventId,
    /// The event's name.
    pub event: String,
    /// The event's place in the site's log; a ping has none.
    pub sequence: Option<i64>,
    pub url: Url,
    pub secrets: Secrets,
    /// As [`helpbot_domain::envelope::wrap`] made it.
    pub body: Bytes,
}

/// What came of an attempt, ready to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub outcome: Outcome,
    /// As sent, in order; no secret is among them.
    pub request_headers: Vec<(String, String)>,
    /// Absent when nothing was answered.
    pub status: Option<u16>,
    /// The head of the response, in order.
    pub response_headers: Vec<(String, String)>,
    /// The beginning of the response as text; bytes that are no text are replaced.
    pub response: String,
    /// Whether the response did not end within its limits, which costs a connection.
    pub is_cut: bool,
    /// Why nothing was answered; `code()` for rows, `Display` for the owner.
    pub error: Option<FetchError>,
    pub timing: Timing,
}

/// Makes one attempt at `now`; it ends within `limits.total`.
pub async fn attempt(client: &Client, claimed: &Claimed, now: Timestamp, limits: &WebhookLimits) -> Attempt {
    let request_headers = headers(claimed, now);
    let sent = request_headers.iter().filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
    });
    let sent: HeaderMap = sent.collect();
    let made = client.post_webhook(&claimed.url, sent, claimed.body.clone(), limits).await;
    let ended = now.plus(made.timing.total);
    let outcome = judge(&made.response, ended);
    let blank = Attempt {
        outcome,
        request_headers,
        status: None,
        response_headers: Vec::new(),
        response: String::new(),
        is_cut: false,
        error: None,
        timing: made.timing,
    };
    match made.response {
        Ok(head) => Attempt {
            status: Some(head.status),
            response: as_text(&head.body),
            response_headers: head.headers,
            is_cut: !head.is_complete,
            ..blank
        },
        Err(error) => Attempt { error: Some(error), ..blank },
    }
}

/// The documented headers, then those of Standard Webhooks.
fn headers(claimed: &Claimed, now: Timestamp) -> Vec<(String, String)> {
    let timestamp_s = now.as_ms().div_euclid(1000);
    let event_id = claimed.event_id.to_string();
    let signatures = claimed.secrets.standard_signatures(&event_id, timestamp_s, &claimed.body);
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("x-helpbot-signature", claimed.secrets.active.page_signature(&claimed.body)),
        ("x-helpbot-event", claimed.event.clone()),
        ("x-helpbot-delivery", claimed.delivery_id.to_string()),
    ];
    headers.extend(claimed.sequence.map(|sequence| ("x-helpbot-sequence", sequence.to_string())));
    headers.extend([
        ("webhook-id", event_id),
        ("webhook-timestamp", timestamp_s.to_string()),
        ("webhook-signature", signatures),
    ]);
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Text that any database takes: PostgreSQL has no NUL in it.
fn as_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}
