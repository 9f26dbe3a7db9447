//! The one way to the schema, whoever asks: HTTP, WebSocket, SSE, and the stored operations of
//! `/api/v1` in process.
//!
//! A caller is authenticated (credentials to [`Viewer`]), admitted (rate limits), its document
//! is prepared (trusted, or read by the guard), and executed with the viewer's request data
//! under a deadline. Errors leave here with a code, masked and logged; panics too. Mutations run
//! in a task of their own, so that a client that hangs up does not stop one half-way.
//!
//! The gateway knows nothing of statuses, frames or headers.

mod caller;
mod documents;
mod once;
mod operation;
pub(crate) mod payload;
mod prepared;
mod report;
mod settings;
mod shared;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{
    Data, ObjectType, Request, Response, Schema, SchemaBuilder, ServerError, SubscriptionType, ValidationMode,
};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use helpbot_domain::text;
use helpbot_services::{Services, Viewer};
use tracing::Instrument as _;

pub(crate) use caller::bearer_of;
pub use caller::{Caller, bearer};
pub use documents::TrustedDocuments;
pub use operation::{Ground, Operation};
pub use prepared::{Params, Prepared};

use crate::error::{self, ErrorCode, Failure, Stage};
use crate::guard::{self, Document};
use crate::limits::{RateLimits, Standing};
use documents::RecentDocuments;
use report::{Progress, Report};
pub use settings::{Documents, GatewaySettings, Introspection};
pub use shared::Telling;
use shared::{Audiences, Told};

/// Who runs an operation, and the name of the request in logs.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub viewer: Viewer,
    /// Stands in the logs and in `X-Request-Id`.
    pub request_id: String,
    /// The key under which a mutation is run at most once; nothing to other operations.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// What a caller named a request: the header `Idempotency-Key`, or `idempotencyKey` among the
/// `extensions` of the request, which every transport carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

/// The name of a request in the logs; request data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// What came of an operation.
#[derive(Debug)]
pub struct Outcome {
    /// Data and errors, the errors with their codes.
    pub response: Response,
    /// False when the request was refused before execution: then there is no `data` at all.
    pub is_executed: bool,
    /// What the whole audience of an event is told, in place of `response`.
    pub(crate) told: Option<Arc<Told>>,
}

impl Outcome {
    /// A request that was not executed.
    pub fn refused(errors: Vec<ServerError>) -> Self {
        Self { response: Response::from_errors(errors), is_executed: false, told: None }
    }
}

/// Makes the request data of a viewer: what resolvers find in their context.
type RequestData = Box<dyn Fn(&Viewer) -> Data + Send + Sync>;
type Execute = Box<dyn Fn(Request) -> BoxFuture<'static, Response> + Send + Sync>;
type Subscribe = Box<dyn Fn(Request) -> BoxStream<'static, Response> + Send + Sync>;

/// The way to the schema; cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    // The schema's type, with its three roots, stays behind these three.
    execute: Execute,
    /// For stored operations, whose documents were checked when they were written.
    execute_stored: Execute,
    subscribe: Subscribe,
    request_data: RequestData,
    services: Services,
    rates: RateLimits,
    trusted: TrustedDocuments,
    recent: RecentDocuments,
    audiences: Audiences,
    settings: GatewaySettings,
    request_ids: caller::RequestIds,
}

impl Gateway {
    /// A gateway to the schema that `builder` makes, which gets the complexity limit and the extension
    /// that reports what an operation cost. `request_data` is called for each operation.
    pub fn new<Q, M, S>(
        builder: impl Fn() -> SchemaBuilder<Q, M, S>,
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
        let builder = || {
            let builder = builder().limit_complexity(settings.complexity).extension(Report);
            match settings.introspection {
                Introspection::Allowed => builder,
                // "Did you mean …?" would tell the schema name by name.
                Introspection::Refused => builder.disable_suggestions(),
            }
        };
        let schema: Schema<Q, M, S> = builder().finish();
        let subscribing = schema.clone();
        Self(Arc::new(Inner {
            execute: executing(schema),
            execute_stored: executing(builder().validation_mode(ValidationMode::Fast).finish()),
            subscribe: Box::new(move |request| subscribing.execute_stream(request)),
            request_data: Box::new(request_data),
            request_ids: caller::RequestIds::starting_at(services.now()),
            rates: RateLimits::new(&settings.rates),
            services,
            trusted,
            recent: RecentDocuments::default(),
            audiences: Audiences::default(),
            settings,
        }))
    }

    /// The use cases behind the schema.
    pub fn services(&self) -> &Services {
        &self.0.services
    }

    /// What the installation set.
    pub fn settings(&self) -> &GatewaySettings {
        &self.0.settings
    }

    /// Who the caller is.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `RATE_LIMITED` for an address that brought too many bad credentials;
    /// `UNAVAILABLE` and `INTERNAL` when it cannot be known.
    pub async fn authenticate(&self, caller: &Caller) -> Result<Viewer, Failure> {
        match self.0.services.viewer(&caller.credentials).await {
            Ok(viewer) => Ok(viewer),
            Err(refused) => {
                if matches!(refused, helpbot_services::Error::Unauthenticated(_)) {
                    self.0.rates.refused(caller.peer)?;
                }
                error::log(&refused, &caller.request_id);
                Err(Failure::from(&refused))
            }
        }
    }

    /// Counts an operation of `viewer`; what is left of its limit, if it has one.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn admit(&self, viewer: &Viewer, caller: &Caller) -> Result<Option<Standing>, Failure> {
        self.0.rates.operation(viewer, caller.peer)
    }

    /// Finds the trusted document or reads the one that was brought, and chooses the operation.
    ///
    /// # Errors
    /// A request error: `PERSISTED_QUERY_NOT_FOUND`, `GRAPHQL_PARSE_FAILED`,
    /// `GRAPHQL_VALIDATION_FAILED`, `COMPLEXITY_LIMIT`, `FORBIDDEN` for an untrusted document.
    pub fn prepare(&self, params: Params) -> Result<Prepared, ServerError> {
        let Params { query, document_id, persisted_hash, operation_name, variables, idempotency_key: _ } = params;
        let document = match document_id {
            Some(id) => {
                self.0.trusted.get(&id).ok_or_else(|| not_found("There is no trusted document with this id"))?
            }
            None => self.brought(query.as_deref(), persisted_hash.as_deref())?,
        };
        let kind = document.operation(operation_name.as_deref()).map_err(guard::Refusal::into_server_error)?;
        document.require_variables(operation_name.as_deref(), &variables).map_err(guard::Refusal::into_server_error)?;
        Ok(Prepared { document, kind, operation_name, variables, files: None, is_stored: false })
    }

    /// The document that a caller brought, or brought before and names by its hash.
    fn brought(&self, query: Option<&str>, persisted_hash: Option<&str>) -> Result<Arc<Document>, ServerError> {
        let refused = |code, message: &str| Err(Failure::new(code, message).into_server_error());
        if self.0.settings.documents == Documents::TrustedOnly {
            return refused(ErrorCode::Forbidden, "Only trusted documents are executed here; send documentId");
        }
        match (query, persisted_hash) {
            (Some(query), persisted) => {
                let hash = documents::hash(query);
                if persisted.is_some_and(|persisted| persisted != text::hex(&hash)) {
                    return refused(ErrorCode::BadUserInput, "provided sha does not match query");
                }
                let read = self.0.recent.read(query, hash, &self.0.settings.guard);
                read.map_err(guard::Refusal::into_server_error)
            }
            (None, Some(persisted)) => {
                let known = documents::of_hex(persisted).and_then(|hash| self.0.recent.get(&hash));
                // Apollo's clients know this text; they bring the document then.
                known.ok_or_else(|| not_found("PersistedQueryNotFound"))
            }
            (None, None) => refused(ErrorCode::BadUserInput, "query or documentId is required"),
        }
    }

    /// Executes a query or a mutation within the deadline.
    pub async fn execute(&self, prepared: Prepared, session: &Session) -> Outcome {
        let settings = &self.0.settings;
        let deadline = if prepared.files.is_some() { settings.upload_deadline } else { settings.deadline };
        self.execute_within(prepared, session, deadline).await
    }

    async fn execute_within(&self, prepared: Prepared, session: &Session, deadline: Duration) -> Outcome {
        let span = span(&prepared, session);
        let running = async {
            match prepared.kind {
                OperationType::Mutation => self.mutate(prepared, session.clone()).await,
                _ => self.respond(prepared, session).await,
            }
        };
        let outcome = tokio::time::timeout(deadline, running.instrument(span.clone())).await;
        let outcome = outcome.unwrap_or_else(|_elapsed| {
            let message = format!("The operation took longer than {} s", deadline.as_secs_f32());
            let failure = Failure::new(ErrorCode::Unavailable, message).retry_after(Duration::from_secs(1));
            Outcome::refused(vec![failure.into_server_error()])
        });
        span.in_scope(|| report(&outcome));
        outcome
    }

    /// Executes a mutation, which runs to its end even when nobody waits for it any more.
    async fn mutate(&self, prepared: Prepared, session: Session) -> Outcome {
        let gateway = self.clone();
        let running = async move {
            match &session.idempotency_key {
                Some(key) => gateway.run_once(prepared, &session, key).await,
                None => gateway.respond(prepared, &session).await,
            }
        };
        tokio::spawn(running.in_current_span()).await.unwrap_or_else(|lost| {
            tracing::error!(%lost, "a mutation was lost");
            Outcome::refused(vec![panicked().into_server_error()])
        })
    }

    async fn respond(&self, prepared: Prepared, session: &Session) -> Outcome {
        let execute = if prepared.is_stored { &self.0.execute_stored } else { &self.0.execute };
        let (request, progress) = self.request(prepared, session);
        match AssertUnwindSafe(execute(request)).catch_unwind().await {
            Ok(response) => self.with_cost(finished(response, &progress, &session.request_id), &progress),
            Err(_panic) => {
                tracing::error!(request_id = session.request_id, "an operation panicked");
                Outcome::refused(vec![panicked().into_server_error()])
            }
        }
    }

    /// Executes a subscription: an outcome for each event. A first outcome that was not executed
    /// is the refusal of the subscription itself, and the last.
    pub fn subscribe(&self, prepared: Prepared, session: &Session) -> BoxStream<'static, Outcome> {
        let span = span(&prepared, session);
        let request_id = session.request_id.clone();
        let telling = self.0.audiences.join(&once::fingerprint(&prepared), session);
        let (mut request, progress) = self.request(prepared, session);
        request.data.insert(telling.clone());
        let responses = AssertUnwindSafe((self.0.subscribe)(request)).catch_unwind();
        responses
            .map(move |event| match event {
                Ok(response) => telling.outcome().unwrap_or_else(|| finished(response, &progress, &request_id)),
                Err(_panic) => {
                    span.in_scope(|| tracing::error!(request_id, "a subscription panicked"));
                    Outcome::refused(vec![panicked().into_server_error()])
                }
            })
            .boxed()
    }

    fn request(&self, prepared: Prepared, session: &Session) -> (Request, Arc<Progress>) {
        let progress = Arc::new(Progress::default());
        // The text is not needed again: the document was parsed by the guard.
        let mut request = Request::new("").variables(prepared.variables);
        request.set_parsed_query(prepared.document.executable());
        request.operation_name = prepared.operation_name;
        request.data = (self.0.request_data)(&session.viewer);
        request.data.insert(progress.clone());
        request.data.insert(RequestId(session.request_id.clone()));
        if let Some(files) = prepared.files {
            request.data.insert(files);
        }
        if self.0.settings.introspection == Introspection::Refused {
            request = request.disable_introspection();
        }
        (request, progress)
    }

    fn with_cost(&self, mut outcome: Outcome, progress: &Progress) -> Outcome {
        if let Some(complexity) = progress.complexity() {
            let cost = async_graphql::value!({ "complexity": complexity, "limit": self.0.settings.complexity });
            outcome.response.extensions.insert("cost".to_owned(), cost);
        }
        outcome
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

fn finished(mut response: Response, progress: &Progress, request_id: &str) -> Outcome {
    let is_executed = progress.is_executed();
    let stage = if is_executed { Stage::Execution } else { Stage::Request };
    error::finish(&mut response.errors, stage, request_id);
    Outcome { response, is_executed, told: None }
}

fn not_found(message: &str) -> ServerError {
    Failure::new(ErrorCode::PersistedQueryNotFound, message).into_server_error()
}

fn panicked() -> Failure {
    Failure::new(ErrorCode::Internal, "Internal server error")
}

/// One span an operation: name and kind, never values.
fn span(prepared: &Prepared, session: &Session) -> tracing::Span {
    let operation = prepared.operation_name.as_deref().unwrap_or_default();
    tracing::debug_span!("graphql", kind = %prepared.kind, operation, request_id = session.request_id)
}

fn report(outcome: &Outcome) {
    let codes: Vec<&str> =
        outcome.response.errors.iter().map(|error| Failure::from_server_error(error).code.as_str()).collect();
    let cost = outcome.response.extensions.get("cost").map(ToString::to_string);
    tracing::debug!(cost, ?codes, "an operation was executed");
}
