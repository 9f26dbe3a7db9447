//! The JSON of an outcome: `data` only if the operation was executed, `errors` only if there are
//! some.

use std::borrow::Cow;

use async_graphql::{ServerError, Value};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Outcome;

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        // Errors first, as the specification advises, so that they are seen.
        if !self.response.errors.is_empty() {
            map.serialize_entry("errors", &self.response.errors)?;
        }
        if self.is_executed {
            map.serialize_entry("data", &self.response.data)?;
        }
        if !self.response.extensions.is_empty() {
            map.serialize_entry("extensions", &self.response.extensions)?;
        }
        map.end()
    }
}

/// The JSON text of an outcome.
pub(crate) fn json(outcome: &Outcome) -> Cow<'_, str> {
    match &outcome.told {
        Some(told) => Cow::Borrowed(&told.json),
        None => Cow::Owned(serde_json::to_string(outcome).expect("GraphQL values are JSON")),
    }
}

/// The JSON text of errors alone, as a response that was not executed.
pub(crate) fn errors_json(errors: Vec<ServerError>) -> String {
    json(&Outcome::refused(errors)).into_owned()
}

/// The cursor of an event: the string `cursor` of the first root field, if it was selected.
pub(crate) fn cursor(outcome: &Outcome) -> Option<&str> {
    if let Some(told) = &outcome.told {
        return told.cursor.as_deref();
    }
    let Value::Object(root) = &outcome.response.data else { return None };
    let Value::Object(event) = root.values().next()? else { return None };
    match event.get("cursor")? {
        Value::String(cursor) => Some(cursor),
        _ => None,
    }
}
