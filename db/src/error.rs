//! What can go wrong between a query and its rows.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failure of the database or of what it holds. "No such row" is none: finders give `Option`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, or not now: down, no free connection, shutting down.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// More writes wait than the queue holds; try again in a moment.
    #[error("too many writes are waiting")]
    Overloaded,
    /// A row with that key exists already.
    #[error("conflict on {constraint}")]
    Conflict {
        /// The constraint as the database names it.
        constraint: String,
    },
    /// The statement failed.
    #[error("query failed")]
    Query(#[source] DieselError),
    /// A stored value is not what this program writes.
    #[error("stored {what} cannot be read: {value}")]
    Corrupt {
        /// What it should have been.
        what: &'static str,
        /// The beginning of the value.
        value: String,
    },
    /// The database's tables are not what this program needs.
    #[error("{0}")]
    Schema(String),
}

/// The result of a query.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                let constraint = info.constraint_name().unwrap_or_else(|| info.message()).to_owned();
                Error::Conflict { constraint }
            }
            DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                info,
            ) => Error::Unavailable(info.message().to_owned()),
            DieselError::DatabaseError(_, ref info) if is_shutdown(info.message()) => {
                Error::Unavailable(info.message().to_owned())
            }
            other => Error::Query(other),
        }
    }
}

/// Messages with which PostgreSQL refuses or ends connections while it starts or stops; the
/// driver gives them no kind of their own.
fn is_shutdown(message: &str) -> bool {
    [
        "the database system is",
        "terminating connection",
        "connection closed",
        "error communicating",
        "database is locked",
    ]
    .iter()
    .any(|part| message.contains(part))
}
