//! Prepares the copy of an operation that async-graphql executes.
//!
//! The copy contains only the operation that the request chose and the fragments that it uses, so that
//! nothing else of the document can affect it. async-graphql returns null for an object of which
//! `@skip` and `@include` leave no field; such selections get a marker field, which is removed from the
//! result.

use std::collections::HashMap;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, Value};

/// Response key of the marker. Names that begin with two underscores are reserved.
const MARKER: &str = "__selected";

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// The document with `operation` alone.
pub(super) fn executable(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    has_directives: bool,
) -> ExecutableDocument {
    let mut fragments = match document.operations.iter().len() {
        // A valid document uses each fragment.
        1 => document.fragments.clone(),
        _ => {
            let mut used = Fragments::new();
            add_used(&operation.selection_set.node, &document.fragments, &mut used);
            used
        }
    };
    let mut operation = operation.clone();
    // The events of subscriptions are serialized before a marker could be removed.
    if has_directives && operation.ty != OperationType::Subscription {
        mark(&mut operation.selection_set.node);
        mark_fields(&mut operation.selection_set.node);
        fragments.values_mut().for_each(|fragment| mark_fields(&mut fragment.node.selection_set.node));
    }
    let operations = DocumentOperations::Single(Positioned::new(operation, Pos::default()));
    ExecutableDocument { operations, fragments }
}

/// Removes the markers from the result of an execution.
pub(crate) fn remove_markers(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.shift_remove(MARKER);
            fields.values_mut().for_each(remove_markers);
        }
        Value::List(items) => items.iter_mut().for_each(remove_markers),
        _ => {}
    }
}

fn add_used(set: &SelectionSet, fragments: &Fragments, used: &mut Fragments) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => add_used(&field.node.selection_set.node, fragments, used),
            Selection::InlineFragment(fragment) => add_used(&fragment.node.selection_set.node, fragments, used),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if let Some(fragment) = fragments.get(name)
                    && used.insert(name.clone(), fragment.clone()).is_none()
                {
                    add_used(&fragment.node.selection_set.node, fragments, used);
                }
            }
        }
    }
}

fn mark_fields(set: &mut SelectionSet) {
    for item in &mut set.items {
        match &mut item.node {
            Selection::Field(field) => {
                mark(&mut field.node.selection_set.node);
                mark_fields(&mut field.node.selection_set.node);
            }
            Selection::InlineFragment(fragment) => mark_fields(&mut fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Adds the marker to a selection that may turn out empty.
fn mark(set: &mut SelectionSet) {
    let is_certain = |item: &Positioned<Selection>| match &item.node {
        Selection::Field(field) => field.node.directives.is_empty(),
        Selection::InlineFragment(_) | Selection::FragmentSpread(_) => false,
    };
    if set.items.is_empty() || set.items.iter().any(is_certain) {
        return;
    }
    let at = |name: &str| Positioned::new(Name::new(name), Pos::default());
    let marker = Field {
        alias: Some(at(MARKER)),
        name: at("__typename"),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), Pos::default()),
    };
    let marker = Selection::Field(Positioned::new(marker, Pos::default()));
    set.items.push(Positioned::new(marker, Pos::default()));
}
