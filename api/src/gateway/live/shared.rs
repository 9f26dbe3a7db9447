//! One live query that is executed for all its viewers: a task that executes it again after changes, and
//! the newest result.
//!
//! The task notes every change that happens while it executes and executes again afterwards, so the last
//! result is never older than the last change. Nothing is queued for a viewer: a slow one passes over
//! results and gets the newest one next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_graphql::{ServerError, Value};
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::patch;
use crate::gateway::caller::AdmittedCaller;
use crate::gateway::execution::Gateway;
use crate::gateway::request::PreparedOperation;
use crate::gateway::result::ExecutionResult;

/// Shortest time between two executions of a live query: four a second.
const INTERVAL: Duration = Duration::from_millis(250);
/// Points that a live query may cost per second. A query that costs more than a quarter of this is
/// executed less often, at least once a second: the highest cost of an operation is 10,000.
const POINTS_PER_SECOND: u64 = 10_000;
/// Longest time without an execution. Changes that are in no event log, such as those of settings that
/// another node made, are seen after this time.
const REFRESH: Duration = Duration::from_secs(10);
/// Live queries that are executed at the same time, so that a change that concerns many of them leaves
/// the database connections and processors to other requests too.
const EXECUTIONS_MAX: usize = 8;

/// Notifications about changes: of the sites that a live query reads.
pub(super) type Changes = Vec<watch::Receiver<u64>>;

/// The live queries of a process by what they ask for and the rights that they are executed with.
#[derive(Debug)]
pub(super) struct SharedQueries {
    running: Mutex<HashMap<String, Weak<SharedQuery>>>,
    turns: Arc<Semaphore>,
}

impl Default for SharedQueries {
    fn default() -> Self {
        Self { running: Mutex::default(), turns: Arc::new(Semaphore::new(EXECUTIONS_MAX)) }
    }
}

/// A running live query. It ends when its last viewer drops it.
#[derive(Debug)]
pub(super) struct SharedQuery {
    /// The newest state; `None` until the first execution.
    pub states: watch::Receiver<Option<Arc<LiveState>>>,
    task: AbortHandle,
}

impl Drop for SharedQuery {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The state of a live query after an execution.
#[derive(Debug)]
pub(super) enum LiveState {
    Result(LiveResult),
    /// The first execution was rejected, and there is no other.
    Rejected(Vec<ServerError>),
}

/// A result that differs from the one before it.
#[derive(Debug)]
pub(super) struct LiveResult {
    /// Position among the results of this query, from 1.
    pub number: u64,
    /// The data. An empty object in place of null, which has no fields to patch.
    pub data: Value,
    /// JSON text of the errors; empty when there are none.
    pub errors: String,
    /// JSON text of the whole result.
    pub whole: String,
    /// Patch from the result before this one.
    pub patch: String,
}

/// What the task of a live query needs.
pub(super) struct LiveExecution {
    pub gateway: Gateway,
    pub operation: PreparedOperation,
    pub caller: AdmittedCaller,
    pub changes: Changes,
    pub points: u64,
}

impl SharedQueries {
    /// Returns the running query with this identity; starts it if there is none.
    pub fn join(&self, identity: String, execution: impl FnOnce() -> LiveExecution) -> Arc<SharedQuery> {
        // The map is consistent after every operation, so a panic elsewhere does not spoil it.
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(query) = running.get(&identity).and_then(Weak::upgrade) {
            // After a rejection, a new viewer gets a new try.
            let is_rejected = matches!(query.states.borrow().as_deref(), Some(LiveState::Rejected(_)));
            if !is_rejected {
                return query;
            }
        }
        // Dead entries are removed whenever the map would have to grow, so the cost is amortized.
        if running.len() == running.capacity() {
            running.retain(|_, query| query.strong_count() > 0);
        }
        let (sender, states) = watch::channel(None);
        let task = tokio::spawn(run(execution(), sender, self.turns.clone())).abort_handle();
        let query = Arc::new(SharedQuery { states, task });
        running.insert(identity, Arc::downgrade(&query));
        query
    }
}

/// Executes the query at once and after each change, until it is aborted.
async fn run(mut execution: LiveExecution, states: watch::Sender<Option<Arc<LiveState>>>, turns: Arc<Semaphore>) {
    let interval = INTERVAL.max(Duration::from_secs(1) * saturated(execution.points) / saturated(POINTS_PER_SECOND));
    loop {
        // Noted before the execution, so that a change during it causes another one.
        for changes in &mut execution.changes {
            changes.borrow_and_update();
        }
        let result = {
            let Ok(_turn) = turns.acquire().await else { return };
            execution.gateway.execute_live(execution.operation.again(), &execution.caller).await
        };
        // The pause begins after the execution: a slow query must not take all of a turn.
        let pause = Instant::now() + interval;
        let last = states.borrow().clone();
        match (result.is_executed, last.as_deref()) {
            (true, Some(LiveState::Result(last))) => {
                if let Some(next) = following(last, &result) {
                    states.send_replace(Some(Arc::new(LiveState::Result(next))));
                }
            }
            (true, _) => {
                states.send_replace(Some(Arc::new(LiveState::Result(first(&result)))));
            }
            // The database may be unavailable for a moment. The viewers keep the last result.
            (false, Some(_)) => tracing::debug!("a live query was not executed and is tried again"),
            (false, None) => {
                states.send_replace(Some(Arc::new(LiveState::Rejected(result.response.errors))));
                return;
            }
        }
        sleep_until(pause).await;
        changed(&mut execution.changes).await;
    }
}

fn saturated(points: u64) -> u32 {
    u32::try_from(points).unwrap_or(u32::MAX)
}

/// Waits for a change, at most [`REFRESH`].
async fn changed(changes: &mut Changes) {
    let refresh = sleep(REFRESH);
    if changes.is_empty() {
        return refresh.await;
    }
    let first = futures_util::future::select_all(changes.iter_mut().map(|changes| Box::pin(changes.changed())));
    tokio::select! {
        () = refresh => {}
        (Ok(()), ..) = first => {}
    }
}

fn first(result: &ExecutionResult) -> LiveResult {
    LiveResult {
        number: 1,
        data: patchable(result),
        errors: errors(result),
        whole: result.json(),
        patch: String::new(),
    }
}

/// The result after `last`, if it differs.
fn following(last: &LiveResult, result: &ExecutionResult) -> Option<LiveResult> {
    let (data, errors) = (patchable(result), errors(result));
    let patch = patch::between(&last.data, &data);
    if patch.is_none() && errors == last.errors {
        return None;
    }
    let patch = patch.unwrap_or_else(|| "[]".to_owned());
    Some(LiveResult { number: last.number + 1, data, errors, whole: result.json(), patch })
}

fn patchable(result: &ExecutionResult) -> Value {
    match &result.response.data {
        Value::Null => Value::Object(async_graphql::indexmap::IndexMap::new()),
        data => data.clone(),
    }
}

fn errors(result: &ExecutionResult) -> String {
    match result.response.errors.as_slice() {
        [] => String::new(),
        errors => serde_json::to_string(errors).expect("GraphQL errors are JSON"),
    }
}
