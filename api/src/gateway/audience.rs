//! One event, many subscriptions with the same selection: the event is resolved and serialized once.
//!
//! Subscriptions with the same API key, session, document and variables form an [`Audience`]. The
//! gateway adds the audience to the request data of each subscription, and the schema asks it for the
//! JSON of an event by the event's number. The first member of the audience that reaches an event
//! resolves it; the others wait for that JSON and send it too. What an event says about its
//! conversation was therefore true when the first member resolved it. After [`KEPT_FOR`] the event is
//! resolved again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// Events that are kept for members of an audience that are behind the first one.
const EVENTS_MAX: usize = 64;
/// By then every member has received the event; data that was erased since must not be sent again.
const KEPT_FOR: Duration = Duration::from_secs(5);

/// The audiences of a process, by their selection and identity.
#[derive(Default)]
pub(super) struct Audiences(Mutex<HashMap<String, Weak<Audience>>>);

/// Subscriptions that receive the same events in the same form.
#[derive(Default)]
pub struct Audience {
    events: Mutex<BTreeMap<i64, CachedEvent>>,
}

struct CachedEvent {
    since: Instant,
    json: Arc<OnceCell<Bytes>>,
}

impl Audiences {
    /// Returns the audience with this identity; creates it if there is none.
    pub(super) fn join(&self, identity: String) -> Arc<Audience> {
        let mut audiences = lock(&self.0);
        if let Some(audience) = audiences.get(&identity).and_then(Weak::upgrade) {
            return audience;
        }
        // Dead entries are removed whenever the map would have to grow, so the cost is amortized.
        if audiences.len() == audiences.capacity() {
            audiences.retain(|_, audience| audience.strong_count() > 0);
        }
        let audience = Arc::<Audience>::default();
        audiences.insert(identity, Arc::downgrade(&audience));
        audience
    }
}

impl Audience {
    /// The JSON of the event with number `seq`: the shared text if there is one, otherwise the result
    /// of `resolve`, which is then shared.
    ///
    /// # Errors
    /// The error of `resolve`. It is not shared: another member may succeed.
    pub async fn event_json<E>(&self, seq: i64, resolve: impl Future<Output = Result<Bytes, E>>) -> Result<Bytes, E> {
        let cell = self.cell(seq, Instant::now());
        cell.get_or_try_init(|| resolve).await.cloned()
    }

    fn cell(&self, seq: i64, now: Instant) -> Arc<OnceCell<Bytes>> {
        let mut events = lock(&self.events);
        if let Some(cached) = events.get(&seq)
            && now < cached.since + KEPT_FOR
        {
            return cached.json.clone();
        }
        let json = Arc::<OnceCell<Bytes>>::default();
        events.insert(seq, CachedEvent { since: now, json: json.clone() });
        if events.len() > EVENTS_MAX {
            events.pop_first();
        }
        json
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The contents are consistent after every operation, so a panic elsewhere does not spoil them.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    async fn resolved(audience: &Audience, seq: i64, count: &AtomicUsize) -> Bytes {
        let resolve = async {
            tokio::task::yield_now().await;
            Ok::<_, ()>(Bytes::from(format!("event {seq}, resolution {}", count.fetch_add(1, Ordering::SeqCst))))
        };
        audience.event_json(seq, resolve).await.unwrap()
    }

    #[tokio::test]
    async fn an_event_is_resolved_once_for_all_members_of_an_audience() {
        let (audiences, count) = (Audiences::default(), AtomicUsize::new(0));
        let crowd: Vec<_> = (0..50).map(|_| audiences.join("a".into())).collect();
        let other = audiences.join("b".into());

        let received = futures_util::future::join_all(crowd.iter().map(|one| resolved(one, 7, &count))).await;
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert!(received.iter().all(|json| json == "event 7, resolution 0"), "{received:?}");

        resolved(&other, 7, &count).await;
        resolved(&crowd[0], 8, &count).await;
        assert_eq!(count.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn cached_events_are_bounded_in_number_and_time() {
        let (audiences, count) = (Audiences::default(), AtomicUsize::new(0));
        let audience = audiences.join("a".into());
        let last = 3 * EVENTS_MAX as i64 - 1;

        for seq in 0..=last {
            resolved(&audience, seq, &count).await;
        }
        assert_eq!(lock(&audience.events).len(), EVENTS_MAX);
        let now = Instant::now();
        assert!(audience.cell(last, now).initialized());
        assert!(!audience.cell(last, now + KEPT_FOR).initialized(), "it is resolved again");
        drop(audience);
        assert!(lock(&audiences.0).values().all(|audience| audience.strong_count() == 0));
    }

    #[tokio::test]
    async fn a_failure_is_not_shared() {
        let (audiences, count) = (Audiences::default(), AtomicUsize::new(0));
        let audience = audiences.join("a".into());

        let failed = audience.event_json(1, async { Err("the database is down") }).await;

        assert_eq!(failed, Err("the database is down"));
        assert_eq!(resolved(&audience, 1, &count).await, "event 1, resolution 0");
    }
}
