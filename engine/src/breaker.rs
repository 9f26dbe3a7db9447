//! Stops requests to a model server that keeps failing, so that visitors do not wait for it.
//!
//! A closed breaker lets all requests through. After a series of failures it opens for a pause.
//! After the pause, one request is let through, and its result decides whether the breaker closes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Number of consecutive failures that open the breaker. A single failure can be an accident.
const MAX_FAILURES: u32 = 3;
/// How long the breaker stays open. A restart of a local model server takes about this long.
const OPEN_FOR: Duration = Duration::from_secs(30);

/// The circuit breaker that all answers of an engine share.
#[derive(Debug, Default)]
pub struct Breaker {
    state: Mutex<BreakerState>,
}

#[derive(Debug, Default)]
struct BreakerState {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// Whether a request may be sent now. After the pause, only the first caller may, until it
    /// reports its result.
    pub fn allows(&self, now: Instant) -> bool {
        let mut state = self.lock();
        match state.open_until {
            Some(until) if now < until => false,
            Some(_) => {
                state.open_until = Some(now + OPEN_FOR);
                true
            }
            None => true,
        }
    }

    /// Reports that the server responded.
    pub fn succeeded(&self) {
        *self.lock() = BreakerState::default();
    }

    /// Reports that the server failed.
    pub fn failed(&self, now: Instant) {
        let mut state = self.lock();
        state.failures += 1;
        if state.failures >= MAX_FAILURES {
            state.open_until = Some(now + OPEN_FOR);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BreakerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_three_failures_and_tries_one_after_the_pause() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..3 {
            assert!(breaker.allows(start));
            breaker.failed(start);
        }

        assert!(!breaker.allows(start + Duration::from_secs(29)));
        assert!(breaker.allows(start + Duration::from_secs(31)));
        assert!(!breaker.allows(start + Duration::from_secs(31)), "one trial at a time");

        breaker.succeeded();
        assert!(breaker.allows(start + Duration::from_secs(32)));
    }
}
