//! One event, many subscriptions that ask the same of it: resolved and serialised once.
//!
//! Subscriptions of one key with the same document and variables are an [`Audience`]. The stream
//! of a subscription says which event it hands on ([`Telling::begin`]); the first of the audience
//! to come to an event resolves and writes it, the others wait for that text and send it too. What
//! an event says of a conversation is what held when the event was first told, as it is for anyone
//! who was there; after [`KEPT_FOR`] it is made anew.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_graphql::Response;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::{Outcome, Session, payload};

/// Events that are kept for members of an audience that are behind the first.
const EVENTS_MAX: usize = 64;
/// A crowd has heard an event by then; what was erased since must not be told again.
const KEPT_FOR: Duration = Duration::from_secs(5);

/// The audiences of a process, by a hash of what they ask and who they are.
#[derive(Default)]
pub(super) struct Audiences(Mutex<HashMap<String, Weak<Audience>>>);

/// Subscriptions that are told the same.
#[derive(Default)]
pub(super) struct Audience {
    events: Mutex<BTreeMap<i64, Kept>>,
}

struct Kept {
    since: Instant,
    told: Arc<OnceCell<Arc<Told>>>,
}

/// What an audience is told of an event.
#[derive(Debug)]
pub struct Told {
    /// The JSON of the result.
    pub(crate) json: String,
    /// The event's cursor, if it was selected.
    pub(crate) cursor: Option<String>,
}

/// One subscription's place in its audience; request data.
pub struct Telling {
    audience: Arc<Audience>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    event: Option<i64>,
    told: Option<Arc<Told>>,
}

impl Audiences {
    /// A place among those who ask `asked` with the same key and session.
    pub(super) fn join(&self, asked: &str, session: &Session) -> Arc<Telling> {
        let viewer = &session.viewer;
        // The session may hold any character but control ones.
        let who = format!("{asked}\n{}\n{}", viewer.key_id, viewer.session.as_deref().unwrap_or_default());
        let mut audiences = lock(&self.0);
        let known = audiences.get(&who).and_then(Weak::upgrade);
        let audience = known.unwrap_or_else(|| {
            // As many again as are alive may come before the next look: the cost is shared out.
            if audiences.len() == audiences.capacity() {
                audiences.retain(|_, audience| audience.strong_count() > 0);
            }
            let audience = Arc::<Audience>::default();
            audiences.insert(who, Arc::downgrade(&audience));
            audience
        });
        Arc::new(Telling { audience, state: Mutex::default() })
    }
}

impl Audience {
    fn cell(&self, event: i64, now: Instant) -> Arc<OnceCell<Arc<Told>>> {
        let mut events = lock(&self.events);
        if let Some(kept) = events.get(&event)
            && now < kept.since + KEPT_FOR
        {
            return kept.told.clone();
        }
        let told = Arc::<OnceCell<Arc<Told>>>::default();
        events.insert(event, Kept { since: now, told: told.clone() });
        if events.len() > EVENTS_MAX {
            events.pop_first();
        }
        told
    }
}

impl Telling {
    /// Says that the stream hands on the event of that number now; its result follows before the
    /// next.
    pub fn begin(&self, event: i64) {
        *lock(&self.state) = State { event: Some(event), told: None };
    }

    /// The result of the present event: what the audience was told already, else `response`, which
    /// is then told. An empty response where it is to be found by [`Telling::outcome`].
    pub(super) async fn tell(&self, response: impl Future<Output = Response>) -> Response {
        let Some(event) = lock(&self.state).event.take() else { return response.await };
        let cell = self.audience.cell(event, Instant::now());
        let told = cell.get_or_try_init(async || {
            let response = response.await;
            // A failure is one subscription's own: others may do better.
            if response.errors.is_empty() { Ok(Arc::new(Told::of(response))) } else { Err(response) }
        });
        match told.await {
            Ok(told) => {
                lock(&self.state).told = Some(told.clone());
                Response::default()
            }
            Err(response) => response,
        }
    }

    /// The outcome of the event that was told last, if it is shared.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let told = lock(&self.state).told.take()?;
        Some(Outcome { response: Response::default(), is_executed: true, told: Some(told) })
    }
}

impl Told {
    fn of(response: Response) -> Self {
        let outcome = Outcome { response, is_executed: true, told: None };
        Self { cursor: payload::cursor(&outcome).map(str::to_owned), json: payload::json(&outcome).into_owned() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is whole after every operation.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_graphql::value;
    use helpbot_domain::ids::KeyId;
    use helpbot_services::Viewer;
    use uuid::Uuid;

    use super::*;

    fn session(key: u128) -> Session {
        let viewer = Viewer::operator(KeyId::from_uuid(Uuid::from_u128(key)));
        Session { viewer, request_id: "test".into(), idempotency_key: None }
    }

    async fn told(telling: &Telling, event: i64, resolved: &AtomicUsize) -> String {
        telling.begin(event);
        let response = telling
            .tell(async {
                tokio::task::yield_now().await;
                let count = resolved.fetch_add(1, Ordering::SeqCst);
                Response::new(value!({ "e": { "cursor": "c", "count": count } }))
            })
            .await;
        assert_eq!(response, Response::default());
        telling.outcome().and_then(|outcome| outcome.told).map(|told| told.json.clone()).unwrap()
    }

    #[tokio::test]
    async fn an_event_is_resolved_once_for_all_who_ask_the_same() {
        let (audiences, resolved) = (Audiences::default(), AtomicUsize::new(0));
        let crowd: Vec<_> = (0..50).map(|_| audiences.join("q", &session(1))).collect();
        let others = [audiences.join("other", &session(1)), audiences.join("q", &session(2))];

        let heard = futures_util::future::join_all(crowd.iter().map(|one| told(one, 7, &resolved))).await;
        assert_eq!(resolved.load(Ordering::SeqCst), 1);
        assert!(heard.iter().all(|text| text.contains(r#""cursor":"c","count":0"#)), "{heard:?}");

        for other in &others {
            told(other, 7, &resolved).await;
        }
        told(&crowd[0], 8, &resolved).await;
        assert_eq!(resolved.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded_in_number_and_time() {
        let (audiences, resolved) = (Audiences::default(), AtomicUsize::new(0));
        let one = audiences.join("q", &session(1));

        for event in 0..3 * EVENTS_MAX as i64 {
            told(&one, event, &resolved).await;
        }
        assert_eq!(lock(&one.audience.events).len(), EVENTS_MAX);
        let (last, now) = (3 * EVENTS_MAX as i64 - 1, Instant::now());
        assert!(one.audience.cell(last, now).initialized());
        assert!(!one.audience.cell(last, now + KEPT_FOR).initialized(), "it is made anew");
        drop(one);
        assert!(lock(&audiences.0).values().all(|audience| audience.strong_count() == 0));
    }

    #[tokio::test]
    async fn a_failure_is_not_shared() {
        let audiences = Audiences::default();
        let (first, second) = (audiences.join("q", &session(1)), audiences.join("q", &session(1)));
        let failed = || async { Response::from_errors(vec![async_graphql::ServerError::new("down", None)]) };

        first.begin(1);
        assert!(first.tell(failed()).await.is_err());
        assert!(first.outcome().is_none());

        assert!(told(&second, 1, &AtomicUsize::new(0)).await.contains("\"count\":0"));
    }
}
