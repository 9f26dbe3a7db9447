//! Checks that fields with the same response key can be merged (specification, 5.3.2).
//!
//! graphql-js compares all pairs of fields; a document with many equal fields makes that quadratic.
//! This module compares each field with one representative instead: the shape of results is an
//! equivalence, and fields of the same object type must all be equal. The guard has bounded the number
//! of expanded selections.

use std::collections::{HashMap, HashSet};

use async_graphql::Positioned;
use async_graphql::parser::types::{BaseType, ExecutableDocument, Field, Selection, SelectionSet, Type};

use super::model::{Kind, SchemaModel, TypeModel};
use super::rejection::DocumentError;

/// A field, the type that it is selected on, and the type of its result.
#[derive(Clone, Copy)]
struct TypedField<'a> {
    field: &'a Positioned<Field>,
    parent: &'a TypeModel,
    ty: &'a Type,
}

type Groups<'a> = HashMap<&'a str, Vec<TypedField<'a>>>;

/// Returns the conflicts in a document whose fields and fragments exist.
pub(super) fn errors(document: &ExecutableDocument, model: &SchemaModel) -> Vec<DocumentError> {
    let typename = Type { base: BaseType::Named(async_graphql::Name::new("String")), nullable: false };
    let mut check = OverlapCheck { document, model, typename: &typename, errors: Vec::new() };
    for (_, operation) in document.operations.iter() {
        if let Some(root) = model.root(operation.node.ty) {
            let sets = [(&operation.node.selection_set.node, root)];
            let groups = check.groups(&sets);
            check.same_shape(&groups);
            check.same_fields(&groups);
        }
    }
    check.errors
}

struct OverlapCheck<'a> {
    document: &'a ExecutableDocument,
    model: &'a SchemaModel,
    typename: &'a Type,
    errors: Vec<DocumentError>,
}

impl<'a> OverlapCheck<'a> {
    /// The fields of several selection sets by response key.
    fn groups(&self, sets: &[(&'a SelectionSet, &'a TypeModel)]) -> Groups<'a> {
        let (mut groups, mut seen) = (Groups::new(), HashSet::new());
        for (set, parent) in sets {
            self.collect(set, parent, &mut seen, &mut groups);
        }
        groups
    }

    fn collect(
        &self,
        set: &'a SelectionSet,
        parent: &'a TypeModel,
        seen: &mut HashSet<&'a str>,
        groups: &mut Groups<'a>,
    ) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let declared = parent.fields.get(name).map(|field| &field.ty);
                    let Some(ty) = declared.or((name == "__typename").then_some(self.typename)) else { continue };
                    let key = field.node.response_key().node.as_str();
                    groups.entry(key).or_default().push(TypedField { field, parent, ty });
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let ty = condition.and_then(|condition| self.model.get(&condition.node.on.node)).unwrap_or(parent);
                    self.collect(&fragment.node.selection_set.node, ty, seen, groups);
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    let Some(fragment) = self.document.fragments.get(name) else { continue };
                    let ty = self.model.get(&fragment.node.type_condition.node.on.node);
                    if let (Some(ty), true) = (ty, seen.insert(name)) {
                        self.collect(&fragment.node.selection_set.node, ty, seen, groups);
                    }
                }
            }
        }
    }

    fn nested(&self, fields: &[TypedField<'a>]) -> Groups<'a> {
        let set =
            |selected: &TypedField<'a>| Some((&selected.field.node.selection_set.node, self.model.named(selected.ty)?));
        self.groups(&fields.iter().filter_map(set).collect::<Vec<_>>())
    }

    fn conflict(&mut self, fields: &[TypedField<'a>], other: TypedField<'a>, why: &str) {
        let key = &fields[0].field.node.response_key().node;
        let message = format!("Fields \"{key}\" conflict because {why}. Use different aliases.");
        self.errors.push(DocumentError { message, pos: other.field.pos });
    }

    /// Results under the same key have the same lists, non-null types and leaf types, even in objects of
    /// different types.
    fn same_shape(&mut self, groups: &Groups<'a>) {
        for fields in groups.values().filter(|fields| fields.len() > 1) {
            let first = fields[0];
            let other = fields.iter().find(|other| !self.has_same_shape(first.ty, other.ty));
            match other {
                Some(other) => {
                    let why = format!("they have the types \"{}\" and \"{}\"", first.ty, other.ty);
                    self.conflict(fields, *other, &why);
                }
                None => self.same_shape(&self.nested(fields)),
            }
        }
        for fields in groups.values().filter(|fields| fields.len() == 1) {
            self.same_shape(&self.nested(fields));
        }
    }

    fn has_same_shape(&self, a: &Type, b: &Type) -> bool {
        if a.nullable != b.nullable {
            return false;
        }
        match (&a.base, &b.base) {
            (BaseType::List(a), BaseType::List(b)) => self.has_same_shape(a, b),
            (BaseType::Named(a), BaseType::Named(b)) => {
                let is_composite = |name: &str| self.model.get(name).is_some_and(TypeModel::is_composite);
                a == b || (is_composite(a) && is_composite(b))
            }
            _ => false,
        }
    }

    /// Fields that can be of the same object are the same field with the same arguments.
    fn same_fields(&mut self, groups: &Groups<'a>) {
        for fields in groups.values() {
            let (objects, abstracts): (Vec<_>, Vec<_>) =
                fields.iter().copied().partition(|selected| selected.parent.kind == Kind::Object);
            let mut by_parent: HashMap<&str, Vec<TypedField<'a>>> = HashMap::new();
            for selected in objects {
                by_parent.entry(&selected.parent.name).or_default().push(selected);
            }
            if by_parent.is_empty() {
                by_parent.insert("", Vec::new());
            }
            for (_, mut together) in by_parent {
                together.extend(&abstracts);
                let first = together[0];
                match together.iter().find(|other| !is_same_field(&first.field.node, &other.field.node)) {
                    Some(other) => {
                        self.conflict(&together, *other, "they are different fields or have different arguments");
                    }
                    None => self.same_fields(&self.nested(&together)),
                }
            }
        }
    }
}

fn is_same_field(a: &Field, b: &Field) -> bool {
    let equals = |(name, value): &(Positioned<async_graphql::Name>, Positioned<async_graphql_value::Value>)| {
        b.get_argument(&name.node).is_some_and(|other| other.node == value.node)
    };
    a.name.node == b.name.node && a.arguments.len() == b.arguments.len() && a.arguments.iter().all(equals)
}
