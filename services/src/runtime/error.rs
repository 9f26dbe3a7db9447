//! How a use case can fail: a closed list, free of any transport. `api/src/error.rs` maps it to
//! codes and `rest-compat/src/error.rs` maps those to statuses; nothing else does.

use std::time::Duration;

use helpbot_domain::Invalid;
use helpbot_domain::plan::Plan;

/// Why a use case did not do what was asked. The text of each is made for the caller, except
/// that of `Internal`, which is only logged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No key, or one that does not open (any more).
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The key may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// The site's plan does not include this.
    #[error("This requires the {} plan", plan.title())]
    PlanRequired {
        /// The lowest plan that does.
        plan: Plan,
    },
    /// There is no such thing, or the caller may not know of it.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// It cannot be done in the present state.
    #[error("{0}")]
    Conflict(String),
    /// A request was named as one before it, and asks for something else.
    #[error("This idempotency key was used for another request")]
    IdempotencyMismatch,
    /// There are as many as there may be.
    #[error("{0}")]
    LimitReached(String),
    /// The month's credits are used up.
    #[error("Monthly credit limit reached")]
    CreditsExhausted {
        /// Until the next month begins.
        retry_after: Duration,
    },
    /// Too many requests.
    #[error("Too many requests")]
    RateLimited {
        /// Until the next one is taken.
        retry_after: Duration,
    },
    /// A cursor points before the oldest event that is kept.
    #[error("The cursor has expired; read the current state and subscribe without one")]
    CursorExpired,
    /// Not now: the database is down or too busy.
    #[error("The service is temporarily unavailable")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
        /// For the log.
        cause: String,
    },
    /// A fault of ours.
    #[error("Internal server error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// When callers are asked to come back while the database is down or too busy.
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
    /// A fault of ours, from its cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Internal(cause.into())
    }
}
