//! A request that is answered without being executed: which status, and well-formed GraphQL
//! errors all the same.

use std::time::Duration;

use async_graphql::ServerError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::accept::Media;
use super::http;
use crate::error::{ErrorCode, Failure, whole_seconds};
use crate::gateway::payload;
use crate::limits::Standing;

/// A refusal on its way out.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    errors: Vec<ServerError>,
    allow: Option<&'static str>,
    retry_after: Option<Duration>,
    standing: Option<Standing>,
}

impl Problem {
    /// A refusal of the HTTP request itself: 400, 405, 406, 413, 415.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let failure = Failure::new(ErrorCode::BadUserInput, message);
        Self { status, errors: vec![failure.into_server_error()], allow: None, retry_after: None, standing: None }
    }

    /// The request does not have the shape of a GraphQL request.
    pub(super) fn malformed(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Another method is wanted.
    pub(super) fn method_not_allowed(allow: &'static str, message: &str) -> Self {
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, message) }
    }

    /// A request that GraphQL refuses: with the older media type that is a response like any
    /// other.
    pub(super) fn refused(error: ServerError, media: Media) -> Self {
        let failure = Failure::from_server_error(&error);
        let status = match (failure.code, media) {
            (ErrorCode::PersistedQueryNotFound, _) => StatusCode::BAD_REQUEST,
            (ErrorCode::Forbidden, _) => StatusCode::FORBIDDEN,
            (ErrorCode::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
            (ErrorCode::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
            (_, Media::GraphqlResponse) => StatusCode::BAD_REQUEST,
            (_, Media::Json) => StatusCode::OK,
        };
        Self { status, errors: vec![error], allow: None, retry_after: failure.retry_after, standing: None }
    }

    /// The same, of several errors.
    pub(super) fn all_refused(errors: Vec<ServerError>, media: Media) -> Self {
        match errors.first() {
            Some(first) => Self { errors: errors.clone(), ..Self::refused(first.clone(), media) },
            None => {
                Self::refused(Failure::new(ErrorCode::Internal, "Internal server error").into_server_error(), media)
            }
        }
    }

    /// The answer.
    pub(super) fn into_response(self, media: Media) -> Response {
        let mut response = (self.status, payload::errors_json(self.errors)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, media.content_type());
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, whole_seconds(wait).into());
        }
        http::tell_standing(headers, self.standing);
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A caller that is not let in.
impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let status = match failure.code {
            ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorCode::Forbidden => StatusCode::FORBIDDEN,
            ErrorCode::RateLimited | ErrorCode::LimitReached => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        let (retry_after, standing) = (failure.retry_after, failure.standing);
        Self { status, errors: vec![failure.into_server_error()], allow: None, retry_after, standing }
    }
}
