//! The one table from a code of the GraphQL contract to a status of the REST contract, and the
//! JSON in which every refusal is told: `{"error": "<sentence>", "code": "<CODE>"}`.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use helpbot_api::{ErrorCode, Failure};
use serde::Serialize;
use utoipa::ToSchema;

use crate::respond;

/// A request that is not answered with what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    field: Option<String>,
    retry_after: Option<Duration>,
}

/// The body of every answer that is not 2xx.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorBody {
    /// A sentence for a person.
    #[schema(examples("Invalid API key"))]
    pub error: String,
    /// A word for a program; more may be added.
    #[schema(examples("UNAUTHENTICATED"))]
    pub code: String,
    /// What was wrong, with some answers of status 400.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub details: Option<ErrorDetails>,
}

/// What was wrong in a request.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorDetails {
    /// The field with the refused value.
    #[schema(examples("question"))]
    pub field: String,
}

/// What 500 says, and nothing else.
const INTERNAL: &str = "Internal server error";

/// The status of each code.
fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::PlanRequired | ErrorCode::LimitReached => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        // The contract knows no 409 for a state: re-scraping a file is its example of a 400.
        ErrorCode::BadUserInput | ErrorCode::Conflict | ErrorCode::CursorExpired => StatusCode::BAD_REQUEST,
        ErrorCode::IdempotencyMismatch => StatusCode::CONFLICT,
        ErrorCode::CreditsExhausted | ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        // The operations are ours: when one is too complex or does not fit the schema, the
        // caller has not done anything wrong.
        ErrorCode::ComplexityLimit
        | ErrorCode::GraphqlParseFailed
        | ErrorCode::GraphqlValidationFailed
        | ErrorCode::PersistedQueryNotFound
        | ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let status = status(failure.code);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            if failure.code != ErrorCode::Internal {
                tracing::error!(code = ?failure.code, cause = failure.message, "a stored operation was refused");
            }
            return Self::internal();
        }
        let Failure { code, message, field, retry_after, standing: _ } = failure;
        Self { status, code: code.as_str(), message, field, retry_after }
    }
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None, retry_after: None }
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message)
    }

    /// 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", message)
    }

    /// 404 for a thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    /// 404 for a path that no route has.
    pub fn no_such_path() -> Self {
        Self::not_found("There is nothing at this path")
    }

    /// 405; axum adds the `Allow` header.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "This method is not allowed here")
    }

    /// 413.
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", "The body may have at most 64 KiB")
    }

    /// 500; the cause has been logged.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", INTERNAL)
    }

    /// The header that says how much is left of what is used up.
    fn used_up(&self) -> Option<HeaderName> {
        match ErrorCode::from_code(self.code)? {
            ErrorCode::CreditsExhausted => Some(respond::CREDITS_REMAINING),
            ErrorCode::RateLimited => Some(respond::RATE_REMAINING),
            _ => None,
        }
    }

    /// Whether a value was refused or led nowhere, rather than the caller or the moment.
    pub fn is_about_values(&self) -> bool {
        matches!(self.status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let used_up = self.used_up();
        let details = match self.status {
            StatusCode::BAD_REQUEST => self.field.map(|field| ErrorDetails { field }),
            _ => None,
        };
        let body = ErrorBody { error: self.message, code: self.code.to_owned(), details };
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(remaining) = used_up {
            response.headers_mut().insert(remaining, HeaderValue::from(0));
        }
        if let Some(wait) = self.retry_after {
            // Rounded up: who comes back after the announced time must not be early.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: ErrorCode) -> Failure {
        Failure::new(code, "what the service said")
    }

    #[test]
    fn each_code_has_the_status_that_the_contract_gives_it() {
        let statuses = [
            (ErrorCode::Unauthenticated, 401, "UNAUTHENTICATED"),
            (ErrorCode::Forbidden, 403, "FORBIDDEN"),
            (ErrorCode::PlanRequired, 403, "PLAN_REQUIRED"),
            (ErrorCode::LimitReached, 403, "LIMIT_REACHED"),
            (ErrorCode::NotFound, 404, "NOT_FOUND"),
            (ErrorCode::BadUserInput, 400, "BAD_USER_INPUT"),
            (ErrorCode::Conflict, 400, "CONFLICT"),
            (ErrorCode::CursorExpired, 400, "CURSOR_EXPIRED"),
            (ErrorCode::IdempotencyMismatch, 409, "IDEMPOTENCY_MISMATCH"),
            (ErrorCode::CreditsExhausted, 429, "CREDITS_EXHAUSTED"),
            (ErrorCode::RateLimited, 429, "RATE_LIMITED"),
            (ErrorCode::Unavailable, 503, "UNAVAILABLE"),
            (ErrorCode::ComplexityLimit, 500, "INTERNAL"),
            (ErrorCode::GraphqlParseFailed, 500, "INTERNAL"),
            (ErrorCode::GraphqlValidationFailed, 500, "INTERNAL"),
            (ErrorCode::PersistedQueryNotFound, 500, "INTERNAL"),
            (ErrorCode::Internal, 500, "INTERNAL"),
        ];

        for (code, status, name) in statuses {
            let refusal = Refusal::from(failure(code));
            assert_eq!((refusal.status.as_u16(), refusal.code), (status, name), "{code:?}");
        }
    }

    #[test]
    fn a_fault_of_ours_says_nothing_about_its_cause() {
        let refusal = Refusal::from(failure(ErrorCode::GraphqlValidationFailed));

        assert_eq!(refusal.message, "Internal server error");
    }

    #[test]
    fn retry_after_is_rounded_up_to_whole_seconds() {
        let wait = |ms| Failure { retry_after: Some(Duration::from_millis(ms)), ..failure(ErrorCode::RateLimited) };

        for (ms, seconds) in [(1, "1"), (1_000, "1"), (1_001, "2"), (0, "1")] {
            let response = Refusal::from(wait(ms)).into_response();
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds, "{ms} ms");
        }
    }
}
