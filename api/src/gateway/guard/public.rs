//! Whether an operation reads only what every visitor of a site may see anyway.
//!
//! The transport asks this for queries by GET, whose responses browsers may then keep for a short time.
//! Which fields are public is a rule of the schema.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet};

use super::model::{SchemaModel, TypeModel};

/// Whether all fields of a valid operation are public.
pub(super) fn is_public(operation: &OperationDefinition, document: &ExecutableDocument, model: &SchemaModel) -> bool {
    let Some(root) = model.root(operation.ty) else { return false };
    let mut walk = PublicWalk { document, model, visited: HashSet::new() };
    operation.ty == OperationType::Query && walk.is_public(&operation.selection_set.node, root)
}

struct PublicWalk<'a> {
    document: &'a ExecutableDocument,
    model: &'a SchemaModel,
    /// Fragments that were checked. A fragment has one type, so each is checked once.
    visited: HashSet<&'a str>,
}

impl<'a> PublicWalk<'a> {
    fn is_public(&mut self, set: &'a SelectionSet, parent: &TypeModel) -> bool {
        set.items.iter().all(|item| match &item.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                name == "__typename" || self.is_public_field(parent, name, &field.node.selection_set.node)
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                let ty = condition.and_then(|condition| self.model.get(&condition.node.on.node)).unwrap_or(parent);
                self.is_public(&fragment.node.selection_set.node, ty)
            }
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                let Some(fragment) = self.document.fragments.get(name) else { return false };
                let Some(ty) = self.model.get(&fragment.node.type_condition.node.on.node) else { return false };
                !self.visited.insert(name) || self.is_public(&fragment.node.selection_set.node, ty)
            }
        })
    }

    fn is_public_field(&mut self, parent: &TypeModel, name: &str, selected: &'a SelectionSet) -> bool {
        let is_named = |public: &&str| match public.split_once('.') {
            Some((ty, field)) => ty == parent.name && field == name,
            None => **public == parent.name,
        };
        if !self.model.rules.public_fields.iter().any(is_named) {
            return false;
        }
        let Some(field) = parent.fields.get(name) else { return false };
        selected.items.is_empty() || self.model.named(&field.ty).is_some_and(|ty| self.is_public(selected, ty))
    }
}
