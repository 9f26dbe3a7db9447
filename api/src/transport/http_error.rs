//! A request that is answered without being executed: its status, and well-formed GraphQL errors.

use std::time::Duration;

use async_graphql::ServerError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::accept::Media;
use super::response_headers;
use crate::error::{ApiError, ErrorCode, whole_seconds};
use crate::gateway::result::ExecutionResult;
use crate::limits::allowance::RateAllowance;

/// An error response.
#[derive(Debug)]
pub(super) struct HttpError {
    status: StatusCode,
    errors: Vec<ServerError>,
    allow: Option<&'static str>,
    retry_after: Option<Duration>,
    allowance: Option<RateAllowance>,
}

impl HttpError {
    /// An error in the HTTP request itself: 400, 404, 405, 406, 408, 413, 415.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let error = ApiError::new(ErrorCode::BadUserInput, message);
        Self { status, errors: vec![error.into_server_error()], allow: None, retry_after: None, allowance: None }
    }

    /// The request does not have the form of a GraphQL request.
    pub fn malformed(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The method is not allowed. `allow` lists the allowed ones.
    pub fn method_not_allowed(allow: &'static str, message: &str) -> Self {
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, message) }
    }

    /// GraphQL rejected the request. With the older media type, this is a response with status 200.
    pub fn rejected(error: ServerError, media: Media) -> Self {
        let ApiError { code, retry_after, .. } = ApiError::from_server_error(&error);
        let status = match (code, media) {
            (ErrorCode::PersistedQueryNotFound, _) => StatusCode::BAD_REQUEST,
            (ErrorCode::Forbidden, _) => StatusCode::FORBIDDEN,
            (ErrorCode::RateLimited, _) => StatusCode::TOO_MANY_REQUESTS,
            (ErrorCode::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
            (ErrorCode::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
            (_, Media::GraphqlResponse) => StatusCode::BAD_REQUEST,
            (_, Media::Json) => StatusCode::OK,
        };
        Self { status, errors: vec![error], allow: None, retry_after, allowance: None }
    }

    /// GraphQL rejected the request with several errors. The first one decides the status.
    pub fn all_rejected(errors: Vec<ServerError>, media: Media) -> Self {
        let internal = || ApiError::internal().into_server_error();
        let first = errors.first().cloned().unwrap_or_else(internal);
        let errors = if errors.is_empty() { vec![first.clone()] } else { errors };
        Self { errors, ..Self::rejected(first, media) }
    }

    /// Writes the response.
    pub fn into_response(self, media: Media) -> Response {
        let mut response = (self.status, ExecutionResult::rejected(self.errors).json()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, media.content_type());
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, whole_seconds(wait).into());
        }
        response_headers::write_allowance(headers, self.allowance);
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A caller that is not admitted.
impl From<ApiError> for HttpError {
    fn from(error: ApiError) -> Self {
        let status = match error.code {
            ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorCode::Forbidden => StatusCode::FORBIDDEN,
            ErrorCode::RateLimited | ErrorCode::LimitReached => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        let (retry_after, allowance) = (error.retry_after, error.allowance);
        Self { status, errors: vec![error.into_server_error()], allow: None, retry_after, allowance }
    }
}
