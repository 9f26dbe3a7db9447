//! Validates a document against the schema: the rules of section 5 of the specification.
//!
//! The validation of async-graphql omits some of these rules and applies others too strictly (see
//! `docs/graphql.md`), so operations are executed without it, and this module decides alone.
//! `tests/conformance/differential.mjs` compares it with graphql-js. Each selection set is visited
//! once, however often its fragment is spread; [`overlap`](super::overlap) checks merged fields.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet, Type,
    VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned, Value as ConstValue};
use async_graphql_value::Value;

use super::model::{FieldModel, SchemaModel, TypeModel};
use super::overlap;
use super::rejection::DocumentError;
use super::suggestion;
use super::values::{self, VariableUse};

/// More errors than this help nobody and would only enlarge the response.
const ERRORS_MAX: usize = 20;

/// Returns the errors in a document, in the order of their positions. Empty for a valid document.
pub(super) fn errors(document: &ExecutableDocument, model: &SchemaModel) -> Vec<DocumentError> {
    let mut validator = Validator { document, model, errors: Vec::new() };
    let mut fragments = HashMap::new();
    for (name, fragment) in &document.fragments {
        let mut scope = Scope::default();
        let ty = validator.condition(&fragment.node.type_condition.node.on);
        validator.directives(&fragment.node.directives, "FRAGMENT_DEFINITION", &mut scope);
        validator.selections(&fragment.node.selection_set.node, ty, &mut scope);
        fragments.insert(name.as_str(), scope);
    }
    let mut used = HashSet::new();
    for (_, operation) in document.operations.iter() {
        validator.operation(operation, &fragments, &mut used);
    }
    for (name, fragment) in document.fragments.iter().filter(|(name, _)| !used.contains(name.as_str())) {
        validator.add(fragment.pos, format!("Fragment \"{name}\" is never used"));
    }
    let mut errors = validator.errors;
    // Merging assumes that fields and fragments exist.
    if errors.is_empty() {
        errors = overlap::errors(document, model);
    }
    errors.sort_by_key(|error| error.pos);
    errors.truncate(ERRORS_MAX);
    errors
}

/// What a selection set uses, without the contents of its fragments.
#[derive(Default)]
struct Scope<'a> {
    variables: Vec<(VariableUse<'a>, Pos)>,
    spreads: Vec<&'a str>,
}

struct Validator<'a> {
    document: &'a ExecutableDocument,
    model: &'a SchemaModel,
    errors: Vec<DocumentError>,
}

impl<'a> Validator<'a> {
    fn add(&mut self, pos: Pos, message: impl Into<String>) {
        self.errors.push(DocumentError { message: message.into(), pos });
    }

    fn operation(
        &mut self,
        operation: &'a Positioned<OperationDefinition>,
        fragments: &HashMap<&'a str, Scope<'a>>,
        used: &mut HashSet<&'a str>,
    ) {
        let (node, pos) = (&operation.node, operation.pos);
        let location = match node.ty {
            OperationType::Query => "QUERY",
            OperationType::Mutation => "MUTATION",
            OperationType::Subscription => "SUBSCRIPTION",
        };
        let mut scope = Scope::default();
        self.directives(&node.directives, location, &mut scope);
        let root = self.model.root(node.ty);
        if root.is_none() {
            self.add(pos, format!("The schema has no {} operations", node.ty));
        }
        self.selections(&node.selection_set.node, root, &mut scope);
        if node.ty == OperationType::Subscription {
            self.single_root(operation);
        }
        let reached = reached(&scope, fragments);
        used.extend(&reached);
        let in_fragments = reached.iter().filter_map(|name| fragments.get(name)).flat_map(|scope| &scope.variables);
        let uses: Vec<&(VariableUse<'a>, Pos)> = scope.variables.iter().chain(in_fragments).collect();
        self.variables(node, &uses);
    }

    /// Checks the definitions of variables against their uses.
    fn variables(&mut self, operation: &'a OperationDefinition, uses: &[&(VariableUse<'a>, Pos)]) {
        let mut known: HashMap<&str, &'a VariableDefinition> = HashMap::new();
        for definition in &operation.variable_definitions {
            let (node, pos) = (&definition.node, definition.pos);
            let name = node.name.node.as_str();
            if known.insert(name, node).is_some() {
                self.add(pos, format!("There can be only one variable named \"${name}\""));
            }
            self.definition(node);
            if !uses.iter().any(|(used, _)| used.name == name) {
                self.add(pos, format!("Variable \"${name}\" is never used"));
            }
        }
        for (used, pos) in uses {
            let Some(definition) = known.get(used.name.as_str()) else {
                self.add(*pos, format!("Variable \"${}\" is not defined by the operation", used.name));
                continue;
            };
            let (given, default) = (&definition.var_type.node, definition.default_value.as_ref());
            if let Some(expected) = used.expected
                && !is_allowed(given, default.map(|default| &default.node), expected, used.has_default)
            {
                let message = format!(
                    "Variable \"${}\" of type \"{given}\" cannot be used where type \"{expected}\" is expected",
                    used.name
                );
                self.add(*pos, message);
            }
        }
    }

    fn definition(&mut self, definition: &'a VariableDefinition) {
        let (ty, pos) = (&definition.var_type.node, definition.var_type.pos);
        let mut nothing = Scope::default();
        self.directives(&definition.directives, "VARIABLE_DEFINITION", &mut nothing);
        match self.model.named(ty) {
            None => self.add(pos, self.model.unknown_type(ty.to_string().trim_matches(['[', ']', '!']))),
            Some(named) if !named.is_input() => {
                let name = &definition.name.node;
                self.add(pos, format!("Variable \"${name}\" cannot have type \"{ty}\", which is not an input type"));
            }
            Some(_) => {
                let Some(default) = &definition.default_value else { return };
                if let Err(problem) = check_default(self.model, &default.node, ty) {
                    self.add(default.pos, problem);
                }
            }
        }
    }

    /// Checks that a subscription selects exactly one field, without a condition, which is not part of introspection.
    fn single_root(&mut self, operation: &'a Positioned<OperationDefinition>) {
        let (mut fields, mut conditions) = (Vec::new(), Vec::new());
        let set = &operation.node.selection_set.node;
        root_fields(self.document, set, &mut HashSet::new(), &mut fields, &mut conditions);
        for pos in conditions {
            self.add(pos, "A subscription cannot use @skip or @include at the top level");
        }
        let keys: HashSet<&str> = fields.iter().map(|field| field.node.response_key().node.as_str()).collect();
        if keys.len() > 1 {
            self.add(operation.pos, "A subscription must select exactly one field");
        }
        if let Some(field) = fields.iter().find(|field| field.node.name.node.starts_with("__")) {
            self.add(field.pos, "A subscription cannot select an introspection field at the top level");
        }
    }

    /// The composite type that a fragment applies to.
    fn condition(&mut self, name: &'a Positioned<Name>) -> Option<&'a TypeModel> {
        let ty = self.model.get(&name.node);
        match ty {
            None => self.add(name.pos, self.model.unknown_type(&name.node)),
            Some(ty) if !ty.is_composite() => {
                self.add(name.pos, format!("A fragment cannot apply to type \"{}\", which has no fields", ty.name));
            }
            Some(_) => {}
        }
        ty.filter(|ty| ty.is_composite())
    }

    fn selections(&mut self, set: &'a SelectionSet, parent: Option<&'a TypeModel>, scope: &mut Scope<'a>) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => self.field(field, parent, scope),
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    self.directives(&spread.node.directives, "FRAGMENT_SPREAD", scope);
                    scope.spreads.push(name);
                    match self.document.fragments.get(name) {
                        None => self.add(spread.pos, format!("Unknown fragment \"{name}\"")),
                        Some(fragment) => {
                            let ty = self.model.get(&fragment.node.type_condition.node.on.node);
                            self.possible(spread.pos, parent, ty);
                        }
                    }
                }
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.node.directives, "INLINE_FRAGMENT", scope);
                    let ty = match &fragment.node.type_condition {
                        Some(condition) => {
                            let ty = self.condition(&condition.node.on);
                            self.possible(fragment.pos, parent, ty);
                            ty
                        }
                        None => parent,
                    };
                    self.selections(&fragment.node.selection_set.node, ty, scope);
                }
            }
        }
    }

    fn possible(&mut self, pos: Pos, parent: Option<&TypeModel>, ty: Option<&TypeModel>) {
        if let (Some(parent), Some(ty)) = (parent, ty)
            && ty.is_composite()
            && !self.model.overlaps(parent, ty)
        {
            let message = format!("An object of type \"{}\" can never be of type \"{}\"", parent.name, ty.name);
            self.add(pos, message);
        }
    }

    fn field(&mut self, field: &'a Positioned<Field>, parent: Option<&'a TypeModel>, scope: &mut Scope<'a>) {
        let (node, name) = (&field.node, field.node.name.node.as_str());
        self.directives(&node.directives, "FIELD", scope);
        let nested = &node.selection_set.node;
        let Some(parent) = parent else {
            self.unknown_arguments(&node.arguments, scope);
            return self.selections(nested, None, scope);
        };
        if name == "__typename" {
            self.arguments(None, &node.arguments, field.pos, "Field \"__typename\"", scope);
            if !nested.items.is_empty() {
                self.add(field.pos, "Field \"__typename\" has no fields to select");
            }
            return;
        }
        let Some(model) = parent.fields.get(name) else {
            let hint = suggestion::of(self.model, name, parent.fields.keys());
            self.add(field.pos, format!("Field \"{name}\" does not exist on type \"{}\"{hint}", parent.name));
            self.unknown_arguments(&node.arguments, scope);
            return self.selections(nested, None, scope);
        };
        let owner = format!("Field \"{}.{name}\"", parent.name);
        self.arguments(Some(&model.arguments), &node.arguments, field.pos, &owner, scope);
        let ty = self.model.named(&model.ty);
        match ty {
            Some(ty) if ty.is_composite() && nested.items.is_empty() => {
                let message = format!("{owner} of type \"{}\" must have a selection of fields", model.ty);
                self.add(field.pos, message);
            }
            Some(ty) if !ty.is_composite() && !nested.items.is_empty() => {
                self.add(field.pos, format!("{owner} of type \"{}\" has no fields to select", model.ty));
            }
            _ => {}
        }
        self.selections(nested, ty.filter(|ty| ty.is_composite()), scope);
    }

    /// Records the variables in the arguments of a field or directive that does not exist.
    fn unknown_arguments(&self, given: &'a [(Positioned<Name>, Positioned<Value>)], scope: &mut Scope<'a>) {
        given.iter().for_each(|(_, value)| self.free_variables(value, scope));
    }

    /// Records the variables in a value of unknown type.
    fn free_variables(&self, value: &'a Positioned<Value>, scope: &mut Scope<'a>) {
        let mut uses = Vec::new();
        values::add_variables(&value.node, &mut uses);
        scope.variables.extend(uses.into_iter().map(|used| (used, value.pos)));
    }

    fn arguments(
        &mut self,
        known: Option<&'a HashMap<String, FieldModel>>,
        given: &'a [(Positioned<Name>, Positioned<Value>)],
        pos: Pos,
        owner: &str,
        scope: &mut Scope<'a>,
    ) {
        let mut seen = HashSet::new();
        for (name, value) in given {
            if !seen.insert(name.node.as_str()) {
                self.add(name.pos, format!("There can be only one argument named \"{}\"", name.node));
            }
            let Some(model) = known.and_then(|known| known.get(name.node.as_str())) else {
                let hint = suggestion::of(self.model, &name.node, known.into_iter().flat_map(HashMap::keys));
                self.add(name.pos, format!("{owner} has no argument \"{}\"{hint}", name.node));
                self.free_variables(value, scope);
                continue;
            };
            let mut uses = Vec::new();
            if let Err(problem) = values::check_literal(self.model, &value.node, model, &mut uses) {
                let message =
                    format!("Argument \"{}\" has an invalid value{}: {}", name.node, problem.place(), problem.reason);
                self.add(value.pos, message);
            }
            scope.variables.extend(uses.into_iter().map(|used| (used, value.pos)));
        }
        let known = known.into_iter().flatten();
        for (name, model) in known.filter(|(name, model)| model.is_required() && !seen.contains(name.as_str())) {
            self.add(pos, format!("{owner} requires argument \"{name}\" of type \"{}\"", model.ty));
        }
    }

    fn directives(&mut self, given: &'a [Positioned<Directive>], location: &str, scope: &mut Scope<'a>) {
        let mut seen = HashSet::new();
        for directive in given {
            let name = directive.node.name.node.as_str();
            let Some(model) = self.model.directive(name) else {
                self.add(directive.pos, format!("Unknown directive \"@{name}\""));
                self.unknown_arguments(&directive.node.arguments, scope);
                continue;
            };
            if !model.locations.contains(location) {
                self.add(directive.pos, format!("Directive \"@{name}\" is not allowed here ({location})"));
            }
            if !seen.insert(name) && !model.is_repeatable {
                self.add(directive.pos, format!("Directive \"@{name}\" can be used only once here"));
            }
            let owner = format!("Directive \"@{name}\"");
            self.arguments(Some(&model.arguments), &directive.node.arguments, directive.pos, &owner, scope);
        }
    }
}

/// The fragments that a selection set contains, directly or through other fragments.
fn reached<'a>(scope: &Scope<'a>, fragments: &HashMap<&'a str, Scope<'a>>) -> HashSet<&'a str> {
    let mut reached = HashSet::new();
    let mut waiting = scope.spreads.clone();
    while let Some(name) = waiting.pop() {
        if let Some(fragment) = fragments.get(name)
            && reached.insert(name)
        {
            waiting.extend(&fragment.spreads);
        }
    }
    reached
}

fn root_fields<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    seen: &mut HashSet<&'a str>,
    fields: &mut Vec<&'a Positioned<Field>>,
    conditions: &mut Vec<Pos>,
) {
    for item in &set.items {
        let is_condition =
            |directive: &&Positioned<Directive>| matches!(&*directive.node.name.node, "skip" | "include");
        conditions.extend(item.node.directives().iter().filter(is_condition).map(|directive| directive.pos));
        match &item.node {
            Selection::Field(field) => fields.push(field),
            Selection::InlineFragment(fragment) => {
                root_fields(document, &fragment.node.selection_set.node, seen, fields, conditions);
            }
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                if let Some(fragment) = document.fragments.get(name)
                    && seen.insert(name)
                {
                    root_fields(document, &fragment.node.selection_set.node, seen, fields, conditions);
                }
            }
        }
    }
}

/// Whether a variable may be used in a place (specification, 5.8.5).
fn is_allowed(given: &Type, default: Option<&ConstValue>, expected: &Type, has_default: bool) -> bool {
    if !expected.nullable && given.nullable {
        let has_value = default.is_some_and(|default| *default != ConstValue::Null);
        return (has_value || has_default) && is_same_or_stricter(given, &Type { nullable: true, ..expected.clone() });
    }
    is_same_or_stricter(given, expected)
}

fn is_same_or_stricter(given: &Type, expected: &Type) -> bool {
    (!given.nullable || expected.nullable)
        && match (&given.base, &expected.base) {
            (BaseType::Named(given), BaseType::Named(expected)) => given == expected,
            (BaseType::List(given), BaseType::List(expected)) => is_same_or_stricter(given, expected),
            _ => false,
        }
}

fn check_default(model: &SchemaModel, default: &ConstValue, ty: &Type) -> Result<(), String> {
    let place = FieldModel { ty: ty.clone(), has_default: false, arguments: HashMap::new() };
    let value = default.clone().into_value();
    let checked = values::check_literal(model, &value, &place, &mut Vec::new());
    checked.map_err(|problem| format!("The default value is invalid{}: {}", problem.place(), problem.reason))
}
