//! When to stop trying an endpoint altogether: five days in which nothing but failure was seen.
//!
//! The state is three moments of the endpoint's row, so it survives restarts and is the same on
//! every node. One event alone never disables: its attempts are over in three days, and it might
//! be the event that the receiver chokes on.

use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_domain::webhook::Failing;

use crate::schedule::Outcome;

const HOUR: Duration = Duration::from_secs(3600);

/// How long an endpoint may fail without a single success.
const FAILING_FOR: Duration = Duration::from_secs(5 * 24 * 3600);
/// How far apart the first and the last failed event must lie, so that a burst during one
/// outage is not taken for a dead endpoint.
const EVENTS_APART: Duration = Duration::from_secs(12 * HOUR.as_secs());

/// The current run of failures of an endpoint; empty while it is well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    pub failing: Option<Failing>,
}

/// Whether an endpoint goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Keep,
    /// Disable it, tell the owner, write an event.
    Disable,
}

impl Health {
    /// The state after an attempt that ended at `now`, for an event that happened at
    /// `event_at`, and what to do about it.
    #[must_use]
    pub fn after(self, outcome: Outcome, event_at: Timestamp, now: Timestamp) -> (Self, Verdict) {
        if outcome == Outcome::Delivered {
            return (Self::default(), Verdict::Keep);
        }
        let run = self.failing.unwrap_or(Failing { since: now, first_event: event_at, last_event: event_at });
        let run = Failing {
            since: run.since,
            first_event: run.first_event.min(event_at),
            last_event: run.last_event.max(event_at),
        };
        let is_over = outcome == Outcome::Gone
            || (run.since.plus(FAILING_FOR) <= now && run.first_event.plus(EVENTS_APART) <= run.last_event);
        (Self { failing: Some(run) }, if is_over { Verdict::Disable } else { Verdict::Keep })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(count: i64) -> Timestamp {
        Timestamp::from_ms(1_800_000_000_000 + count * 3_600_000)
    }

    /// Feeds (hour of the attempt, hour of the event) failures; the hour it was disabled at.
    fn disabled_at(failures: &[(i64, i64)]) -> Option<i64> {
        let mut health = Health::default();
        for (now, event) in failures {
            let (next, verdict) = health.after(Outcome::Failed, hours(*event), hours(*now));
            if verdict == Verdict::Disable {
                return Some(*now);
            }
            health = next;
        }
        None
    }

    #[test]
    fn five_days_of_failure_over_two_distant_events_disable() {
        assert_eq!(disabled_at(&[(0, 0), (60, 12), (119, 100), (120, 110), (130, 120)]), Some(120));
        assert_eq!(disabled_at(&[(0, 0), (121, 12)]), Some(121));
    }

    #[test]
    fn one_event_or_one_burst_never_disables() {
        assert_eq!(disabled_at(&[(0, 0), (75, 0), (200, 0), (2000, 0)]), None);
        assert_eq!(disabled_at(&[(0, 0), (1, 11), (500, 11), (501, 3)]), None);
    }

    #[test]
    fn a_success_starts_the_count_anew() {
        let (failing, _) = Health::default().after(Outcome::Failed, hours(0), hours(0));
        let (well, verdict) = failing.after(Outcome::Delivered, hours(50), hours(100));
        let (again, after) = well.after(Outcome::Overloaded, hours(121), hours(121));

        assert_eq!((well, verdict), (Health::default(), Verdict::Keep));
        assert_eq!(after, Verdict::Keep);
        assert_eq!(again.failing.map(|run| run.since), Some(hours(121)));
    }

    #[test]
    fn events_may_fail_out_of_order() {
        let (health, _) = Health::default().after(Outcome::Failed, hours(20), hours(21));
        let (health, _) = health.after(Outcome::Failed, hours(2), hours(22));

        let run = health.failing.expect("a run of failures");
        assert_eq!((run.since, run.first_event, run.last_event), (hours(21), hours(2), hours(20)));
    }

    #[test]
    fn gone_disables_at_once() {
        let (_, verdict) = Health::default().after(Outcome::Gone, hours(0), hours(0));

        assert_eq!(verdict, Verdict::Disable);
    }

    #[test]
    fn a_clock_that_jumps_back_disables_nothing() {
        assert_eq!(disabled_at(&[(0, 0), (-48, 20), (-24, 40)]), None);
    }
}
