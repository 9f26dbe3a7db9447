//! How a refusal looks from outside: one closed list of codes, the one table from
//! `services::Error` to it, and the split between expected failures (`userErrors` of a payload)
//! and those that stand at the top of a response.
//!
//! Resolvers may use `?` on a `services::Error`: [`finish`] finds it in the response and gives it
//! its code. The text of a cause never leaves the process; it is logged here, once.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Enum, ErrorExtensionValues, ServerError, SimpleObject, Value};
use helpbot_services::Error;

use crate::limits::Standing;

/// Why something was refused. The same codes stand in `userErrors` and in `extensions.code` of
/// top-level errors.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// No key, or one that does not open (any more).
    Unauthenticated,
    /// The key may not do this.
    Forbidden,
    /// The plan of the site does not include this.
    PlanRequired,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// A value breaks a rule; `field` says which.
    BadUserInput,
    /// It cannot be done in the present state.
    Conflict,
    /// The credits of the month are used up; `retryAfter` says when the next month begins.
    CreditsExhausted,
    /// Too many requests; `retryAfter` says when the next one is taken.
    RateLimited,
    /// There are as many as there may be.
    LimitReached,
    /// The cursor points before the oldest event that is kept.
    CursorExpired,
    /// The document asks for more than one request may.
    ComplexityLimit,
    /// The document is not GraphQL.
    GraphqlParseFailed,
    /// The document does not fit the schema, or its variables do not fit the document.
    GraphqlValidationFailed,
    /// There is no trusted document with this id.
    PersistedQueryNotFound,
    /// The idempotency key was used before, with another input.
    IdempotencyMismatch,
    /// Not now; `retryAfter` says when to try again.
    Unavailable,
    /// A fault of the server; the request id leads to its log.
    Internal,
}

impl ErrorCode {
    /// The code as it stands in `extensions.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorCode::Unauthenticated => "UNAUTHENTICATED",
            ErrorCode::Forbidden => "FORBIDDEN",
            ErrorCode::PlanRequired => "PLAN_REQUIRED",
            ErrorCode::NotFound => "NOT_FOUND",
            ErrorCode::BadUserInput => "BAD_USER_INPUT",
            ErrorCode::Conflict => "CONFLICT",
            ErrorCode::CreditsExhausted => "CREDITS_EXHAUSTED",
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

    /// The code that `text` spells; none for a text that is none of the codes.
    pub fn from_code(text: &str) -> Option<Self> {
        <Self as async_graphql::resolver_utils::EnumType>::items()
            .iter()
            .map(|item| item.value)
            .find(|code| code.as_str() == text)
    }
}

/// Something that a mutation refused and the caller can put right.
#[derive(SimpleObject, Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    /// The path of the argument that was refused, from `input` on; null when it is none in particular.
    pub field: Option<Vec<String>>,
    /// One sentence for the person who sent it.
    pub message: String,
    /// The kind of refusal.
    pub code: ErrorCode,
}

/// A refusal outside GraphQL's own shapes: what [`Gateway::run`](crate::gateway::Gateway::run)
/// and the transports fail with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The kind.
    pub code: ErrorCode,
    /// Made for outside.
    pub message: String,
    /// The input field that is at fault, as callers spell it.
    pub field: Option<String>,
    /// When to try again, where waiting helps.
    pub retry_after: Option<Duration>,
    /// The rate that was gone past, where that is why.
    pub standing: Option<Standing>,
}

impl Failure {
    /// A refusal that concerns no field and that waiting does not help.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, retry_after: None, standing: None }
    }

    /// The same, to be tried again after `wait`.
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// The top-level error that says the same.
    pub fn into_server_error(self) -> ServerError {
        let mut error = ServerError::new(self.message.clone(), None);
        error.extensions = Some(self.extensions());
        error
    }

    /// A top-level error, read back.
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
            standing: None,
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

/// `wait` in whole seconds, rounded up and at least one: nobody is asked to come back too early.
pub fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// The one table from kinds to codes.
impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let (code, retry_after) = match error {
            Error::Unauthenticated(_) => (ErrorCode::Unauthenticated, None),
            Error::Forbidden(_) => (ErrorCode::Forbidden, None),
            Error::PlanRequired { .. } => (ErrorCode::PlanRequired, None),
            Error::NotFound(_) => (ErrorCode::NotFound, None),
            Error::Invalid(_) => (ErrorCode::BadUserInput, None),
            Error::Conflict(_) => (ErrorCode::Conflict, None),
            Error::IdempotencyMismatch => (ErrorCode::IdempotencyMismatch, None),
            Error::LimitReached(_) => (ErrorCode::LimitReached, None),
            Error::CreditsExhausted { retry_after } => (ErrorCode::CreditsExhausted, Some(*retry_after)),
            Error::RateLimited { retry_after } => (ErrorCode::RateLimited, Some(*retry_after)),
            Error::CursorExpired => (ErrorCode::CursorExpired, None),
            Error::Unavailable { retry_after, .. } => (ErrorCode::Unavailable, Some(*retry_after)),
            Error::Internal(_) => (ErrorCode::Internal, None),
        };
        let field = match error {
            Error::Invalid(invalid) => Some(invalid.field.to_owned()),
            _ => None,
        };
        Self { code, message: error.to_string(), field, retry_after, standing: None }
    }
}

/// A field that may be missing for reasons of its own: when it fails, it alone is null, and the
/// error names it. (A plain `Result<Option<T>>` would take its whole parent with it.)
pub type Nullable<T> = Option<async_graphql::Result<T>>;

/// The value of such a field.
pub async fn nullable<T>(value: impl Future<Output = async_graphql::Result<T>>) -> Nullable<T> {
    Some(value.await)
}

/// The value of such a field, where it may also be absent without anything having failed.
pub async fn perhaps<T>(value: impl Future<Output = async_graphql::Result<Option<T>>>) -> Nullable<T> {
    value.await.transpose()
}

/// Splits the failures that a caller is to expect and can put right, which belong in the
/// payload's `userErrors`, from those that end the operation.
///
/// # Errors
/// The top-level error, with its code, for everything but `Invalid`, `NotFound`, `Conflict` and
/// `LimitReached`.
pub fn expected(error: Error) -> Result<UserError, async_graphql::Error> {
    match error {
        Error::Invalid(_) | Error::NotFound(_) | Error::Conflict(_) | Error::LimitReached(_) => {
            let Failure { code, message, field, .. } = Failure::from(&error);
            let field =
                field.map(|field| std::iter::once("input").chain(field.split('.')).map(str::to_owned).collect());
            Ok(UserError { field, message, code })
        }
        other => Err(top_level(other)),
    }
}

/// The error that ends an operation (or nulls a field), with its code. The cause goes along
/// inside the process, for the log.
pub fn top_level(error: Error) -> async_graphql::Error {
    let failure = Failure::from(&error);
    let extensions = Some(failure.extensions());
    async_graphql::Error { extensions, ..async_graphql::Error::new_with_source(error) }
}

/// How far an operation came before it failed; decides the code of errors that bear none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The document, its variables or the choice of the operation were refused.
    Request,
    /// It was executed.
    Execution,
}

/// Gives every error of a response its code, masks what is not made for outside, and logs causes
/// with the request id.
pub(crate) fn finish(errors: &mut [ServerError], stage: Stage, request_id: &str) {
    for error in errors {
        // Loaders share one failure among the keys of a batch.
        let shared = || error.source::<Arc<Error>>().map(Arc::as_ref);
        let failure = match (error.source::<Error>().or_else(shared), &error.source) {
            (Some(known), _) => {
                log(known, request_id);
                Failure::from(known)
            }
            _ if has_code(error) => continue,
            (None, Some(_)) => {
                tracing::error!(request_id, error = %error.message, path = ?error.path, "a resolver failed unexpectedly");
                Failure::new(ErrorCode::Internal, "Internal server error")
            }
            (None, None) => Failure::new(code_of_library_error(stage, &error.message), shortened(&error.message)),
        };
        error.extensions = Some(failure.extensions());
        error.message = failure.message;
        error.source = None;
    }
}

/// Logs what callers are not told.
pub(crate) fn log(error: &Error, request_id: &str) {
    match error {
        Error::Internal(cause) => tracing::error!(request_id, error = cause.as_ref(), "an operation failed"),
        Error::Unavailable { cause, .. } => tracing::warn!(request_id, cause, "an operation could not be served"),
        _ => {}
    }
}

fn has_code(error: &ServerError) -> bool {
    error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some())
}

/// The code of an error that async-graphql itself made: it gives none.
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

/// Messages of the parser quote the source line, however long it is.
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
    fn what_the_caller_can_put_right_is_a_user_error() {
        let refused = expected(Error::LimitReached("A site has at most 5 webhooks".into())).unwrap();

        assert_eq!(refused.code, ErrorCode::LimitReached);
        assert_eq!(refused.field, None);
        assert!(expected(Error::Forbidden("no".into())).is_err());
    }

    #[test]
    fn a_cause_is_masked_and_a_wait_is_told_in_whole_seconds() {
        let internal = async_graphql::Error::from(Error::internal("password is hunter2"));
        let busy = Error::Unavailable { retry_after: Duration::from_millis(1_200), cause: "pool".into() };
        let foreign = async_graphql::Error::from("secret detail");
        let mut errors: Vec<ServerError> = [internal, top_level(busy), foreign]
            .into_iter()
            .map(|error| error.into_server_error(Default::default()))
            .collect();

        finish(&mut errors, Stage::Execution, "req");

        let told: Vec<_> = errors.iter().map(Failure::from_server_error).collect();
        assert_eq!(told[0], Failure::new(ErrorCode::Internal, "Internal server error"));
        assert_eq!(told[1].retry_after, Some(Duration::from_secs(2)));
        assert_eq!(told[2].message, "Internal server error");
    }
}
