//! The shape of a result: the response keys of an operation in the order of its selections, with their types.
//!
//! async-graphql returns the fields of an object in the order in which they were resolved, and leaves out a field
//! that failed although its type allows no null. The gateway puts the fields into the order of the document
//! (specification, 6.3.2), so that two results with the same values have the same text, and turns the object of
//! such a field into null (6.4.4). What the document does not select is removed: the markers of
//! [`collecting`](super::collecting).

use std::collections::HashMap;

use async_graphql::parser::types::{BaseType, Type};
use async_graphql::{Name, PathSegment, ServerError, Value};

/// The response keys of a selection on objects.
#[derive(Debug, Default, PartialEq)]
pub struct ResultShape(Vec<ShapedField>);

/// A response key with the type of its value, and the shape of the objects in it.
#[derive(Debug, PartialEq)]
struct ShapedField {
    key: Name,
    ty: Type,
    nested: Option<ResultShape>,
}

impl ResultShape {
    pub(super) fn add(&mut self, key: &Name, ty: Type, nested: Option<Self>) {
        match self.0.iter_mut().find(|known| known.key == *key) {
            Some(ShapedField { nested: Some(known), .. }) => known.merge(nested.unwrap_or_default()),
            Some(_) => {}
            None => self.0.push(ShapedField { key: key.clone(), ty, nested }),
        }
    }

    /// Adds what another selection on the same object selects.
    pub(super) fn merge(&mut self, other: Self) {
        for ShapedField { key, ty, nested } in other.0 {
            self.add(&key, ty, nested);
        }
    }

    /// Completes the data of a response: nulls for what failed, and the order of the selection.
    pub(crate) fn complete(&self, data: &mut Value, errors: &[ServerError]) {
        let failed: Vec<&ServerError> = errors.iter().filter(|error| !error.path.is_empty()).collect();
        if !failed.is_empty() && self.is_lost(data, 0, &failed) {
            *data = Value::Null;
        }
        self.arrange(data);
    }

    /// Arranges the value of the first root field: an event of a subscription, in which nothing failed.
    pub(crate) fn arrange_event(&self, event: &mut Value) {
        if let Some(ShapedField { nested: Some(nested), .. }) = self.0.first() {
            nested.arrange(event);
        }
    }

    fn arrange(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                if !fields.keys().eq(self.0.iter().map(|field| &field.key)) {
                    let mut resolved = std::mem::take(fields);
                    fields.extend(self.0.iter().filter_map(|field| resolved.swap_remove_entry(&field.key)));
                }
                for field in &self.0 {
                    if let (Some(nested), Some(value)) = (&field.nested, fields.get_mut(&field.key)) {
                        nested.arrange(value);
                    }
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.arrange(item)),
            _ => {}
        }
    }

    /// Whether an object lacks a value that cannot be null. Also writes null for each missing field that failed and may
    /// be null. `errors` are those whose path leads through the object, which is `depth` segments long.
    fn is_lost(&self, object: &mut Value, depth: usize, errors: &[&ServerError]) -> bool {
        let Value::Object(fields) = object else { return false };
        let mut failed: HashMap<&str, Vec<&ServerError>> = HashMap::new();
        for error in errors {
            if let Some(PathSegment::Field(key)) = error.path.get(depth) {
                failed.entry(key).or_default().push(error);
            }
        }
        for field in &self.0 {
            // Without an error, a missing field belongs to objects of another type.
            let Some(errors) = failed.get(field.key.as_str()) else { continue };
            let is_lost = match fields.get_mut(&field.key) {
                Some(value) => field.is_lost(value, &field.ty, depth + 1, errors),
                None => {
                    fields.insert(field.key.clone(), Value::Null);
                    !field.ty.nullable
                }
            };
            if is_lost {
                return true;
            }
        }
        false
    }
}

impl ShapedField {
    /// Whether the value is null although its type does not allow it.
    fn is_lost(&self, value: &mut Value, ty: &Type, depth: usize, errors: &[&ServerError]) -> bool {
        let mut has_lost = false;
        match (&mut *value, &ty.base) {
            (Value::List(items), BaseType::List(item_type)) => {
                let mut failed: HashMap<usize, Vec<&ServerError>> = HashMap::new();
                for error in errors {
                    if let Some(PathSegment::Index(index)) = error.path.get(depth) {
                        failed.entry(*index).or_default().push(error);
                    }
                }
                for (index, errors) in failed {
                    let Some(item) = items.get_mut(index) else { continue };
                    has_lost |= self.is_lost(item, item_type, depth + 1, &errors);
                }
            }
            (Value::Object(_), BaseType::Named(_)) => {
                has_lost = self.nested.as_ref().is_some_and(|nested| nested.is_lost(value, depth, errors));
            }
            _ => {}
        }
        if has_lost {
            *value = Value::Null;
        }
        *value == Value::Null && !ty.nullable
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    /// The key and type of a field, and those of the fields in it.
    type Selected<'a> = (&'a str, &'a str, Option<&'a [(&'a str, &'a str)]>);

    fn shape(fields: &[Selected<'_>]) -> ResultShape {
        let mut shape = ResultShape::default();
        for (key, ty, nested) in fields {
            let nested = nested.map(|fields| {
                let mut nested = ResultShape::default();
                fields.iter().for_each(|(key, ty)| nested.add(&Name::new(key), Type::new(ty).unwrap(), None));
                nested
            });
            shape.add(&Name::new(key), Type::new(ty).unwrap(), nested);
        }
        shape
    }

    fn failed(path: &[&str]) -> ServerError {
        let segment =
            |part: &&str| part.parse().map_or_else(|_| PathSegment::Field((*part).into()), PathSegment::Index);
        ServerError::new("It failed.", None).with_path(path.iter().map(segment).collect())
    }

    #[test]
    fn fields_get_the_order_of_the_selection_and_markers_are_removed() {
        let shape = shape(&[("list", "[T]!", Some(&[("b", "Int"), ("a", "Int")])), ("empty", "T", Some(&[]))]);
        let mut result = value!({ "empty": { "-": "T" }, "list": [{ "a": 1, "b": null }, null, { "b": 2 }] });

        shape.complete(&mut result, &[]);

        let text = serde_json::to_string(&result).unwrap();
        assert_eq!(text, r#"{"list":[{"b":null,"a":1},null,{"b":2}],"empty":{}}"#);
    }

    #[test]
    fn a_field_that_failed_makes_the_next_nullable_value_null() {
        for (ty, inner, path, data, expected) in [
            ("T", "Int!", &["t", "n"][..], value!({ "t": { "m": 1 }, "x": 1 }), r#"{"t":null,"x":1}"#),
            ("T!", "Int!", &["t", "n"], value!({ "t": { "m": 1 }, "x": 1 }), "null"),
            ("T!", "Int", &["t", "n"], value!({ "t": { "m": 1 }, "x": 1 }), r#"{"t":{"m":1,"n":null},"x":1}"#),
            ("[T]!", "Int!", &["t", "1", "n"], value!({ "t": [{ "n": 1 }, { "m": 1 }] }), r#"{"t":[{"n":1},null]}"#),
            ("[T!]", "Int!", &["t", "1", "n"], value!({ "t": [{ "n": 1 }, { "m": 1 }] }), r#"{"t":null}"#),
            ("T!", "Int!", &["t"], value!({ "x": 1 }), "null"),
            ("T", "Int!", &["t"], value!({ "x": 1 }), r#"{"t":null,"x":1}"#),
        ] {
            let shape = shape(&[("t", ty, Some(&[("m", "Int"), ("n", inner)])), ("x", "Int", None)]);
            let mut result = data;

            shape.complete(&mut result, &[failed(path)]);

            assert_eq!(serde_json::to_string(&result).unwrap(), expected, "{ty} {inner}");
        }
    }
}
