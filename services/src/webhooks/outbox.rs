//! The outbox: an event and its deliveries are written in one transaction. `delivery` claims the
//! deliveries from here and records the outcome of each attempt.
//!
//! Guarantees: a committed event has a delivery for each endpoint that was enabled and subscribed
//! to it, whatever crashes afterwards. One worker holds a delivery at a time; a dead worker loses
//! it within [`jobs::LEASE`]. No transaction is open during an attempt. A site without endpoints
//! pays one lookup by key per event.

mod record;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use helpbot_db as db;
use helpbot_db::events::NewEvent;
use helpbot_domain::Timestamp;
use helpbot_domain::envelope;
use helpbot_domain::event::{Event, EventType};
use helpbot_domain::ids::{EventId, SiteId, WebhookId};
use helpbot_domain::webhook::{Delivery, DeliveryStatus, Webhook};
use tokio::sync::watch;
use uuid::Uuid;

use crate::runtime::batches;
use crate::runtime::hints::Hint;
use crate::runtime::jobs;
use crate::runtime::randomness;
use crate::webhooks::endpoints::overlap_at;
use crate::webhooks::sealing;
use crate::{Result, Services, boxed};

pub use record::{AfterAttempt, FailureJudge, FinishedAttempt, record_delivered, record_failed};

/// Maximum number of deliveries per claim, which blocks other writes for a few milliseconds.
const AT_ONCE: usize = 256;
/// A claim takes an equal share of each endpoint's backlog, but at least this number: as many as
/// are attempted at once, so that a short backlog needs one claim.
const LEAST_SHARE: usize = 4;
/// Longest pause that a receiver can request. A pause that ends later was set by a different clock.
const LONGEST_PAUSE_MS: i64 = 24 * 3600 * 1000;
/// Number of records deleted per transaction. Each has ten attempts or more.
const FORGET_AT_ONCE: i64 = batches::ROWS / 10;

/// Events that were written, and whether they caused deliveries. Publish them after the commit.
#[derive(Default)]
pub(crate) struct Appended {
    events: Vec<Event>,
    has_deliveries: bool,
}

impl Appended {
    /// Splits off the first `count` events.
    pub(crate) fn split_first(&mut self, count: usize) -> Self {
        let rest = self.events.split_off(count.min(self.events.len()));
        Self { events: std::mem::replace(&mut self.events, rest), has_deliveries: self.has_deliveries }
    }

    /// Notifies subscribers and, if there are deliveries, the workers. Call it after the commit.
    pub(crate) fn publish(self, services: &Services) {
        if let Some(last) = self.events.last() {
            services.hints.tell(Hint::Grown(last.site_id, last.seq));
        }
        services.bus.publish(self.events);
        if self.has_deliveries {
            wake(services);
        }
    }
}

/// Appends events to the site's log and writes a delivery for each endpoint that subscribes to
/// them. Locks the site's counter until the end of the transaction, so call it last.
///
/// # Errors
/// Only errors of the database.
pub(crate) async fn append(c: &mut db::Conn, site: SiteId, now: Timestamp, new: Vec<NewEvent>) -> db::Result<Appended> {
    append_all(c, site, new.into_iter().map(|event| (now, event)).collect()).await
}

/// Same as [`append`], for events of different times.
///
/// # Errors
/// Only errors of the database.
pub(crate) async fn append_all(
    c: &mut db::Conn,
    site: SiteId,
    new: Vec<(Timestamp, NewEvent)>,
) -> db::Result<Appended> {
    let events = db::events::append_all(c, site, new).await?;
    if !events.iter().any(|event| EventType::WEBHOOK.contains(&event.event_type)) {
        return Ok(Appended { events, has_deliveries: false });
    }
    let endpoints = db::webhooks::subscriptions(c, site).await?;
    let mut deliveries = Vec::new();
    for event in &events {
        // Created once per event: all endpoints get the same bytes.
        let mut body = None;
        for (endpoint, _) in endpoints.iter().filter(|(_, events)| events.contains(&event.event_type)) {
            let body = body.get_or_insert_with(|| body_of(event)).clone();
            deliveries.push(delivery(site, *endpoint, event.into(), body, event.created_at));
        }
    }
    if !deliveries.is_empty() {
        db::deliveries::insert_all(c, &deliveries).await?;
    }
    Ok(Appended { events, has_deliveries: !deliveries.is_empty() })
}

/// Returns the bytes that are sent for an event.
pub(crate) fn body_of(event: &Event) -> String {
    envelope::wrap(event.event_type.as_str(), event.created_at, &event.data)
}

/// The event of a delivery: one of the site's log, or a test event, which is in no log.
pub(crate) struct DeliveredEvent {
    pub id: EventId,
    pub name: &'static str,
    /// Position in the site's log. `None` for a test event.
    pub seq: Option<i64>,
    pub created_at: Timestamp,
}

impl From<&Event> for DeliveredEvent {
    fn from(event: &Event) -> Self {
        Self { id: event.id, name: event.event_type.as_str(), seq: Some(event.seq), created_at: event.created_at }
    }
}

/// Returns a delivery of an event to an endpoint, due immediately.
pub(crate) fn delivery(
    site_id: SiteId,
    webhook_id: WebhookId,
    event: DeliveredEvent,
    body: String,
    now: Timestamp,
) -> Delivery {
    Delivery {
        id: randomness::uuid(now),
        site_id,
        webhook_id,
        event_id: event.id,
        event_type: event.name.to_owned(),
        event_seq: event.seq,
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

/// Address and secrets of an endpoint.
#[derive(Debug, Clone)]
pub struct DeliveryTarget {
    /// Address of the endpoint, as its owner wrote it.
    pub url: String,
    /// Signing secrets. `None` when they were sealed with another secret key.
    pub secrets: Option<SigningSecrets>,
}

/// The secrets that sign the deliveries of an endpoint. `Debug` does not print them.
#[derive(Clone)]
pub struct SigningSecrets {
    /// The current secret.
    pub active: String,
    /// The other secret during a rotation.
    pub overlapping: Option<String>,
}

impl std::fmt::Debug for SigningSecrets {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SigningSecrets(****)")
    }
}

/// A delivery that a worker holds.
#[derive(Debug, Clone)]
pub struct ClaimedDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// Address and secrets of its endpoint.
    pub target: Arc<DeliveryTarget>,
    /// End of the lease.
    pub lease_until: Timestamp,
}

/// What a worker holds, and how much more it can take.
#[derive(Debug, Clone, Default)]
pub struct ClaimRequest {
    /// Maximum number of deliveries to claim.
    pub room: usize,
    /// Maximum number of deliveries per endpoint, including those that the worker holds.
    pub per_endpoint: usize,
    /// Higher limits for individual endpoints.
    pub quick: HashMap<WebhookId, usize>,
    /// Deliveries that the worker holds.
    pub held: HashMap<WebhookId, HashSet<Uuid>>,
}

/// Due deliveries that a claim left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Whether another claim could take more now.
    pub is_some_free: bool,
    /// Endpoints that have, or may have, more due deliveries than may be held.
    pub behind: HashSet<WebhookId>,
}

impl ClaimRequest {
    /// Returns how many more deliveries of an endpoint may be held.
    fn room_for(&self, webhook: WebhookId) -> usize {
        let most = self.quick.get(&webhook).copied().unwrap_or(self.per_endpoint);
        most.saturating_sub(self.held.get(&webhook).map_or(0, HashSet::len))
    }

    /// Returns whether the worker already holds a delivery. After a jump of the clock, the database
    /// may consider its lease ended.
    fn holds(&self, webhook: WebhookId, id: Uuid) -> bool {
        self.held.get(&webhook).is_some_and(|held| held.contains(&id))
    }
}

/// Returns a receiver that changes whenever this process writes deliveries or queues mails. Those
/// of other processes are found every [`jobs::POLL`].
pub fn changes(services: &Services) -> watch::Receiver<()> {
    services.outbox.subscribe()
}

pub(crate) fn wake(services: &Services) {
    services.outbox.send_replace(());
}

/// Claims due deliveries for the worker `owner`, for [`jobs::LEASE`], longest due first per
/// endpoint. Also returns the backlog.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn claim(services: &Services, owner: &str, wanted: ClaimRequest) -> Result<(Vec<ClaimedDelivery>, Backlog)> {
    let now = services.now();
    let (open, left) = {
        let mut reader = services.db.reader().await?;
        if !db::outbox::is_due(&mut reader, now).await? {
            return Ok((Vec::new(), Backlog::default()));
        }
        open_lines(&mut reader, now, &wanted).await?
    };
    // Deliveries of endpoints that are full or paused do not use the writer.
    if open.is_empty() {
        return Ok((Vec::new(), left));
    }
    let lease = db::jobs::Lease { owner: owner.to_owned(), now, until: now.plus(jobs::LEASE) };
    let lease_until = lease.until;
    let (taken, left) = services.db.write(move |c| Box::pin(claim_picked(c, lease, wanted, open, left))).await?;
    let mut targets: HashMap<WebhookId, Arc<DeliveryTarget>> = HashMap::new();
    let claimed = taken.into_iter().map(|(delivery, webhook)| {
        let target = targets.entry(webhook.id).or_insert_with(|| Arc::new(target(services, &webhook, now)));
        ClaimedDelivery { delivery, target: Arc::clone(target), lease_until }
    });
    Ok((claimed.collect(), left))
}

fn target(services: &Services, webhook: &Webhook, now: Timestamp) -> DeliveryTarget {
    let open = |sealed| {
        let with = |key| sealing::open(key, webhook.site_id, webhook.id, sealed);
        services.settings.accepted_keys().find_map(with)
    };
    let overlap = overlap_at(webhook, now);
    let secrets = open(&webhook.secret)
        .map(|active| SigningSecrets { active, overlapping: overlap.and_then(|overlap| open(&overlap.secret)) });
    DeliveryTarget { url: webhook.url.clone(), secrets }
}

/// Releases deliveries that were not attempted.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn release(services: &Services, owner: &str, ids: Vec<Uuid>) -> Result<()> {
    let owner = owner.to_owned();
    services.db.write(move |c| Box::pin(async move { Ok(db::outbox::release(c, &ids, &owner).await?) })).await
}

/// Releases the deliveries that crashed servers held, whose lease owners begin with `owner_prefix`. Returns
/// their number. Only for a server that knows that none of them still runs.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn release_of(services: &Services, owner_prefix: &str) -> Result<usize> {
    let prefix = owner_prefix.to_owned();
    services.db.write(move |c| Box::pin(async move { Ok(db::outbox::release_of(c, &prefix).await?) })).await
}

/// Adjusts due times after the clock was set back: nothing is due later than if its last attempt
/// had just failed. `waits` are the longest waits before each attempt of a delivery; jobs of
/// `kinds` wait at most `longest_job_wait`. Pauses end, because it is unknown when they began.
/// Returns the number of adjusted rows.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn clock_went_back(
    services: &Services,
    waits: Vec<Duration>,
    kinds: &'static [&'static str],
    longest_job_wait: Duration,
) -> Result<usize> {
    let now = services.now();
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                db::webhooks::end_pauses(c).await?;
                let mut moved = db::jobs::pull_in(c, kinds, now.plus(longest_job_wait)).await?;
                for (run_attempts, wait) in (0..).zip(waits) {
                    moved += db::outbox::pull_in(c, run_attempts, now.plus(wait)).await?;
                }
                Ok(moved)
            })
        })
        .await
}

/// Deletes records of deliveries that ended before the event retention. Returns their number.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn delete_expired(services: &Services) -> Result<usize> {
    let before = services.now().minus(services.settings.event_retention);
    let batch = || {
        services.db.write(move |c| {
            Box::pin(async move { Ok(db::deliveries::delete_before(c, before, FORGET_AT_ONCE).await?) })
        })
    };
    batches::repeat("deletion of expired deliveries", batch).await
}

async fn claim_picked(
    c: &mut db::Conn,
    lease: db::jobs::Lease,
    wanted: ClaimRequest,
    open: Vec<WebhookId>,
    left: Backlog,
) -> Result<(Vec<(Delivery, Webhook)>, Backlog)> {
    let (picked, left) = pick(c, &lease, &wanted, open, left).await?;
    if picked.is_empty() {
        return Ok((Vec::new(), left));
    }
    let taken = db::outbox::claim(c, &picked, &lease).await?;
    // An event may have been written for an endpoint while its owner disabled it.
    let (disabled, ours): (Vec<_>, Vec<_>) = taken.into_iter().partition(|(_, it)| it.disabled.is_some());
    for endpoint in disabled.iter().map(|(_, it)| (it.site_id, it.id)).collect::<HashSet<_>>() {
        db::deliveries::cancel(c, endpoint.0, endpoint.1, lease.now).await?;
    }
    Ok((ours, left))
}

/// Returns the endpoints to claim from, longest due first, and those that are behind because no
/// more of their deliveries may be held. Paused endpoints are in neither.
async fn open_lines(c: &mut db::Conn, now: Timestamp, wanted: &ClaimRequest) -> Result<(Vec<WebhookId>, Backlog)> {
    let resting: HashSet<WebhookId> = db::webhooks::resting(c, now, LONGEST_PAUSE_MS).await?.into_iter().collect();
    let mut lines = db::outbox::due_endpoints(c, now).await?;
    lines.retain(|webhook| !resting.contains(webhook));
    let (open, full): (Vec<_>, Vec<_>) = lines.into_iter().partition(|webhook| wanted.room_for(*webhook) > 0);
    Ok((open, Backlog { is_some_free: false, behind: full.into_iter().collect() }))
}

/// Picks deliveries of these endpoints as far as there is room, and adds the rest to the backlog.
async fn pick(
    c: &mut db::Conn,
    lease: &db::jobs::Lease,
    wanted: &ClaimRequest,
    open: Vec<WebhookId>,
    mut left: Backlog,
) -> Result<(Vec<Uuid>, Backlog)> {
    let room = wanted.room.min(AT_ONCE);
    let share = (room / open.len().max(1)).max(LEAST_SHARE);
    let mut picked = Vec::new();
    for webhook in open {
        let own = wanted.room_for(webhook);
        let most = own.min(share).min(room - picked.len());
        if most == 0 {
            left.is_some_free = true;
            break;
        }
        let mut found = db::outbox::claimable(c, lease, webhook, i64::try_from(most).unwrap_or(i64::MAX)).await?;
        found.retain(|id| !wanted.holds(webhook, *id));
        if found.len() == most {
            left.behind.insert(webhook);
            left.is_some_free |= most < own;
        }
        picked.extend(found);
    }
    Ok((picked, left))
}
