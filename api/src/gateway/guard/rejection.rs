//! Why the guard rejects a document or the choice of its operation.

use async_graphql::{Pos, ServerError};

use crate::error::{ApiError, ErrorCode, shortened};

/// One thing that is wrong in a document, with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentError {
    /// The error in one sentence.
    pub message: String,
    /// Where it is in the text.
    pub pos: Pos,
}

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
    #[error("{}", _0.message)]
    Syntax(DocumentError),
    /// The document does not match the schema or breaks a rule of validation, or variables have no valid values. Never
    /// empty.
    #[error("{}", joined(_0))]
    Invalid(Vec<DocumentError>),
    /// The request names an operation that the document does not contain.
    #[error("The document does not contain an operation named \"{0}\"")]
    UnknownOperation(String),
    /// The document contains several operations and the request names none.
    #[error("The document contains several operations. Set operationName to choose one.")]
    OperationNameRequired,
}

impl DocumentRejection {
    pub(super) fn syntax(message: impl Into<String>, pos: Pos) -> Self {
        Self::Syntax(DocumentError { message: message.into(), pos })
    }

    pub(super) fn invalid(message: impl Into<String>, pos: Pos) -> Self {
        Self::Invalid(vec![DocumentError { message: message.into(), pos }])
    }

    /// The GraphQL request errors for this rejection, at least one.
    pub fn into_server_errors(self) -> Vec<ServerError> {
        let error = |code, message: &str, pos: Option<Pos>| {
            let mut error = ApiError::new(code, shortened(message)).into_server_error();
            error.locations.extend(pos);
            error
        };
        match &self {
            Self::TooMany { .. } => vec![error(ErrorCode::ComplexityLimit, &self.to_string(), None)],
            Self::Syntax(one) => vec![error(ErrorCode::GraphqlParseFailed, &one.message, Some(one.pos))],
            Self::Invalid(all) => {
                let invalid =
                    |one: &DocumentError| error(ErrorCode::GraphqlValidationFailed, &one.message, Some(one.pos));
                all.iter().map(invalid).collect()
            }
            _ => vec![error(ErrorCode::GraphqlValidationFailed, &self.to_string(), None)],
        }
    }

    /// The first request error for this rejection.
    pub fn into_server_error(self) -> ServerError {
        self.into_server_errors().swap_remove(0)
    }
}

fn joined(errors: &[DocumentError]) -> String {
    errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; ")
}
