//! One attempt at one delivery: sign the request, post it, judge the response, and keep what the
//! owner will want to see.
//!
//! The worker provides a [`PendingDelivery`] and records the [`AttemptResult`]; no transaction is
//! open in between. The lease ensures that at most one attempt of a delivery runs at a time.

use bytes::Bytes;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::EventId;
use helpbot_outbound::{Client, FetchError, HeaderMap, HeaderName, HeaderValue, Timing, WebhookLimits};
use url::Url;
use uuid::Uuid;

use crate::schedule::AttemptOutcome;
use crate::signature::SigningKeys;

/// A delivery that is due and claimed, with everything needed to send it.
#[derive(Clone, Debug)]
pub struct PendingDelivery {
    /// ID of the delivery. Retries and replays keep it.
    pub delivery_id: Uuid,
    /// ID of the event. It lets a handler that serves two endpoints ignore the second delivery.
    pub event_id: EventId,
    /// Name of the event.
    pub event: String,
    /// Position of the event in the site's log. `None` for a test delivery.
    pub sequence: Option<i64>,
    /// URL of the endpoint.
    pub url: Url,
    /// Keys that sign the request.
    pub keys: SigningKeys,
    /// Request body, made by [`helpbot_domain::envelope::wrap`].
    pub body: Bytes,
}

/// The result of an attempt, ready to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptResult {
    /// What the attempt means for the delivery and its endpoint.
    pub outcome: AttemptOutcome,
    /// Request headers in the order in which they were sent. They contain no secret.
    pub request_headers: Vec<(String, String)>,
    /// HTTP status. `None` when there was no response.
    pub status: Option<u16>,
    /// Response headers in the order in which they arrived.
    pub response_headers: Vec<(String, String)>,
    /// Beginning of the response body. Bytes that are not UTF-8 text are replaced.
    pub response: String,
    /// Whether the response exceeded its limits. The connection cannot be reused then.
    pub is_truncated: bool,
    /// Why there was no response. `code()` is for rows, `Display` for the owner.
    pub error: Option<FetchError>,
    /// Durations of the phases of the exchange.
    pub timing: Timing,
}

/// Makes one attempt at `now`. It ends within `limits.total`.
pub async fn attempt(
    client: &Client,
    pending: &PendingDelivery,
    now: Timestamp,
    limits: &WebhookLimits,
) -> AttemptResult {
    let request_headers = headers(pending, now);
    let sent = request_headers.iter().filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
    });
    let sent: HeaderMap = sent.collect();
    let exchange = client.post_webhook(&pending.url, sent, pending.body.clone(), limits).await;
    let ended = now.plus(exchange.timing.total);
    let blank = AttemptResult {
        outcome: AttemptOutcome::of(&exchange.response, ended),
        request_headers,
        status: None,
        response_headers: Vec::new(),
        response: String::new(),
        is_truncated: false,
        error: None,
        timing: exchange.timing,
    };
    match exchange.response {
        Ok(head) => AttemptResult {
            status: Some(head.status),
            response: as_text(&head.body),
            response_headers: head.headers,
            is_truncated: !head.is_complete,
            ..blank
        },
        Err(error) => AttemptResult { error: Some(error), ..blank },
    }
}

/// Returns the documented headers, followed by those of Standard Webhooks.
fn headers(pending: &PendingDelivery, now: Timestamp) -> Vec<(String, String)> {
    let timestamp_s = now.as_ms().div_euclid(1000);
    let event_id = pending.event_id.to_string();
    let signatures = pending.keys.standard_signatures(&event_id, timestamp_s, &pending.body);
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("x-helpbot-signature", pending.keys.active.page_signature(&pending.body)),
        ("x-helpbot-event", pending.event.clone()),
        ("x-helpbot-delivery", pending.delivery_id.to_string()),
    ];
    headers.extend(pending.sequence.map(|sequence| ("x-helpbot-sequence", sequence.to_string())));
    headers.extend([
        ("webhook-id", event_id),
        ("webhook-timestamp", timestamp_s.to_string()),
        ("webhook-signature", signatures),
        ("traceparent", trace_parent(pending, now)),
    ]);
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Returns the value of `traceparent` (W3C Trace Context). All attempts of all deliveries of an event belong to one trace,
/// whose ID is that of the event. The ID of the span differs for each attempt.
fn trace_parent(pending: &PendingDelivery, now: Timestamp) -> String {
    let (_, random) = pending.delivery_id.as_u64_pair();
    let span = random ^ now.as_ms().unsigned_abs();
    // A span of zeros is not valid, and so rare that another one may be the same.
    format!("00-{:032x}-{:016x}-01", pending.event_id.uuid().as_u128(), span.max(1))
}

/// Returns text that both databases can store: PostgreSQL rejects NUL characters.
fn as_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}
