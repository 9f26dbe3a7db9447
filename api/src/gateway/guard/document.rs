//! A parsed document that passed the guard, and the choice of one of its operations.
//!
//! Documents are parsed once and kept by the gateway; each execution works on a copy.

use std::sync::{Arc, OnceLock};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Positioned, Value, Variables};

use super::cost::{self, OperationCost};
use super::limits::DocumentSize;
use super::live::{self, LiveRequest};
use super::model::SchemaModel;
use super::plan::{self, QueryPlan};
use super::rejection::{DocumentError, DocumentRejection};
use super::shape::ResultShape;
use super::{collecting, public, validation, values};
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

    /// A copy of the operation named `name`, or of the only operation, for one execution with these variables, and
    /// the shape of its result.
    ///
    /// # Errors
    /// Those of [`Document::operation_type`].
    pub(crate) fn executable(
        &self,
        name: Option<&str>,
        variables: &Variables,
        model: &SchemaModel,
    ) -> Result<(ExecutableDocument, ResultShape), DocumentRejection> {
        Ok(collecting::executable(self.operation(name)?, &self.executable, variables, model))
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
        let is_simple = self.has_one_operation() && self.size.directives == 0;
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

    /// Checks the values of the variables of the operation, and adds default values.
    ///
    /// async-graphql would notice a wrong value only at the field that uses it, after other fields have already
    /// been executed.
    ///
    /// # Errors
    /// `Invalid` with an error for each variable without a valid value, and the errors of
    /// [`Document::operation_type`].
    pub(crate) fn coerce_variables(
        &self,
        name: Option<&str>,
        given: &mut Variables,
        model: &SchemaModel,
    ) -> Result<(), DocumentRejection> {
        let operation = self.operation(name)?;
        let (mut errors, mut has_null) = (Vec::new(), false);
        for Positioned { node: definition, pos } in &operation.variable_definitions {
            let (name, ty) = (&definition.name.node, &definition.var_type.node);
            let missing = || format!("Variable \"${name}\" of required type \"{ty}\" was not provided");
            let problem = match (given.get_mut(name), &definition.default_value) {
                (Some(Value::Null), _) => {
                    has_null = true;
                    (!ty.nullable).then(missing)
                }
                (Some(value), _) => values::check_variable(model, value, ty).err().map(|problem| {
                    format!("Variable \"${name}\" has an invalid value{}: {}", problem.place(), problem.reason)
                }),
                (None, Some(default)) => {
                    given.insert(name.clone(), default.node.clone());
                    None
                }
                (None, None) => (!ty.nullable).then(missing),
            };
            errors.extend(problem.map(|message| DocumentError { message, pos: *pos }));
        }
        if has_null
            && errors.is_empty()
            && let Some(name) = collecting::null_condition(operation, &self.executable, given)
        {
            let definition = operation.variable_definitions.iter().find(|known| known.node.name.node == *name);
            let message = format!("Variable \"${name}\" decides @skip or @include and must not be null");
            let pos = definition.map_or_else(Default::default, |definition| definition.pos);
            errors.push(DocumentError { message, pos });
        }
        if errors.is_empty() { Ok(()) } else { Err(DocumentRejection::Invalid(errors)) }
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
                Selection::Field(field) => {
                    let key = &field.node.response_key().node;
                    if !fields.iter().any(|known| known.response_key().node == *key) {
                        fields.push(&field.node);
                    }
                }
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
