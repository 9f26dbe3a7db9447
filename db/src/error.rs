//! Errors of queries and of the values that they return.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failure of the database or of its content. A missing row is not an error: finders return
/// `Option`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached at the moment: it is down, shutting down, or has no free
    /// connection.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The queue of writes is full. The caller may retry in a moment.
    #[error("too many writes are waiting")]
    Overloaded,
    /// A row with this key already exists.
    #[error("the row conflicts with {constraint}")]
    Conflict {
        /// Name of the violated constraint in the database.
        constraint: String,
    },
    /// A statement failed. The text contains the cause, because log formats do not agree on whether
    /// they print sources.
    #[error("the query failed: {0}")]
    Query(DieselError),
    /// A stored value is not one that this program writes.
    #[error("the stored {what} cannot be parsed: {value}")]
    Corrupt {
        /// Expected type of the value.
        what: &'static str,
        /// Beginning of the value.
        value: String,
    },
    /// The tables of the database are not those that this program requires.
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
            // A row that reads its own values reports what is wrong with them.
            DieselError::DeserializationError(cause) => match cause.downcast::<Error>() {
                Ok(corrupt) => *corrupt,
                Err(cause) => Error::Query(DieselError::DeserializationError(cause)),
            },
            other => Error::Query(other),
        }
    }
}

/// Returns whether PostgreSQL rejected or closed the connection, or canceled the statement, for a
/// reason that passes. The driver has no error kind for these messages.
fn is_shutdown(message: &str) -> bool {
    [
        "the database system is",
        "terminating connection",
        "due to statement timeout",
        "due to lock timeout",
        "deadlock detected",
        "too many clients",
        "remaining connection slots",
        "read-only transaction",
        "connection closed",
        "error communicating",
        "database is locked",
    ]
    .iter()
    .any(|part| message.contains(part))
}
