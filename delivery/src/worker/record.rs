//! The record of attempts. What arrived is written down many at a time: while one group is being
//! committed, the next one gathers. What failed is written down by itself.
//!
//! A record that cannot be written is tried for some seconds; then the lease runs out, and the
//! delivery is attempted again.

use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_domain::webhook::{DisabledReason, Failing};
use helpbot_services::outbox::{Ended, Judge};
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

/// Where deliveries that arrived are handed to be written down.
#[derive(Clone)]
pub(super) struct Arrived(mpsc::UnboundedSender<(Ended, Turn)>);

impl Arrived {
    /// `turn` is dropped when it is written down. (No more wait here than are held in all.)
    pub(super) fn hand_over(&self, ended: Ended, turn: Turn) {
        // Without a recorder the process ends, and the attempt is made again.
        let _ = self.0.send((ended, turn));
    }
}

/// The two ends of a recorder.
pub(super) fn recorder() -> (Arrived, mpsc::UnboundedReceiver<(Ended, Turn)>) {
    let (sender, waiting) = mpsc::unbounded_channel();
    (Arrived(sender), waiting)
}

/// Writes down what is handed over until nobody can hand over any more.
pub(super) async fn run(worker: &Worker, mut waiting: mpsc::UnboundedReceiver<(Ended, Turn)>) {
    let mut group = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut group, AT_ONCE).await > 0 {
        let (ended, turns): (Vec<Ended>, Vec<Turn>) = group.drain(..).unzip();
        if !arrived(worker, &ended, RECORD_TRIES).await && ended.len() > 1 {
            // If it was one of them that cannot be written, the others can.
            for one in ended.chunks(1) {
                arrived(worker, one, 1).await;
            }
        }
        drop(turns);
    }
}

/// Whether they could be written down, with so many tries.
async fn arrived(worker: &Worker, ended: &[Ended], tries: u32) -> bool {
    let mut pause = RECORD_PAUSE;
    for left in (0..tries).rev() {
        match worker.services.record_delivered(&worker.settings.owner, ended.to_vec()).await {
            Ok(written) => {
                let lost = ended.len() - written;
                if lost > 0 {
                    tracing::info!(lost, "attempts were not recorded: the deliveries are another worker's or gone");
                }
                return true;
            }
            Err(error) if left == 0 => {
                tracing::error!(%error, count = ended.len(), "deliveries could not be recorded together");
            }
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause *= 2;
    }
    false
}

/// Writes down an attempt that failed, and what it means for its endpoint.
pub(super) async fn failed(worker: &Worker, ended: Ended, outcome: Outcome, event_at: Timestamp, now: Timestamp) {
    let delivery = ended.delivery.id;
    let mut pause = RECORD_PAUSE;
    for left in (0..RECORD_TRIES).rev() {
        let judged =
            worker.services.record_attempt(&worker.settings.owner, ended.clone(), judge(outcome, event_at, now));
        match judged.await {
            Ok(true) => return,
            Ok(false) => {
                tracing::info!(%delivery, "an attempt was not recorded: the delivery is another worker's or gone");
                return;
            }
            Err(error) if left == 0 => {
                tracing::error!(%error, %delivery, "an attempt could not be recorded; it will be made again");
            }
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause *= 2;
    }
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
