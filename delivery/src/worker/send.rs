//! One held delivery: attempted, judged, and handed over to be written down.

use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_services::webhooks::outbox::{Claimed as Held, Ended, Next};
use helpbot_services::{Attempt as Kept, Delivery};
use url::Url;

use super::Worker;
use super::pool::{Sent, Turn};
use super::record::{Handed, Recorder};
use crate::attempt::{self, Attempt, Claimed};
use crate::schedule::{Outcome, Step};
use crate::signature::{Secret, Secrets};

/// Why a delivery could not even be tried, as it stands in the record.
struct Unready {
    code: &'static str,
    text: &'static str,
}

/// Attempts a held delivery and writes down what came of it. `turn` is told as soon as the
/// exchange is over, so that the next one need not wait for the database. What came of it is
/// handed to `recorder`.
pub(super) async fn deliver(worker: &Worker, held: Held, mut turn: Turn, recorder: &Recorder) {
    let started = worker.services.now();
    let (kept, outcome, is_cut) = match ready(&held) {
        Ok(claimed) => {
            let limits = &worker.settings.limits;
            let made = attempt::attempt(&worker.client, &claimed, started, limits).await;
            let (outcome, is_cut) = (made.outcome, made.is_cut);
            (kept(&held, made, started), outcome, is_cut)
        }
        Err(unready) => {
            tracing::error!(delivery = %held.delivery.id, code = unready.code, "a delivery cannot be sent");
            (kept_unready(&held, &unready, started), Outcome::Failed, false)
        }
    };
    let now = worker.services.now();
    let attempt_no = u32::try_from(held.delivery.run_attempts).unwrap_or(0).saturating_add(1);
    let step = worker.settings.schedule.next_step(attempt_no, outcome, now, (worker.settings.jitter)());
    let (next, pause_until) = match step {
        Step::Done => (Next::Delivered, None),
        Step::Retry { at, pause_endpoint_until } => (Next::Retry(at), pause_endpoint_until),
        Step::GiveUp | Step::DisableEndpoint => (Next::Failed, None),
    };
    turn.sent(Sent { outcome, is_cut, pause_until });
    let ended = Ended { delivery: held.delivery, attempt: kept, next, pause_until };
    // Its place in the line is held until it is written down.
    recorder.hand_over(Handed { ended, outcome, at: now, _turn: turn });
}

/// Everything that an attempt needs, or why it cannot be made.
fn ready(held: &Held) -> Result<Claimed, Unready> {
    let Delivery { id, event_id, event_type, event_seq, body, .. } = &held.delivery;
    let url = Url::parse(&held.target.url)
        .map_err(|_| Unready { code: "URL_UNPARSABLE", text: "the address of the webhook is no URL" })?;
    let unreadable = || Unready {
        code: "SECRET_UNREADABLE",
        text: "the signing secret cannot be read: the installation's secret key was changed",
    };
    let secrets = held.target.secrets.as_ref().ok_or_else(unreadable)?;
    let overlapping = secrets.overlapping.as_deref().map(Secret::parse).transpose();
    Ok(Claimed {
        delivery_id: *id,
        event_id: *event_id,
        event: event_type.clone(),
        sequence: *event_seq,
        url,
        secrets: Secrets {
            active: Secret::parse(&secrets.active).map_err(|_| unreadable())?,
            overlapping: overlapping.map_err(|_| unreadable())?,
        },
        body: body.clone().into(),
    })
}

fn kept(held: &Held, made: Attempt, started_at: Timestamp) -> Kept {
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    Kept {
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
        ..blank(held, started_at)
    }
}

fn kept_unready(held: &Held, unready: &Unready, started_at: Timestamp) -> Kept {
    Kept { error: Some(unready.code.to_owned()), error_text: Some(unready.text.to_owned()), ..blank(held, started_at) }
}

/// The record of an attempt of which nothing is known yet; it gets its number when written.
fn blank(held: &Held, started_at: Timestamp) -> Kept {
    Kept {
        site_id: held.delivery.site_id,
        delivery_id: held.delivery.id,
        number: 0,
        url: held.target.url.clone(),
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
