//! The outbox: an event and its deliveries are written in one transaction; `delivery` takes them
//! from here and writes down what came of each attempt.
//!
//! Guarantees: an event that was committed has a delivery for each endpoint that was enabled and
//! wanted it, whatever dies afterwards. A delivery is in one pair of hands; a dead worker loses
//! it within [`jobs::LEASE`]. No transaction is open while an attempt is made. A site without
//! endpoints pays one look-up by key an event.

mod record;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use helpbot_db as db;
use helpbot_db::events::NewEvent;
use helpbot_domain::Timestamp;
use helpbot_domain::envelope;
use helpbot_domain::event::{Event, EventType};
use helpbot_domain::ids::{SiteId, WebhookId};
use helpbot_domain::webhook::{Delivery, DeliveryStatus, Webhook};
use tokio::sync::watch;
use uuid::Uuid;

use crate::runtime::jobs;
use crate::runtime::randomness;
use crate::webhooks::endpoints::overlap_at;
use crate::webhooks::sealing;
use crate::{Result, Services, boxed};

pub use record::{AfterAttempt, FailureJudge, FinishedAttempt, record_delivered, record_failed};

/// Deliveries that one claim takes, so that other writers wait for some milliseconds at most.
const AT_ONCE: usize = 256;
/// Of one endpoint a claim takes an even share, but so many where there are: as many as are attempted
/// at once, so that a short line costs one claim and not several.
const LEAST_SHARE: usize = 4;
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
    pub(crate) fn publish(self, services: &Services) {
        services.bus.publish(self.events);
        if self.has_deliveries {
            wake(services);
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
    let endpoints = db::webhooks::subscriptions(c, site).await?;
    for event in &appended.events {
        // Made once an event: all endpoints get the same bytes.
        let mut body = None;
        for (endpoint, _) in endpoints.iter().filter(|(_, events)| events.contains(&event.event_type)) {
            let body = body.get_or_insert_with(|| body_of(event)).clone();
            db::deliveries::insert(c, &delivery(*endpoint, event, body, now)).await?;
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
        id: randomness::uuid(now),
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
pub struct DeliveryTarget {
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
pub struct ClaimedDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// Where it goes.
    pub target: Arc<DeliveryTarget>,
    /// Until when it is held.
    pub lease_until: Timestamp,
}

/// What a worker holds already, and what it has room for.
#[derive(Debug, Clone, Default)]
pub struct ClaimRequest {
    /// Deliveries in all.
    pub room: usize,
    /// Deliveries of one endpoint at most, held ones included.
    pub per_endpoint: usize,
    /// Endpoints of which more may be held, and how many.
    pub quick: HashMap<WebhookId, usize>,
    /// Held now.
    pub held: HashMap<WebhookId, HashSet<Uuid>>,
}

/// What is due and was left behind by a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Whether another claim could take more now.
    pub is_some_free: bool,
    /// The endpoints of which more is due, or may be, than may be held.
    pub behind: HashSet<WebhookId>,
}

impl ClaimRequest {
    /// How many more of an endpoint may be held.
    fn room_for(&self, webhook: WebhookId) -> usize {
        let most = self.quick.get(&webhook).copied().unwrap_or(self.per_endpoint);
        most.saturating_sub(self.held.get(&webhook).map_or(0, HashSet::len))
    }

    /// Whether it is held already, which a clock that has jumped past its lease does not know.
    fn holds(&self, webhook: WebhookId, id: Uuid) -> bool {
        self.held.get(&webhook).is_some_and(|held| held.contains(&id))
    }
}

/// Changes whenever this process has written something to deliver; other processes' writes
/// are found by looking every [`jobs::POLL`].
pub fn changes(services: &Services) -> watch::Receiver<()> {
    services.outbox.subscribe()
}

pub(crate) fn wake(services: &Services) {
    services.outbox.send_replace(());
}

/// Takes due deliveries for `owner`, for [`jobs::LEASE`], of each endpoint longest due first; says
/// beside them what is left.
///
/// # Errors
/// Only the database's own.
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
    // What waits for endpoints that are full or rest keeps no writer waiting.
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
    let open = |sealed| sealing::open(&services.settings.secret_key, webhook.site_id, webhook.id, sealed);
    let overlap = overlap_at(webhook, now);
    let secrets = open(&webhook.secret)
        .map(|active| SigningSecrets { active, overlapping: overlap.and_then(|overlap| open(&overlap.secret)) });
    DeliveryTarget { url: webhook.url.clone(), secrets }
}

/// Gives deliveries back that were not attempted.
///
/// # Errors
/// Only the database's own.
#[boxed]
pub async fn release(services: &Services, owner: &str, ids: Vec<Uuid>) -> Result<()> {
    let owner = owner.to_owned();
    services.db.write(move |c| Box::pin(async move { Ok(db::outbox::release(c, &ids, &owner).await?) })).await
}

/// Frees what a server held that has died; gives how many deliveries that were. Only for a
/// server that knows that it is the only one: another one's would be attempted twice.
///
/// # Errors
/// Only the database's own.
#[boxed]
pub async fn release_all(services: &Services) -> Result<usize> {
    services.db.write(|c| Box::pin(async move { Ok(db::outbox::release_all(c).await?) })).await
}

/// After the clock was set back: what was put off by a clock that was ahead is due no later than
/// if its last attempt had just failed. `waits` are the longest before each attempt; jobs of
/// `kinds` wait `longest_job_wait` at most. Pauses end, since nobody knows when they began.
///
/// # Errors
/// Only the database's own.
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

/// Forgets the records of deliveries that ended longer ago than events are kept; gives how
/// many, at most so many that nothing waits for it.
///
/// # Errors
/// Only the database's own.
#[boxed]
pub async fn delete_expired(services: &Services) -> Result<usize> {
    let before = services.now().minus(services.settings.event_retention);
    services
        .db
        .write(move |c| Box::pin(async move { Ok(db::deliveries::delete_before(c, before, FORGET_AT_ONCE).await?) }))
        .await
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
    // An event may have been written for an endpoint just as its owner disabled it.
    let (disabled, ours): (Vec<_>, Vec<_>) = taken.into_iter().partition(|(_, it)| it.disabled.is_some());
    for endpoint in disabled.iter().map(|(_, it)| (it.site_id, it.id)).collect::<HashSet<_>>() {
        db::deliveries::cancel(c, endpoint.0, endpoint.1, lease.now).await?;
    }
    Ok((ours, left))
}

/// The lines that may be taken from, longest due first, and those that are behind since no more of them
/// may be held. Endpoints that rest are neither.
async fn open_lines(c: &mut db::Conn, now: Timestamp, wanted: &ClaimRequest) -> Result<(Vec<WebhookId>, Backlog)> {
    let resting: HashSet<WebhookId> = db::webhooks::resting(c, now, LONGEST_PAUSE_MS).await?.into_iter().collect();
    let mut lines = db::outbox::due_endpoints(c, now).await?;
    lines.retain(|webhook| !resting.contains(webhook));
    let (open, full): (Vec<_>, Vec<_>) = lines.into_iter().partition(|webhook| wanted.room_for(*webhook) > 0);
    Ok((open, Backlog { is_some_free: false, behind: full.into_iter().collect() }))
}

/// Deliveries that there is room for, from these lines; adds what is left of them.
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
