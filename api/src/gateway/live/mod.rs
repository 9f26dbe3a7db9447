//! Live queries: a query with `@live` returns its result at once, and again whenever it has changed.
//!
//! ```text
//! Gateway::live       checks and counts the operation, takes a slot           mod, slots
//!   → SharedQuery     one task for all viewers with the same rights,          shared
//!                     document and variables
//!   → LiveView        the results as one client gets them: whole, or          mod
//!                     the first one whole and then patches                    patch
//! ```
//! The task executes the query again when the event log of a site that it reads has grown, when a
//! mutation on this node has changed the site, and at the latest after ten seconds: at once when nothing
//! happened before, and at most four times a second. A client that reconnects gets the newest result
//! first, so a lost connection loses nothing.
//!
//! The transports call this for queries with the directive. They end a live query with its connection,
//! also when the key is revoked.

mod patch;
mod shared;
mod slots;

use std::sync::Arc;

use async_graphql::{Response, ServerError};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use helpbot_domain::ids::SiteId;
use helpbot_domain::measurement::Counted;
use helpbot_services::Viewer;
use helpbot_services::runtime::events;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::caller::AdmittedCaller;
use super::execution::Gateway;
use super::fingerprint::fingerprint;
use super::guard::live::LiveRequest;
use super::request::PreparedOperation;
use super::result::ExecutionResult;
use shared::{Changes, LiveExecution, LiveResult, LiveState, SharedQueries, SharedQuery};
use slots::{LiveSlot, LiveSlots};

/// The live queries of a process.
#[derive(Debug, Default)]
pub(super) struct LiveQueries {
    shared: SharedQueries,
    slots: LiveSlots,
}

impl Gateway {
    /// Executes a live query and returns its result at once and after each change.
    ///
    /// If the first result was not executed, the query itself was rejected and the stream ends.
    pub(crate) async fn live(
        &self,
        operation: PreparedOperation,
        request: LiveRequest,
        caller: &AdmittedCaller,
    ) -> BoxStream<'static, ExecutionResult> {
        let (measures, started) = (self.measures().of(&operation), Instant::now());
        let view = self.view(operation, request, caller).await;
        let accepted = ExecutionResult::rejected(view.as_ref().err().cloned().unwrap_or_default());
        self.measures().executed(&measures, &accepted, started.elapsed());
        match view {
            Ok(view) => stream::unfold(view, async |mut view| view.next().await.map(|result| (result, view))).boxed(),
            Err(errors) => stream::once(async move { ExecutionResult::rejected(errors) }).boxed(),
        }
    }

    async fn view(
        &self,
        operation: PreparedOperation,
        request: LiveRequest,
        caller: &AdmittedCaller,
    ) -> Result<LiveView, Vec<ServerError>> {
        self.permit(&operation, caller).await?;
        let points = operation.cost.as_ref().map_or(0, |cost| cost.points);
        let queries = self.live_queries();
        let slot = queries.slots.take(&caller.viewer, points).map_err(|error| vec![error.into_server_error()])?;
        let has_patches = operation.has_live_patches;
        let identity = format!("{}\n{}", fingerprint(&operation), rights(&caller.viewer));
        let shared = queries.shared.join(identity, || LiveExecution {
            changes: changes(self, &caller.viewer, &request.ids),
            gateway: self.clone(),
            operation,
            caller: caller.clone(),
            points,
        });
        let states = shared.states.clone();
        let next_at = Instant::now();
        let throttle = request.throttle;
        Ok(LiveView {
            states,
            _shared: shared,
            _slot: slot,
            _open: self.measures().open_live_query(),
            has_patches,
            throttle,
            next_at,
            sent: None,
            is_over: false,
        })
    }
}

/// Everything about a viewer that a result can depend on. Viewers with the same rights see the same. The key
/// itself is not part of it: no field of the schema shows it.
fn rights(viewer: &Viewer) -> String {
    let Viewer { kind, site_id, member, scopes, session, .. } = viewer;
    let mut scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    scopes.sort_unstable();
    // Names and session ids are written with quotes and escapes, so the parts cannot run into each other.
    format!("{kind:?} {site_id:?} {member:?} {scopes:?} {session:?}")
}

/// Notifications about the site of the viewer. An operator has none: then about the sites among `ids`.
fn changes(gateway: &Gateway, viewer: &Viewer, ids: &[String]) -> Changes {
    let sites: Vec<SiteId> = match viewer.site_id {
        Some(site) => vec![site],
        None => ids.iter().filter_map(|id| id.parse().ok()).collect(),
    };
    sites.into_iter().filter_map(|site| events::changes(gateway.services(), viewer, site).ok()).collect()
}

/// A live query as one client sees it.
struct LiveView {
    states: watch::Receiver<Option<Arc<LiveState>>>,
    _shared: Arc<SharedQuery>,
    _slot: LiveSlot,
    _open: Counted,
    has_patches: bool,
    throttle: std::time::Duration,
    /// Time of the next result at the earliest.
    next_at: Instant,
    sent: Option<Sent>,
    is_over: bool,
}

/// The last result that was sent.
struct Sent {
    state: Arc<LiveState>,
    /// Number of results that this client got.
    revision: u64,
}

impl LiveView {
    async fn next(&mut self) -> Option<ExecutionResult> {
        if self.is_over {
            return None;
        }
        sleep_until(self.next_at).await;
        loop {
            let state = self.states.borrow_and_update().clone();
            if let Some(result) = state.and_then(|state| self.result(state)) {
                self.next_at = Instant::now() + self.throttle;
                return Some(result);
            }
            self.states.changed().await.ok()?;
        }
    }

    /// The result to send for a state, or `None` when it was sent already.
    fn result(&mut self, state: Arc<LiveState>) -> Option<ExecutionResult> {
        let result = match &*state {
            LiveState::Result(result) => result,
            LiveState::Rejected(errors) => {
                self.is_over = true;
                return Some(ExecutionResult::rejected(errors.clone()));
            }
        };
        let revision = self.sent.as_ref().map_or(1, |sent| sent.revision + 1);
        let text = match self.sent.as_ref().map(|sent| &*sent.state) {
            Some(LiveState::Result(last)) if last.number == result.number => return None,
            Some(LiveState::Result(last)) if self.has_patches => patched(last, result, revision),
            _ => whole(result, self.has_patches.then_some(revision)),
        };
        self.sent = Some(Sent { state, revision });
        Some(ExecutionResult { response: Response::default(), is_executed: true, text: Some(text) })
    }
}

/// The whole result. Clients that accept patches get it with its revision.
fn whole(result: &LiveResult, revision: Option<u64>) -> String {
    let open = result.whole.strip_suffix('}').unwrap_or(&result.whole);
    match revision {
        // The client must have an object to apply patches to.
        Some(revision) if result.is_null() => {
            format!(r#"{{{}"data":{{}},"revision":{revision},"isLive":true}}"#, result.errors_member())
        }
        Some(revision) => format!(r#"{open},"revision":{revision},"isLive":true}}"#),
        None => format!(r#"{open},"isLive":true}}"#),
    }
}

/// The patch from the result that the client has. It may have passed over results in between.
fn patched(last: &LiveResult, result: &LiveResult, revision: u64) -> String {
    let own;
    let patch = if last.number + 1 == result.number {
        &result.patch
    } else {
        own = patch::between(&last.data, &result.data).unwrap_or_else(|| "[]".to_owned());
        &own
    };
    format!(r#"{{{}"patch":{patch},"revision":{revision},"isLive":true}}"#, result.errors_member())
}

impl LiveResult {
    fn is_null(&self) -> bool {
        matches!(&self.data, async_graphql::Value::Object(fields) if fields.is_empty())
    }

    fn errors_member(&self) -> String {
        if self.errors.is_empty() { String::new() } else { format!(r#""errors":{},"#, self.errors) }
    }
}
