//! The pool of attempts: many endpoints at once, each with its own line.
//!
//! Deliveries are claimed some ahead and wait in the line of their endpoint. Endpoints take
//! turns; each has [`PER_ENDPOINT`] attempts at once, one that was last seen overrun has one, and one
//! that answers without end has one each [`CUT_REST`]. So an endpoint that hangs keeps its own line
//! waiting and nobody else's. One task owns all lines; attempts and claims run beside it and send it
//! [`News`].

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_domain::ids::WebhookId;
use helpbot_services::Result;
use helpbot_services::runtime::jobs;
use helpbot_services::webhooks::outbox::{Claimed, Left, Wanted};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::record::{self, Recorder};
use super::{Worker, send};
use crate::schedule::Outcome;

/// Attempts at once in all: each is a connection, and a process commonly has 1,024 descriptors.
const AT_ONCE: usize = 384;
/// Attempts at once to one endpoint.
const PER_ENDPOINT: usize = 4;
/// Between two attempts at an endpoint whose answers are cut. Each costs a new connection and what the
/// network had brought by then, many times a usual attempt; twenty a second are lost among the others.
const CUT_REST: Duration = Duration::from_millis(50);
/// Held for one endpoint whose pace is not known: few enough that those that hang leave room.
const AHEAD: usize = 64;
/// Held for one that keeps up: what a quick one takes in while a claim and a record are committed.
/// (Measured: 64 for a single endpoint made it wait for the disk half of the time.)
const AHEAD_QUICK: usize = 256;
/// Held in all; a body may have 64 KiB.
const HELD: usize = 1024;
/// A delivery is begun only while its lease outlasts its attempt by this, for the record.
const RECORD_TIME: Duration = Duration::from_secs(10);
/// Nothing is begun for an endpoint that wants no more until that is written down, and it is
/// disabled.
const GONE_REST: Duration = Duration::from_secs(10);
/// How long running attempts are waited for when the worker stops. Then they are broken off and,
/// their leases run out, made again.
const DRAIN: Duration = Duration::from_secs(8);
/// How long to leave a database alone that could not be asked.
const CLAIM_PAUSE: Duration = Duration::from_secs(1);

/// What the pool's task is told.
pub(super) enum News {
    /// A claim has ended.
    Claimed(Result<(Vec<Claimed>, Left)>),
    /// An exchange is over; its record is yet to be written.
    Sent { webhook: WebhookId, sent: Sent },
    /// A delivery is not held any more.
    Over { webhook: WebhookId, id: Uuid },
}

/// How an exchange ended.
pub(super) struct Sent {
    pub(super) outcome: Outcome,
    /// Whether the answer was cut: its connection is lost, and what it still sends is thrown away.
    pub(super) is_cut: bool,
    pub(super) pause_until: Option<Timestamp>,
}

/// The place of one attempt in its endpoint's line. Dropped, whatever the reason, it gives that
/// place back.
pub(super) struct Turn {
    webhook: WebhookId,
    id: Uuid,
    news: mpsc::UnboundedSender<News>,
    is_sent: bool,
}

impl Turn {
    /// The exchange is over: another one may begin.
    pub(super) fn sent(&mut self, sent: Sent) {
        self.is_sent = true;
        // The pool is gone only when the process ends.
        let _ = self.news.send(News::Sent { webhook: self.webhook, sent });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_sent {
            self.sent(Sent { outcome: Outcome::Failed, is_cut: false, pause_until: None });
        }
        let _ = self.news.send(News::Over { webhook: self.webhook, id: self.id });
    }
}

/// One endpoint's deliveries.
struct Line {
    waiting: VecDeque<Claimed>,
    running: usize,
    /// Waiting, running, and those whose record is being written.
    held: HashSet<Uuid>,
    /// How many may be held.
    ahead: usize,
    /// How many are over since the last claim.
    over: usize,
}

impl Line {
    fn new() -> Self {
        Self { waiting: VecDeque::new(), running: 0, held: HashSet::new(), ahead: AHEAD, over: 0 }
    }

    /// At each claim: one that worked off half of what it may hold may hold twice as many; one
    /// that got nothing done begins anew.
    fn set_pace(&mut self) {
        if self.over >= self.ahead / 2 {
            self.ahead = (self.ahead * 2).min(AHEAD_QUICK);
        } else if self.over == 0 {
            self.ahead = AHEAD;
        }
        self.over = 0;
    }
}

/// Why an endpoint gets one attempt at once, as it was last heard of.
enum Slowed {
    /// It was overrun, and rests until then if it asked for that: what waits for it is given back.
    Overrun(Option<Timestamp>),
    /// Its answer was cut; what waits for it waits until then.
    Cut(Instant),
}

struct Pool {
    worker: Arc<Worker>,
    lines: HashMap<WebhookId, Line>,
    /// Endpoints with waiting deliveries, the next one first.
    turns: VecDeque<WebhookId>,
    /// Endpoints that get one attempt at once.
    slowed: HashMap<WebhookId, Slowed>,
    /// When the first of them may have its next one.
    next_turn: Option<Instant>,
    running: usize,
    held: usize,
    tasks: JoinSet<()>,
    news: mpsc::UnboundedSender<News>,
    recorder: Recorder,
    is_claiming: bool,
    /// Whether the next claim may find something.
    is_claim_due: bool,
    /// Endpoints of which the last claim left something behind.
    behind: HashSet<WebhookId>,
}

/// Attempts deliveries until `stop` is cancelled.
pub(super) async fn run(worker: Arc<Worker>, stop: CancellationToken) {
    let (sender, mut news) = mpsc::unbounded_channel();
    let mut changes = worker.services.outbox_changes();
    let mut pool = Pool::new(worker, sender);
    while !stop.is_cancelled() {
        pool.start_waiting();
        pool.claim();
        tokio::select! {
            () = stop.cancelled() => {}
            Some(first) = news.recv() => {
                pool.hear(first);
                while let Ok(more) = news.try_recv() {
                    pool.hear(more);
                }
            }
            Some(ended) = pool.tasks.join_next() => report(ended),
            Ok(()) = changes.changed() => pool.is_claim_due = true,
            () = tokio::time::sleep(jobs::POLL) => pool.is_claim_due = true,
            () = tokio::time::sleep_until(pool.next_turn.unwrap_or_else(Instant::now)), if pool.next_turn.is_some() => {}
        }
    }
    pool.drain().await;
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        // The lease runs out and the attempt is made again.
        tracing::error!(%error, "an attempt panicked");
    }
}

impl Pool {
    fn new(worker: Arc<Worker>, news: mpsc::UnboundedSender<News>) -> Self {
        let (recorder, waiting) = record::recorder();
        let mut tasks = JoinSet::new();
        let writer = Arc::clone(&worker);
        tasks.spawn(async move { record::run(&writer, waiting).await });
        Self {
            worker,
            lines: HashMap::new(),
            turns: VecDeque::new(),
            slowed: HashMap::new(),
            next_turn: None,
            running: 0,
            held: 0,
            tasks,
            news,
            recorder,
            is_claiming: false,
            is_claim_due: true,
            behind: HashSet::new(),
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Claimed(Ok((claimed, left))) => {
                (self.is_claiming, self.behind) = (false, left.behind);
                claimed.into_iter().for_each(|claimed| self.line_up(claimed));
                // One may have run short while the claim was being made.
                self.is_claim_due |= left.is_some_free || self.behind.iter().any(|webhook| self.is_short(*webhook));
            }
            News::Claimed(Err(error)) => {
                self.is_claiming = false;
                tracing::warn!(%error, "could not look for deliveries");
            }
            News::Sent { webhook, sent: Sent { outcome, is_cut, pause_until } } => {
                self.running -= 1;
                if let Some(line) = self.lines.get_mut(&webhook) {
                    line.running -= 1;
                }
                let slowed = match outcome {
                    Outcome::Throttled { .. } | Outcome::Overloaded => Slowed::Overrun(pause_until),
                    Outcome::Gone => Slowed::Overrun(Some(self.worker.services.now().plus(GONE_REST))),
                    Outcome::Delivered | Outcome::Failed if is_cut => Slowed::Cut(Instant::now() + CUT_REST),
                    Outcome::Delivered => {
                        self.slowed.remove(&webhook);
                        return;
                    }
                    Outcome::Failed => return,
                };
                self.slowed.insert(webhook, slowed);
            }
            News::Over { webhook, id } => self.let_go(webhook, id),
        }
    }

    fn line_up(&mut self, claimed: Claimed) {
        let webhook = claimed.delivery.webhook_id;
        let line = self.lines.entry(webhook).or_insert_with(Line::new);
        if !line.held.insert(claimed.delivery.id) {
            return;
        }
        self.held += 1;
        if line.waiting.is_empty() {
            self.turns.push_back(webhook);
        }
        line.waiting.push_back(claimed);
    }

    fn let_go(&mut self, webhook: WebhookId, id: Uuid) {
        let Some(line) = self.lines.get_mut(&webhook) else { return };
        if line.held.remove(&id) {
            self.held -= 1;
            line.over += 1;
        }
        if line.held.is_empty() {
            self.lines.remove(&webhook);
        }
        // Not at each: a claim of one row costs as much as one of many.
        self.is_claim_due |= self.behind.contains(&webhook) && self.is_short(webhook);
    }

    /// Whether so little of an endpoint is held that it is time to claim more.
    fn is_short(&self, webhook: WebhookId) -> bool {
        self.lines.get(&webhook).is_none_or(|line| line.held.len() <= line.ahead / 2)
    }

    /// Starts what may start, endpoints in turn.
    fn start_waiting(&mut self) {
        let now = self.worker.services.now();
        self.next_turn = None;
        let mut passed = 0;
        while passed < self.turns.len() && self.running < AT_ONCE {
            let Some(webhook) = self.turns.pop_front() else { return };
            match self.next_of(webhook, now) {
                Some(claimed) => {
                    self.start(claimed, now);
                    passed = 0;
                }
                None => passed += 1,
            }
            if self.lines.get(&webhook).is_some_and(|line| !line.waiting.is_empty()) {
                self.turns.push_back(webhook);
            } else {
                passed = passed.saturating_sub(1);
            }
        }
    }

    /// The next delivery of an endpoint that has room for one. One that rests gives back what
    /// waits for it.
    fn next_of(&mut self, webhook: WebhookId, now: Timestamp) -> Option<Claimed> {
        let line = self.lines.get_mut(&webhook)?;
        let at_once = match self.slowed.get(&webhook) {
            Some(Slowed::Overrun(Some(until))) if now < *until => {
                let waiting = std::mem::take(&mut line.waiting);
                self.give_back(webhook, waiting.into_iter().map(|claimed| claimed.delivery.id).collect());
                return None;
            }
            Some(Slowed::Cut(next)) if Instant::now() < *next => {
                self.next_turn = Some(self.next_turn.map_or(*next, |first| first.min(*next)));
                return None;
            }
            Some(_) => 1,
            None => PER_ENDPOINT,
        };
        if line.running >= at_once { None } else { line.waiting.pop_front() }
    }

    fn start(&mut self, claimed: Claimed, now: Timestamp) {
        let (webhook, id) = (claimed.delivery.webhook_id, claimed.delivery.id);
        if claimed.lease_until < now.plus(self.worker.settings.limits.total + RECORD_TIME) {
            return self.give_back(webhook, vec![id]);
        }
        if let Some(line) = self.lines.get_mut(&webhook) {
            line.running += 1;
        }
        self.running += 1;
        let turn = Turn { webhook, id, news: self.news.clone(), is_sent: false };
        let (worker, recorder) = (Arc::clone(&self.worker), self.recorder.clone());
        self.tasks.spawn(async move { send::deliver(&worker, claimed, turn, &recorder).await });
    }

    /// Gives deliveries back that were not attempted; they are held until that is written.
    fn give_back(&mut self, webhook: WebhookId, ids: Vec<Uuid>) {
        if ids.is_empty() {
            return;
        }
        let (worker, news) = (Arc::clone(&self.worker), self.news.clone());
        self.tasks.spawn(async move {
            release(&worker, ids.clone()).await;
            for id in ids {
                let _ = news.send(News::Over { webhook, id });
            }
        });
    }

    /// Asks for more, if there is room and may be more; one question at a time.
    fn claim(&mut self) {
        if self.is_claiming || !self.is_claim_due || self.held >= HELD {
            return;
        }
        (self.is_claiming, self.is_claim_due) = (true, false);
        self.lines.values_mut().for_each(Line::set_pace);
        let held = self.lines.iter().map(|(webhook, line)| (*webhook, line.held.clone())).collect();
        let quick = self.lines.iter().filter(|(_, line)| line.ahead > AHEAD);
        let quick = quick.map(|(webhook, line)| (*webhook, line.ahead)).collect();
        let wanted = Wanted { room: HELD - self.held, per_endpoint: AHEAD, quick, held };
        let (worker, news) = (Arc::clone(&self.worker), self.news.clone());
        self.tasks.spawn(async move {
            let claimed = worker.services.claim_deliveries(&worker.settings.owner, wanted).await;
            if claimed.is_err() {
                tokio::time::sleep(CLAIM_PAUSE).await;
            }
            let _ = news.send(News::Claimed(claimed));
        });
    }

    /// Gives back what has not begun, and waits for what has.
    async fn drain(mut self) {
        let waiting = self.lines.values_mut().flat_map(|line| line.waiting.drain(..));
        let ids: Vec<Uuid> = waiting.map(|claimed| claimed.delivery.id).collect();
        release(&self.worker, ids).await;
        let Self { mut tasks, recorder, running, .. } = self;
        // The recorder ends when the last attempt has handed over.
        drop(recorder);
        let all_ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, all_ended).await.is_err() {
            tracing::info!(attempts = running, "attempts were broken off; they will be made again");
            tasks.shutdown().await;
        }
    }
}

async fn release(worker: &Worker, ids: Vec<Uuid>) {
    if ids.is_empty() {
        return;
    }
    if let Err(error) = worker.services.release_deliveries(&worker.settings.owner, ids).await {
        tracing::warn!(%error, "deliveries could not be given back; their leases will run out");
    }
}
