//! Stops asking a model server that keeps failing, so that visitors don't wait for it.
//!
//! Closed, it lets all through; after a run of failures it opens for a while; then it lets one
//! through, whose fate decides.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row that open the breaker: one is chance, three are an outage.
const MAX_FAILURES: u32 = 3;
/// How long it stays open; a restart of a local model server takes about this.
const OPEN_FOR: Duration = Duration::from_secs(30);

/// The state shared by all answers of an engine.
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
    /// Whether to ask now. After the pause only the first caller may, until it has reported.
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

    /// The server did its work.
    pub fn succeeded(&self) {
        *self.lock() = BreakerState::default();
    }

    /// The server failed.
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
