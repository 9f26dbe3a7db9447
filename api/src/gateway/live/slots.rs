//! Bounds the live queries of each API key: their number, and the sum of their costs.
//!
//! A live query holds its slot, and its cost, from its first result until its client leaves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use helpbot_domain::ids::KeyId;
use helpbot_domain::key::KeyKind;
use helpbot_services::Viewer;

use crate::error::{ApiError, ErrorCode};
use crate::limits::{LiveLimits, MAX_LIVE, MAX_WIDGET_LIVE};

/// The live queries of this process by key.
#[derive(Debug, Clone, Default)]
pub(super) struct LiveSlots(Arc<Mutex<HashMap<KeyId, HeldSlots>>>);

#[derive(Debug, Default)]
struct HeldSlots {
    queries: usize,
    points: u64,
}

/// The slot of one live query; returned when dropped.
#[derive(Debug)]
pub(super) struct LiveSlot {
    slots: LiveSlots,
    key: KeyId,
    points: u64,
}

impl LiveSlots {
    /// Takes a slot for a live query that costs `points`.
    ///
    /// # Errors
    /// `LIMIT_REACHED` when the key has the maximum number of live queries, or their cost is too high.
    pub fn take(&self, viewer: &Viewer, points: u64) -> Result<LiveSlot, ApiError> {
        let LiveLimits { queries, points: points_max } = match viewer.kind {
            KeyKind::Widget => MAX_WIDGET_LIVE,
            KeyKind::Secret | KeyKind::Member | KeyKind::SignIn | KeyKind::Operator | KeyKind::Legacy => MAX_LIVE,
        };
        let (key, mut held) = (viewer.key_id, self.lock());
        let (open, cost) = held.get(&key).map_or((0, 0), |held| (held.queries, held.points));
        if open >= queries {
            return Err(reached(format!("A key can have at most {queries} live queries at the same time")));
        }
        if cost.saturating_add(points) > points_max {
            let message = format!(
                "The live queries of a key can cost at most {points_max} points together; {cost} are in use and this \
                 one costs {points}"
            );
            return Err(reached(message));
        }
        let entry = held.entry(key).or_default();
        entry.queries += 1;
        entry.points += points;
        Ok(LiveSlot { slots: self.clone(), key, points })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<KeyId, HeldSlots>> {
        // The counts are consistent after every operation, so a panic elsewhere does not spoil them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LiveSlot {
    fn drop(&mut self) {
        let mut held = self.slots.lock();
        if let Some(entry) = held.get_mut(&self.key) {
            entry.queries -= 1;
            entry.points -= self.points;
            if entry.queries == 0 {
                held.remove(&self.key);
            }
        }
    }
}

fn reached(message: String) -> ApiError {
    ApiError::new(ErrorCode::LimitReached, message)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_key_has_a_number_of_live_queries_and_a_sum_of_their_costs() {
        let slots = LiveSlots::default();
        let viewer = Viewer::operator(KeyId::from_uuid(Uuid::from_u128(1)));
        let other = Viewer::operator(KeyId::from_uuid(Uuid::from_u128(2)));

        let expensive = slots.take(&viewer, MAX_LIVE.points - 1).unwrap();
        assert_eq!(slots.take(&viewer, 2).unwrap_err().code, ErrorCode::LimitReached);
        assert!(slots.take(&other, 2).is_ok());
        drop(expensive);
        let held: Vec<_> = (0..MAX_LIVE.queries).map(|_| slots.take(&viewer, 1).unwrap()).collect();
        assert_eq!(slots.take(&viewer, 1).unwrap_err().code, ErrorCode::LimitReached);
        drop(held);

        assert!(slots.lock().is_empty());
    }
}
