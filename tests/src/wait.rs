//! Waits for a condition, with a deadline. Tests use it instead of fixed sleeps.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// Past this, what a test waits for will not come. Generous: it only costs time when a test
/// fails, and a busy machine must not make one fail.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// Between two looks at something that does not announce itself.
const PACE: Duration = Duration::from_millis(5);

/// What `event` gives; for futures that end when something happens.
///
/// # Panics
/// With `what` when it does not happen within [`DEADLINE`].
pub async fn in_time<T>(what: &str, event: impl Future<Output = T>) -> T {
    match timeout(DEADLINE, event).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not come within {DEADLINE:?}"),
    }
}

/// Looks until `look` finds something, and gives that; for states that announce nothing.
///
/// # Panics
/// With `what` when it is not found within [`DEADLINE`].
pub async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not come within {DEADLINE:?}");
    }
}
