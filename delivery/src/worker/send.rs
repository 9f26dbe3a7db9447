//! One claimed delivery: attempted, judged and passed on to be recorded.

use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_domain::webhook::{Attempt, Delivery};
use helpbot_services::webhooks::outbox::{AfterAttempt, ClaimedDelivery, FinishedAttempt};
use url::Url;

use super::context::DeliveryContext;
use super::record::{Recorder, UnrecordedAttempt};
use super::slot::{AttemptSlot, ExchangeEnd};
use crate::attempt::{self, AttemptResult, PendingDelivery};
use crate::schedule::{AttemptOutcome, NextStep};
use crate::signature::{SigningKey, SigningKeys};

/// Why a delivery could not be sent, as the attempt log shows it.
struct NotSendable {
    code: &'static str,
    text: &'static str,
}

/// Attempts a claimed delivery and passes the result to `recorder`.
///
/// `slot` reports the end of the exchange at once, so that the next attempt need not wait for the
/// database.
pub(super) async fn deliver(
    context: &DeliveryContext,
    claimed: ClaimedDelivery,
    mut slot: AttemptSlot,
    recorder: &Recorder,
) {
    let started = context.services.now();
    let (attempt, outcome, is_truncated) = match pending(&claimed) {
        Ok(pending) => {
            let made = attempt::attempt(&context.client, &pending, started, &context.settings.limits).await;
            let (outcome, is_truncated) = (made.outcome, made.is_truncated);
            (log_entry(&claimed, made, started), outcome, is_truncated)
        }
        Err(reason) => {
            tracing::error!(delivery = %claimed.delivery.id, code = reason.code, "a delivery cannot be sent");
            (not_sent_entry(&claimed, &reason, started), AttemptOutcome::Failed, false)
        }
    };
    let now = context.services.now();
    let attempt_no = u32::try_from(claimed.delivery.run_attempts).unwrap_or(0).saturating_add(1);
    let step = context.settings.schedule.next_step(attempt_no, outcome, now, (context.settings.jitter)());
    let (next, pause_until) = match step {
        NextStep::Done => (AfterAttempt::Delivered, None),
        NextStep::Retry { at, pause_endpoint_until } => (AfterAttempt::Retry(at), pause_endpoint_until),
        NextStep::GiveUp | NextStep::DisableEndpoint => (AfterAttempt::Failed, None),
    };
    slot.exchange_ended(ExchangeEnd { outcome, is_truncated, pause_until });
    let finished = FinishedAttempt { delivery: claimed.delivery, attempt, next, pause_until };
    // The delivery stays held until it is recorded.
    recorder.record(UnrecordedAttempt { finished, outcome, at: now, _slot: slot });
}

/// Returns everything that an attempt needs, or why it cannot be made.
fn pending(claimed: &ClaimedDelivery) -> Result<PendingDelivery, NotSendable> {
    let Delivery { id, event_id, event_type, event_seq, body, .. } = &claimed.delivery;
    let url = Url::parse(&claimed.target.url)
        .map_err(|_| NotSendable { code: "URL_UNPARSABLE", text: "the webhook's URL is not valid" })?;
    let unreadable = || NotSendable {
        code: "SECRET_UNREADABLE",
        text: "the signing secret cannot be decrypted: the installation's secret key was changed",
    };
    let secrets = claimed.target.secrets.as_ref().ok_or_else(unreadable)?;
    let overlapping = secrets.overlapping.as_deref().map(SigningKey::parse).transpose();
    Ok(PendingDelivery {
        delivery_id: *id,
        event_id: *event_id,
        event: event_type.clone(),
        sequence: *event_seq,
        url,
        keys: SigningKeys {
            active: SigningKey::parse(&secrets.active).map_err(|_| unreadable())?,
            overlapping: overlapping.map_err(|_| unreadable())?,
        },
        body: body.clone().into(),
    })
}

fn log_entry(claimed: &ClaimedDelivery, made: AttemptResult, started_at: Timestamp) -> Attempt {
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    Attempt {
        status: made.status.map(i32::from),
        error: made.error.as_ref().map(|error| error.code().to_owned()),
        error_text: made.error.as_ref().map(ToString::to_string),
        dns_ms: made.timing.dns.map(ms),
        connect_ms: made.timing.connect.map(ms),
        first_byte_ms: made.timing.first_byte.map(ms),
        total_ms: ms(made.timing.total),
        request_headers: serde_json::to_string(&made.request_headers).unwrap_or_default(),
        response_headers: serde_json::to_string(&made.response_headers).unwrap_or_default(),
        response: made.response,
        ..blank_entry(claimed, started_at)
    }
}

fn not_sent_entry(claimed: &ClaimedDelivery, reason: &NotSendable, started_at: Timestamp) -> Attempt {
    Attempt {
        error: Some(reason.code.to_owned()),
        error_text: Some(reason.text.to_owned()),
        ..blank_entry(claimed, started_at)
    }
}

/// Returns the log entry of an attempt without a result. Its number is set when it is recorded.
fn blank_entry(claimed: &ClaimedDelivery, started_at: Timestamp) -> Attempt {
    Attempt {
        site_id: claimed.delivery.site_id,
        delivery_id: claimed.delivery.id,
        number: 0,
        url: claimed.target.url.clone(),
        status: None,
        error: None,
        error_text: None,
        dns_ms: None,
        connect_ms: None,
        first_byte_ms: None,
        total_ms: 0,
        request_headers: "[]".to_owned(),
        response_headers: "[]".to_owned(),
        response: String::new(),
        started_at,
    }
}
