//! The pool of attempts: many endpoints at the same time, each with its own queue.
//!
//! Deliveries are claimed in advance and wait in the queue of their endpoint. Endpoints take turns.
//! Each one gets [`PER_ENDPOINT`] concurrent attempts; an endpoint that was overloaded gets one, and
//! one whose response was truncated gets one every [`TRUNCATED_REST`]. An endpoint that hangs
//! therefore delays only its own queue. One task owns all queues; attempts and claims run beside it
//! and report with a [`PoolEvent`].

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_domain::ids::WebhookId;
use helpbot_services::runtime::jobs;
use helpbot_services::webhooks::outbox::{self, ClaimRequest, ClaimedDelivery};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::context::DeliveryContext;
use super::record::{self, Recorder};
use super::send;
use super::slot::{AttemptSlot, ExchangeEnd, PoolEvent};
use crate::schedule::AttemptOutcome;

/// Concurrent attempts in total. Each is a connection, and a process commonly has 1,024 file
/// descriptors.
const CONCURRENT_ATTEMPTS: usize = 384;
/// Concurrent attempts to one endpoint.
const PER_ENDPOINT: usize = 4;
/// Time between two attempts to an endpoint whose responses are truncated. Each of them costs a new
/// connection and the bytes that have already arrived, many times the cost of a usual attempt;
/// twenty per second do not slow down other endpoints.
const TRUNCATED_REST: Duration = Duration::from_millis(50);
/// Deliveries held for an endpoint of unknown speed. Few enough that hanging endpoints leave room
/// for others.
const HELD_PER_ENDPOINT: usize = 64;
/// Deliveries held for a fast endpoint: what it accepts while a claim and a record are committed.
/// With 64, a single endpoint waited for the disk half of the time when measured.
const HELD_PER_FAST_ENDPOINT: usize = 256;
/// Deliveries held in total. Each body may have 64 KiB.
const HELD_IN_TOTAL: usize = 1024;
/// Time for recording an attempt. A delivery is started only when its lease outlasts the attempt by
/// this time.
const RECORD_TIME: Duration = Duration::from_secs(10);
/// Pause of an endpoint that answered 410, until the record that disables it is written.
const GONE_REST: Duration = Duration::from_secs(10);
/// How long a stopping worker waits for running attempts. It then aborts them, and they are made
/// again when their leases expire.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(8);
/// Pause after a claim that failed.
const CLAIM_PAUSE: Duration = Duration::from_secs(1);

/// The deliveries of one endpoint.
struct EndpointQueue {
    waiting: VecDeque<ClaimedDelivery>,
    running: usize,
    /// Deliveries that are waiting, running or being recorded.
    held: HashSet<Uuid>,
    /// Maximum number of held deliveries.
    capacity: usize,
    /// Number of deliveries released since the last claim.
    released: usize,
}

impl EndpointQueue {
    fn new() -> Self {
        Self { waiting: VecDeque::new(), running: 0, held: HashSet::new(), capacity: HELD_PER_ENDPOINT, released: 0 }
    }

    /// Adapts the capacity at each claim: it doubles when half of it was processed, and is reset
    /// when nothing was.
    fn adapt_capacity(&mut self) {
        if self.released >= self.capacity / 2 {
            self.capacity = (self.capacity * 2).min(HELD_PER_FAST_ENDPOINT);
        } else if self.released == 0 {
            self.capacity = HELD_PER_ENDPOINT;
        }
        self.released = 0;
    }
}

/// Why an endpoint currently gets one attempt at a time.
enum Throttle {
    /// It was overloaded. Until the given time, if any, it gets no attempts, and its waiting
    /// deliveries are returned.
    Overloaded(Option<Timestamp>),
    /// Its response was truncated. Its deliveries wait until the given time.
    Truncated(Instant),
}

struct Pool {
    context: Arc<DeliveryContext>,
    queues: HashMap<WebhookId, EndpointQueue>,
    /// Endpoints with waiting deliveries, in the order of their turns.
    turns: VecDeque<WebhookId>,
    throttled: HashMap<WebhookId, Throttle>,
    /// Time at which the first endpoint with truncated responses may be attempted again.
    next_turn: Option<Instant>,
    running: usize,
    held: usize,
    tasks: JoinSet<()>,
    events: mpsc::UnboundedSender<PoolEvent>,
    recorder: Recorder,
    is_claiming: bool,
    /// Whether the next claim may find something.
    is_claim_due: bool,
    /// Endpoints that had more due deliveries than the last claim took.
    behind: HashSet<WebhookId>,
}

/// Attempts deliveries until `stop` is canceled.
pub(super) async fn run(context: Arc<DeliveryContext>, stop: CancellationToken) {
    let (sender, mut events) = mpsc::unbounded_channel();
    let mut changes = outbox::changes(&context.services);
    let mut pool = Pool::new(context, sender);
    while !stop.is_cancelled() {
        pool.start_waiting();
        pool.claim();
        tokio::select! {
            () = stop.cancelled() => {}
            Some(first) = events.recv() => {
                pool.handle(first);
                while let Ok(more) = events.try_recv() {
                    pool.handle(more);
                }
            }
            Some(ended) = pool.tasks.join_next() => report(ended),
            Ok(()) = changes.changed() => pool.is_claim_due = true,
            () = tokio::time::sleep(jobs::POLL) => pool.is_claim_due = true,
            () = tokio::time::sleep_until(pool.next_turn.unwrap_or_else(Instant::now)), if pool.next_turn.is_some() => {}
        }
    }
    pool.shut_down().await;
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        // The attempt is made again when the lease expires.
        tracing::error!(%error, "an attempt panicked");
    }
}

impl Pool {
    fn new(context: Arc<DeliveryContext>, events: mpsc::UnboundedSender<PoolEvent>) -> Self {
        let (recorder, waiting) = record::recorder();
        let mut tasks = JoinSet::new();
        let writer = Arc::clone(&context);
        tasks.spawn(async move { record::run(&writer, waiting).await });
        Self {
            context,
            queues: HashMap::new(),
            turns: VecDeque::new(),
            throttled: HashMap::new(),
            next_turn: None,
            running: 0,
            held: 0,
            tasks,
            events,
            recorder,
            is_claiming: false,
            is_claim_due: true,
            behind: HashSet::new(),
        }
    }

    fn handle(&mut self, event: PoolEvent) {
        match event {
            PoolEvent::Claimed(Ok((claimed, backlog))) => {
                (self.is_claiming, self.behind) = (false, backlog.behind);
                claimed.into_iter().for_each(|claimed| self.enqueue(claimed));
                // A queue may have run short while the claim was in progress.
                self.is_claim_due |= backlog.is_some_free || self.behind.iter().any(|webhook| self.is_short(*webhook));
            }
            PoolEvent::Claimed(Err(error)) => {
                self.is_claiming = false;
                tracing::warn!(error = error.detail(), "deliveries could not be claimed");
            }
            PoolEvent::ExchangeEnded { webhook, end } => self.exchange_ended(webhook, &end),
            PoolEvent::Released { webhook, id } => self.release(webhook, id),
        }
    }

    fn exchange_ended(&mut self, webhook: WebhookId, end: &ExchangeEnd) {
        self.running -= 1;
        if let Some(queue) = self.queues.get_mut(&webhook) {
            queue.running -= 1;
        }
        let throttle = match end.outcome {
            AttemptOutcome::Throttled { .. } | AttemptOutcome::Overloaded => Throttle::Overloaded(end.pause_until),
            AttemptOutcome::Gone => Throttle::Overloaded(Some(self.context.services.now().plus(GONE_REST))),
            AttemptOutcome::Delivered | AttemptOutcome::Failed if end.is_truncated => {
                Throttle::Truncated(Instant::now() + TRUNCATED_REST)
            }
            AttemptOutcome::Delivered => {
                self.throttled.remove(&webhook);
                return;
            }
            AttemptOutcome::Failed => return,
        };
        self.throttled.insert(webhook, throttle);
    }

    fn enqueue(&mut self, claimed: ClaimedDelivery) {
        let webhook = claimed.delivery.webhook_id;
        let queue = self.queues.entry(webhook).or_insert_with(EndpointQueue::new);
        if !queue.held.insert(claimed.delivery.id) {
            return;
        }
        self.held += 1;
        if queue.waiting.is_empty() {
            self.turns.push_back(webhook);
        }
        queue.waiting.push_back(claimed);
    }

    fn release(&mut self, webhook: WebhookId, id: Uuid) {
        let Some(queue) = self.queues.get_mut(&webhook) else { return };
        if queue.held.remove(&id) {
            self.held -= 1;
            queue.released += 1;
        }
        if queue.held.is_empty() {
            self.queues.remove(&webhook);
        }
        // Not after every delivery: a claim of one row costs as much as a claim of many.
        self.is_claim_due |= self.behind.contains(&webhook) && self.is_short(webhook);
    }

    /// Returns whether so few deliveries of an endpoint are held that it is time to claim more.
    fn is_short(&self, webhook: WebhookId) -> bool {
        self.queues.get(&webhook).is_none_or(|queue| queue.held.len() <= queue.capacity / 2)
    }

    /// Starts all attempts that may start, in turns of the endpoints.
    fn start_waiting(&mut self) {
        let now = self.context.services.now();
        self.next_turn = None;
        let mut skipped = 0;
        while skipped < self.turns.len() && self.running < CONCURRENT_ATTEMPTS {
            let Some(webhook) = self.turns.pop_front() else { return };
            match self.next_of(webhook, now) {
                Some(claimed) => {
                    self.start(claimed, now);
                    skipped = 0;
                }
                None => skipped += 1,
            }
            if self.queues.get(&webhook).is_some_and(|queue| !queue.waiting.is_empty()) {
                self.turns.push_back(webhook);
            } else {
                skipped = skipped.saturating_sub(1);
            }
        }
    }

    /// Returns the next delivery of an endpoint that may get another attempt. When the endpoint is
    /// paused, its waiting deliveries are returned to the outbox instead.
    fn next_of(&mut self, webhook: WebhookId, now: Timestamp) -> Option<ClaimedDelivery> {
        let queue = self.queues.get_mut(&webhook)?;
        let concurrency = match self.throttled.get(&webhook) {
            Some(Throttle::Overloaded(Some(until))) if now < *until => {
                let waiting = std::mem::take(&mut queue.waiting);
                self.give_back(webhook, waiting.into_iter().map(|claimed| claimed.delivery.id).collect());
                return None;
            }
            Some(Throttle::Truncated(next)) if Instant::now() < *next => {
                self.next_turn = Some(self.next_turn.map_or(*next, |first| first.min(*next)));
                return None;
            }
            Some(_) => 1,
            None => PER_ENDPOINT,
        };
        if queue.running >= concurrency { None } else { queue.waiting.pop_front() }
    }

    fn start(&mut self, claimed: ClaimedDelivery, now: Timestamp) {
        let (webhook, id) = (claimed.delivery.webhook_id, claimed.delivery.id);
        if claimed.lease_until < now.plus(self.context.settings.limits.total + RECORD_TIME) {
            return self.give_back(webhook, vec![id]);
        }
        if let Some(queue) = self.queues.get_mut(&webhook) {
            queue.running += 1;
        }
        self.running += 1;
        let slot = AttemptSlot::new(webhook, id, self.events.clone());
        let (context, recorder) = (Arc::clone(&self.context), self.recorder.clone());
        self.tasks.spawn(async move { send::deliver(&context, claimed, slot, &recorder).await });
    }

    /// Returns deliveries that were not attempted to the outbox. They stay held until that is
    /// written.
    fn give_back(&mut self, webhook: WebhookId, ids: Vec<Uuid>) {
        if ids.is_empty() {
            return;
        }
        let (context, events) = (Arc::clone(&self.context), self.events.clone());
        self.tasks.spawn(async move {
            return_to_outbox(&context, ids.clone()).await;
            for id in ids {
                let _ = events.send(PoolEvent::Released { webhook, id });
            }
        });
    }

    /// Claims more deliveries when there is room for them and there may be some. Only one claim
    /// runs at a time.
    fn claim(&mut self) {
        if self.is_claiming || !self.is_claim_due || self.held >= HELD_IN_TOTAL {
            return;
        }
        (self.is_claiming, self.is_claim_due) = (true, false);
        self.queues.values_mut().for_each(EndpointQueue::adapt_capacity);
        let held = self.queues.iter().map(|(webhook, queue)| (*webhook, queue.held.clone())).collect();
        let quick = self.queues.iter().filter(|(_, queue)| queue.capacity > HELD_PER_ENDPOINT);
        let quick = quick.map(|(webhook, queue)| (*webhook, queue.capacity)).collect();
        let request = ClaimRequest { room: HELD_IN_TOTAL - self.held, per_endpoint: HELD_PER_ENDPOINT, quick, held };
        let (context, events) = (Arc::clone(&self.context), self.events.clone());
        self.tasks.spawn(async move {
            let claimed = outbox::claim(&context.services, &context.settings.owner, request).await;
            if claimed.is_err() {
                tokio::time::sleep(CLAIM_PAUSE).await;
            }
            let _ = events.send(PoolEvent::Claimed(claimed));
        });
    }

    /// Returns deliveries that were not started, and waits for running attempts.
    async fn shut_down(mut self) {
        let waiting = self.queues.values_mut().flat_map(|queue| queue.waiting.drain(..));
        let ids: Vec<Uuid> = waiting.map(|claimed| claimed.delivery.id).collect();
        return_to_outbox(&self.context, ids).await;
        let Self { mut tasks, recorder, running, .. } = self;
        // The recorder task ends when the last attempt has dropped its recorder.
        drop(recorder);
        let all_ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_WAIT, all_ended).await.is_err() {
            tracing::info!(attempts = running, "running attempts were aborted; they will be made again");
            tasks.shutdown().await;
        }
    }
}

async fn return_to_outbox(context: &DeliveryContext, ids: Vec<Uuid>) {
    if ids.is_empty() {
        return;
    }
    if let Err(error) = outbox::release(&context.services, &context.settings.owner, ids).await {
        tracing::warn!(error = error.detail(), "deliveries could not be returned; their leases will expire");
    }
}
