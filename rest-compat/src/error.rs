//! The only table from the error codes of GraphQL to the statuses of the REST contract, and the JSON of
//! every error: `{"error": "<sentence>", "code": "<CODE>"}`.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use helpbot_api::error::whole_seconds;
use helpbot_api::limits::allowance::RateAllowance;
use helpbot_api::transport::response_headers::{RATE_REMAINING, write_allowance};
use helpbot_api::{ApiError, ErrorCode};
use serde::Serialize;
use utoipa::ToSchema;

/// Number of questions that the site may still ask in this month.
pub(crate) const CREDITS_REMAINING: HeaderName = HeaderName::from_static("x-credits-remaining");

/// An error response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RestError {
    status: StatusCode,
    code: &'static str,
    message: String,
    field: Option<String>,
    retry_after: Option<Duration>,
    allowance: Option<RateAllowance>,
}

/// The body of every response whose status is not 2xx.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorBody {
    /// A sentence that describes the error to a person.
    #[schema(examples("Invalid API key"))]
    pub error: String,
    /// A code that identifies the kind of error to a program. New codes may be added.
    #[schema(examples("UNAUTHENTICATED"))]
    pub code: String,
    /// Details of the error. Some responses with status 400 contain them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub details: Option<ErrorDetails>,
}

/// Details of an error that a request caused.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorDetails {
    /// The field that contains the invalid value.
    #[schema(examples("question"))]
    pub field: String,
}

/// The only text that a response with status 500 contains.
const INTERNAL: &str = "Internal server error";

/// The status of each code.
fn status(code: ErrorCode) -> StatusCode {
    match code {
        // The contract has no 403 for the routes of a visitor.
        ErrorCode::Unauthenticated | ErrorCode::VisitorBlocked => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::PlanRequired | ErrorCode::LimitReached => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        // The contract has no 409 for a conflict with the current state. Syncing a file, for example, is
        // a 400.
        ErrorCode::BadUserInput | ErrorCode::Conflict | ErrorCode::CursorExpired => StatusCode::BAD_REQUEST,
        ErrorCode::IdempotencyMismatch => StatusCode::CONFLICT,
        ErrorCode::CreditsExhausted | ErrorCode::CreditCapReached | ErrorCode::RateLimited => {
            StatusCode::TOO_MANY_REQUESTS
        }
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        // The operations are ours. When one is too complex or does not match the schema, this is not the
        // caller's mistake.
        ErrorCode::ComplexityLimit
        | ErrorCode::GraphqlParseFailed
        | ErrorCode::GraphqlValidationFailed
        | ErrorCode::PersistedQueryNotFound
        | ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<ApiError> for RestError {
    fn from(error: ApiError) -> Self {
        let status = status(error.code);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            if error.code != ErrorCode::Internal {
                tracing::error!(code = ?error.code, cause = error.message, "a stored operation was rejected");
            }
            return Self::internal();
        }
        let ApiError { code, message, field, retry_after, allowance } = error;
        Self { status, code: name(code), message, field, retry_after, allowance }
    }
}

/// The code in a response. The contract knows two codes for 429, and `CREDITS_EXHAUSTED` lasts until the end
/// of the month.
fn name(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::CreditCapReached => ErrorCode::RateLimited.as_str(),
        code => code.as_str(),
    }
}

impl RestError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None, retry_after: None, allowance: None }
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message)
    }

    /// 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", message)
    }

    /// 404 for an object.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    /// 404 for a path without a route.
    pub fn no_such_path() -> Self {
        Self::not_found("No route exists for this path")
    }

    /// 405; axum adds the `Allow` header.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "This route does not support this method")
    }

    /// 413.
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", "The body must not be larger than 64 KiB")
    }

    /// 500. The cause was logged.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", INTERNAL)
    }

    /// The header that reports 0 for the allowance that is used up.
    fn used_up(&self) -> Option<HeaderName> {
        match ErrorCode::from_code(self.code)? {
            ErrorCode::CreditsExhausted => Some(CREDITS_REMAINING),
            ErrorCode::RateLimited => Some(RATE_REMAINING),
            _ => None,
        }
    }
}

impl IntoResponse for RestError {
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
            response.headers_mut().insert(header::RETRY_AFTER, whole_seconds(wait).into());
        }
        write_allowance(response.headers_mut(), self.allowance);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: ErrorCode) -> ApiError {
        ApiError::new(code, "the message of the service")
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
            (ErrorCode::CreditCapReached, 429, "RATE_LIMITED"),
            (ErrorCode::VisitorBlocked, 401, "VISITOR_BLOCKED"),
            (ErrorCode::Unavailable, 503, "UNAVAILABLE"),
            (ErrorCode::ComplexityLimit, 500, "INTERNAL"),
            (ErrorCode::GraphqlParseFailed, 500, "INTERNAL"),
            (ErrorCode::GraphqlValidationFailed, 500, "INTERNAL"),
            (ErrorCode::PersistedQueryNotFound, 500, "INTERNAL"),
            (ErrorCode::Internal, 500, "INTERNAL"),
        ];

        for (code, status, name) in statuses {
            let error = RestError::from(error(code));
            assert_eq!((error.status.as_u16(), error.code), (status, name), "{code:?}");
        }
    }

    #[test]
    fn an_internal_error_does_not_reveal_its_cause() {
        let error = RestError::from(error(ErrorCode::GraphqlValidationFailed));

        assert_eq!(error.message, "Internal server error");
    }

    #[test]
    fn retry_after_is_rounded_up_to_whole_seconds() {
        let wait = |ms| ApiError { retry_after: Some(Duration::from_millis(ms)), ..error(ErrorCode::RateLimited) };

        for (ms, seconds) in [(1, "1"), (1_000, "1"), (1_001, "2"), (0, "1")] {
            let response = RestError::from(wait(ms)).into_response();
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds, "{ms} ms");
        }
    }
}
