//! Why the guard rejects a document or the choice of its operation.

use async_graphql::parser;
use async_graphql::{Pos, ServerError};

use crate::error::{ApiError, ErrorCode, shortened};

/// A reason not to execute a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentRejection {
    /// The document exceeds a limit.
    #[error("The document contains more than {limit} {what}")]
    TooMany {
        /// What there is too much of, in the plural.
        what: &'static str,
        /// The maximum number.
        limit: usize,
    },
    /// The text is not GraphQL.
    #[error("{message}")]
    Syntax {
        /// The parser's message, shortened.
        message: String,
        /// Positions of the error in the text.
        positions: Vec<Pos>,
    },
    /// A fragment spreads itself, directly or through other fragments.
    #[error("Fragment \"{0}\" spreads itself")]
    Cycle(String),
    /// The request names an operation that the document does not contain.
    #[error("The document does not contain an operation named \"{0}\"")]
    UnknownOperation(String),
    /// The document contains several operations and the request names none.
    #[error("The document contains several operations. Set operationName to choose one.")]
    OperationNameRequired,
    /// A required variable has no value.
    #[error("Variable \"${name}\" of required type \"{required_type}\" was not provided")]
    MissingVariable {
        /// Name of the variable.
        name: String,
        /// Its declared type.
        required_type: String,
    },
}

impl DocumentRejection {
    /// The GraphQL request error for this rejection.
    pub fn into_server_error(self) -> ServerError {
        let code = match &self {
            Self::TooMany { .. } => ErrorCode::ComplexityLimit,
            Self::Syntax { .. } => ErrorCode::GraphqlParseFailed,
            Self::Cycle(_) | Self::UnknownOperation(_) | Self::OperationNameRequired | Self::MissingVariable { .. } => {
                ErrorCode::GraphqlValidationFailed
            }
        };
        let mut error = ApiError::new(code, self.to_string()).into_server_error();
        if let Self::Syntax { positions, .. } = self {
            error.locations = positions;
        }
        error
    }
}

impl From<parser::Error> for DocumentRejection {
    fn from(error: parser::Error) -> Self {
        Self::Syntax { message: shortened(&error.to_string()), positions: error.positions().collect() }
    }
}
