//! A parsed document that passed the guard, and the choice of one of its operations.
//!
//! Documents are parsed once and kept by the gateway; each execution works on a copy.

use std::sync::{Arc, OnceLock};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Value, Variables};

use super::cost::{self, OperationCost};
use super::limits::DocumentSize;
use super::live::{self, LiveRequest};
use super::model::SchemaModel;
use super::plan::{self, QueryPlan};
use super::rejection::{DocumentError, DocumentRejection};
use super::{pruning, public, validation, values};
use crate::error::shortened;

/// A parsed document that passed the guard.
#[derive(Debug, Clone)]
pub struct Document {
    executable: ExecutableDocument,
    size: DocumentSize,
    fingerprint: [u8; 32],
    /// The errors in the document, which one schema decides for good.
    errors: OnceLock<Vec<DocumentError>>,
    /// The cost of the only operation, when it does not depend on variables.
    fixed_cost: OnceLock<OperationCost>,
    /// The plan of the only operation, if it has one.
    plan: OnceLock<Option<Arc<QueryPlan>>>,
}

impl Document {
    pub(super) fn new(executable: ExecutableDocument, size: DocumentSize, fingerprint: [u8; 32]) -> Self {
        Self {
            executable,
            size,
            fingerprint,
            errors: OnceLock::new(),
            fixed_cost: OnceLock::new(),
            plan: OnceLock::new(),
        }
    }

    /// What the guard counted in the document.
    pub fn size(&self) -> DocumentSize {
        self.size
    }

    /// SHA-256 of the text.
    pub(crate) fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// A copy of the operation named `name`, or of the only operation, for one execution. The whole
    /// document when there is no such operation, which the gateway has excluded.
    pub(crate) fn executable(&self, name: Option<&str>) -> ExecutableDocument {
        match self.operation(name) {
            Ok(operation) => pruning::executable(&self.executable, operation, self.has_directives()),
            Err(_) => self.executable.clone(),
        }
    }

    /// Whether [`pruning::remove_markers`] must clean the result of an execution.
    pub(crate) fn has_directives(&self) -> bool {
        self.size.directives > 0
    }

    /// Checks the document against the schema. The result is kept, so every document must always be
    /// checked against the same schema.
    ///
    /// # Errors
    /// `Invalid` with the errors in the document.
    pub(crate) fn validate(&self, model: &SchemaModel) -> Result<(), DocumentRejection> {
        let errors = self.errors.get_or_init(|| validation::errors(&self.executable, model));
        if errors.is_empty() { Ok(()) } else { Err(DocumentRejection::Invalid(errors.clone())) }
    }

    /// What the operation costs, with the values of its variables.
    ///
    /// # Errors
    /// Those of [`Document::operation_type`].
    pub(crate) fn cost(
        &self,
        name: Option<&str>,
        variables: &Variables,
        model: &SchemaModel,
    ) -> Result<OperationCost, DocumentRejection> {
        let operation = self.operation(name)?;
        let cost = || cost::of(operation, &self.executable, variables, model);
        let is_fixed = operation.variable_definitions.is_empty() && self.has_one_operation();
        Ok(if is_fixed { self.fixed_cost.get_or_init(cost).clone() } else { cost() })
    }

    /// The plan by which the operation named `name` can be executed directly, if it has one. The result is
    /// kept, like that of [`Document::validate`].
    pub(crate) fn plan(&self, name: Option<&str>, model: &SchemaModel) -> Option<Arc<QueryPlan>> {
        let operation = self.operation(name).ok()?;
        let is_simple = self.has_one_operation() && !self.has_directives();
        if !is_simple || operation.ty != OperationType::Query || self.size.selections > plan::SELECTIONS_MAX {
            return None;
        }
        self.plan.get_or_init(|| plan::of(operation, &self.executable, model).map(Arc::new)).clone()
    }

    fn has_one_operation(&self) -> bool {
        self.executable.operations.iter().len() == 1
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

    /// Checks the values of the variables of the operation, and adds default values.
    ///
    /// # Errors
    /// `InvalidVariable`, and the errors of [`Document::require_variables`].
    pub(crate) fn coerce_variables(
        &self,
        name: Option<&str>,
        given: &mut Variables,
        model: &SchemaModel,
    ) -> Result<(), DocumentRejection> {
        self.require_variables(name, given)?;
        for definition in &self.operation(name)?.variable_definitions {
            let (name, ty) = (&definition.node.name.node, &definition.node.var_type.node);
            match (given.get_mut(name), &definition.node.default_value) {
                (Some(value), _) => values::check_variable(model, value, ty).map_err(|problem| {
                    let place = problem.place();
                    DocumentRejection::InvalidVariable { name: name.to_string(), place, reason: problem.reason }
                })?,
                (None, Some(default)) => drop(given.insert(name.clone(), default.node.clone())),
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// The names of the root fields of the operation, including those in fragments. A field that occurs
    /// twice under different aliases is listed twice.
    pub(crate) fn root_fields(&self, name: Option<&str>) -> Vec<&str> {
        let fields = self.operation(name).map(|operation| self.fields_of(operation)).unwrap_or_default();
        fields.into_iter().map(|field| field.name.node.as_str()).collect()
    }

    /// What `@live` of the operation asks for, or `None` when the operation is executed once. The variables
    /// have their default values.
    pub(crate) fn live(&self, name: Option<&str>, variables: &Variables) -> Option<LiveRequest> {
        let operation = self.operation(name).ok()?;
        live::of(operation, &self.fields_of(operation), variables)
    }

    /// Whether the operation reads only public fields.
    pub(crate) fn is_public(&self, name: Option<&str>, model: &SchemaModel) -> bool {
        self.operation(name).is_ok_and(|operation| public::is_public(operation, &self.executable, model))
    }

    fn fields_of<'a>(&'a self, operation: &'a OperationDefinition) -> Vec<&'a Field> {
        let mut fields = Vec::new();
        self.add_fields(&operation.selection_set.node, &mut fields);
        fields
    }

    fn add_fields<'a>(&'a self, set: &'a SelectionSet, fields: &mut Vec<&'a Field>) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => fields.push(&field.node),
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

    /// Name of the only operation, when the document contains one and it has a name.
    pub(crate) fn only_name(&self) -> Option<&str> {
        match &self.executable.operations {
            DocumentOperations::Multiple(operations) if operations.len() == 1 => {
                operations.keys().next().map(|name| name.as_str())
            }
            _ => None,
        }
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
