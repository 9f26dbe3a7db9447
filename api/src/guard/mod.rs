//! The guard before execution: what a document may cost, found out in linear time.
//!
//! async-graphql's own limits walk every fragment spread anew, so that a document of 770 bytes
//! can keep it busy for a second before it says "too complex". Here a first pass over the bytes
//! ([`lexer`]) stops at the first token too many; only what passes is parsed, and then each
//! fragment's expanded size is worked out once. A cycle of fragments ends here too.
//!
//! Called by the gateway for every document that did not come with the binary; never asks the
//! schema, so depth and complexity by type remain the schema's limits.

mod expansion;
mod lexer;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::parser::{self, parse_query};
use async_graphql::{Pos, ServerError, Value, Variables};
use sha2::{Digest, Sha256};

use crate::error::{ErrorCode, Failure, shortened};

/// What one document may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lexical tokens; GraphiQL's introspection query has about 250.
    pub tokens: usize,
    /// Aliases, each of which can run a field once more.
    pub aliases: usize,
    /// Spreads of named fragments.
    pub spreads: usize,
    /// Directives.
    pub directives: usize,
    /// Brackets inside each other. Below the parser's own limit of 64, above the schema's depth.
    pub nesting: usize,
    /// Selections when every fragment is written out where it is spread.
    pub selections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { tokens: 2_000, aliases: 50, spreads: 30, directives: 50, nesting: 32, selections: 1_000 }
    }
}

/// What was counted in a document that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// Lexical tokens.
    pub tokens: usize,
    /// Aliases.
    pub aliases: usize,
    /// Spreads of named fragments.
    pub spreads: usize,
    /// Directives.
    pub directives: usize,
    /// Deepest nesting of brackets.
    pub nesting: usize,
    /// Expanded selections of all operations.
    pub selections: usize,
    /// Selections that were looked at to know that: never more than the text has.
    pub visited: usize,
}

/// A document that passed, parsed once; running it takes a copy.
#[derive(Debug, Clone)]
pub struct Document {
    executable: ExecutableDocument,
    measured: Measured,
    fingerprint: [u8; 32],
}

/// Why a document is not executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More of something than one document may hold.
    #[error("The document has more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// Not GraphQL.
    #[error("{message}")]
    Syntax {
        /// What the parser says, shortened.
        message: String,
        /// Where.
        positions: Vec<Pos>,
    },
    /// A fragment that contains itself.
    #[error("Fragment \"{0}\" spreads itself")]
    Cycle(String),
    /// A named operation that the document does not have.
    #[error("Unknown operation named \"{0}\"")]
    UnknownOperation(String),
    /// Several operations and no name.
    #[error("Operation name required in request.")]
    Unnamed,
    /// A variable that must have a value has none.
    #[error("Variable \"${name}\" of required type \"{wanted}\" was not provided.")]
    MissingVariable {
        /// Its name.
        name: String,
        /// Its type.
        wanted: String,
    },
}

impl Refusal {
    /// The request error that says so.
    pub fn into_server_error(self) -> ServerError {
        let code = match &self {
            Refusal::TooMany { .. } => ErrorCode::ComplexityLimit,
            Refusal::Syntax { .. } => ErrorCode::GraphqlParseFailed,
            Refusal::Cycle(_) | Refusal::UnknownOperation(_) | Refusal::Unnamed | Refusal::MissingVariable { .. } => {
                ErrorCode::GraphqlValidationFailed
            }
        };
        let mut error = Failure::new(code, self.to_string()).into_server_error();
        if let Refusal::Syntax { positions, .. } = self {
            error.locations = positions;
        }
        error
    }
}

impl From<parser::Error> for Refusal {
    fn from(error: parser::Error) -> Self {
        Refusal::Syntax { message: shortened(&error.to_string()), positions: error.positions().collect() }
    }
}

/// Reads a document: counts, parses, counts again.
///
/// The work is linear in the text, and for a document over the limits it ends at the limit.
///
/// # Errors
/// The first limit that is broken, or what the parser says.
pub fn read(text: &str, limits: &Limits) -> Result<Document, Refusal> {
    let lexical = lexer::count(text, limits)?;
    let executable = parse_query(text)?;
    let (selections, visited) = expansion::count(&executable, limits.selections)?;
    let fingerprint = Sha256::digest(text.as_bytes()).into();
    Ok(Document { executable, measured: Measured { selections, visited, ..lexical }, fingerprint })
}

impl Document {
    /// What was counted.
    pub fn measured(&self) -> Measured {
        self.measured
    }

    /// SHA-256 of its text.
    pub(crate) fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// A copy for one execution.
    pub(crate) fn executable(&self) -> ExecutableDocument {
        self.executable.clone()
    }

    /// The kind of the operation that `name` chooses; without a name, of the only one.
    ///
    /// # Errors
    /// `UnknownOperation` and `Unnamed`.
    pub fn operation(&self, name: Option<&str>) -> Result<OperationType, Refusal> {
        Ok(self.chosen(name)?.ty)
    }

    /// Lets pass when every variable that the chosen operation needs has a value. async-graphql
    /// would notice a missing one only where it is used, when other fields have run already.
    ///
    /// # Errors
    /// `MissingVariable`, and those of [`Document::operation`].
    pub fn require_variables(&self, name: Option<&str>, given: &Variables) -> Result<(), Refusal> {
        let definitions = self.chosen(name)?.variable_definitions.iter().map(|definition| &definition.node);
        for definition in definitions.filter(|definition| !definition.var_type.node.nullable) {
            let is_missing = match given.get(&definition.name.node) {
                Some(value) => *value == Value::Null,
                None => definition.default_value.is_none(),
            };
            if is_missing {
                return Err(Refusal::MissingVariable {
                    name: definition.name.node.to_string(),
                    wanted: definition.var_type.node.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Whether the chosen operation declares the variable `variable`.
    pub(crate) fn declares(&self, name: Option<&str>, variable: &str) -> bool {
        let declares = |operation: &OperationDefinition| {
            operation.variable_definitions.iter().any(|definition| definition.node.name.node == variable)
        };
        self.chosen(name).is_ok_and(declares)
    }

    fn chosen(&self, name: Option<&str>) -> Result<&OperationDefinition, Refusal> {
        let chosen = match (&self.executable.operations, name) {
            (DocumentOperations::Single(operation), None) => operation,
            (DocumentOperations::Multiple(operations), Some(name)) => {
                operations.get(name).ok_or_else(|| Refusal::UnknownOperation(shortened(name)))?
            }
            (DocumentOperations::Single(_), Some(name)) => return Err(Refusal::UnknownOperation(shortened(name))),
            (DocumentOperations::Multiple(operations), None) => match operations.values().next() {
                Some(only) if operations.len() == 1 => only,
                _ => return Err(Refusal::Unnamed),
            },
        };
        Ok(&chosen.node)
    }
}

#[cfg(test)]
mod tests;
