//! Prepares the copy of an operation that async-graphql executes: the fields that the specification collects
//! (6.3.2), each of them once.
//!
//! async-graphql executes a field as often as it is selected, also a mutation; it starts no subscription that is
//! selected in a fragment; it reads a variable without a value as null; it returns null for an object of which
//! nothing is selected. In the copy, `@skip` and `@include` are decided, fragments are expanded, fields with the
//! same response key are merged, and arguments without a value are left out. A selection without fields
//! selects a marker, which [`ResultShape`] removes from the result.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    BaseType, Directive, DocumentOperations, ExecutableDocument, Field, InlineFragment, OperationDefinition, Selection,
    SelectionSet, Type, TypeCondition,
};
use async_graphql::{Name, Pos, Positioned, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::model::{Kind, SchemaModel, TypeModel};
use super::shape::ResultShape;

/// Response key of the marker. No document can contain it, because it is not a name.
const MARKER: &str = "-";

/// The copy of `operation`, and the shape of its result.
pub(super) fn executable(
    operation: &OperationDefinition,
    document: &ExecutableDocument,
    variables: &Variables,
    model: &SchemaModel,
) -> (ExecutableDocument, ResultShape) {
    let typename = Type { base: BaseType::Named(Name::new("String")), nullable: true };
    let collecting = Collecting { operation, document, variables, model, typename };
    let (selection_set, shape) = collecting.set(&[&operation.selection_set.node], model.root(operation.ty));
    let OperationDefinition { ty, variable_definitions, directives, selection_set: given } = operation;
    let copy = OperationDefinition {
        ty: *ty,
        variable_definitions: variable_definitions.clone(),
        directives: directives.clone(),
        selection_set: Positioned::new(selection_set, given.pos),
    };
    let operations = DocumentOperations::Single(Positioned::new(copy, Pos::default()));
    (ExecutableDocument { operations, fragments: HashMap::new() }, shape)
}

/// The first variable that is null although an `@skip` or `@include` of the operation uses it. Both need true or false.
pub(super) fn null_condition<'a>(
    operation: &'a OperationDefinition,
    document: &'a ExecutableDocument,
    variables: &Variables,
) -> Option<&'a Name> {
    let mut found = Vec::new();
    add_conditions(&operation.selection_set.node, document, &mut HashSet::new(), &mut found);
    found.into_iter().find(|name| variables.get(*name) == Some(&ConstValue::Null))
}

/// Adds the variables that the `@skip` and `@include` of the selection set and its fragments use.
fn add_conditions<'a>(
    set: &'a SelectionSet,
    document: &'a ExecutableDocument,
    seen: &mut HashSet<&'a str>,
    found: &mut Vec<&'a Name>,
) {
    for item in &set.items {
        for directive in item.node.directives() {
            if let Some(Value::Variable(name)) = condition(&directive.node) {
                found.push(name);
            }
        }
        let set = match &item.node {
            Selection::Field(field) => &field.node.selection_set.node,
            Selection::InlineFragment(fragment) => &fragment.node.selection_set.node,
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                let Some(fragment) = document.fragments.get(name).filter(|_| seen.insert(name)) else { continue };
                &fragment.node.selection_set.node
            }
        };
        add_conditions(set, document, seen, found);
    }
}

/// The argument of `@skip` or `@include`.
fn condition(directive: &Directive) -> Option<&Value> {
    let is_decision = matches!(directive.name.node.as_str(), "skip" | "include");
    directive.get_argument("if").filter(|_| is_decision).map(|value| &value.node)
}

struct Collecting<'a> {
    operation: &'a OperationDefinition,
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    model: &'a SchemaModel,
    /// Type of a field that the model does not contain, such as `__typename`.
    typename: Type,
}

/// One thing that is selected on a type: a field, or the fragments on another type. It has every selection set that was
/// given for it.
enum Part<'a> {
    /// The fields with one response key.
    Field(&'a Positioned<Field>, Vec<&'a SelectionSet>),
    /// The fragments on one of the types that an interface or a union can be.
    Condition(&'a Name, Vec<&'a SelectionSet>),
}

impl<'a> Collecting<'a> {
    fn set(&self, sets: &[&'a SelectionSet], parent: Option<&'a TypeModel>) -> (SelectionSet, ResultShape) {
        let mut parts = Vec::new();
        for set in sets {
            self.collect(set, parent, &mut parts);
        }
        let mut items = match parts.iter().any(|part| matches!(part, Part::Field(..))) {
            true => Vec::new(),
            false => vec![marker()],
        };
        let mut shape = ResultShape::default();
        for part in &parts {
            match part {
                Part::Field(field, sets) => {
                    let ty = parent.and_then(|parent| parent.fields.get(field.node.name.node.as_str()));
                    let ty = ty.map_or(&self.typename, |field| &field.ty);
                    let (field, nested) = self.field(field, sets, ty);
                    shape.add(&field.node.response_key().node, ty.clone(), nested);
                    let pos = field.pos;
                    items.push(Positioned::new(Selection::Field(field), pos));
                }
                Part::Condition(name, sets) => {
                    let (selection_set, nested) = self.set(sets, self.model.get(name));
                    shape.merge(nested);
                    items.push(conditional(name, selection_set));
                }
            }
        }
        (SelectionSet { items }, shape)
    }

    fn field(
        &self,
        field: &'a Positioned<Field>,
        sets: &[&'a SelectionSet],
        ty: &Type,
    ) -> (Positioned<Field>, Option<ResultShape>) {
        let node = &field.node;
        let nested = match node.selection_set.node.items.is_empty() {
            true => None,
            false => Some(self.set(sets, self.model.named(ty))),
        };
        let (selection_set, shape) = nested.map_or_else(Default::default, |(set, shape)| (set, Some(shape)));
        let is_kept = |directive: &&Positioned<Directive>| condition(&directive.node).is_none();
        let argument = |(name, value): &(Positioned<Name>, Positioned<Value>)| {
            Some((name.clone(), Positioned::new(self.value(&value.node)?, value.pos)))
        };
        let copy = Field {
            alias: node.alias.clone(),
            name: node.name.clone(),
            arguments: node.arguments.iter().filter_map(argument).collect(),
            directives: node.directives.iter().filter(is_kept).cloned().collect(),
            selection_set: Positioned::new(selection_set, node.selection_set.pos),
        };
        (Positioned::new(copy, field.pos), shape)
    }

    fn collect(&self, set: &'a SelectionSet, parent: Option<&'a TypeModel>, parts: &mut Vec<Part<'a>>) {
        for item in set.items.iter().filter(|item| self.is_included(item)) {
            let (condition, set) = match &item.node {
                Selection::Field(field) => {
                    let set = &field.node.selection_set.node;
                    let key = &field.node.response_key().node;
                    let same = parts.iter_mut().find_map(|part| match part {
                        Part::Field(known, sets) if known.node.response_key().node == *key => Some(sets),
                        _ => None,
                    });
                    match same {
                        Some(sets) => sets.push(set),
                        None => parts.push(Part::Field(field, vec![set])),
                    }
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) else { continue };
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set.node)
                }
            };
            let Some(name) = condition.map(|condition| &condition.node.on.node) else {
                self.collect(set, parent, parts);
                continue;
            };
            match self.applies(parent, name) {
                Some(true) => self.collect(set, parent, parts),
                Some(false) => {}
                None => {
                    let same = parts.iter_mut().find_map(|part| match part {
                        Part::Condition(known, sets) if *known == name => Some(sets),
                        _ => None,
                    });
                    match same {
                        Some(sets) => sets.push(set),
                        None => parts.push(Part::Condition(name, vec![set])),
                    }
                }
            }
        }
    }

    /// Whether a fragment on the type `name` applies to the objects of a type. `None` when it depends on the object.
    fn applies(&self, parent: Option<&TypeModel>, name: &Name) -> Option<bool> {
        let parent = parent?;
        if parent.name == name.as_str() {
            return Some(true);
        }
        let condition = self.model.get(name)?;
        match (parent.kind, condition.kind) {
            (Kind::Object, Kind::Interface) => Some(parent.names.contains(name.as_str())),
            (Kind::Object, Kind::Union) => Some(condition.names.contains(&parent.name)),
            (Kind::Object, _) => Some(false),
            _ => None,
        }
    }

    /// Whether `@skip` and `@include` leave the selection in the operation.
    fn is_included(&self, item: &Positioned<Selection>) -> bool {
        item.node.directives().iter().all(|directive| {
            let value = condition(&directive.node).and_then(|value| match value {
                Value::Variable(name) => self.variable(name).cloned(),
                value => value.clone().into_const(),
            });
            match (directive.node.name.node.as_str(), value) {
                ("skip", Some(ConstValue::Boolean(is_skipped))) => !is_skipped,
                ("include", Some(ConstValue::Boolean(is_included))) => is_included,
                _ => true,
            }
        })
    }

    /// The value of a variable, or its default.
    fn variable(&self, name: &Name) -> Option<&ConstValue> {
        self.variables.get(name).or_else(|| {
            let definitions = self.operation.variable_definitions.iter();
            let definition = definitions.map(|definition| &definition.node).find(|known| known.name.node == *name)?;
            definition.default_value.as_ref().map(|default| &default.node)
        })
    }

    /// The value without the input fields whose variable has no value. `None` for such a variable itself. In a
    /// list, such a variable becomes null.
    fn value(&self, value: &Value) -> Option<Value> {
        Some(match value {
            Value::Variable(name) if self.variable(name).is_none() => return None,
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.value(item).unwrap_or(Value::Null)).collect())
            }
            Value::Object(fields) => {
                let field = |(name, value): (&Name, &Value)| Some((name.clone(), self.value(value)?));
                Value::Object(fields.iter().filter_map(field).collect())
            }
            other => other.clone(),
        })
    }
}

fn at<T>(node: T) -> Positioned<T> {
    Positioned::new(node, Pos::default())
}

fn marker() -> Positioned<Selection> {
    at(Selection::Field(at(Field {
        alias: Some(at(Name::new(MARKER))),
        name: at(Name::new("__typename")),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: at(SelectionSet::default()),
    })))
}

fn conditional(name: &Name, selection_set: SelectionSet) -> Positioned<Selection> {
    at(Selection::InlineFragment(at(InlineFragment {
        type_condition: Some(at(TypeCondition { on: at(name.clone()) })),
        directives: Vec::new(),
        selection_set: at(selection_set),
    })))
}
