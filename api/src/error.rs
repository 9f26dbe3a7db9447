//! Errors as clients see them: the closed list of codes, the only mapping from `services::Error`
//! to a code, and the decision whether a failure belongs into `userErrors` or to the top level.
//!
//! Resolvers may use `?` on a `services::Error`. The gateway calls [`finish`], which gives every
//! error of a response its code. The text of a private cause never leaves the process; it is
//! logged here, once.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Enum, ErrorExtensionValues, ServerError, Value};
use helpbot_api_macros::OutputObject;
use helpbot_services::Error;

use crate::limits::allowance::RateAllowance;
use crate::limits::rates::RateExceeded;

/// Code of an error, which is used in `userErrors` and in `extensions.code` of top-level errors.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The request has no API key, or the key is invalid, revoked or expired.
    Unauthenticated,
    /// The API key lacks the required scope or role, the operation requires an operator key, the session token
    /// of the visitor is missing or belongs to another session, or the server executes only trusted documents.
    Forbidden,
    /// The plan of the site does not include the feature.
    PlanRequired,
    /// The object does not exist, or the API key has no access to it.
    NotFound,
    /// A value of the input is invalid. In `userErrors`, `field` names it.
    BadUserInput,
    /// The current state of the object does not allow the change.
    Conflict,
    /// The site has used all credits of the month. `retryAfter` is the number of seconds until the next
    /// month begins.
    CreditsExhausted,
    /// The site or the client address has used the credits that the owner allows for one day.
    /// `retryAfter` is the number of seconds until the next day (UTC) begins.
    CreditCapReached,
    /// The team of the site has blocked the visitor.
    VisitorBlocked,
    /// The client has sent too many requests. `retryAfter` is the number of seconds to wait.
    RateLimited,
    /// A limit is reached, for example the number of webhooks of a site, mails per day or attempts to enter a
    /// code. The message names the limit.
    LimitReached,
    /// The cursor is older than the oldest stored event. Read `site { eventCursor }`, query the current state,
    /// then subscribe with that cursor.
    CursorExpired,
    /// The document is too large, too deep or costs more than one request may.
    ComplexityLimit,
    /// The document contains a syntax error.
    GraphqlParseFailed,
    /// The document does not match the schema, or a variable has an invalid value.
    GraphqlValidationFailed,
    /// The server has no trusted document with this ID.
    PersistedQueryNotFound,
    /// The idempotency key was already used for a request with a different content.
    IdempotencyMismatch,
    /// The service is temporarily unavailable. `retryAfter` is the number of seconds to wait.
    Unavailable,
    /// The server failed. The log of the server contains the cause under the request ID.
    Internal,
}

impl ErrorCode {
    /// The code as `extensions.code` contains it.
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorCode::Unauthenticated => "UNAUTHENTICATED",
            ErrorCode::Forbidden => "FORBIDDEN",
            ErrorCode::PlanRequired => "PLAN_REQUIRED",
            ErrorCode::NotFound => "NOT_FOUND",
            ErrorCode::BadUserInput => "BAD_USER_INPUT",
            ErrorCode::Conflict => "CONFLICT",
            ErrorCode::CreditsExhausted => "CREDITS_EXHAUSTED",
            ErrorCode::CreditCapReached => "CREDIT_CAP_REACHED",
            ErrorCode::VisitorBlocked => "VISITOR_BLOCKED",
            ErrorCode::RateLimited => "RATE_LIMITED",
            ErrorCode::LimitReached => "LIMIT_REACHED",
            ErrorCode::CursorExpired => "CURSOR_EXPIRED",
            ErrorCode::ComplexityLimit => "COMPLEXITY_LIMIT",
            ErrorCode::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            ErrorCode::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            ErrorCode::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            ErrorCode::IdempotencyMismatch => "IDEMPOTENCY_MISMATCH",
            ErrorCode::Unavailable => "UNAVAILABLE",
            ErrorCode::Internal => "INTERNAL",
        }
    }

    /// The code with the given text, if there is one.
    pub fn from_code(text: &str) -> Option<Self> {
        <Self as async_graphql::resolver_utils::EnumType>::items()
            .iter()
            .map(|item| item.value)
            .find(|code| code.as_str() == text)
    }
}

/// An error that was caused by the input of a mutation and that the client can correct.
#[derive(OutputObject, Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    /// Path of the field that caused the error, starting with `input`. It is null when the error concerns no
    /// single field.
    pub field: Option<Vec<String>>,
    /// Message that describes the error and can be shown to a person.
    pub message: String,
    /// Code of the error, which programs can compare.
    pub code: ErrorCode,
}

impl UserError {
    /// An error about a field of the input, for a mutation that succeeded in part.
    pub fn new(field: &str, code: ErrorCode, message: &str) -> Self {
        let field = Some(vec!["input".to_owned(), field.to_owned()]);
        Self { field, message: message.to_owned(), code }
    }
}

/// An error outside a GraphQL response: what [`Gateway::run`](crate::gateway::execution::Gateway::run) and the
/// transports return.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// Code of the error.
    pub code: ErrorCode,
    /// Public text of the error.
    pub message: String,
    /// The invalid field of the input, in the spelling of the schema.
    pub field: Option<String>,
    /// Time to wait before a retry can succeed. `None` when waiting does not help.
    pub retry_after: Option<Duration>,
    /// The rate limit that was exceeded, if that is the reason.
    pub allowance: Option<RateAllowance>,
}

impl ApiError {
    /// A failure that concerns no field and for which waiting does not help.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, retry_after: None, allowance: None }
    }

    /// The error that clients see when the server failed. The cause is in the log.
    pub fn internal() -> Self {
        Self::new(ErrorCode::Internal, "Internal server error")
    }

    /// Logs a caught panic with the ID of the request, and returns the error for the client.
    pub fn panicked(panic: &(dyn Any + Send), request_id: &str) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let cause = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
        tracing::error!(request_id, cause, "a request panicked");
        Self::internal()
    }

    /// The same failure, which may be retried after `wait`.
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// The same failure as a top-level error.
    pub fn into_server_error(self) -> ServerError {
        let mut error = ServerError::new(self.message.clone(), None);
        error.extensions = Some(self.extensions());
        error
    }

    /// Reads the failure from a top-level error.
    pub fn from_server_error(error: &ServerError) -> Self {
        let value = |name| error.extensions.as_ref().and_then(|extensions| extensions.get(name));
        let code = match value("code") {
            Some(Value::String(code)) => ErrorCode::from_code(code),
            _ => None,
        };
        let seconds = match value("retryAfter") {
            Some(Value::Number(seconds)) => seconds.as_u64(),
            _ => None,
        };
        Self {
            code: code.unwrap_or(ErrorCode::Internal),
            message: error.message.clone(),
            field: None,
            retry_after: seconds.map(Duration::from_secs),
            allowance: None,
        }
    }

    fn extensions(&self) -> ErrorExtensionValues {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", self.code.as_str());
        if let Some(wait) = self.retry_after {
            extensions.set("retryAfter", whole_seconds(wait));
        }
        extensions
    }
}

/// `wait` in whole seconds, rounded up and at least 1, so that no client retries too early.
pub fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl From<RateExceeded> for ApiError {
    fn from(exceeded: RateExceeded) -> Self {
        let error = Self::new(ErrorCode::RateLimited, "Too many requests. Try again later.").retry_after(exceeded.wait);
        Self { allowance: Some(exceeded.allowance), ..error }
    }
}

/// The only mapping from the errors of use cases to codes.
impl From<&Error> for ApiError {
    fn from(error: &Error) -> Self {
        let (code, retry_after) = match error {
            Error::Unauthenticated(_) => (ErrorCode::Unauthenticated, None),
            Error::Forbidden(_) => (ErrorCode::Forbidden, None),
            Error::PlanRequired { .. } => (ErrorCode::PlanRequired, None),
            Error::NotFound(_) | Error::NoSuch { .. } => (ErrorCode::NotFound, None),
            Error::Invalid(_) => (ErrorCode::BadUserInput, None),
            Error::Conflict(_) => (ErrorCode::Conflict, None),
            Error::IdempotencyMismatch => (ErrorCode::IdempotencyMismatch, None),
            Error::LimitReached(_) => (ErrorCode::LimitReached, None),
            Error::CreditsExhausted { retry_after } => (ErrorCode::CreditsExhausted, Some(*retry_after)),
            Error::CapReached { retry_after, .. } => (ErrorCode::CreditCapReached, Some(*retry_after)),
            Error::VisitorBlocked => (ErrorCode::VisitorBlocked, None),
            Error::RateLimited { retry_after } => (ErrorCode::RateLimited, Some(*retry_after)),
            Error::CursorExpired => (ErrorCode::CursorExpired, None),
            Error::Unavailable { retry_after, .. } => (ErrorCode::Unavailable, Some(*retry_after)),
            Error::Internal(_) => (ErrorCode::Internal, None),
        };
        let field = match error {
            Error::Invalid(invalid) => Some(invalid.field.to_owned()),
            Error::NoSuch { field, .. } => Some((*field).to_owned()),
            _ => None,
        };
        Self { code, message: error.to_string(), field, retry_after, allowance: None }
    }
}

/// A nullable field that can fail alone: it becomes null and the error names its path. With a plain
/// `Result<Option<T>>`, its parent object would become null too.
pub type Nullable<T> = Option<async_graphql::Result<T>>;

/// The value of a field that can fail alone.
pub async fn nullable<T>(value: impl Future<Output = async_graphql::Result<T>>) -> Nullable<T> {
    Some(value.await)
}

/// The value of a field that can fail alone and can also be absent without an error.
pub async fn perhaps<T>(value: impl Future<Output = async_graphql::Result<Option<T>>>) -> Nullable<T> {
    value.await.transpose()
}

/// Converts a failure that the caller can correct into the user errors of the payload: one for each
/// rejected value.
///
/// # Errors
/// Returns the top-level error with its code for everything except `Invalid`, `NotFound`, `NoSuch`,
/// `Conflict` and `LimitReached`.
pub fn expected(mut error: Error) -> Result<Vec<UserError>, async_graphql::Error> {
    let others = match &mut error {
        Error::Invalid(invalid) => std::mem::take(&mut invalid.others),
        Error::NotFound(_) | Error::NoSuch { .. } | Error::Conflict(_) | Error::LimitReached(_) => Vec::new(),
        _ => return Err(top_level(error)),
    };
    Ok(std::iter::once(error).chain(others.into_iter().map(Error::Invalid)).map(|error| user_error(&error)).collect())
}

fn user_error(error: &Error) -> UserError {
    let ApiError { code, message, field, .. } = ApiError::from(error);
    let field = field.map(|field| std::iter::once("input").chain(field.split('.')).map(str::to_owned).collect());
    UserError { field, message, code }
}

/// The error that ends an operation or makes a field null, with its code. It carries the cause for
/// the log.
pub fn top_level(error: Error) -> async_graphql::Error {
    let failure = ApiError::from(&error);
    let extensions = Some(failure.extensions());
    async_graphql::Error { extensions, ..async_graphql::Error::new_with_source(error) }
}

/// The stage in which an operation failed. It decides the code of errors that have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The document, the variables or the operation name were rejected.
    Request,
    /// The operation was executed.
    Execution,
}

/// Gives every error of a response its code, hides private texts, and logs causes with the request
/// ID.
pub(crate) fn finish(errors: &mut [ServerError], stage: Stage, request_id: &str) {
    for error in errors {
        // All keys of a loader's batch share one failure.
        let shared = || error.source::<Arc<Error>>().map(Arc::as_ref);
        let failure = match (error.source::<Error>().or_else(shared), &error.source) {
            (Some(known), _) => {
                log(known, request_id);
                ApiError::from(known)
            }
            _ if has_code(error) => continue,
            (None, Some(_)) => {
                tracing::error!(request_id, error = %error.message, path = ?error.path, "a resolver failed unexpectedly");
                ApiError::internal()
            }
            (None, None) => ApiError::new(code_of_library_error(stage, &error.message), shortened(&error.message)),
        };
        error.extensions = Some(failure.extensions());
        error.message = failure.message;
        error.source = None;
    }
}

/// Logs the cause of a failure, which clients do not see.
pub(crate) fn log(error: &Error, request_id: &str) {
    match error {
        Error::Internal(_) => tracing::error!(request_id, error = error.detail(), "an operation failed"),
        Error::Unavailable { cause, .. } => tracing::warn!(request_id, cause, "an operation could not be served"),
        _ => {}
    }
}

fn has_code(error: &ServerError) -> bool {
    error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some())
}

/// The code of an error of async-graphql, which has none.
fn code_of_library_error(stage: Stage, message: &str) -> ErrorCode {
    const LIMITS: [&str; 4] = [
        "Query is too complex.",
        "Query is nested too deep.",
        "The recursion depth of the query",
        "The number of directives on the field",
    ];
    match stage {
        Stage::Request if LIMITS.iter().any(|limit| message.starts_with(limit)) => ErrorCode::ComplexityLimit,
        Stage::Request => ErrorCode::GraphqlValidationFailed,
        Stage::Execution => ErrorCode::BadUserInput,
    }
}

/// Shortens messages of the parser, because they quote the source line in full length.
pub(crate) fn shortened(message: &str) -> String {
    const MAX_CHARS: usize = 300;
    if message.chars().count() <= MAX_CHARS {
        return message.to_owned();
    }
    message.chars().take(MAX_CHARS).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use async_graphql::resolver_utils::EnumType;
    use helpbot_services::Error;

    use super::*;

    #[test]
    fn each_code_is_spelled_as_the_schema_spells_it() {
        for item in ErrorCode::items() {
            assert_eq!(item.name, item.value.as_str());
            assert_eq!(ErrorCode::from_code(item.name), Some(item.value));
        }
    }

    #[test]
    fn an_error_that_the_caller_can_correct_is_a_user_error() {
        let refused = expected(Error::LimitReached("A site has at most 5 webhooks".into())).unwrap();

        assert_eq!(refused.len(), 1);
        assert_eq!((refused[0].code, &refused[0].field), (ErrorCode::LimitReached, &None));
        assert!(expected(Error::Forbidden("no".into())).is_err());
    }

    #[test]
    fn causes_are_hidden_and_waits_are_rounded_up_to_seconds() {
        let internal = async_graphql::Error::from(Error::internal("password is hunter2"));
        let busy = Error::Unavailable { retry_after: Duration::from_millis(1_200), cause: "pool".into() };
        let unknown = async_graphql::Error::from("secret detail");
        let mut errors: Vec<ServerError> = [internal, top_level(busy), unknown]
            .into_iter()
            .map(|error| error.into_server_error(Default::default()))
            .collect();

        finish(&mut errors, Stage::Execution, "req");

        let failures: Vec<_> = errors.iter().map(ApiError::from_server_error).collect();
        assert_eq!(failures[0], ApiError::internal());
        assert_eq!(failures[1].retry_after, Some(Duration::from_secs(2)));
        assert_eq!(failures[2].message, "Internal server error");
    }
}
