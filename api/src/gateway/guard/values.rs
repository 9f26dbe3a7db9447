//! Whether a value has a type of the schema: literals of a document and the values of variables.
//!
//! Input coercion follows section 3 of the specification. A malformed custom scalar, such as a
//! `DateTime`, is found here, before anything is executed.

use async_graphql::parser::types::{BaseType, Type};
use async_graphql::{Name, Value as ConstValue};
use async_graphql_value::Value;

use super::model::{FieldModel, Kind, SchemaModel, TypeModel};
use super::suggestion;

/// A use of a variable, with what is expected in its place.
#[derive(Debug, Clone)]
pub(super) struct VariableUse<'a> {
    pub name: &'a Name,
    /// `None` inside a custom scalar, which accepts any type.
    pub expected: Option<&'a Type>,
    /// Whether the place has a default value.
    pub has_default: bool,
}

/// What is wrong with a value, and where inside it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ValueProblem {
    /// Names of input fields and indexes, from the inside to the outside.
    pub path: Vec<String>,
    pub reason: String,
}

impl ValueProblem {
    fn new(reason: impl Into<String>) -> Self {
        Self { path: Vec::new(), reason: reason.into() }
    }

    fn inside(mut self, part: impl ToString) -> Self {
        self.path.push(part.to_string());
        self
    }

    /// ` at "…"` with the path, or nothing for the value itself.
    pub fn place(&self) -> String {
        let parts: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        if parts.is_empty() { String::new() } else { format!(" at \"{}\"", parts.join(".")) }
    }
}

/// Checks a literal of a document, and adds the variables in it to `uses`.
///
/// # Errors
/// The first problem.
pub(super) fn check_literal<'a>(
    model: &'a SchemaModel,
    value: &'a Value,
    place: &'a FieldModel,
    uses: &mut Vec<VariableUse<'a>>,
) -> Result<(), ValueProblem> {
    literal(model, value, &place.ty, place.has_default, uses)
}

fn literal<'a>(
    model: &'a SchemaModel,
    value: &'a Value,
    ty: &'a Type,
    has_default: bool,
    uses: &mut Vec<VariableUse<'a>>,
) -> Result<(), ValueProblem> {
    if let Value::Variable(name) = value {
        uses.push(VariableUse { name, expected: Some(ty), has_default });
        return Ok(());
    }
    if *value == Value::Null {
        return if ty.nullable { Ok(()) } else { Err(null_problem(ty)) };
    }
    let name = match (&ty.base, value) {
        (BaseType::List(item), Value::List(values)) => {
            for (index, value) in values.iter().enumerate() {
                literal(model, value, item, false, uses).map_err(|problem| problem.inside(index))?;
            }
            return Ok(());
        }
        // A single value stands for a list with this value.
        (BaseType::List(item), single) => return literal(model, single, item, false, uses),
        (BaseType::Named(name), _) => name,
    };
    let Some(named) = model.get(name) else { return Ok(()) };
    match (named.kind, value) {
        (Kind::Input, Value::Object(fields)) => {
            known_fields(model, named, fields.keys(), |name| fields.contains_key(name))?;
            for (name, value) in fields {
                let Some(field) = named.fields.get(name.as_str()) else { continue };
                literal(model, value, &field.ty, field.has_default, uses).map_err(|problem| problem.inside(name))?;
            }
            Ok(())
        }
        (Kind::Enum, Value::Enum(name)) if named.names.contains(name.as_str()) => Ok(()),
        (Kind::Enum, Value::Enum(name)) => Err(unknown_value(model, named, name)),
        (Kind::Scalar, value) => {
            let Some(constant) = value.clone().into_const() else {
                add_variables(value, uses);
                return Ok(());
            };
            scalar(model, named, &constant)
        }
        _ => Err(mismatch(named, value)),
    }
}

/// Checks the value of a variable, and makes a whole number of a number such as `1.0` where the type
/// is `Int`, as the specification allows.
///
/// # Errors
/// The first problem.
pub(super) fn check_variable(model: &SchemaModel, value: &mut ConstValue, ty: &Type) -> Result<(), ValueProblem> {
    if *value == ConstValue::Null {
        return if ty.nullable { Ok(()) } else { Err(null_problem(ty)) };
    }
    let name = match (&ty.base, &mut *value) {
        (BaseType::List(item), ConstValue::List(values)) => {
            for (index, value) in values.iter_mut().enumerate() {
                check_variable(model, value, item).map_err(|problem| problem.inside(index))?;
            }
            return Ok(());
        }
        (BaseType::List(item), single) => return check_variable(model, single, item),
        (BaseType::Named(name), _) => name,
    };
    let Some(named) = model.get(name) else { return Ok(()) };
    match (named.kind, &mut *value) {
        (Kind::Input, ConstValue::Object(fields)) => {
            known_fields(model, named, fields.keys(), |name| fields.contains_key(name))?;
            for (name, value) in fields.iter_mut() {
                let Some(field) = named.fields.get(name.as_str()) else { continue };
                check_variable(model, value, &field.ty).map_err(|problem| problem.inside(name))?;
            }
            Ok(())
        }
        (Kind::Enum, ConstValue::String(text)) if named.names.contains(text.as_str()) => Ok(()),
        (Kind::Enum, ConstValue::Enum(name)) if named.names.contains(name.as_str()) => Ok(()),
        (Kind::Enum, ConstValue::String(name)) => Err(unknown_value(model, named, name)),
        (Kind::Scalar, value) => {
            if named.name == "Int" {
                make_whole(value);
            }
            scalar(model, named, value)
        }
        (_, value) => Err(mismatch(named, value)),
    }
}

/// Replaces a number such as `1.0` by `1`.
fn make_whole(value: &mut ConstValue) {
    if let ConstValue::Number(number) = value
        && let Some(real) = number.as_f64().filter(|_| number.is_f64())
        && real.fract() == 0.0
        && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&real)
    {
        #[expect(clippy::cast_possible_truncation, reason = "the number is whole and within the range of i32")]
        let whole = real as i32;
        *value = ConstValue::from(whole);
    }
}

/// Checks that every given field exists and that every required field is given.
fn known_fields<'a>(
    model: &SchemaModel,
    ty: &TypeModel,
    given: impl Iterator<Item = &'a Name>,
    has: impl Fn(&str) -> bool,
) -> Result<(), ValueProblem> {
    for name in given {
        if !ty.fields.contains_key(name.as_str()) {
            let hint = suggestion::of(model, name, ty.fields.keys());
            return Err(ValueProblem::new(format!("Field \"{name}\" is not defined by type \"{}\"{hint}", ty.name)));
        }
    }
    let mut missing: Vec<_> =
        ty.fields.iter().filter(|(name, field)| field.is_required() && !has(name.as_str())).collect();
    missing.sort_by_key(|(name, _)| name.as_str());
    match missing.first() {
        Some((name, field)) => {
            let reason = format!("Field \"{name}\" of required type \"{}\" was not provided", field.ty);
            Err(ValueProblem::new(reason))
        }
        None => Ok(()),
    }
}

fn scalar(model: &SchemaModel, ty: &TypeModel, value: &ConstValue) -> Result<(), ValueProblem> {
    let is_valid = match (ty.name.as_str(), value) {
        ("Int", ConstValue::Number(number)) => number.as_i64().is_some_and(|whole| i32::try_from(whole).is_ok()),
        ("Float", ConstValue::Number(_)) | ("String" | "ID", ConstValue::String(_)) => true,
        ("Boolean", ConstValue::Boolean(_)) => true,
        // async-graphql reads no larger ones.
        ("ID", ConstValue::Number(number)) => number.is_i64(),
        ("Int" | "Float" | "String" | "ID" | "Boolean", _) => false,
        (name, value) => {
            return match (model.rules.scalar_problem)(name, value) {
                Some(reason) => Err(ValueProblem::new(reason)),
                None => Ok(()),
            };
        }
    };
    if is_valid { Ok(()) } else { Err(mismatch(ty, value)) }
}

/// Adds the variables in a value of unknown type to `uses`.
pub(super) fn add_variables<'a>(value: &'a Value, uses: &mut Vec<VariableUse<'a>>) {
    match value {
        Value::Variable(name) => uses.push(VariableUse { name, expected: None, has_default: true }),
        Value::List(values) => values.iter().for_each(|value| add_variables(value, uses)),
        Value::Object(fields) => fields.values().for_each(|value| add_variables(value, uses)),
        _ => {}
    }
}

fn null_problem(ty: &Type) -> ValueProblem {
    ValueProblem::new(format!("Expected a value of type \"{ty}\", found null"))
}

/// The problem of a name that is no value of an enum.
fn unknown_value(model: &SchemaModel, ty: &TypeModel, name: &str) -> ValueProblem {
    let hint = suggestion::of(model, name, ty.names.iter());
    ValueProblem::new(format!("\"{name}\" is not a value of type \"{}\"{hint}", ty.name))
}

fn mismatch(ty: &TypeModel, value: impl std::fmt::Display) -> ValueProblem {
    ValueProblem::new(format!("{value} is not a valid value of type \"{}\"", ty.name))
}
