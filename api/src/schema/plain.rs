//! Lists of objects whose plain fields are resolved without a future each.
//!
//! async-graphql resolves every field of every object through a boxed future of its own. A plain
//! field only reads a value that the object already contains, so [`PlainList`]
//! and [`Plain`] write such fields directly, and resolve only the other fields through async-graphql.
//! Connections return their nodes as such lists. What async-graphql does beyond that stays with it:
//! validation, cost, introspection, errors, and fields with directives.

use std::borrow::Cow;
use std::fmt::Display;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{self, EnumType};
use async_graphql::{ContainerType, ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};
use futures_util::future::join_all;

/// An object with fields that only read what the object contains.
pub trait PlainFields: ContainerType {
    /// Gives the value of the field `name` to `to`, exactly as its resolver returns it. `None` when the
    /// field needs its resolver: because it has arguments, loads something, can fail or is an object.
    fn plain_field<V: PlainValue>(&self, name: &str, to: V) -> Option<V::Written>;
}

impl<T: PlainFields> PlainFields for &T {
    fn plain_field<V: PlainValue>(&self, name: &str, to: V) -> Option<V::Written> {
        T::plain_field(self, name, to)
    }
}

/// Receives the value of one plain field: as a value of async-graphql, or as JSON text.
pub trait PlainValue: Sized {
    /// What remains after the value was received.
    type Written;

    /// Any text.
    fn text(self, text: &str) -> Self::Written;
    /// A text in which JSON escapes nothing: an ID or a time.
    fn word(self, word: impl Display) -> Self::Written;
    /// A value of an enum.
    fn choice<E: EnumType>(self, value: E) -> Self::Written;
    /// A boolean.
    fn boolean(self, value: bool) -> Self::Written;
    /// A whole number.
    fn integer(self, value: i32) -> Self::Written;
    /// A number.
    fn real(self, value: f64) -> Self::Written;
    /// No value.
    fn null(self) -> Self::Written;

    /// A text, or no value.
    fn optional(self, text: Option<&str>) -> Self::Written {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }
}

/// Keeps the value of a plain field as async-graphql does.
struct AsValue;

impl PlainValue for AsValue {
    type Written = Value;

    fn text(self, text: &str) -> Value {
        Value::String(text.to_owned())
    }

    fn word(self, word: impl Display) -> Value {
        Value::String(word.to_string())
    }

    fn choice<E: EnumType>(self, value: E) -> Value {
        resolver_utils::enum_value(value)
    }

    fn boolean(self, value: bool) -> Value {
        Value::Boolean(value)
    }

    fn integer(self, value: i32) -> Value {
        Value::Number(value.into())
    }

    fn real(self, value: f64) -> Value {
        async_graphql::ScalarType::to_value(&value)
    }

    fn null(self) -> Value {
        Value::Null
    }
}

/// A list that is resolved like `Vec<T>`, but faster.
pub struct PlainList<T>(Vec<T>);

impl<T> FromIterator<T> for PlainList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<T: PlainFields> OutputType for PlainList<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match resolved(ctx, &self.0, ItemPath::Index).await {
            Some(objects) => Ok(Value::List(objects.into_iter().map(value_of).collect())),
            None => self.0.resolve(ctx, field).await,
        }
    }
}

/// An object that is resolved like `T`, but faster.
pub struct Plain<T>(pub T);

impl<T: PlainFields> OutputType for Plain<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let objects = resolved(ctx, std::slice::from_ref(&self.0), ItemPath::Field).await;
        match objects.and_then(|objects| objects.into_iter().next()) {
            Some(object) => Ok(value_of(object)),
            None => self.0.resolve(ctx, field).await,
        }
    }
}

type Object = IndexMap<Name, Value>;

/// The path of an item in the result.
#[derive(Clone, Copy)]
enum ItemPath {
    /// The item is the value of a field.
    Field,
    /// The item has an index in the list that is the value of a field.
    Index,
}

/// The selected fields of the items. `None` when only async-graphql can resolve the selection.
async fn resolved<T: PlainFields>(ctx: &ContextSelectionSet<'_>, items: &[T], path: ItemPath) -> Option<Vec<Object>> {
    let type_name = T::type_name();
    let mut selected = Selected { type_name: &type_name, fields: Vec::new() };
    selected.add(ctx, &ctx.item.node)?;
    let fields = selected.fields;
    let mut rest = Vec::new();
    let mut objects = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let mut object = Object::with_capacity(fields.len());
        for field in &fields {
            let value = plain_value(item, field).unwrap_or_else(|| {
                rest.push((index, *field));
                Value::Null
            });
            // Keeps the place of a field that is resolved below: a result has the order of the selection.
            object.insert(key(field).clone(), value);
        }
        objects.push(object);
    }
    // All at once, so that loaders see the keys of the whole list.
    let values = join_all(rest.iter().map(|&(index, field)| async move {
        let of_item = match path {
            ItemPath::Field => ctx.clone(),
            ItemPath::Index => ctx.with_index(index),
        };
        let of_field = of_item.with_field(field);
        items[index].resolve_field(&of_field).await
    }));
    for (value, &(index, field)) in values.await.into_iter().zip(&rest) {
        match value {
            Ok(value) => drop(objects[index].insert(key(field).clone(), value.unwrap_or_default())),
            // As in async-graphql, a failed field reports its error and has no value.
            Err(error) => {
                objects[index].shift_remove(key(field));
                ctx.add_error(error);
            }
        }
    }
    Some(objects)
}

/// As in async-graphql, an object of which every field failed is null.
fn value_of(object: Object) -> Value {
    if object.is_empty() { Value::Null } else { Value::Object(object) }
}

fn plain_value<T: PlainFields>(item: &T, field: &Positioned<Field>) -> Option<Value> {
    match field.node.name.node.as_str() {
        "__typename" => Some(Value::String(item.introspection_type_name().into_owned())),
        name => item.plain_field(name, AsValue),
    }
}

fn key(field: &Positioned<Field>) -> &Name {
    &field.node.response_key().node
}

/// The fields that a selection set selects on an object type, with those of its fragments.
struct Selected<'a> {
    type_name: &'a str,
    fields: Vec<&'a Positioned<Field>>,
}

impl<'a> Selected<'a> {
    /// Adds the fields of a selection set. `None` when only async-graphql can resolve it: for a field
    /// with directives, a fragment on another type, and two selections that must be merged.
    fn add(&mut self, ctx: &ContextSelectionSet<'a>, set: &'a SelectionSet) -> Option<()> {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => self.add_field(field)?,
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    if condition.is_some_and(|condition| condition.node.on.node != self.type_name) {
                        return None;
                    }
                    self.add(ctx, &fragment.node.selection_set.node)?;
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &ctx.query_env.fragments.get(&spread.node.fragment_name.node)?.node;
                    if fragment.type_condition.node.on.node != self.type_name {
                        return None;
                    }
                    self.add(ctx, &fragment.selection_set.node)?;
                }
            }
        }
        Some(())
    }

    fn add_field(&mut self, field: &'a Positioned<Field>) -> Option<()> {
        if !field.node.directives.is_empty() {
            return None;
        }
        match self.fields.iter().find(|known| key(known) == key(field)) {
            None => self.fields.push(field),
            // Validation has checked that both select the same field with the same arguments.
            Some(_) if field.node.selection_set.node.items.is_empty() => (),
            Some(_) => return None,
        }
        Some(())
    }
}
