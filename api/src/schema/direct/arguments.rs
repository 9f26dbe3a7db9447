//! Reads the arguments of a planned field as its resolver would.

use async_graphql::{InputType, Value as ConstValue, Variables};
use async_graphql_value::Value;

use crate::gateway::guard::plan::PlannedField;
use crate::schema::page::PageArgs;

/// The arguments of one field.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a> {
    pub field: &'a PlannedField,
    pub variables: &'a Variables,
}

impl Arguments<'_> {
    /// The argument `name`. `None` when it cannot be read. An argument without a value is null.
    pub fn get<T: InputType>(&self, name: &str) -> Option<T> {
        let given = self.field.arguments.iter().find(|(known, _)| known == name);
        let value = match given {
            None => None,
            // A variable without a value is an argument without a value.
            Some((_, Value::Variable(name))) => self.variables.get(name).cloned(),
            Some((_, value)) => Some(self.constant(value)?),
        };
        T::parse(value).ok()
    }

    /// The arguments of a connection.
    pub fn page(&self) -> Option<PageArgs> {
        Some(PageArgs {
            first: self.get("first")?,
            after: self.get("after")?,
            last: self.get("last")?,
            before: self.get("before")?,
        })
    }

    fn constant(&self, value: &Value) -> Option<ConstValue> {
        value.clone().into_const_with(|name| self.variables.get(&name).cloned().ok_or(())).ok()
    }
}
