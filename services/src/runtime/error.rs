//! The ways in which a use case can fail: a closed list, independent of any transport.
//! `api/src/error.rs` maps it to codes, and `rest-compat/src/error.rs` maps those codes to
//! statuses. Nothing else maps errors.

use std::time::Duration;

use helpbot_domain::Invalid;
use helpbot_domain::plan::Plan;

/// Why a use case failed. The text of each variant is written for the caller, except for
/// `Internal`, whose cause is only logged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key or token is missing or invalid.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The viewer lacks a scope.
    #[error("{0}")]
    Forbidden(String),
    /// The site's plan does not include the feature.
    #[error("This requires the {} plan.", plan.title())]
    PlanRequired {
        /// The lowest plan that includes the feature.
        plan: Plan,
    },
    /// The object does not exist, or the viewer may not know of it.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The object that one of several IDs of the input names does not exist, or the viewer may not know of it.
    #[error("{noun} not found")]
    NoSuch {
        /// What does not exist, for example `Member`.
        noun: &'static str,
        /// The field of the input that names it.
        field: &'static str,
    },
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The current state does not allow the operation.
    #[error("{0}")]
    Conflict(String),
    /// The idempotency key was used for a different request.
    #[error("This idempotency key was already used for a different request. Use a new key.")]
    IdempotencyMismatch,
    /// The maximum number of objects is reached.
    #[error("{0}")]
    LimitReached(String),
    /// The credits of the month are used up.
    #[error("Monthly credit limit reached")]
    CreditsExhausted {
        /// Time until the next month begins.
        retry_after: Duration,
    },
    /// The credits that the owner allows for a day, or for a client address in a day, are used up.
    #[error("{}", if *.of_address {
        "Visitors from your network address have asked as many questions today as the site allows. Try again tomorrow."
    } else {
        "Visitors have asked as many questions today as the site allows. Try again tomorrow."
    })]
    CapReached {
        /// Whether the cap is that of a client address.
        of_address: bool,
        /// Time until the next day (UTC) begins.
        retry_after: Duration,
    },
    /// The team of the site has blocked the visitor.
    #[error("The team of this site has blocked your requests.")]
    VisitorBlocked,
    /// Too many requests.
    #[error("Too many requests. Try again later.")]
    RateLimited {
        /// Time until the next request is accepted.
        retry_after: Duration,
    },
    /// A cursor points before the oldest stored event.
    #[error(
        "The cursor has expired. Read `site {{ eventCursor }}`, query the current state, then subscribe with that \
         cursor."
    )]
    CursorExpired,
    /// The database is down or overloaded.
    #[error("The service is temporarily unavailable. Try again in a moment.")]
    Unavailable {
        /// Time after which to try again.
        retry_after: Duration,
        /// The cause, for the log.
        cause: String,
    },
    /// A fault of the server.
    #[error("Internal server error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Time after which callers are asked to try again while the database is down or overloaded.
const UNAVAILABLE_RETRY: Duration = Duration::from_secs(1);

impl From<helpbot_db::Error> for Error {
    fn from(error: helpbot_db::Error) -> Self {
        match error {
            helpbot_db::Error::Unavailable(_) | helpbot_db::Error::Overloaded => {
                Error::Unavailable { retry_after: UNAVAILABLE_RETRY, cause: error.to_string() }
            }
            other => Error::Internal(Box::new(other)),
        }
    }
}

impl Error {
    /// Wraps the cause of a fault of the server.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Internal(cause.into())
    }

    /// Returns what went wrong, for the log: the cause where the public text hides it, with all causes
    /// of that cause.
    pub fn detail(&self) -> String {
        match self {
            Error::Internal(cause) => with_sources(cause.as_ref()),
            Error::Unavailable { cause, .. } => cause.clone(),
            other => other.to_string(),
        }
    }
}

/// The text of an error and of all its sources, from the outermost to the innermost.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the upload failed")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_detail_of_an_internal_error_names_every_cause() {
        let failed = Error::internal(Outer(std::io::Error::other("no space left on device")));

        assert_eq!(failed.detail(), "the upload failed: no space left on device");
        assert_eq!(failed.to_string(), "Internal server error");
    }
}
