//! When to disable an endpoint: after five days in which every attempt failed.
//!
//! The state consists of three times in the endpoint's row, so it survives restarts and is the same
//! on every node. A single event never disables an endpoint: its attempts end after three days, and
//! it might be the one event that the receiver cannot process.

use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_domain::webhook::Failing;

use crate::schedule::AttemptOutcome;

const HOUR: Duration = Duration::from_secs(3600);

/// How long an endpoint may fail without a single success before it is disabled.
const FAILING_FOR: Duration = Duration::from_secs(5 * 24 * 3600);
/// Minimum time between the first and the last failed event, so that a burst of events during one
/// outage does not disable the endpoint.
const EVENTS_APART: Duration = Duration::from_secs(12 * HOUR.as_secs());

/// The current run of failures of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndpointHealth {
    /// The run of failures. `None` while deliveries succeed.
    pub failing: Option<Failing>,
}

/// Whether an endpoint stays enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointDecision {
    /// Keep the endpoint enabled.
    Keep,
    /// Disable the endpoint, notify the owner and write an event.
    Disable,
}

impl EndpointHealth {
    /// Returns the state after an attempt that ended at `now`, for an event of `event_at`, and what
    /// to do with the endpoint.
    #[must_use]
    pub fn after(self, outcome: AttemptOutcome, event_at: Timestamp, now: Timestamp) -> (Self, EndpointDecision) {
        if outcome == AttemptOutcome::Delivered {
            return (Self::default(), EndpointDecision::Keep);
        }
        let run = self.failing.unwrap_or(Failing { since: now, first_event: event_at, last_event: event_at });
        let run = Failing {
            since: run.since,
            first_event: run.first_event.min(event_at),
            last_event: run.last_event.max(event_at),
        };
        let is_over = outcome == AttemptOutcome::Gone
            || (run.since.plus(FAILING_FOR) <= now && run.first_event.plus(EVENTS_APART) <= run.last_event);
        (Self { failing: Some(run) }, if is_over { EndpointDecision::Disable } else { EndpointDecision::Keep })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(count: i64) -> Timestamp {
        Timestamp::from_ms(1_800_000_000_000 + count * 3_600_000)
    }

    /// Applies failures, given as (hour of the attempt, hour of the event). Returns the hour at which
    /// the endpoint was disabled.
    fn disabled_at(failures: &[(i64, i64)]) -> Option<i64> {
        let mut health = EndpointHealth::default();
        for (now, event) in failures {
            let (next, decision) = health.after(AttemptOutcome::Failed, hours(*event), hours(*now));
            if decision == EndpointDecision::Disable {
                return Some(*now);
            }
            health = next;
        }
        None
    }

    #[test]
    fn five_days_of_failures_of_distant_events_disable_the_endpoint() {
        assert_eq!(disabled_at(&[(0, 0), (60, 12), (119, 100), (120, 110), (130, 120)]), Some(120));
        assert_eq!(disabled_at(&[(0, 0), (121, 12)]), Some(121));
    }

    #[test]
    fn a_single_event_or_burst_never_disables_the_endpoint() {
        assert_eq!(disabled_at(&[(0, 0), (75, 0), (200, 0), (2000, 0)]), None);
        assert_eq!(disabled_at(&[(0, 0), (1, 11), (500, 11), (501, 3)]), None);
    }

    #[test]
    fn a_success_resets_the_run_of_failures() {
        let (failing, _) = EndpointHealth::default().after(AttemptOutcome::Failed, hours(0), hours(0));
        let (well, decision) = failing.after(AttemptOutcome::Delivered, hours(50), hours(100));
        let (again, after) = well.after(AttemptOutcome::Overloaded, hours(121), hours(121));

        assert_eq!((well, decision), (EndpointHealth::default(), EndpointDecision::Keep));
        assert_eq!(after, EndpointDecision::Keep);
        assert_eq!(again.failing.map(|run| run.since), Some(hours(121)));
    }

    #[test]
    fn events_may_fail_out_of_order() {
        let (health, _) = EndpointHealth::default().after(AttemptOutcome::Failed, hours(20), hours(21));
        let (health, _) = health.after(AttemptOutcome::Failed, hours(2), hours(22));

        let run = health.failing.expect("a run of failures");
        assert_eq!((run.since, run.first_event, run.last_event), (hours(21), hours(2), hours(20)));
    }

    #[test]
    fn a_gone_response_disables_the_endpoint_at_once() {
        let (_, decision) = EndpointHealth::default().after(AttemptOutcome::Gone, hours(0), hours(0));

        assert_eq!(decision, EndpointDecision::Disable);
    }

    #[test]
    fn a_clock_that_is_set_back_disables_nothing() {
        assert_eq!(disabled_at(&[(0, 0), (-48, 20), (-24, 40)]), None);
    }
}
