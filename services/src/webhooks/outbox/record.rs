//! Recording attempts: the delivery, the attempt, and the effect on the endpoint are written in one
//! transaction, for many attempts at a time.
//!
//! A successful delivery does not lock its endpoint. Failures lock their endpoint and are evaluated
//! one after the other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::webhook::{Attempt, Delivery, DeliveryStatus, DisabledReason, Failing, Webhook};
use uuid::Uuid;

use crate::runtime::job_kinds::{WEBHOOK_DISABLED_MAIL, WebhookDisabledMail};
use crate::runtime::jobs::NewJob;
use crate::{Result, Services, boxed};

/// A finished attempt.
#[derive(Debug, Clone)]
pub struct FinishedAttempt {
    /// The delivery that was attempted.
    pub delivery: Delivery,
    /// The record of the attempt. Its number is set when it is written.
    pub attempt: Attempt,
    /// What happens next.
    pub next: AfterAttempt,
    /// Time until which the endpoint is paused.
    pub pause_until: Option<Timestamp>,
}

/// What happens after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterAttempt {
    /// The delivery arrived.
    Delivered,
    /// The delivery is attempted again at this time.
    Retry(Timestamp),
    /// It was the last attempt.
    Failed,
}

/// Evaluates a failure of an endpoint: returns its updated run of failures, and the reason if it is
/// disabled.
pub type FailureJudge = Box<dyn FnOnce(Option<Failing>) -> (Failing, Option<DisabledReason>) + Send>;

/// Records failed attempts, what happens next, and their effect on the endpoints. Returns how many
/// of the deliveries `owner` still held.
///
/// # Errors
/// Only errors of the database, in which case nothing is recorded.
#[boxed]
pub async fn record_failed(
    services: &Services,
    owner: &str,
    ended: Vec<(FinishedAttempt, FailureJudge)>,
) -> Result<usize> {
    let (owner, now) = (owner.to_owned(), services.now());
    let written = services.db.write(move |c| Box::pin(failed(c, owner, ended, now))).await?;
    written.iter().for_each(|next| count(services, *next));
    Ok(written.len())
}

/// Records successful attempts. Returns how many of the deliveries `owner` still held. Ignores
/// [`FinishedAttempt::next`].
///
/// # Errors
/// Only errors of the database, in which case nothing is recorded.
#[boxed]
pub async fn record_delivered(services: &Services, owner: &str, ended: Vec<FinishedAttempt>) -> Result<usize> {
    let (owner, now) = (owner.to_owned(), services.now());
    let written = services.db.write(move |c| Box::pin(delivered(c, owner, ended, now))).await?;
    (0..written).for_each(|_| services.metrics.delivered.add_one());
    Ok(written)
}

async fn delivered(c: &mut db::Conn, owner: String, ended: Vec<FinishedAttempt>, now: Timestamp) -> Result<usize> {
    // Endpoints are locked before their deliveries and in one order everywhere, which prevents
    // deadlocks.
    let endpoints: BTreeSet<_> = ended.iter().map(|it| (it.delivery.webhook_id, it.delivery.site_id)).collect();
    for (webhook, site) in endpoints {
        db::webhooks::recovered(c, site, webhook).await?;
    }
    let mut ids: Vec<Uuid> = ended.iter().map(|it| it.delivery.id).collect();
    ids.sort_unstable();
    let numbers: HashMap<Uuid, i32> = db::outbox::record_delivered(c, &ids, &owner, now).await?.into_iter().collect();
    let attempts: Vec<Attempt> = ended
        .into_iter()
        .filter_map(|it| Some(Attempt { number: *numbers.get(&it.delivery.id)?, ..it.attempt }))
        .collect();
    db::attempts::insert_all(c, &attempts).await?;
    Ok(attempts.len())
}

/// Returns what happens next for each recorded attempt.
async fn failed(
    c: &mut db::Conn,
    owner: String,
    ended: Vec<(FinishedAttempt, FailureJudge)>,
    now: Timestamp,
) -> Result<Vec<AfterAttempt>> {
    let mut lines: BTreeMap<_, Vec<(FinishedAttempt, FailureJudge)>> = BTreeMap::new();
    for (ended, judge) in ended {
        let line = lines.entry((ended.delivery.webhook_id, ended.delivery.site_id)).or_default();
        line.push((ended, judge));
    }
    let mut written = Vec::new();
    for ((webhook, site), line) in lines {
        // The endpoint is locked before its deliveries, as when its owner disables it, which
        // prevents deadlocks.
        let Some(before) = db::webhooks::by_id_locked(c, site, webhook).await? else { continue };
        let mut endpoint = before.clone();
        for (ended, judge) in line {
            judged(&mut endpoint, judge, ended.pause_until);
            let next = ended.next;
            if end_failed(c, ended, &owner, endpoint.disabled.is_none(), now).await? {
                written.push(next);
            }
        }
        if endpoint != before {
            db::webhooks::update(c, &endpoint).await?;
        }
        match (before.disabled, endpoint.disabled, endpoint.failing) {
            (None, Some(reason), Some(failing)) => {
                let payload = WebhookDisabledMail { webhook_id: webhook, reason, failing_since: failing.since };
                let dedupe = Some(webhook.to_string());
                NewJob::new(site, WEBHOOK_DISABLED_MAIL, dedupe, &payload).enqueue(c, now).await?;
                db::deliveries::cancel(c, site, webhook, now).await?;
            }
            (Some(_), _, _) => drop(db::deliveries::cancel(c, site, webhook, now).await?),
            _ => {}
        }
    }
    Ok(written)
}

/// Applies a failure to its endpoint, unless the endpoint is disabled.
fn judged(endpoint: &mut Webhook, judge: FailureJudge, pause_until: Option<Timestamp>) {
    if endpoint.disabled.is_none() {
        let (failing, reason) = judge(endpoint.failing);
        endpoint.failing = Some(failing);
        endpoint.paused_until = endpoint.paused_until.max(pause_until);
        endpoint.disabled = reason;
    }
}

/// Records one failed attempt. Returns `false` when `owner` no longer holds the delivery.
async fn end_failed(
    c: &mut db::Conn,
    ended: FinishedAttempt,
    owner: &str,
    is_enabled: bool,
    now: Timestamp,
) -> Result<bool> {
    let FinishedAttempt { delivery, attempt, next, .. } = ended;
    let status = match next {
        AfterAttempt::Delivered => DeliveryStatus::Delivered,
        AfterAttempt::Retry(_) if is_enabled => DeliveryStatus::Pending,
        AfterAttempt::Retry(_) => DeliveryStatus::Cancelled,
        AfterAttempt::Failed => DeliveryStatus::Failed,
    };
    let number = delivery.attempts + 1;
    let changed = Delivery {
        status,
        run_attempts: delivery.run_attempts + 1,
        attempts: number,
        due_at: if let AfterAttempt::Retry(at) = next { at } else { delivery.due_at },
        finished_at: (status != DeliveryStatus::Pending).then_some(now),
        ..delivery
    };
    let is_ours = db::outbox::record_attempt(c, &changed, owner).await?;
    if is_ours {
        db::attempts::insert(c, &Attempt { number, ..attempt }).await?;
    }
    Ok(is_ours)
}

fn count(services: &Services, next: AfterAttempt) {
    match next {
        AfterAttempt::Delivered => services.metrics.delivered.add_one(),
        AfterAttempt::Retry(_) => services.metrics.retried.add_one(),
        AfterAttempt::Failed => services.metrics.given_up.add_one(),
    }
}
