//! Recording attempts in groups: while one group is being committed, the next one gathers. An
//! endpoint that fails quickly therefore costs the disk no more than one that answers.
//!
//! A record that cannot be written is retried for some seconds. After that the lease expires, and
//! the delivery is attempted again.

use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_domain::webhook::{DisabledReason, Failing};
use helpbot_services::webhooks::outbox::{self, AfterAttempt, FailureJudge, FinishedAttempt};
use tokio::sync::mpsc;

use super::context::DeliveryContext;
use super::slot::AttemptSlot;
use crate::health::{EndpointDecision, EndpointHealth};
use crate::schedule::AttemptOutcome;

/// Number of tries to write a record.
const RECORD_TRIES: u32 = 6;
/// Pause before the second try. It doubles for each further one, which makes about six seconds in
/// total.
const RECORD_PAUSE: Duration = Duration::from_millis(200);
/// Attempts per transaction. Other writers wait for it, which takes some milliseconds.
const GROUP_SIZE: usize = 256;

/// An attempt that has ended and is not recorded yet.
pub(super) struct UnrecordedAttempt {
    pub(super) finished: FinishedAttempt,
    pub(super) outcome: AttemptOutcome,
    /// Time at which the attempt ended.
    pub(super) at: Timestamp,
    /// Dropped when the attempt is recorded.
    pub(super) _slot: AttemptSlot,
}

/// Accepts attempts that are to be recorded.
#[derive(Clone)]
pub(super) struct Recorder(mpsc::UnboundedSender<UnrecordedAttempt>);

impl Recorder {
    /// Queues an attempt. The queue is bounded by the number of deliveries that the pool holds.
    pub(super) fn record(&self, attempt: UnrecordedAttempt) {
        // The recorder task is gone only when the process ends; the attempt is then made again.
        let _ = self.0.send(attempt);
    }
}

/// Returns the two ends of a recorder.
pub(super) fn recorder() -> (Recorder, mpsc::UnboundedReceiver<UnrecordedAttempt>) {
    let (sender, waiting) = mpsc::unbounded_channel();
    (Recorder(sender), waiting)
}

/// Records attempts until all recorders are dropped.
pub(super) async fn run(context: &DeliveryContext, mut waiting: mpsc::UnboundedReceiver<UnrecordedAttempt>) {
    let mut group = Vec::with_capacity(GROUP_SIZE);
    while waiting.recv_many(&mut group, GROUP_SIZE).await > 0 {
        let (delivered, failed): (Vec<_>, Vec<_>) =
            group.drain(..).partition(|attempt| attempt.finished.next == AfterAttempt::Delivered);
        tokio::join!(
            record_group(context, delivered, GroupResult::Delivered),
            record_group(context, failed, GroupResult::Failed)
        );
    }
}

/// The result that all attempts of a group have in common.
#[derive(Clone, Copy)]
enum GroupResult {
    Delivered,
    Failed,
}

/// Records a group. The slots of its attempts are freed when that is done.
async fn record_group(context: &DeliveryContext, group: Vec<UnrecordedAttempt>, result: GroupResult) {
    if group.is_empty() {
        return;
    }
    if !try_record(context, &group, result, RECORD_TRIES).await && group.len() > 1 {
        // If only one of them cannot be recorded, the others can.
        for one in group.chunks(1) {
            try_record(context, one, result, 1).await;
        }
    }
}

/// Tries to record a group up to `tries` times, and returns whether it succeeded.
async fn try_record(context: &DeliveryContext, group: &[UnrecordedAttempt], result: GroupResult, tries: u32) -> bool {
    let (services, owner) = (&context.services, &context.settings.owner);
    let mut pause = RECORD_PAUSE;
    for left in (0..tries).rev() {
        let finished = group.iter().map(|attempt| attempt.finished.clone());
        let recorded = match result {
            GroupResult::Delivered => outbox::record_delivered(services, owner, finished.collect()).await,
            GroupResult::Failed => {
                let judges = group.iter().map(|it| failure_judge(it.outcome, it.finished.delivery.event_at, it.at));
                outbox::record_failed(services, owner, finished.zip(judges).collect()).await
            }
        };
        match recorded {
            Ok(count) => {
                let lost = group.len() - count;
                if lost > 0 {
                    tracing::info!(
                        lost,
                        "attempts were not recorded: another worker holds the deliveries, or they were deleted"
                    );
                }
                return true;
            }
            Err(error) if left == 0 => {
                tracing::error!(error = error.detail(), count = group.len(), "attempts could not be recorded");
            }
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause *= 2;
    }
    false
}

/// Returns what a failure means for the endpoint, according to [`EndpointHealth`].
fn failure_judge(outcome: AttemptOutcome, event_at: Timestamp, now: Timestamp) -> FailureJudge {
    Box::new(move |failing| {
        let (health, decision) = EndpointHealth { failing }.after(outcome, event_at, now);
        let first = Failing { since: now, first_event: event_at, last_event: event_at };
        let reason = match (decision, outcome) {
            (EndpointDecision::Keep, _) => None,
            (EndpointDecision::Disable, AttemptOutcome::Gone) => Some(DisabledReason::Gone),
            (EndpointDecision::Disable, _) => Some(DisabledReason::Failing),
        };
        (health.failing.unwrap_or(first), reason)
    })
}
