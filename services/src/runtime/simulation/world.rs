//! One schedule: nodes, subscribers and a database, and everything that happens to them in the order of its time.

use std::collections::{BTreeMap, BTreeSet};

use helpbot_domain::event::Event;

use super::model::{Database, LEASE, MS, Moment, Planted, Random};
use super::nodes::{Node, Read, Send, Subscriber, SubscriberState};
use crate::runtime::event_cursor::mark_of;

/// Time in which visitors write and things fail.
const BUSY: Moment = 1_200 * MS;
/// Time until everything must have settled: two leases and some polls.
const END: Moment = BUSY + 2 * LEASE + 1_600 * MS;
/// Interval at which a node looks at the log, and for deliveries.
const POLL: Moment = 250 * MS;
const NODES: usize = 3;
const SUBSCRIBERS: usize = 4;
/// Most writes of a node in one transaction.
const GROUP_MAX: usize = 4;

/// Something that happens. A node that has died since (its life has another number) no longer does it.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// A visitor sends a write, to a node that is there.
    Write,
    /// A node begins a transaction with the writes that wait.
    Begin(usize, u64),
    /// A transaction commits, unless the database has stopped since.
    Commit {
        node: usize,
        life: u64,
        writes: Vec<(u64, Option<bool>)>,
        generation: u64,
    },
    /// The node learns of the commit.
    Committed {
        node: usize,
        life: u64,
        stored: Vec<(u64, Option<Event>)>,
        generation: u64,
    },
    /// A hint of another node arrives: the log has grown to this number.
    Hint(usize, u64, i64),
    Poll(usize, u64),
    /// The database answers a question; then the answer arrives, unless the connection was lost with the database.
    Ask(usize, u64, Read),
    Answer {
        node: usize,
        life: u64,
        read: Read,
        generation: u64,
    },
    Work(usize, u64),
    Sent(usize, u64, Send),
    /// A subscriber runs.
    Run(usize),
    /// A subscriber connects to a node that is there.
    Connect(usize),
    Crash(usize),
    Start(usize),
    Stop,
    Recover,
}

/// The state of a schedule.
pub(super) struct World {
    pub(super) now: Moment,
    pub(super) random: Random,
    pub(super) planted: Planted,
    pub(super) database: Database,
    pub(super) nodes: Vec<Node>,
    pub(super) subscribers: Vec<Subscriber>,
    queue: BTreeMap<(Moment, u64), Action>,
    order: u64,
    writes: u64,
    acknowledged: BTreeSet<u64>,
    /// Writes that a fail-over lost.
    pub(super) lost: BTreeSet<u64>,
    /// Every attempt at a delivery: its write, its node, and whether the attempt was disturbed.
    pub(super) sends: Vec<Send>,
    history: Vec<String>,
}

impl World {
    pub(super) fn new(seed: u64, planted: Planted) -> Self {
        let mut random = Random(seed);
        let database = Database { limit: random.between(5, 60), ..Database::default() };
        let nodes = (0..NODES).map(|number| Node::new(number, &mut random)).collect();
        let subscribers = (0..SUBSCRIBERS).map(|_| Subscriber::default()).collect();
        let (queue, acknowledged, lost) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let (sends, history) = (Vec::new(), Vec::new());
        let (now, order, writes) = (0, 0, 0);
        let mut world = Self {
            now,
            random,
            planted,
            database,
            nodes,
            subscribers,
            queue,
            order,
            writes,
            acknowledged,
            lost,
            sends,
            history,
        };
        world.plan();
        world
    }

    /// Plans what comes from outside: writes, subscribers and failures.
    fn plan(&mut self) {
        for node in 0..NODES {
            self.begin_life(node);
        }
        for subscriber in 0..SUBSCRIBERS {
            let at = self.random.between(0, BUSY);
            self.at(at, Action::Connect(subscriber));
        }
        for _ in 0..self.random.between(5, 45) {
            let at = self.random.between(0, BUSY);
            self.at(at, Action::Write);
        }
        // Something is written after every failure, so that the last hint and the last rewrite are noticed.
        for _ in 0..NODES {
            self.at(BUSY + 600 * MS, Action::Write);
        }
        for _ in 0..self.random.between(0, 3) {
            let (node, at) = (self.random.place(NODES), self.random.between(0, BUSY));
            self.at(at, Action::Crash(node));
        }
        if self.random.percent(50) {
            let at = self.random.between(0, BUSY);
            self.at(at, Action::Stop);
        }
    }

    /// Runs to the end and checks what holds then.
    pub(super) fn run(&mut self) -> Result<(), String> {
        while let Some(((at, _), action)) = self.queue.pop_first() {
            if at > END {
                break;
            }
            self.now = at;
            self.history.push(format!("{at} {action:?}"));
            self.act(action)?;
            self.wake();
        }
        self.check()
    }

    pub(super) fn history(&self) -> Vec<String> {
        self.history.clone()
    }

    pub(super) fn at(&mut self, moment: Moment, action: Action) {
        self.order += 1;
        self.queue.insert((moment, self.order), action);
    }

    /// Plans an action after a random time.
    pub(super) fn later(&mut self, action: Action) {
        let at = self.now + self.random.latency();
        self.at(at, action);
    }

    pub(super) fn lives(&self, node: usize, life: u64) -> bool {
        self.nodes[node].is_up && self.nodes[node].life == life
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Write => self.write(),
            Action::Begin(node, life) if self.lives(node, life) => self.begin(node),
            Action::Commit { node, life, writes, generation } => self.commit(node, life, writes, generation),
            Action::Committed { node, life, stored, generation } if self.lives(node, life) => {
                let is_heard = generation == self.database.generation;
                self.committed(node, if is_heard { stored } else { Vec::new() });
            }
            Action::Hint(node, life, seq) if self.lives(node, life) => self.grown_elsewhere(node, seq),
            Action::Poll(node, life) if self.lives(node, life) => {
                self.later(Action::Ask(node, life, Read::Last(None)));
                self.at(self.now + POLL, Action::Poll(node, life));
            }
            Action::Ask(node, life, read) => self.asked(node, life, read),
            Action::Answer { node, life, read, generation } if self.lives(node, life) => {
                let is_heard = generation == self.database.generation;
                self.answered(node, if is_heard { read } else { Read::Failed(Box::new(read)) })?;
            }
            Action::Work(node, life) if self.lives(node, life) => self.work(node),
            Action::Sent(node, life, send) => self.sent(node, life, send),
            Action::Run(subscriber) if self.subscribers[subscriber].state == SubscriberState::Planned => {
                self.run_subscriber(subscriber);
            }
            Action::Connect(subscriber) => self.connect(subscriber),
            Action::Crash(node) => self.crash(node),
            Action::Start(node) => self.begin_life(node),
            Action::Stop => self.stop_database(),
            Action::Recover => self.database.is_down = false,
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self) {
        let up: Vec<usize> = (0..NODES).filter(|node| self.nodes[*node].is_up).collect();
        if up.is_empty() {
            return;
        }
        let node = up[self.random.place(up.len())];
        self.writes += 1;
        self.nodes[node].waiting.push(self.writes);
        if !self.nodes[node].is_writing {
            self.nodes[node].is_writing = true;
            let life = self.nodes[node].life;
            self.later(Action::Begin(node, life));
        }
    }

    /// Writes that wait share a transaction. Its lock is free when the transactions before it have committed.
    fn begin(&mut self, node: usize) {
        let count = self.nodes[node].waiting.len().min(GROUP_MAX);
        let life = self.nodes[node].life;
        if count == 0 || self.database.is_down {
            // The visitors learn that the database is not there.
            self.nodes[node].waiting.clear();
            self.nodes[node].is_writing = false;
            return;
        }
        let early = (self.planted == Planted::EarlyCredits).then_some(self.database.used < self.database.limit);
        let writes: Vec<_> = self.nodes[node].waiting.drain(..count).map(|write| (write, early)).collect();
        if self.planted == Planted::EarlyAnswers {
            self.acknowledged.extend(writes.iter().map(|(write, _)| *write));
        }
        let commit_at = self.now.max(self.database.lock_free_at) + self.random.latency();
        self.database.lock_free_at = commit_at;
        let generation = self.database.generation;
        self.at(commit_at, Action::Commit { node, life, writes, generation });
    }

    fn commit(&mut self, node: usize, life: u64, writes: Vec<(u64, Option<bool>)>, generation: u64) {
        let stored = match generation == self.database.generation {
            true => writes.into_iter().map(|(write, early)| (write, self.database.commit(write, early))).collect(),
            false => Vec::new(),
        };
        self.later(Action::Committed { node, life, stored, generation });
    }

    /// Acknowledges, tells the subscribers of this node, and gives the others a hint that may be lost.
    fn committed(&mut self, node: usize, stored: Vec<(u64, Option<Event>)>) {
        let done: Vec<(u64, Event)> =
            stored.into_iter().filter_map(|(write, event)| event.map(|event| (write, event))).collect();
        self.acknowledged.extend(done.iter().map(|(write, _)| *write));
        if let Some((_, last)) = done.last() {
            let seq = last.seq;
            for other in (0..NODES).filter(|other| *other != node) {
                let life = self.nodes[other].life;
                if !self.random.percent(15) {
                    self.later(Action::Hint(other, life, seq));
                }
            }
        }
        self.nodes[node].bus.publish(done.into_iter().map(|(_, event)| event).collect());
        let life = self.nodes[node].life;
        self.later(Action::Begin(node, life));
    }

    fn begin_life(&mut self, node: usize) {
        self.nodes[node].live();
        let life = self.nodes[node].life;
        let (poll, work) = (self.now + self.random.between(0, POLL), self.now + self.random.between(0, POLL));
        self.at(poll, Action::Poll(node, life));
        self.at(work, Action::Work(node, life));
    }

    fn crash(&mut self, node: usize) {
        if !self.nodes[node].is_up {
            return;
        }
        self.nodes[node].die();
        self.disturb_sends(|send| send.node == node);
        let again = self.now + self.random.between(50 * MS, 500 * MS);
        self.at(again, Action::Start(node));
        for subscriber in 0..SUBSCRIBERS {
            if self.subscribers[subscriber].node == Some(node) {
                self.disconnect(subscriber);
            }
        }
    }

    /// Stops the database. Sometimes another one takes its place that has not received the last commits.
    fn stop_database(&mut self) {
        self.database.is_down = true;
        self.database.generation += 1;
        if self.random.percent(40) {
            let count = self.random.place(5);
            let lost = self.database.lose(count);
            self.lost.extend(lost);
        }
        // The channel between the nodes is lost with the database.
        self.nodes.iter().for_each(|node| node.bus.doubt());
        self.disturb_sends(|_| true);
        let again = self.now + self.random.between(10 * MS, 400 * MS);
        self.at(again, Action::Recover);
    }

    /// Plans a run of each subscriber that waits and was notified.
    fn wake(&mut self) {
        for number in 0..SUBSCRIBERS {
            let subscriber = &mut self.subscribers[number];
            let is_notified = subscriber.hints.as_ref().is_some_and(|hints| hints.has_changed().unwrap_or(false));
            if subscriber.state == SubscriberState::Waiting && is_notified {
                subscriber.state = SubscriberState::Planned;
                let soon = self.now + self.random.between(1, 2 * MS);
                self.at(soon, Action::Run(number));
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        let stored: BTreeSet<u64> = self.database.writes.iter().copied().collect();
        if stored.len() != self.database.writes.len() {
            return Err("a write was stored twice".into());
        }
        if let Some(write) =
            self.acknowledged.iter().find(|write| !stored.contains(write) && !self.lost.contains(write))
        {
            return Err(format!("write {write} was acknowledged and is lost"));
        }
        if self.database.used != stored.len() as u64 || self.database.used > self.database.limit {
            return Err(format!("{} credits of {} used by {}", self.database.used, self.database.limit, stored.len()));
        }
        for (number, subscriber) in self.subscribers.iter().enumerate() {
            let Some(first) = subscriber.first else { continue };
            let ids: Vec<_> =
                self.database.log.iter().filter(|event| event.seq > first).map(|event| mark_of(event.id)).collect();
            if subscriber.seen != ids {
                let (seen, wanted) = (subscriber.seen.len(), ids.len());
                return Err(format!(
                    "subscriber {number} has seen {seen} events after {first}, and there are {wanted}"
                ));
            }
        }
        self.check_deliveries()
    }

    fn check_deliveries(&self) -> Result<(), String> {
        if let Some(row) = self.database.deliveries.iter().find(|row| !row.is_done) {
            return Err(format!("the delivery of write {} was not made", row.write));
        }
        let mut earlier: BTreeMap<u64, bool> = BTreeMap::new();
        for send in &self.sends {
            match earlier.insert(send.write, send.is_disturbed) {
                Some(false) => return Err(format!("write {} was delivered twice, and nothing failed", send.write)),
                _ => continue,
            }
        }
        Ok(())
    }
}
