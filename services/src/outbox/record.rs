//! What came of attempts, written down: the delivery, its attempt, and what they mean for the
//! endpoint, in one transaction.
//!
//! Deliveries that arrived are written many at a time: they ask nothing of their endpoint but
//! that it is well. A failure is written alone, because it locks its endpoint.

use std::collections::{BTreeSet, HashMap};

use helpbot_db as db;
use helpbot_db::attempts::Attempt;
use helpbot_domain::Timestamp;
use helpbot_domain::webhook::{DeliveryStatus, DisabledReason, Failing};
use uuid::Uuid;

use crate::jobs::NewJob;
use crate::{Delivery, Result, Services, Webhook, boxed, mail};

/// What an attempt leaves.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What was attempted.
    pub delivery: Delivery,
    /// What is kept of it; its number is set here.
    pub attempt: Attempt,
    /// What follows.
    pub next: Next,
    /// Until when the endpoint is to be left alone.
    pub pause_until: Option<Timestamp>,
}

/// What follows an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It has arrived.
    Delivered,
    /// It is tried again.
    Retry(Timestamp),
    /// It was the last attempt.
    Failed,
}

/// Judges an endpoint after a failure: its run of failures now, and whether that is the end.
pub type Judge = Box<dyn FnOnce(Option<Failing>) -> (Failing, Option<DisabledReason>) + Send>;

impl Services {
    /// Writes down an attempt, what follows it, and what it means for the endpoint; false when
    /// the delivery was lost to another worker or its endpoint is gone.
    ///
    /// # Errors
    /// Only the database's own.
    #[boxed]
    pub async fn record_attempt(&self, owner: &str, ended: Ended, judge: Judge) -> Result<bool> {
        let (owner, now, next) = (owner.to_owned(), self.now(), ended.next);
        let record = Record { owner, ended, now };
        let written = self.db.write(move |c| Box::pin(record.write(c, judge))).await?;
        if written {
            self.figures.attempted(next);
        }
        Ok(written)
    }

    /// Writes down deliveries that arrived, with their attempts; gives how many of them were
    /// still `owner`'s. Whatever follows [`Ended::next`] says is not read: they are done.
    ///
    /// # Errors
    /// Only the database's own; then none of them is written.
    #[boxed]
    pub async fn record_delivered(&self, owner: &str, ended: Vec<Ended>) -> Result<usize> {
        let (owner, now) = (owner.to_owned(), self.now());
        let written = self.db.write(move |c| Box::pin(delivered(c, owner, ended, now))).await?;
        (0..written).for_each(|_| self.figures.delivered.add_one());
        Ok(written)
    }
}

async fn delivered(c: &mut db::Conn, owner: String, ended: Vec<Ended>, now: Timestamp) -> Result<usize> {
    // The endpoints before their deliveries, in one order, as everywhere: no deadlock.
    let endpoints: BTreeSet<_> = ended.iter().map(|it| (it.delivery.webhook_id, it.delivery.site_id)).collect();
    for (webhook, site) in endpoints {
        db::webhooks::recovered(c, site, webhook).await?;
    }
    let mut ids: Vec<Uuid> = ended.iter().map(|it| it.delivery.id).collect();
    ids.sort_unstable();
    let numbers: HashMap<Uuid, i32> = db::outbox::end_delivered(c, &ids, &owner, now).await?.into_iter().collect();
    let attempts: Vec<Attempt> = ended
        .into_iter()
        .filter_map(|it| Some(Attempt { number: *numbers.get(&it.delivery.id)?, ..it.attempt }))
        .collect();
    db::attempts::insert_all(c, &attempts).await?;
    Ok(attempts.len())
}

/// An attempt on its way into the record.
struct Record {
    owner: String,
    ended: Ended,
    now: Timestamp,
}

impl Record {
    async fn write(self, c: &mut db::Conn, judge: Judge) -> Result<bool> {
        let Ended { delivery, attempt, next, pause_until } = self.ended;
        let (site, webhook) = (delivery.site_id, delivery.webhook_id);
        // The endpoint before its deliveries, as when its owner disables it: no deadlock.
        let is_enabled = match next {
            Next::Delivered => {
                db::webhooks::recovered(c, site, webhook).await?;
                true
            }
            Next::Retry(_) | Next::Failed => {
                let Some(endpoint) = db::webhooks::locked(c, site, webhook).await? else { return Ok(false) };
                fail(c, endpoint, judge, pause_until, self.now).await?
            }
        };
        let status = match next {
            Next::Delivered => DeliveryStatus::Delivered,
            Next::Retry(_) if is_enabled => DeliveryStatus::Pending,
            Next::Retry(_) => DeliveryStatus::Cancelled,
            Next::Failed => DeliveryStatus::Failed,
        };
        let number = delivery.attempts + 1;
        let changed = Delivery {
            status,
            run_attempts: delivery.run_attempts + 1,
            attempts: number,
            due_at: if let Next::Retry(at) = next { at } else { delivery.due_at },
            finished_at: (status != DeliveryStatus::Pending).then_some(self.now),
            ..delivery
        };
        if !db::outbox::end_attempt(c, &changed, &self.owner).await? {
            return Ok(false);
        }
        db::attempts::insert(c, &Attempt { number, ..attempt }).await?;
        if !is_enabled {
            db::deliveries::cancel(c, site, webhook, self.now).await?;
        }
        Ok(true)
    }
}

/// Writes a failure to the endpoint's record; false when the endpoint is disabled, by this or
/// before.
async fn fail(
    c: &mut db::Conn,
    mut endpoint: Webhook,
    judge: Judge,
    pause_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool> {
    if endpoint.disabled.is_some() {
        return Ok(false);
    }
    let (failing, reason) = judge(endpoint.failing);
    let before = (endpoint.failing, endpoint.paused_until);
    endpoint.failing = Some(failing);
    endpoint.paused_until = endpoint.paused_until.max(pause_until);
    endpoint.disabled = reason;
    if before != (endpoint.failing, endpoint.paused_until) || reason.is_some() {
        db::webhooks::update(c, &endpoint).await?;
    }
    if let Some(reason) = reason {
        let payload = mail::DisabledPayload { webhook_id: endpoint.id, reason, failing_since: failing.since };
        let dedupe = Some(endpoint.id.to_string());
        NewJob::new(endpoint.site_id, mail::WEBHOOK_DISABLED_MAIL, dedupe, &payload).enqueue(c, now).await?;
    }
    Ok(reason.is_none())
}
