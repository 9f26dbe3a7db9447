//! Computes what an operation costs, from the schema and the operation's variables, before it runs.
//!
//! The cost is an estimate of the highest number of objects that the response can contain. Scalars cost
//! nothing, an object costs 1, and a list multiplies the cost of its items by the number of items that
//! are asked for (`first`, `last`, the number of IDs) or, without them, by an estimate from the schema's
//! rules. async-graphql counts each scalar as 1 and cannot be changed in this, so its complexity is not
//! used.

use std::collections::HashMap;

use async_graphql::parser::types::{BaseType, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Positioned, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::model::{FieldModel, Kind, SchemaModel, TypeModel};

/// Arguments whose values each give one item of a list.
const ITEM_ARGUMENTS: [&str; 2] = ["ids", "representations"];

/// What an operation costs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperationCost {
    /// Estimate of the highest number of objects in the response.
    pub points: u64,
    /// Path of the field that contributes the most objects.
    pub top_field: String,
    /// Number of objects that this field contributes.
    pub top_points: u64,
}

/// Computes the cost of a valid operation.
pub(super) fn of(
    operation: &OperationDefinition,
    document: &ExecutableDocument,
    variables: &Variables,
    model: &SchemaModel,
) -> OperationCost {
    let mut walk = CostWalk { operation, document, variables, model, total: OperationCost::default() };
    if let Some(root) = model.root(operation.ty) {
        walk.selections(&[(&operation.selection_set.node, root)], Place { path: None, count: 1, page: None });
    }
    walk.total
}

struct CostWalk<'a> {
    operation: &'a OperationDefinition,
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    model: &'a SchemaModel,
    total: OperationCost,
}

/// Where the walk is.
#[derive(Clone, Copy)]
struct Place<'p> {
    path: Option<&'p PathPart<'p>>,
    /// Estimate of the highest number of objects at this place.
    count: u64,
    /// Number of items of the page, inside a connection.
    page: Option<u64>,
}

struct PathPart<'p> {
    parent: Option<&'p PathPart<'p>>,
    key: &'p str,
}

impl PathPart<'_> {
    fn text(&self) -> String {
        match self.parent {
            Some(parent) => format!("{}.{}", parent.text(), self.key),
            None => self.key.to_owned(),
        }
    }
}

/// Fields with the same response key on the same type, which the response merges.
struct MergedField<'a> {
    field: &'a Field,
    parent: &'a TypeModel,
    model: &'a FieldModel,
    ty: &'a TypeModel,
    sets: Vec<(&'a SelectionSet, &'a TypeModel)>,
}

impl<'a> CostWalk<'a> {
    fn selections(&mut self, sets: &[(&'a SelectionSet, &'a TypeModel)], place: Place<'_>) {
        let (mut merged, mut index) = (Vec::new(), HashMap::new());
        for (set, parent) in sets {
            self.collect(set, parent, &mut merged, &mut index);
        }
        for field in merged {
            self.field(&field, place);
        }
    }

    fn field(&mut self, merged: &MergedField<'a>, place: Place<'_>) {
        let part = PathPart { parent: place.path, key: merged.field.response_key().node.as_str() };
        let is_list = matches!(merged.model.ty.base, BaseType::List(_));
        let items = if is_list { self.items(merged, place.page) } else { 1 };
        let count = place.count.saturating_mul(items);
        self.total.points = self.total.points.saturating_add(count);
        if count > self.total.top_points {
            self.total.top_points = count;
            self.total.top_field = part.text();
        }
        let page = merged.ty.name.ends_with("Connection").then(|| self.page(merged));
        self.selections(&merged.sets, Place { path: Some(&part), count, page });
    }

    /// Highest number of items of a list of objects.
    fn items(&self, merged: &MergedField<'_>, page: Option<u64>) -> u64 {
        // The schema's description of itself is small and the same for everyone; depth limits it.
        if merged.ty.name.starts_with("__") {
            return 1;
        }
        if let Some(page) = page {
            return page;
        }
        let given = ITEM_ARGUMENTS.iter().find_map(|name| self.argument(merged.field, name));
        if let Some(ConstValue::List(given)) = given {
            return number(given.len());
        }
        self.page(merged)
    }

    /// Number of items that `first` or `last` asks for, or else the usual number of the list.
    fn page(&self, merged: &MergedField<'_>) -> u64 {
        let rules = &self.model.rules;
        let size = ["first", "last"].into_iter().find_map(|name| match self.argument(merged.field, name) {
            Some(ConstValue::Number(size)) => size.as_i64(),
            _ => None,
        });
        let (ty, field) = (merged.parent.name.as_str(), merged.field.name.node.as_str());
        let bound = rules.list_bounds.iter().find(|(name, _)| name.split_once('.') == Some((ty, field)));
        let usual = bound.map_or(rules.page_default, |(_, bound)| *bound);
        number(size.map_or(usual, |size| usize::try_from(size).unwrap_or(0).min(rules.page_max)))
    }

    fn argument(&self, field: &Field, name: &str) -> Option<ConstValue> {
        self.constant(&field.get_argument(name)?.node)
    }

    /// The value with the variables of the request.
    fn constant(&self, value: &Value) -> Option<ConstValue> {
        let value = value.clone().into_const_with(|name| {
            let given = self.variables.get(&name).cloned();
            let definitions = self.operation.variable_definitions.iter();
            let default = || {
                let definition = definitions.clone().find(|definition| definition.node.name.node == name)?;
                definition.node.default_value.as_ref().map(|default| default.node.clone())
            };
            Ok::<_, std::convert::Infallible>(given.or_else(default).unwrap_or(ConstValue::Null))
        });
        value.ok()
    }

    fn collect(
        &self,
        set: &'a SelectionSet,
        parent: &'a TypeModel,
        merged: &mut Vec<MergedField<'a>>,
        index: &mut HashMap<(&'a str, &'a str), usize>,
    ) {
        for item in set.items.iter().filter(|item| self.is_included(item)) {
            match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let Some(model) = parent.fields.get(field.name.node.as_str()) else { continue };
                    let Some(ty) = self.model.named(&model.ty) else { continue };
                    if !matches!(ty.kind, Kind::Object | Kind::Interface | Kind::Union) {
                        continue;
                    }
                    let key = (parent.name.as_str(), field.response_key().node.as_str());
                    let at = *index.entry(key).or_insert_with(|| {
                        merged.push(MergedField { field, parent, model, ty, sets: Vec::new() });
                        merged.len() - 1
                    });
                    merged[at].sets.push((&field.selection_set.node, ty));
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let ty = condition.and_then(|condition| self.model.get(&condition.node.on.node)).unwrap_or(parent);
                    self.collect(&fragment.node.selection_set.node, ty, merged, index);
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) else { continue };
                    let ty = self.model.get(&fragment.node.type_condition.node.on.node).unwrap_or(parent);
                    self.collect(&fragment.node.selection_set.node, ty, merged, index);
                }
            }
        }
    }

    /// Whether `@skip` and `@include` leave the selection in the operation.
    fn is_included(&self, item: &Positioned<Selection>) -> bool {
        item.node.directives().iter().all(|directive| {
            let condition = directive.node.get_argument("if").and_then(|value| self.constant(&value.node));
            match (directive.node.name.node.as_str(), condition) {
                ("skip", Some(ConstValue::Boolean(is_skipped))) => !is_skipped,
                ("include", Some(ConstValue::Boolean(is_included))) => is_included,
                _ => true,
            }
        })
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
