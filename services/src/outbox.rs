//! The outbox: an event and its deliveries are written in one transaction; `delivery` takes them
//! from here and writes down what came of each attempt.
//!
//! Guarantees: an event that was committed has a delivery for each endpoint that was enabled and
//! wanted it, whatever dies afterwards. A delivery is in one pair of hands; a dead worker loses
//! it within [`jobs::LEASE`]. No transaction is open while an attempt is made. A site without
//! endpoints pays one look-up by key an event.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use helpbot_db as db;
use helpbot_db::attempts::Attempt;
use helpbot_db::events::NewEvent;
use helpbot_db::outbox::Room;
use helpbot_domain::Timestamp;
use helpbot_domain::envelope;
use helpbot_domain::event::{Event, EventType};
use helpbot_domain::ids::{SiteId, WebhookId};
use helpbot_domain::webhook::{DeliveryStatus, DisabledReason, Failing};
use tokio::sync::watch;
use uuid::Uuid;

use crate::jobs::{self, NewJob};
use crate::webhooks::{self, sealing};
use crate::{Delivery, Result, Services, Webhook, chance, mail};

/// Deliveries that one claim looks at. More than it takes: those of one endpoint must not hide
/// the others'.
const CANDIDATES: i64 = 256;
/// The longest pause that a receiver can ask for; one that ends later was set by another clock.
const LONGEST_PAUSE_MS: i64 = 24 * 3600 * 1000;
/// Records forgotten in one transaction, so that questions need not wait for it.
const FORGET_AT_ONCE: i64 = 500;

/// Events that were written, with what is to be told once they are committed.
#[derive(Default)]
pub(crate) struct Appended {
    events: Vec<Event>,
    has_deliveries: bool,
}

impl Appended {
    /// Tells watchers and, when something is to be delivered, the workers. After the commit.
    pub(crate) fn tell(self, services: &Services) {
        services.bus.publish(self.events);
        if self.has_deliveries {
            services.wake_deliveries();
        }
    }
}

/// Appends to the site's log and writes a delivery for each endpoint that wants one of the
/// events. Locks the site's counter until the transaction ends: call it last.
///
/// # Errors
/// Only the database's own.
pub(crate) async fn append(c: &mut db::Conn, site: SiteId, now: Timestamp, new: Vec<NewEvent>) -> db::Result<Appended> {
    let events = db::events::append(c, site, now, new).await?;
    let mut appended = Appended { events, has_deliveries: false };
    if !appended.events.iter().any(|event| EventType::WEBHOOK.contains(&event.event_type)) {
        return Ok(appended);
    }
    let endpoints = db::webhooks::list(c, site).await?;
    for event in &appended.events {
        let wanting = endpoints.iter().filter(|it| it.disabled.is_none() && it.events.contains(&event.event_type));
        // Made once an event: all endpoints get the same bytes.
        let mut body = None;
        for endpoint in wanting {
            let body = body.get_or_insert_with(|| body_of(event)).clone();
            db::deliveries::insert(c, &delivery(endpoint.id, event, body, now)).await?;
            appended.has_deliveries = true;
        }
    }
    Ok(appended)
}

/// The bytes that are sent for an event.
pub(crate) fn body_of(event: &Event) -> String {
    envelope::wrap(event.event_type.as_str(), event.created_at, &event.data)
}

/// A delivery of an event, due at once.
pub(crate) fn delivery(webhook_id: WebhookId, event: &Event, body: String, now: Timestamp) -> Delivery {
    Delivery {
        id: chance::uuid(now),
        site_id: event.site_id,
        webhook_id,
        event_id: event.id,
        event_type: event.event_type.as_str().to_owned(),
        event_seq: Some(event.seq),
        event_at: event.created_at,
        body,
        status: DeliveryStatus::Pending,
        run_attempts: 0,
        attempts: 0,
        due_at: now,
        created_at: now,
        finished_at: None,
    }
}

/// Where a delivery goes and what signs it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The endpoint's address, as its owner wrote it.
    pub url: String,
    /// What signs; none when the installation's key is not the one that the secret was sealed
    /// with.
    pub secrets: Option<SigningSecrets>,
}

/// The secrets that sign an endpoint's deliveries. `Debug` does not show them.
#[derive(Clone)]
pub struct SigningSecrets {
    /// The present one.
    pub active: String,
    /// The other one of a rotation.
    pub overlapping: Option<String>,
}

impl std::fmt::Debug for SigningSecrets {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SigningSecrets(****)")
    }
}

/// A delivery that a worker holds.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The delivery.
    pub delivery: Delivery,
    /// Where it goes.
    pub target: Arc<Target>,
    /// Until when it is held.
    pub lease_until: Timestamp,
}

/// What a worker holds already, and what it has room for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Deliveries in all.
    pub room: usize,
    /// Deliveries of one endpoint at most, held ones included.
    pub per_endpoint: usize,
    /// Held now.
    pub held: HashMap<WebhookId, HashSet<Uuid>>,
}

impl Wanted {
    fn full(&self) -> Vec<WebhookId> {
        self.held.iter().filter(|(_, held)| held.len() >= self.per_endpoint).map(|(id, _)| *id).collect()
    }

    /// Of the candidates those that there is room for, in their order. One that is held already
    /// is not taken twice, even when the clock has jumped past its lease.
    fn pick(mut self, candidates: &[(Uuid, WebhookId)]) -> Vec<Uuid> {
        let mut picked = Vec::new();
        for (id, webhook) in candidates {
            let held = self.held.entry(*webhook).or_default();
            if picked.len() < self.room && held.len() < self.per_endpoint && held.insert(*id) {
                picked.push(*id);
            }
        }
        picked
    }
}

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
    /// Changes whenever this process has written something to deliver; other processes' writes
    /// are found by looking every [`jobs::POLL`].
    pub fn outbox_changes(&self) -> watch::Receiver<()> {
        self.outbox.subscribe()
    }

    pub(crate) fn wake_deliveries(&self) {
        self.outbox.send_replace(());
    }

    /// Takes due deliveries for `owner`, for [`jobs::LEASE`], longest due first. True beside
    /// them when more may be due.
    ///
    /// # Errors
    /// Only the database's own.
    pub async fn claim_deliveries(&self, owner: &str, wanted: Wanted) -> Result<(Vec<Claimed>, bool)> {
        let now = self.now();
        if !db::outbox::is_due(&mut self.db.reader().await?, now).await? {
            return Ok((Vec::new(), false));
        }
        let lease = db::jobs::Lease { owner: owner.to_owned(), now, until: now.plus(jobs::LEASE) };
        let lease_until = lease.until;
        let (taken, has_more) = self.db.write(move |c| Box::pin(claim(c, lease, wanted))).await?;
        let mut targets: HashMap<WebhookId, Arc<Target>> = HashMap::new();
        let claimed = taken.into_iter().map(|(delivery, webhook)| {
            let target = targets.entry(webhook.id).or_insert_with(|| Arc::new(self.target(&webhook, now)));
            Claimed { delivery, target: Arc::clone(target), lease_until }
        });
        Ok((claimed.collect(), has_more))
    }

    fn target(&self, webhook: &Webhook, now: Timestamp) -> Target {
        let open = |sealed| sealing::open(&self.settings.secret_key, webhook.site_id, webhook.id, sealed);
        let overlap = webhooks::overlap_at(webhook, now);
        let secrets = open(&webhook.secret)
            .map(|active| SigningSecrets { active, overlapping: overlap.and_then(|overlap| open(&overlap.secret)) });
        Target { url: webhook.url.clone(), secrets }
    }

    /// Gives deliveries back that were not attempted.
    ///
    /// # Errors
    /// Only the database's own.
    pub async fn release_deliveries(&self, owner: &str, ids: Vec<Uuid>) -> Result<()> {
        let owner = owner.to_owned();
        self.db.write(move |c| Box::pin(async move { Ok(db::outbox::release(c, &ids, &owner).await?) })).await
    }

    /// Writes down an attempt, what follows it, and what it means for the endpoint; false when
    /// the delivery was lost to another worker or its endpoint is gone.
    ///
    /// # Errors
    /// Only the database's own.
    pub async fn record_attempt(&self, owner: &str, ended: Ended, judge: Judge) -> Result<bool> {
        let (owner, now) = (owner.to_owned(), self.now());
        let record = Record { owner, ended, now };
        self.db.write(move |c| Box::pin(record.write(c, judge))).await
    }

    /// Forgets the records of deliveries that ended longer ago than events are kept; gives how
    /// many, at most so many that nothing waits for it.
    ///
    /// # Errors
    /// Only the database's own.
    pub async fn forget_old_deliveries(&self) -> Result<usize> {
        let before = self.now().minus(self.settings.event_retention);
        self.db
            .write(move |c| {
                Box::pin(async move { Ok(db::deliveries::delete_before(c, before, FORGET_AT_ONCE).await?) })
            })
            .await
    }
}

async fn claim(c: &mut db::Conn, lease: db::jobs::Lease, wanted: Wanted) -> Result<(Vec<(Delivery, Webhook)>, bool)> {
    let room = Room { limit: CANDIDATES, full: wanted.full(), longest_pause_ms: LONGEST_PAUSE_MS };
    let candidates = db::outbox::candidates(c, &lease, &room).await?;
    let picked = wanted.pick(&candidates);
    if picked.is_empty() {
        return Ok((Vec::new(), false));
    }
    let taken = db::outbox::take(c, &picked, &lease).await?;
    // An event may have been written for an endpoint just as its owner disabled it.
    let (disabled, ours): (Vec<_>, Vec<_>) = taken.into_iter().partition(|(_, it)| it.disabled.is_some());
    for endpoint in disabled.iter().map(|(_, it)| (it.site_id, it.id)).collect::<HashSet<_>>() {
        db::deliveries::cancel(c, endpoint.0, endpoint.1, lease.now).await?;
    }
    let has_more = candidates.len() > picked.len() || i64::try_from(candidates.len()).is_ok_and(|n| n >= CANDIDATES);
    Ok((ours, has_more))
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
