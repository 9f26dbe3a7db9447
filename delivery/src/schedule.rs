//! When to retry: what a response means, and the ten attempts over 75 h 35 min.
//!
//! Times are wall-clock times that the caller stores, so a restart neither skips attempts nor makes
//! them all at once. Retries of a delivery and pauses of its endpoint are separate: an overloaded
//! endpoint is paused as a whole, while its deliveries keep their own schedules.

use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_outbound::{FetchError, ResponseHead};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Delay before each attempt, as in the example of the Standard Webhooks specification: 75 h 35 min
/// 5 s in total, so that a receiver that breaks on a Friday can be repaired in time.
const DELAYS: [Duration; 10] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_secs(5 * MINUTE),
    Duration::from_secs(30 * MINUTE),
    Duration::from_secs(2 * HOUR),
    Duration::from_secs(5 * HOUR),
    Duration::from_secs(10 * HOUR),
    Duration::from_secs(14 * HOUR),
    Duration::from_secs(20 * HOUR),
    Duration::from_secs(24 * HOUR),
];

/// Share by which delays vary in either direction, so that a receiver that recovers does not get all
/// deliveries at once.
const JITTER: f64 = 0.2;

/// Range of accepted `Retry-After` values. A shorter one would use up the attempts too soon, and a
/// longer one would silence the endpoint forever.
const RETRY_AFTER_SECONDS: std::ops::RangeInclusive<u64> = 5..=24 * HOUR;

/// Pause of an overloaded endpoint that did not send `Retry-After`.
const ENDPOINT_PAUSE: Duration = Duration::from_secs(MINUTE);

/// What an attempt means for the delivery and its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The endpoint answered with a 2xx status.
    Delivered,
    /// The endpoint answered 410: it does not want any more deliveries.
    Gone,
    /// The endpoint answered 429 or 503.
    Throttled {
        /// The `Retry-After` that it sent, limited to the accepted range.
        retry_after: Option<Duration>,
    },
    /// The endpoint answered 502 or 504, or did not answer in time. An immediate retry would only add
    /// to its load.
    Overloaded,
    /// Any other response, or none.
    Failed,
}

impl AttemptOutcome {
    /// Returns what the response, or its absence, means. `now` is needed for a `Retry-After` that is
    /// a date.
    #[must_use]
    pub fn of(response: &Result<ResponseHead, FetchError>, now: Timestamp) -> Self {
        let head = match response {
            Ok(head) => head,
            Err(error) if error.is_timeout() => return Self::Overloaded,
            Err(_) => return Self::Failed,
        };
        match head.status {
            200..=299 => Self::Delivered,
            410 => Self::Gone,
            429 | 503 => {
                let asked = head.retry_after.as_deref().and_then(|text| retry_after(text, now));
                Self::Throttled { retry_after: asked }
            }
            502 | 504 => Self::Overloaded,
            _ => Self::Failed,
        }
    }
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// The delivery succeeded.
    Done,
    /// The delivery is retried.
    Retry {
        /// Time of the next attempt.
        at: Timestamp,
        /// Time until which the endpoint gets no attempts at all.
        pause_endpoint_until: Option<Timestamp>,
    },
    /// The last attempt failed. The owner can still replay the delivery.
    GiveUp,
    /// The delivery failed for good, and its endpoint is disabled now.
    DisableEndpoint,
}

/// The delays before each attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrySchedule {
    delays: Vec<Duration>,
}

impl Default for RetrySchedule {
    /// Returns the documented schedule: 0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h.
    fn default() -> Self {
        Self { delays: DELAYS.to_vec() }
    }
}

impl RetrySchedule {
    /// Creates a schedule with one delay per attempt, including the first one.
    #[must_use]
    pub fn new(delays: Vec<Duration>) -> Self {
        Self { delays }
    }

    /// Returns the number of attempts per delivery.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.delays.len()).unwrap_or(u32::MAX)
    }

    /// Returns the longest delay before each attempt, unless the endpoint asks for more.
    #[must_use]
    pub fn longest_waits(&self) -> Vec<Duration> {
        self.delays.iter().map(|delay| spread(*delay, 1.0)).collect()
    }

    /// Returns what follows attempt number `attempt_no` (from 1), which ended at `now` with `outcome`.
    ///
    /// `jitter` is a random number from -1.0 to 1.0. `Retry-After` can only postpone the next attempt:
    /// honoring a short one would use up all attempts within minutes.
    #[must_use]
    pub fn next_step(&self, attempt_no: u32, outcome: AttemptOutcome, now: Timestamp, jitter: f64) -> NextStep {
        let pause = match outcome {
            AttemptOutcome::Delivered => return NextStep::Done,
            AttemptOutcome::Gone => return NextStep::DisableEndpoint,
            AttemptOutcome::Throttled { retry_after } => Some(retry_after.unwrap_or(ENDPOINT_PAUSE)),
            AttemptOutcome::Overloaded => Some(ENDPOINT_PAUSE),
            AttemptOutcome::Failed => None,
        };
        let made = usize::try_from(attempt_no).unwrap_or(usize::MAX);
        let Some(delay) = self.delays.get(made) else {
            return NextStep::GiveUp;
        };
        let wait = match outcome {
            AttemptOutcome::Throttled { retry_after: Some(asked) } => spread(*delay, jitter).max(asked),
            _ => spread(*delay, jitter),
        };
        NextStep::Retry { at: now.plus(wait), pause_endpoint_until: pause.map(|rest| now.plus(rest)) }
    }
}

/// Parses seconds or an HTTP date (RFC 9110 section 10.2.3) and limits it to the accepted range.
/// Returns `None` for anything else.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let seconds = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits mean a very long time.
        text.parse().unwrap_or(u64::MAX)
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        let since_epoch = date.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let now_s = u64::try_from(now.as_ms() / 1000).unwrap_or(0);
        since_epoch.as_secs().saturating_sub(now_s)
    };
    Some(Duration::from_secs(seconds.clamp(*RETRY_AFTER_SECONDS.start(), *RETRY_AFTER_SECONDS.end())))
}

/// Returns `delay`, longer or shorter by up to [`JITTER`].
fn spread(delay: Duration, jitter: f64) -> Duration {
    let jitter = if jitter.is_finite() { jitter.clamp(-1.0, 1.0) } else { 0.0 };
    delay.mul_f64(1.0 + JITTER * jitter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

    fn answer(status: u16, retry_after: Option<&str>) -> Result<ResponseHead, FetchError> {
        Ok(ResponseHead {
            status,
            retry_after: retry_after.map(str::to_owned),
            headers: Vec::new(),
            body: Bytes::new(),
            is_complete: true,
        })
    }

    fn asked(text: &str) -> Option<u64> {
        match AttemptOutcome::of(&answer(429, Some(text)), NOW) {
            AttemptOutcome::Throttled { retry_after } => retry_after.map(|time| time.as_secs()),
            other => panic!("429 is {other:?}"),
        }
    }

    /// Returns the seconds until the next attempt and until the end of the endpoint's pause.
    fn waits(attempt_no: u32, outcome: AttemptOutcome, jitter: f64) -> (i64, Option<i64>) {
        let after = |moment: Timestamp| (moment.as_ms() - NOW.as_ms()) / 1000;
        match RetrySchedule::default().next_step(attempt_no, outcome, NOW, jitter) {
            NextStep::Retry { at, pause_endpoint_until } => (after(at), pause_endpoint_until.map(after)),
            step => panic!("{step:?} is not a retry"),
        }
    }

    #[test]
    fn ten_attempts_take_75_hours_and_35_minutes() {
        let schedule = RetrySchedule::default();
        let mut now = NOW;
        let mut offsets = vec![0];
        for attempt_no in 1.. {
            match schedule.next_step(attempt_no, AttemptOutcome::Failed, now, 0.0) {
                NextStep::Retry { at, pause_endpoint_until: None } => now = at,
                step => {
                    assert_eq!((attempt_no, step), (10, NextStep::GiveUp));
                    break;
                }
            }
            offsets.push((now.as_ms() - NOW.as_ms()) / 1000);
        }

        assert_eq!(offsets, [0, 5, 305, 2105, 9305, 27_305, 63_305, 113_705, 185_705, 272_105]);
        assert_eq!(offsets.last(), Some(&(75 * 3600 + 35 * 60 + 5)));
    }

    #[test]
    fn jitter_changes_a_delay_by_at_most_a_fifth() {
        assert_eq!(waits(4, AttemptOutcome::Failed, -1.0).0, 5760);
        assert_eq!(waits(4, AttemptOutcome::Failed, 1.0).0, 8640);
        assert_eq!(waits(4, AttemptOutcome::Failed, 0.5).0, 7920);
        assert_eq!(waits(4, AttemptOutcome::Failed, 40.0).0, 8640);
        assert_eq!(waits(4, AttemptOutcome::Failed, f64::NAN).0, 7200);
    }

    #[test]
    fn statuses_mean_what_the_documentation_says() {
        let outcome = |status| AttemptOutcome::of(&answer(status, None), NOW);

        for status in [200, 201, 202, 204, 299] {
            assert_eq!(outcome(status), AttemptOutcome::Delivered, "{status}");
        }
        for status in [301, 302, 304, 307, 308, 400, 401, 403, 404, 409, 413, 500, 501, 520] {
            assert_eq!(outcome(status), AttemptOutcome::Failed, "{status}");
        }
        assert_eq!(outcome(410), AttemptOutcome::Gone);
        assert_eq!([outcome(429), outcome(503)], [AttemptOutcome::Throttled { retry_after: None }; 2]);
        assert_eq!([outcome(502), outcome(504)], [AttemptOutcome::Overloaded; 2]);
    }

    #[test]
    fn timeouts_mean_overload_and_other_errors_mean_failure() {
        let outcome = |error| AttemptOutcome::of(&Err(error), NOW);

        assert_eq!(outcome(FetchError::FirstByteTimeout(Duration::from_secs(15))), AttemptOutcome::Overloaded);
        assert_eq!(outcome(FetchError::ConnectTimeout(Duration::from_secs(5))), AttemptOutcome::Overloaded);
        assert_eq!(outcome(FetchError::DnsTimeout(Duration::from_secs(5))), AttemptOutcome::Overloaded);
        assert_eq!(outcome(FetchError::AddressNotAllowed), AttemptOutcome::Failed);
        assert_eq!(outcome(FetchError::ConnectFailed), AttemptOutcome::Failed);
        assert_eq!(outcome(FetchError::Broken), AttemptOutcome::Failed);
    }

    #[test]
    fn hostile_retry_after_values_are_clamped_or_ignored() {
        assert_eq!(asked("3"), Some(5));
        assert_eq!(asked("0"), Some(5));
        assert_eq!(asked(" 120 "), Some(120));
        assert_eq!(asked("86401"), Some(86_400));
        assert_eq!(asked("99999999999999999999999"), Some(86_400));
        assert_eq!(asked("Thu, 01 Jan 1970 00:00:00 GMT"), Some(5));
        assert_eq!(asked("Fri, 15 Jan 2027 09:00:00 GMT"), Some(3600));
        assert_eq!(asked("Fri, 31 Dec 9999 23:59:59 GMT"), Some(86_400));
        for garbage in ["", "-1", "+5", "1e99", "1.5", "soon", "٣", "3 s", "Fri, 99 Jan 2027 09:00:00 GMT"] {
            assert_eq!(asked(garbage), None, "{garbage:?}");
        }
    }

    #[test]
    fn retry_after_postpones_an_attempt_and_never_advances_it() {
        let throttled = |seconds| AttemptOutcome::Throttled { retry_after: Some(Duration::from_secs(seconds)) };

        assert_eq!(waits(1, throttled(600), -1.0), (600, Some(600)));
        assert_eq!(waits(4, throttled(5), 0.0), (7200, Some(5)));
        assert_eq!(waits(1, AttemptOutcome::Throttled { retry_after: None }, 0.0), (5, Some(60)));
    }

    #[test]
    fn an_overloaded_endpoint_is_paused_and_a_failing_one_is_not() {
        assert_eq!(waits(1, AttemptOutcome::Overloaded, 0.0), (5, Some(60)));
        assert_eq!(waits(2, AttemptOutcome::Failed, 0.0), (300, None));
    }

    #[test]
    fn success_ends_a_delivery_and_gone_disables_the_endpoint_at_any_attempt() {
        let schedule = RetrySchedule::default();

        for attempt_no in [1, 10, 11, u32::MAX] {
            assert_eq!(schedule.next_step(attempt_no, AttemptOutcome::Delivered, NOW, 0.0), NextStep::Done);
            assert_eq!(schedule.next_step(attempt_no, AttemptOutcome::Gone, NOW, 0.0), NextStep::DisableEndpoint);
        }
        assert_eq!(schedule.next_step(u32::MAX, AttemptOutcome::Overloaded, NOW, 0.0), NextStep::GiveUp);
    }
}
