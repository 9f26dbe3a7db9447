//! The plan of a query: its fields, with fragments expanded and repeated fields merged.
//!
//! The gateway executes some queries without async-graphql (see [`direct`](crate::gateway::direct)). Such a
//! query needs no decision about its selection while it runs, so the decisions are made here, once for each
//! document. A query has a plan only if it has no directives and selects only fields of objects that the
//! schema can read directly.

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};
use async_graphql_value::Value;

use super::model::{Kind, SchemaModel, TypeModel};

/// Selections of a query that has a plan. Merging takes quadratic time.
pub(super) const SELECTIONS_MAX: usize = 200;
/// The field that every object has.
pub(crate) const TYPE_NAME: &str = "__typename";

/// The fields of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryPlan {
    /// The root fields.
    pub fields: Vec<PlannedField>,
}

/// A field of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedField {
    /// The response key as JSON writes it, with quotes and colon.
    pub key: String,
    /// Name in the schema.
    pub name: String,
    /// Arguments, which can contain variables.
    pub arguments: Vec<(Name, Value)>,
    /// Fields of the object or the objects. Empty for scalars and enums.
    pub fields: Vec<PlannedField>,
}

/// The plan of a valid query without directives, or `None` when it selects something that is not among the
/// direct fields of the schema's rules.
pub(super) fn of(
    operation: &OperationDefinition,
    document: &ExecutableDocument,
    model: &SchemaModel,
) -> Option<QueryPlan> {
    let planner = Planner { document, model };
    let fields = planner.fields(&[&operation.selection_set.node], model.root(operation.ty)?)?;
    Some(QueryPlan { fields })
}

struct Planner<'a> {
    document: &'a ExecutableDocument,
    model: &'a SchemaModel,
}

/// A field with all its selection sets, which the response merges.
type Merged<'a> = (&'a Field, Vec<&'a SelectionSet>);

impl<'a> Planner<'a> {
    fn fields(&self, sets: &[&'a SelectionSet], parent: &TypeModel) -> Option<Vec<PlannedField>> {
        let mut merged = Vec::new();
        for set in sets {
            self.merge(set, parent, &mut merged)?;
        }
        merged.into_iter().map(|(field, sets)| self.field(field, &sets, parent)).collect()
    }

    fn field(&self, field: &Field, sets: &[&'a SelectionSet], parent: &TypeModel) -> Option<PlannedField> {
        let name = field.name.node.as_str();
        let fields = match name {
            TYPE_NAME => Vec::new(),
            _ if !self.is_direct(&parent.name, name) => return None,
            _ => {
                let ty = self.model.named(&parent.fields.get(name)?.ty)?;
                match ty.kind {
                    Kind::Scalar | Kind::Enum => Vec::new(),
                    Kind::Object => self.fields(sets, ty)?,
                    Kind::Interface | Kind::Union | Kind::Input => return None,
                }
            }
        };
        Some(PlannedField {
            key: format!("\"{}\":", field.response_key().node),
            name: name.to_owned(),
            arguments: field.arguments.iter().map(|(name, value)| (name.node.clone(), value.node.clone())).collect(),
            fields,
        })
    }

    fn is_direct(&self, ty: &str, field: &str) -> bool {
        let of_type = self.model.rules.direct.fields.iter().find(|(name, _)| *name == ty);
        of_type.is_some_and(|(_, fields)| fields.contains(&field))
    }

    /// Adds the fields of a selection set in the order of the response.
    fn merge(&self, set: &'a SelectionSet, parent: &TypeModel, merged: &mut Vec<Merged<'a>>) -> Option<()> {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let (field, set) = (&field.node, &field.node.selection_set.node);
                    let key = field.response_key().node.as_str();
                    match merged.iter_mut().find(|(known, _)| known.response_key().node == key) {
                        Some((_, sets)) => sets.push(set),
                        None => merged.push((field, vec![set])),
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    if condition.is_some_and(|condition| condition.node.on.node != parent.name) {
                        return None;
                    }
                    self.merge(&fragment.node.selection_set.node, parent, merged)?;
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments.get(&spread.node.fragment_name.node)?.node;
                    if fragment.type_condition.node.on.node != parent.name {
                        return None;
                    }
                    self.merge(&fragment.selection_set.node, parent, merged)?;
                }
            }
        }
        Some(())
    }
}
