//! The current time. Use cases take it from a [`Clock`], so that tests can set it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use helpbot_domain::Timestamp;

/// A source of the current time.
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time in UTC.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place that others take the time from")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that shows the time of the database server, which is one time for all nodes. Between two
/// comparisons with the server it counts the time that has passed, so the clock of the machine does not
/// matter: it may be wrong, and it may jump.
#[derive(Debug)]
pub struct DatabaseClock(Mutex<(Timestamp, Instant)>);

impl DatabaseClock {
    /// Creates a clock that showed `time` at `moment`.
    pub fn at(time: Timestamp, moment: Instant) -> Self {
        Self(Mutex::new((time, moment)))
    }

    /// Sets the clock to the time that the server had at `moment`.
    pub fn set(&self, time: Timestamp, moment: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (time, moment);
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        let (time, moment) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        time.plus(moment.elapsed())
    }
}

/// A clock that changes only when it is set. For tests of months, schedules and expiry.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Creates a clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_ms()))
    }

    /// Sets the clock to `now`.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_ms(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_clock_of_the_database_goes_on_from_the_time_of_the_server() {
        let server = Timestamp::from_ms(1_000_000);
        let Some(asked) = Instant::now().checked_sub(Duration::from_secs(90)) else { return };
        let clock = DatabaseClock::at(server, asked);

        let later = clock.now();
        clock.set(server, Instant::now());

        assert!((90_000..91_000).contains(&(later.as_ms() - server.as_ms())), "{later:?}");
        assert!(clock.now().as_ms() - server.as_ms() < 1_000);
    }
}
