//! Nodes and subscribers of a schedule: what they ask the database, and what they do with its answers.

use std::collections::VecDeque;
use std::sync::Arc;

use helpbot_domain::event::Event;
use tokio::sync::watch;

use super::model::{LEASE, MS, Moment, Planted, Random, site};
use super::world::{Action, World};
use crate::runtime::bus::Bus;
use crate::runtime::event_cursor::{EventCursor, mark_of};
use crate::runtime::event_position::{EventPosition, NextStep, PageContent};

/// Events that a node reads at a time for all its subscribers, and a subscriber for itself. They are fewer than those of
/// the program, so that pages end.
const READ_AHEAD: i64 = 5;
const PAGE: usize = 4;
/// Deliveries that a worker takes at a time.
const CLAIM: usize = 3;

/// A process.
pub(super) struct Node {
    pub(super) is_up: bool,
    /// Number of its life. What it began in an earlier one has ended.
    pub(super) life: u64,
    pub(super) bus: Bus,
    pub(super) waiting: Vec<u64>,
    pub(super) is_writing: bool,
    number: usize,
    /// How far its view of the clock of the database is ahead: the way there and back.
    ahead: Moment,
}

impl Node {
    pub(super) fn new(number: usize, random: &mut Random) -> Self {
        let (bus, ahead) = (Bus::default(), random.between(0, 5 * MS));
        Self { is_up: false, life: 0, bus, waiting: Vec::new(), is_writing: false, number, ahead }
    }

    pub(super) fn live(&mut self) {
        self.is_up = true;
        self.life += 1;
    }

    pub(super) fn die(&mut self) {
        self.is_up = false;
        self.bus = Bus::default();
        self.waiting.clear();
        self.is_writing = false;
    }

    /// The time by which the node judges leases.
    fn clock(&self, now: Moment, planted: Planted) -> Moment {
        match planted {
            Planted::MachineClocks => now + self.number as u64 * 2 * LEASE,
            _ => now + self.ahead,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum SubscriberState {
    #[default]
    Away,
    /// It has read everything and waits for a notification.
    Waiting,
    Planned,
    Reading,
}

/// A client that follows the events.
#[derive(Default)]
pub(super) struct Subscriber {
    pub(super) state: SubscriberState,
    pub(super) node: Option<usize>,
    pub(super) hints: Option<watch::Receiver<i64>>,
    /// The number after which it began, or began again after `CURSOR_EXPIRED`.
    pub(super) first: Option<i64>,
    /// Marks of the events since then.
    pub(super) seen: Vec<u64>,
    position: Option<EventPosition>,
    cursor: Option<EventCursor>,
    known: i64,
    /// Changes with each connection, so that late answers are not taken for those of the next one.
    connection: u64,
}

/// What is read from the database. The answer is part of it when it is there.
#[derive(Debug, Clone)]
pub(super) enum Read {
    /// The newest number, for all subscribers of the node.
    Last(Option<i64>),
    /// Events of other nodes up to a number.
    News {
        after: i64,
        seq: i64,
        events: Vec<Event>,
    },
    /// Where a subscriber begins.
    Start {
        subscriber: usize,
        connection: u64,
        last: i64,
        oldest: Option<i64>,
        stored: Option<u64>,
    },
    Page {
        subscriber: usize,
        connection: u64,
        after: i64,
        events: Vec<Event>,
    },
    Ends {
        subscriber: usize,
        connection: u64,
        last: i64,
        oldest: Option<i64>,
    },
    /// The database is not there.
    Failed(Box<Read>),
}

/// An attempt at a delivery.
#[derive(Debug, Clone)]
pub(super) struct Send {
    pub(super) write: u64,
    pub(super) node: usize,
    pub(super) is_disturbed: bool,
    is_recorded: bool,
}

impl World {
    /// The database answers with what is committed now.
    pub(super) fn asked(&mut self, node: usize, life: u64, read: Read) {
        let database = &self.database;
        let answer = match read {
            read if database.is_down => Read::Failed(Box::new(read)),
            Read::Last(_) => Read::Last(Some(database.last())),
            Read::News { after, seq, .. } => {
                Read::News { after, seq, events: database.after(after, READ_AHEAD as usize) }
            }
            Read::Start { subscriber, connection, .. } => {
                let (last, oldest) = (database.last(), database.oldest());
                let seq = self.subscribers[subscriber].cursor.map_or(last, |cursor| cursor.seq);
                Read::Start { subscriber, connection, last, oldest, stored: database.id_at(seq).map(mark_of) }
            }
            Read::Page { subscriber, connection, after, .. } => {
                Read::Page { subscriber, connection, after, events: database.after(after, PAGE + 1) }
            }
            Read::Ends { subscriber, connection, .. } => {
                Read::Ends { subscriber, connection, last: database.last(), oldest: database.oldest() }
            }
            Read::Failed(read) => Read::Failed(read),
        };
        let generation = self.database.generation;
        self.later(Action::Answer { node, life, read: answer, generation });
    }

    pub(super) fn answered(&mut self, node: usize, read: Read) -> Result<(), String> {
        match read {
            Read::Last(seq) => self.grown_elsewhere(node, seq.unwrap_or_default()),
            Read::News { seq, events, .. } => {
                self.nodes[node].bus.publish(events);
                self.nodes[node].bus.tell(site(), seq);
            }
            Read::Start { subscriber, connection, last, oldest, stored } if self.follows(subscriber, connection) => {
                let this = &mut self.subscribers[subscriber];
                let position = match this.cursor {
                    Some(cursor) => EventPosition::resume(cursor, last, oldest, stored),
                    None => Ok(EventPosition::at_end(last, stored)),
                };
                match position {
                    Ok(position) => {
                        if this.cursor.is_none() {
                            // It has seen nothing yet and begins at the end again.
                            this.first = Some(position.cursor().seq);
                        }
                        this.position = Some(position);
                        self.run_subscriber(subscriber);
                    }
                    Err(_) => self.expired(subscriber)?,
                }
            }
            Read::Page { subscriber, connection, events, .. } if self.follows(subscriber, connection) => {
                let this = &mut self.subscribers[subscriber];
                let position = this.position.as_ref().expect("it has begun");
                match position.read(events, this.known) {
                    Ok(PageContent::Events(events)) => {
                        self.take(subscriber, events.into_iter().map(Arc::new).collect());
                        self.run_subscriber(subscriber);
                    }
                    Ok(PageContent::Nothing) => self.subscribers[subscriber].state = SubscriberState::Waiting,
                    Ok(PageContent::Missing) => {
                        let life = self.nodes[node].life;
                        self.later(Action::Ask(
                            node,
                            life,
                            Read::Ends { subscriber, connection, last: 0, oldest: None },
                        ));
                    }
                    Err(_) => self.expired(subscriber)?,
                }
            }
            Read::Ends { subscriber, connection, last, oldest } if self.follows(subscriber, connection) => {
                let this_known = self.subscribers[subscriber].known;
                let position = self.subscribers[subscriber].position.as_mut().expect("it has begun");
                match position.expect(last, oldest, this_known) {
                    Ok(true) => self.run_subscriber(subscriber),
                    Ok(false) => self.subscribers[subscriber].state = SubscriberState::Waiting,
                    Err(_) => self.expired(subscriber)?,
                }
            }
            Read::Failed(read) => self.failed(*read),
            _ => {}
        }
        Ok(())
    }

    /// A read failed: subscribers are notified, and the next poll reads the news again.
    fn failed(&mut self, read: Read) {
        match read {
            Read::Start { subscriber, connection, .. }
            | Read::Page { subscriber, connection, .. }
            | Read::Ends { subscriber, connection, .. }
                if self.follows(subscriber, connection) =>
            {
                self.disconnect(subscriber);
            }
            _ => {}
        }
    }

    /// As `events::grown_elsewhere` does.
    pub(super) fn grown_elsewhere(&mut self, node: usize, seq: i64) {
        let Some(known) = self.nodes[node].bus.known(site()).filter(|known| *known < seq) else { return };
        let (after, life) = (known.max(seq - READ_AHEAD), self.nodes[node].life);
        self.later(Action::Ask(node, life, Read::News { after, seq, events: Vec::new() }));
    }

    pub(super) fn connect(&mut self, subscriber: usize) {
        let node = self.random.place(self.nodes.len());
        if !self.nodes[node].is_up {
            self.at(self.now + 20 * MS, Action::Connect(subscriber));
            return;
        }
        let (hints, life) = (self.nodes[node].bus.subscribe(site()), self.nodes[node].life);
        let this = &mut self.subscribers[subscriber];
        this.hints = Some(hints);
        this.node = Some(node);
        this.state = SubscriberState::Reading;
        let connection = this.connection;
        self.later(Action::Ask(
            node,
            life,
            Read::Start { subscriber, connection, last: 0, oldest: None, stored: None },
        ));
    }

    pub(super) fn disconnect(&mut self, subscriber: usize) {
        let this = &mut self.subscribers[subscriber];
        this.state = SubscriberState::Away;
        this.connection += 1;
        (this.node, this.hints, this.position) = (None, None, None);
        let again = self.now + self.random.between(MS, 100 * MS);
        self.at(again, Action::Connect(subscriber));
    }

    fn follows(&self, subscriber: usize, connection: u64) -> bool {
        self.subscribers[subscriber].connection == connection && self.subscribers[subscriber].node.is_some()
    }

    /// `CURSOR_EXPIRED`: the client reads everything again and begins at the end.
    fn expired(&mut self, subscriber: usize) -> Result<(), String> {
        if self.lost.is_empty() {
            return Err(format!("the cursor of subscriber {subscriber} expired, and no event was lost"));
        }
        let this = &mut self.subscribers[subscriber];
        (this.first, this.cursor) = (None, None);
        this.seen.clear();
        self.disconnect(subscriber);
        Ok(())
    }

    /// As `events::EventFollower` does.
    pub(super) fn run_subscriber(&mut self, subscriber: usize) {
        loop {
            let this = &mut self.subscribers[subscriber];
            let (Some(node), Some(hints), Some(position)) = (this.node, &mut this.hints, &mut this.position) else {
                return;
            };
            let known = *hints.borrow_and_update();
            this.known = known;
            match position.next(&self.nodes[node].bus, site(), known) {
                NextStep::Take(recent) => self.take(subscriber, recent.into()),
                NextStep::Wait => {
                    this.state = SubscriberState::Waiting;
                    return;
                }
                NextStep::Read if self.planted == Planted::HintsAreTruth && known > position.cursor().seq => {
                    let skipped = self.database.after(known - 1, 1).into_iter().map(Arc::new).collect();
                    self.take(subscriber, skipped);
                    self.subscribers[subscriber].state = SubscriberState::Waiting;
                    return;
                }
                NextStep::Read => {
                    let (after, connection, life) = (position.read_after(), this.connection, self.nodes[node].life);
                    this.state = SubscriberState::Reading;
                    let page = Read::Page { subscriber, connection, after, events: Vec::new() };
                    self.later(Action::Ask(node, life, page));
                    return;
                }
            }
        }
    }

    fn take(&mut self, subscriber: usize, events: VecDeque<Arc<Event>>) {
        let this = &mut self.subscribers[subscriber];
        let Some(position) = &mut this.position else { return };
        for event in events {
            position.pass(&event);
            this.seen.push(mark_of(event.id));
            this.cursor = Some(position.cursor());
        }
    }

    /// A worker takes deliveries whose lease has ended, and sends them.
    pub(super) fn work(&mut self, node: usize) {
        let life = self.nodes[node].life;
        let again = self.now + self.random.between(50 * MS, 150 * MS);
        self.at(again, Action::Work(node, life));
        if self.database.is_down {
            return;
        }
        let clock = self.nodes[node].clock(self.now, self.planted);
        let due = self.database.deliveries.iter_mut().filter(|row| !row.is_done && row.until <= clock).take(CLAIM);
        let taken: Vec<u64> = due
            .map(|row| {
                (row.owner, row.until) = (Some((node, life)), clock + LEASE);
                row.write
            })
            .collect();
        for write in taken {
            self.sends.push(Send { write, node, is_disturbed: false, is_recorded: false });
            let send = Send { write, node, is_disturbed: false, is_recorded: false };
            self.later(Action::Sent(node, life, send));
        }
    }

    /// The outcome of an attempt is stored if the node still has the lease.
    pub(super) fn sent(&mut self, node: usize, life: u64, send: Send) {
        if !self.lives(node, life) || self.database.is_down {
            return;
        }
        let row = self.database.deliveries.iter_mut().find(|row| row.write == send.write);
        let Some(row) = row.filter(|row| row.owner == Some((node, life))) else { return };
        row.is_done = true;
        let recorded = self.sends.iter_mut().filter(|it| it.write == send.write && it.node == node);
        recorded.for_each(|it| it.is_recorded = true);
    }

    /// Marks attempts whose outcome may not be stored, because their node or the database failed.
    pub(super) fn disturb_sends(&mut self, is_meant: impl Fn(&Send) -> bool) {
        for send in self.sends.iter_mut().filter(|send| !send.is_recorded && is_meant(send)) {
            send.is_disturbed = true;
        }
    }
}
