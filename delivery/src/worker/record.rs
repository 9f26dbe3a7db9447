//! The record of attempts, written down many at a time: while one group is being committed, the next
//! one gathers. So an endpoint that fails quickly costs the disk no more than one that answers.
//!
//! A record that cannot be written is tried for some seconds; then the lease runs out, and the
//! delivery is attempted again.

use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_domain::webhook::{DisabledReason, Failing};
use helpbot_services::webhooks::outbox::{Ended, Judge, Next};
use tokio::sync::mpsc;

use super::Worker;
use super::pool::Turn;
use crate::health::{Health, Verdict};
use crate::schedule::Outcome;

/// How often the record of an attempt is tried to be written.
const RECORD_TRIES: u32 = 6;
/// Before the second try; doubled for each further one: some six seconds in all.
const RECORD_PAUSE: Duration = Duration::from_millis(200);
/// Written in one transaction: other writers wait meanwhile, for some milliseconds.
const AT_ONCE: usize = 256;

/// An attempt that is over and not yet written down.
pub(super) struct Handed {
    pub(super) ended: Ended,
    pub(super) outcome: Outcome,
    /// When it was over.
    pub(super) at: Timestamp,
    /// Dropped when it is written down.
    pub(super) _turn: Turn,
}

/// Where attempts are handed over to be written down.
#[derive(Clone)]
pub(super) struct Recorder(mpsc::UnboundedSender<Handed>);

impl Recorder {
    /// (No more wait here than are held in all.)
    pub(super) fn hand_over(&self, handed: Handed) {
        // Without a recorder the process ends, and the attempt is made again.
        let _ = self.0.send(handed);
    }
}

/// The two ends of a recorder.
pub(super) fn recorder() -> (Recorder, mpsc::UnboundedReceiver<Handed>) {
    let (sender, waiting) = mpsc::unbounded_channel();
    (Recorder(sender), waiting)
}

/// Writes down what is handed over until nobody can hand over any more.
pub(super) async fn run(worker: &Worker, mut waiting: mpsc::UnboundedReceiver<Handed>) {
    let mut group = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut group, AT_ONCE).await > 0 {
        let (arrived, failed): (Vec<Handed>, Vec<Handed>) =
            group.drain(..).partition(|handed| handed.ended.next == Next::Delivered);
        tokio::join!(record(worker, arrived, Kind::Arrived), record(worker, failed, Kind::Failed));
    }
}

/// What a group of attempts has in common.
#[derive(Clone, Copy)]
enum Kind {
    Arrived,
    Failed,
}

/// Writes down a group; their turns are over when it is done.
async fn record(worker: &Worker, group: Vec<Handed>, kind: Kind) {
    if group.is_empty() {
        return;
    }
    if !written(worker, &group, kind, RECORD_TRIES).await && group.len() > 1 {
        // If it was one of them that cannot be written, the others can.
        for one in group.chunks(1) {
            written(worker, one, kind, 1).await;
        }
    }
}

/// Whether they could be written down, with so many tries.
async fn written(worker: &Worker, group: &[Handed], kind: Kind, tries: u32) -> bool {
    let mut pause = RECORD_PAUSE;
    for left in (0..tries).rev() {
        let (owner, ended) = (&worker.settings.owner, group.iter().map(|handed| handed.ended.clone()));
        let written = match kind {
            Kind::Arrived => worker.services.record_delivered(owner, ended.collect()).await,
            Kind::Failed => {
                let judges = group.iter().map(|it| judge(it.outcome, it.ended.delivery.event_at, it.at));
                worker.services.record_failed(owner, ended.zip(judges).collect()).await
            }
        };
        match written {
            Ok(written) => {
                let lost = group.len() - written;
                if lost > 0 {
                    tracing::info!(lost, "attempts were not recorded: the deliveries are another worker's or gone");
                }
                return true;
            }
            Err(error) if left == 0 => {
                tracing::error!(%error, count = group.len(), "attempts could not be recorded");
            }
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause *= 2;
    }
    false
}

/// What a failure means for the endpoint, as [`Health`] says.
fn judge(outcome: Outcome, event_at: Timestamp, now: Timestamp) -> Judge {
    Box::new(move |failing| {
        let (health, verdict) = Health { failing }.after(outcome, event_at, now);
        let first = Failing { since: now, first_event: event_at, last_event: event_at };
        let reason = match (verdict, outcome) {
            (Verdict::Keep, _) => None,
            (Verdict::Disable, Outcome::Gone) => Some(DisabledReason::Gone),
            (Verdict::Disable, _) => Some(DisabledReason::Failing),
        };
        (health.failing.unwrap_or(first), reason)
    })
}
