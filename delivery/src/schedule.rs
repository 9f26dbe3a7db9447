//! When to try again: what an answer means, and the ten attempts over 75 h 35 m.
//!
//! Times are wall-clock moments that the caller stores, so a restart neither skips nor floods.
//! Attempts of one delivery and pauses of its endpoint are separate: an endpoint that is
//! overrun rests as a whole, while its deliveries keep their own schedules.

use std::time::Duration;

use helpbot_domain::Timestamp;
use helpbot_outbound::{FetchError, ResponseHead};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Waits before each attempt, as in the example of the Standard Webhooks specification:
/// 75 h 35 min 5 s in all, so that a receiver that breaks on a Friday is mended in time.
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

/// Waits are spread by this part of themselves in either direction, so that a receiver that
/// comes back is not met by all at once.
const JITTER: f64 = 0.2;

/// What a receiver may ask for with `Retry-After`: not so soon that it burns the attempts, not
/// so late that it silences itself for ever.
const RETRY_AFTER_SECONDS: std::ops::RangeInclusive<u64> = 5..=24 * HOUR;

/// How long an endpoint rests that was too slow or overrun and did not say for how long.
const ENDPOINT_PAUSE: Duration = Duration::from_secs(MINUTE);

/// What an attempt means for the delivery and its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 2xx.
    Delivered,
    /// 410: the receiver wants no more of any of it.
    Gone,
    /// 429 or 503, with how long the receiver asked to be left alone, already clamped.
    Throttled { retry_after: Option<Duration> },
    /// 502, 504 or a deadline passed: trying the endpoint at once would only add to its load.
    Overloaded,
    /// Any other answer, or none.
    Failed,
}

/// What to write down after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The delivery is done.
    Done,
    /// Try again at `at`, and leave the endpoint alone until `pause_endpoint_until`, if set.
    Retry { at: Timestamp, pause_endpoint_until: Option<Timestamp> },
    /// The last attempt has failed; the delivery can be replayed by hand.
    GiveUp,
    /// The delivery has failed for good and its endpoint is to be disabled now.
    DisableEndpoint,
}

/// The waits before each attempt; the operator may set others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    delays: Vec<Duration>,
}

impl Default for Schedule {
    /// 0, 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h.
    fn default() -> Self {
        Self { delays: DELAYS.to_vec() }
    }
}

impl Schedule {
    /// One wait per attempt, the first one's included.
    #[must_use]
    pub fn new(delays: Vec<Duration>) -> Self {
        Self { delays }
    }

    /// How many attempts a delivery gets.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.delays.len()).unwrap_or(u32::MAX)
    }

    /// The longest wait before each attempt that nobody asked to be longer.
    #[must_use]
    pub fn longest_waits(&self) -> Vec<Duration> {
        self.delays.iter().map(|delay| spread(*delay, 1.0)).collect()
    }

    /// What follows attempt number `attempt_no` (from 1) that ended at `now` with `outcome`.
    ///
    /// `jitter` is evenly drawn from -1.0..=1.0. A receiver's `Retry-After` can only put the
    /// next attempt off: honouring a short one would spend all attempts within minutes.
    #[must_use]
    pub fn next_step(&self, attempt_no: u32, outcome: Outcome, now: Timestamp, jitter: f64) -> Step {
        let pause = match outcome {
            Outcome::Delivered => return Step::Done,
            Outcome::Gone => return Step::DisableEndpoint,
            Outcome::Throttled { retry_after } => Some(retry_after.unwrap_or(ENDPOINT_PAUSE)),
            Outcome::Overloaded => Some(ENDPOINT_PAUSE),
            Outcome::Failed => None,
        };
        let made = usize::try_from(attempt_no).unwrap_or(usize::MAX);
        let Some(delay) = self.delays.get(made) else {
            return Step::GiveUp;
        };
        let wait = match outcome {
            Outcome::Throttled { retry_after: Some(asked) } => spread(*delay, jitter).max(asked),
            _ => spread(*delay, jitter),
        };
        Step::Retry { at: now.plus(wait), pause_endpoint_until: pause.map(|rest| now.plus(rest)) }
    }
}

/// What the receiver's answer, or its absence, means.
///
/// `now` is for a `Retry-After` that is a date.
#[must_use]
pub fn judge(response: &Result<ResponseHead, FetchError>, now: Timestamp) -> Outcome {
    let head = match response {
        Ok(head) => head,
        Err(error) if error.is_timeout() => return Outcome::Overloaded,
        Err(_) => return Outcome::Failed,
    };
    match head.status {
        200..=299 => Outcome::Delivered,
        410 => Outcome::Gone,
        429 | 503 => {
            let asked = head.retry_after.as_deref().and_then(|text| retry_after(text, now));
            Outcome::Throttled { retry_after: asked }
        }
        502 | 504 => Outcome::Overloaded,
        _ => Outcome::Failed,
    }
}

/// Seconds or an HTTP date (RFC 9110 section 10.2.3), clamped; `None` for anything else.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let seconds = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits are a very long time.
        text.parse().unwrap_or(u64::MAX)
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        let since_epoch = date.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let now_s = u64::try_from(now.as_ms() / 1000).unwrap_or(0);
        since_epoch.as_secs().saturating_sub(now_s)
    };
    Some(Duration::from_secs(seconds.clamp(*RETRY_AFTER_SECONDS.start(), *RETRY_AFTER_SECONDS.end())))
}

/// `delay`, made up to [`JITTER`] longer or shorter.
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
        match judge(&answer(429, Some(text)), NOW) {
            Outcome::Throttled { retry_after } => retry_after.map(|time| time.as_secs()),
            other => panic!("429 is {other:?}"),
        }
    }

    /// Seconds until the next attempt and until the endpoint's pause ends.
    fn waits(attempt_no: u32, outcome: Outcome, jitter: f64) -> (i64, Option<i64>) {
        let after = |moment: Timestamp| (moment.as_ms() - NOW.as_ms()) / 1000;
        match Schedule::default().next_step(attempt_no, outcome, NOW, jitter) {
            Step::Retry { at, pause_endpoint_until } => (after(at), pause_endpoint_until.map(after)),
            step => panic!("{step:?} is no retry"),
        }
    }

    #[test]
    fn ten_attempts_spread_over_75_hours_and_35_minutes() {
        let schedule = Schedule::default();
        let mut now = NOW;
        let mut offsets = vec![0];
        for attempt_no in 1.. {
            match schedule.next_step(attempt_no, Outcome::Failed, now, 0.0) {
                Step::Retry { at, pause_endpoint_until: None } => now = at,
                step => {
                    assert_eq!((attempt_no, step), (10, Step::GiveUp));
                    break;
                }
            }
            offsets.push((now.as_ms() - NOW.as_ms()) / 1000);
        }

        assert_eq!(offsets, [0, 5, 305, 2105, 9305, 27_305, 63_305, 113_705, 185_705, 272_105]);
        assert_eq!(offsets.last(), Some(&(75 * 3600 + 35 * 60 + 5)));
    }

    #[test]
    fn jitter_moves_a_wait_by_a_fifth_at_most() {
        assert_eq!(waits(4, Outcome::Failed, -1.0).0, 5760);
        assert_eq!(waits(4, Outcome::Failed, 1.0).0, 8640);
        assert_eq!(waits(4, Outcome::Failed, 0.5).0, 7920);
        assert_eq!(waits(4, Outcome::Failed, 40.0).0, 8640);
        assert_eq!(waits(4, Outcome::Failed, f64::NAN).0, 7200);
    }

    #[test]
    fn statuses_mean_what_the_documentation_says() {
        let outcome = |status| judge(&answer(status, None), NOW);

        for status in [200, 201, 202, 204, 299] {
            assert_eq!(outcome(status), Outcome::Delivered, "{status}");
        }
        for status in [301, 302, 304, 307, 308, 400, 401, 403, 404, 409, 413, 500, 501, 520] {
            assert_eq!(outcome(status), Outcome::Failed, "{status}");
        }
        assert_eq!(outcome(410), Outcome::Gone);
        assert_eq!([outcome(429), outcome(503)], [Outcome::Throttled { retry_after: None }; 2]);
        assert_eq!([outcome(502), outcome(504)], [Outcome::Overloaded; 2]);
    }

    #[test]
    fn no_answer_in_time_is_load_and_other_errors_are_failures() {
        let outcome = |error| judge(&Err(error), NOW);

        assert_eq!(outcome(FetchError::FirstByteTimeout(Duration::from_secs(15))), Outcome::Overloaded);
        assert_eq!(outcome(FetchError::ConnectTimeout(Duration::from_secs(5))), Outcome::Overloaded);
        assert_eq!(outcome(FetchError::DnsTimeout(Duration::from_secs(5))), Outcome::Overloaded);
        assert_eq!(outcome(FetchError::AddressNotAllowed), Outcome::Failed);
        assert_eq!(outcome(FetchError::ConnectFailed), Outcome::Failed);
        assert_eq!(outcome(FetchError::Broken), Outcome::Failed);
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
    fn retry_after_puts_off_and_never_hurries() {
        let throttled = |seconds| Outcome::Throttled { retry_after: Some(Duration::from_secs(seconds)) };

        assert_eq!(waits(1, throttled(600), -1.0), (600, Some(600)));
        assert_eq!(waits(4, throttled(5), 0.0), (7200, Some(5)));
        assert_eq!(waits(1, Outcome::Throttled { retry_after: None }, 0.0), (5, Some(60)));
    }

    #[test]
    fn an_overloaded_endpoint_rests_and_a_failing_one_does_not() {
        assert_eq!(waits(1, Outcome::Overloaded, 0.0), (5, Some(60)));
        assert_eq!(waits(2, Outcome::Failed, 0.0), (300, None));
    }

    #[test]
    fn success_ends_and_gone_disables_at_any_attempt() {
        let schedule = Schedule::default();

        for attempt_no in [1, 10, 11, u32::MAX] {
            assert_eq!(schedule.next_step(attempt_no, Outcome::Delivered, NOW, 0.0), Step::Done);
            assert_eq!(schedule.next_step(attempt_no, Outcome::Gone, NOW, 0.0), Step::DisableEndpoint);
        }
        assert_eq!(schedule.next_step(u32::MAX, Outcome::Overloaded, NOW, 0.0), Step::GiveUp);
    }
}
