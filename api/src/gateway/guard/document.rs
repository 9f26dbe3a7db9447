//! A parsed document that passed the guard, and the choice of one of its operations.
//!
//! Documents are parsed once and kept by the gateway; each execution works on a copy.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Value, Variables};

use super::limits::DocumentSize;
use super::rejection::DocumentRejection;
use crate::error::shortened;

/// A parsed document that passed the guard.
#[derive(Debug, Clone)]
pub struct Document {
    executable: ExecutableDocument,
    size: DocumentSize,
    fingerprint: [u8; 32],
}

impl Document {
    pub(super) fn new(executable: ExecutableDocument, size: DocumentSize, fingerprint: [u8; 32]) -> Self {
        Self { executable, size, fingerprint }
    }

    /// What the guard counted in the document.
    pub fn size(&self) -> DocumentSize {
        self.size
    }

    /// SHA-256 of the text.
    pub(crate) fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// A copy for one execution.
    pub(crate) fn executable(&self) -> ExecutableDocument {
        self.executable.clone()
    }

    /// The type of the operation named `name`, or of the only operation when `name` is `None`.
    ///
    /// # Errors
    /// `UnknownOperation`, or `OperationNameRequired` when there are several operations and no name.
    pub fn operation_type(&self, name: Option<&str>) -> Result<OperationType, DocumentRejection> {
        Ok(self.operation(name)?.ty)
    }

    /// Checks that every required variable of the operation has a value.
    ///
    /// async-graphql would notice a missing variable only at the field that uses it, after other
    /// fields have already been executed.
    ///
    /// # Errors
    /// `MissingVariable`, and the errors of [`Document::operation_type`].
    pub fn require_variables(&self, name: Option<&str>, given: &Variables) -> Result<(), DocumentRejection> {
        let definitions = self.operation(name)?.variable_definitions.iter().map(|definition| &definition.node);
        for definition in definitions.filter(|definition| !definition.var_type.node.nullable) {
            let is_missing = match given.get(&definition.name.node) {
                Some(value) => *value == Value::Null,
                None => definition.default_value.is_none(),
            };
            if is_missing {
                return Err(DocumentRejection::MissingVariable {
                    name: definition.name.node.to_string(),
                    required_type: definition.var_type.node.to_string(),
                });
            }
        }
        Ok(())
    }

    /// The names of the root fields of the operation, including those in fragments. A field that occurs
    /// twice under different aliases is listed twice.
    pub(crate) fn root_fields(&self, name: Option<&str>) -> Vec<&str> {
        let mut fields = Vec::new();
        if let Ok(operation) = self.operation(name) {
            self.add_fields(&operation.selection_set.node, &mut fields);
        }
        fields
    }

    fn add_fields<'a>(&'a self, set: &'a SelectionSet, fields: &mut Vec<&'a str>) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => fields.push(field.node.name.node.as_str()),
                Selection::InlineFragment(fragment) => self.add_fields(&fragment.node.selection_set.node, fields),
                Selection::FragmentSpread(spread) => {
                    // The guard has rejected cycles and bounded the expansion.
                    if let Some(fragment) = self.executable.fragments.get(&spread.node.fragment_name.node) {
                        self.add_fields(&fragment.node.selection_set.node, fields);
                    }
                }
            }
        }
    }

    /// Whether the operation declares the variable `variable`.
    pub(crate) fn declares(&self, name: Option<&str>, variable: &str) -> bool {
        let declares = |operation: &OperationDefinition| {
            operation.variable_definitions.iter().any(|definition| definition.node.name.node == variable)
        };
        self.operation(name).is_ok_and(declares)
    }

    fn operation(&self, name: Option<&str>) -> Result<&OperationDefinition, DocumentRejection> {
        let unknown = |name: &str| DocumentRejection::UnknownOperation(shortened(name));
        let operation = match (&self.executable.operations, name) {
            (DocumentOperations::Single(operation), None) => operation,
            (DocumentOperations::Single(_), Some(name)) => return Err(unknown(name)),
            (DocumentOperations::Multiple(operations), Some(name)) => {
                operations.get(name).ok_or_else(|| unknown(name))?
            }
            (DocumentOperations::Multiple(operations), None) => match operations.values().next() {
                Some(only) if operations.len() == 1 => only,
                _ => return Err(DocumentRejection::OperationNameRequired),
            },
        };
        Ok(&operation.node)
    }
}
