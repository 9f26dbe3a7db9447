//! The gateway itself: executing operations that [`preparing`](super::preparing) has prepared.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{
    Data, ObjectType, Request, Response, Schema, SchemaBuilder, ServerError, SubscriptionType, ValidationMode,
};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use helpbot_services::runtime::events;
use helpbot_services::runtime::idempotency::RequestAttempt;
use helpbot_services::{Services, Viewer};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::audience::{Audience, Audiences};
use super::caller::AdmittedCaller;
use super::cost;
use super::documents::RecentDocuments;
use super::fingerprint::fingerprint;
use super::guard::model::{SchemaModel, SchemaRules};
use super::guard::shape::ResultShape;
use super::live::LiveQueries;
use super::measures::GatewayMeasures;
use super::request::{IdIsProof, PreparedOperation};
use super::result::ExecutionResult;
use super::settings::{GatewaySettings, Introspection};
use super::trusted::TrustedDocuments;
use crate::error::{self, ApiError, ErrorCode, Stage};
use crate::limits::rates::RateLimits;

/// Creates the request data of a viewer: what resolvers find in their context.
type RequestData = Box<dyn Fn(&Viewer) -> Data + Send + Sync>;
type Execute = Box<dyn Fn(Request) -> BoxFuture<'static, Response> + Send + Sync>;
type Subscribe = Box<dyn Fn(Request) -> BoxStream<'static, Response> + Send + Sync>;

/// The way to the schema. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<GatewayState>);

struct GatewayState {
    // These three hide the schema's type with its three root types.
    execute: Execute,
    subscribe: Subscribe,
    request_data: RequestData,
    /// What validation knows about the schema.
    model: SchemaModel,
    services: Services,
    rates: RateLimits,
    trusted: TrustedDocuments,
    recent: RecentDocuments,
    audiences: Audiences,
    live: LiveQueries,
    measures: Arc<GatewayMeasures>,
    settings: GatewaySettings,
}

impl Gateway {
    /// Creates a gateway to the schema that `builder` makes, with the `rules` that its definition does not
    /// contain. It calls `request_data` once for each operation.
    ///
    /// # Panics
    /// When the definition of the schema cannot be parsed, which is an error in the program.
    pub fn new<Q, M, S>(
        builder: SchemaBuilder<Q, M, S>,
        rules: SchemaRules,
        services: Services,
        request_data: impl Fn(&Viewer) -> Data + Send + Sync + 'static,
        trusted: TrustedDocuments,
        settings: GatewaySettings,
    ) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        // The guard validates documents. async-graphql checks only depth and directives, and has no
        // extensions, which cost time for each field.
        let schema: Schema<Q, M, S> = builder.validation_mode(ValidationMode::Fast).finish();
        let subscribing = schema.clone();
        // "Did you mean …?" in error messages would reveal the schema name by name.
        let has_suggestions = settings.introspection == Introspection::Allowed;
        let model = SchemaModel::new(&schema.sdl(), rules, has_suggestions);
        Self(Arc::new(GatewayState {
            execute: executing(schema),
            model: model.expect("async-graphql writes a valid definition"),
            subscribe: Box::new(move |request| subscribing.execute_stream(request)),
            request_data: Box::new(request_data),
            rates: RateLimits::new(&settings.rates, services.rates().clone()),
            services,
            trusted,
            recent: RecentDocuments::default(),
            audiences: Audiences::default(),
            live: LiveQueries::default(),
            measures: Arc::default(),
            settings,
        }))
    }

    /// The use cases behind the schema.
    pub fn services(&self) -> &Services {
        &self.0.services
    }

    /// The settings of the installation.
    pub fn settings(&self) -> &GatewaySettings {
        &self.0.settings
    }

    pub(super) fn rates(&self) -> &RateLimits {
        &self.0.rates
    }

    pub(super) fn model(&self) -> &SchemaModel {
        &self.0.model
    }

    pub(super) fn trusted(&self) -> &TrustedDocuments {
        &self.0.trusted
    }

    pub(super) fn recent(&self) -> &RecentDocuments {
        &self.0.recent
    }

    /// What the gateway has executed.
    pub fn measures(&self) -> &Arc<GatewayMeasures> {
        &self.0.measures
    }

    pub(super) fn live_queries(&self) -> &LiveQueries {
        &self.0.live
    }

    /// Executes a query or a mutation within its deadline.
    pub async fn execute(&self, operation: PreparedOperation, caller: &AdmittedCaller) -> ExecutionResult {
        let (measures, started) = (self.0.measures.of(&operation), Instant::now());
        if let Err(errors) = self.permit(&operation, caller).await {
            let result = ExecutionResult::rejected(errors);
            self.0.measures.executed(&measures, &result, started.elapsed());
            return result;
        }
        let (deadline, span) = (self.deadline(&operation), span(&operation, caller));
        let points = operation.cost.as_ref().map_or(0, |cost| cost.points);
        let running = async {
            if operation.operation_type != OperationType::Mutation {
                return self.respond(operation, caller).await;
            }
            let (gateway, caller) = (self.clone(), caller.clone());
            let mutation = async move {
                match &caller.idempotency_key {
                    Some(key) => gateway.respond_once(operation, &caller, key).await,
                    None => gateway.respond(operation, &caller).await,
                }
            };
            // In its own task: it runs to its end even when the client disconnects.
            tokio::spawn(mutation.in_current_span()).await.unwrap_or_else(|error| {
                tracing::error!(%error, "the task of a mutation ended without a result");
                ExecutionResult::rejected(vec![ApiError::internal().into_server_error()])
            })
        };
        let result = tokio::time::timeout(deadline, running.instrument(span.clone())).await;
        let result = result.unwrap_or_else(|_elapsed| timed_out(deadline));
        self.0.measures.executed(&measures, &result, started.elapsed());
        span.in_scope(|| log(&result, points));
        result
    }

    /// Executes a live query once more within its deadline. It was charged when it began.
    pub(super) async fn execute_live(&self, operation: PreparedOperation, caller: &AdmittedCaller) -> ExecutionResult {
        let deadline = self.deadline(&operation);
        let result = tokio::time::timeout(deadline, self.respond(operation, caller)).await;
        result.unwrap_or_else(|_elapsed| timed_out(deadline))
    }

    /// Executes an operation in the current task. A panic becomes an internal error.
    pub(super) async fn respond(&self, operation: PreparedOperation, caller: &AdmittedCaller) -> ExecutionResult {
        if operation.accepts_text
            && let Some(result) = self.respond_directly(&operation, caller).await
        {
            return result;
        }
        let cost = operation.cost.clone().ok().filter(|_| !operation.is_stored);
        let changed = caller.viewer.site_id.filter(|_| operation.operation_type == OperationType::Mutation);
        let (request, shape) = self.request(operation, caller);
        match AssertUnwindSafe((self.0.execute)(request)).catch_unwind().await {
            Ok(mut response) => {
                if let Some(site) = changed {
                    events::touch(&self.0.services, site);
                }
                let stage = if cost::is_executed(&response) { Stage::Execution } else { Stage::Request };
                shape.complete(&mut response.data, &response.errors);
                if let (Stage::Execution, Some(cost)) = (stage, &cost) {
                    cost::report(&mut response, cost, self.0.settings.costs.of(caller.viewer.kind));
                }
                finished(response, stage, &caller.request_id)
            }
            Err(panic) => {
                ExecutionResult::rejected(vec![ApiError::panicked(&*panic, &caller.request_id).into_server_error()])
            }
        }
    }

    /// Executes a subscription and returns a result for each event.
    ///
    /// If the first result was not executed, the subscription itself was rejected and the stream ends.
    pub async fn subscribe(
        &self,
        operation: PreparedOperation,
        caller: &AdmittedCaller,
    ) -> BoxStream<'static, ExecutionResult> {
        let (measures, started) = (self.0.measures.of(&operation), Instant::now());
        let permitted = self.permit(&operation, caller).await;
        let accepted = ExecutionResult::rejected(permitted.err().unwrap_or_default());
        self.0.measures.executed(&measures, &accepted, started.elapsed());
        if !accepted.response.errors.is_empty() {
            return stream::once(async move { accepted }).boxed();
        }
        match &caller.idempotency_key {
            Some(key) if operation.asks_question() => self.subscribe_once(operation, caller.clone(), key),
            _ => self.follow(operation, caller, None),
        }
    }

    /// Executes a subscription that was counted against the rate limits, as part of `attempt` if the
    /// caller sent an idempotency key.
    pub(super) fn follow(
        &self,
        operation: PreparedOperation,
        caller: &AdmittedCaller,
        attempt: Option<RequestAttempt>,
    ) -> BoxStream<'static, ExecutionResult> {
        let (span, request_id) = (span(&operation, caller), caller.request_id.clone());
        let audience = self.audience(&operation, &caller.viewer);
        let (request, shape) = self.request(operation, caller);
        let shape = Arc::new(shape);
        let mut request = request.data(audience).data(shape.clone());
        if let Some(attempt) = attempt {
            request = request.data(attempt);
        }
        let responses = AssertUnwindSafe((self.0.subscribe)(request)).catch_unwind();
        // An error after the first event belongs to the execution, not to the request.
        let mut stage = Stage::Request;
        let (measures, open) = (self.0.measures.clone(), self.0.measures.open_subscription());
        let result = move |event: std::thread::Result<Response>| match event {
            Ok(mut response) => {
                let _is_open = &open;
                shape.complete(&mut response.data, &response.errors);
                if cost::is_event(&response) {
                    stage = Stage::Execution;
                }
                let result = finished(response, stage, &request_id);
                measures.failed(&result.response.errors);
                result
            }
            Err(panic) => span.in_scope(|| {
                let error = ApiError::panicked(&*panic, &request_id);
                ExecutionResult::rejected(vec![error.into_server_error()])
            }),
        };
        responses.map(result).boxed()
    }

    /// Charges an operation, and checks that it is valid and within the cost limit of the caller.
    pub(super) async fn permit(
        &self,
        operation: &PreparedOperation,
        caller: &AdmittedCaller,
    ) -> Result<(), Vec<ServerError>> {
        self.charge(operation, caller).await.map_err(|error| vec![error.into_server_error()])?;
        let cost = operation.cost.as_ref().map_err(Clone::clone)?;
        if operation.is_stored {
            return Ok(());
        }
        cost::check(cost, self.0.settings.costs.of(caller.viewer.kind)).map_err(|error| vec![error])
    }

    /// The audience of a subscription: all subscriptions of this key and session that select the same.
    fn audience(&self, operation: &PreparedOperation, viewer: &Viewer) -> Arc<Audience> {
        let selection = fingerprint(operation);
        // Session ids contain no control characters, so a line break separates the parts.
        let session = viewer.session.as_ref().map(|session| format!("{} {}", session.token_id, session.id));
        self.0.audiences.join(format!("{selection}\n{}\n{}", viewer.key_id, session.unwrap_or_default()))
    }

    fn deadline(&self, operation: &PreparedOperation) -> Duration {
        let settings = &self.0.settings;
        match (&operation.files, operation.is_stored) {
            (Some(_), _) => settings.upload_deadline,
            (None, true) => settings.stored_deadline,
            (None, false) => settings.deadline,
        }
    }

    fn request(&self, operation: PreparedOperation, caller: &AdmittedCaller) -> (Request, ResultShape) {
        // The text is not needed: the guard has parsed the document, and chosen the operation.
        let name = operation.operation_name.as_deref();
        let executable = operation.document.executable(name, &operation.variables, &self.0.model);
        let (executable, shape) = executable.expect("the operation was chosen before");
        let mut request = Request::new("").variables(operation.variables);
        request.set_parsed_query(executable);
        request.data = (self.0.request_data)(&caller.viewer);
        if operation.is_stored {
            request.data.insert(IdIsProof);
        }
        if let Some(files) = operation.files {
            request.data.insert(files);
        }
        let request = match self.0.settings.introspection {
            Introspection::Allowed => request,
            Introspection::Refused => request.disable_introspection(),
        };
        (request, shape)
    }
}

fn executing<Q, M, S>(schema: Schema<Q, M, S>) -> Execute
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    Box::new(move |request| {
        let schema = schema.clone();
        async move { schema.execute(request).await }.boxed()
    })
}

fn finished(mut response: Response, stage: Stage, request_id: &str) -> ExecutionResult {
    error::finish(&mut response.errors, stage, request_id);
    ExecutionResult { response, is_executed: stage == Stage::Execution, text: None }
}

fn timed_out(deadline: Duration) -> ExecutionResult {
    let message = format!("The operation took longer than {} s", deadline.as_secs_f32());
    let error = ApiError::new(ErrorCode::Unavailable, message).retry_after(Duration::from_secs(1));
    ExecutionResult::rejected(vec![error.into_server_error()])
}

/// One span for each operation: its name and type, never values.
fn span(operation: &PreparedOperation, caller: &AdmittedCaller) -> tracing::Span {
    let name = operation.operation_name.as_deref().unwrap_or_default();
    let (kind, request_id) = (operation.operation_type, &caller.request_id);
    tracing::debug_span!("graphql", %kind, operation = name, request_id)
}

fn log(result: &ExecutionResult, cost: u64) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let codes: Vec<&str> =
        result.response.errors.iter().map(|error| ApiError::from_server_error(error).code.as_str()).collect();
    tracing::debug!(cost, ?codes, "an operation was executed");
}
