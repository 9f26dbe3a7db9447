//! The result of an operation, and its JSON.
//!
//! `data` is present only if the operation was executed, `errors` only if there are errors: that is
//! how a client distinguishes a request error from a failed field.

use std::borrow::Cow;

use async_graphql::{Response, ServerError, Value};
use bytes::Bytes;
use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The result of an operation, or of one event of a subscription.
#[derive(Debug)]
pub struct ExecutionResult {
    /// Data and errors. Every error has a code.
    pub response: Response,
    /// False when the request was rejected before execution. There is no `data` then.
    pub is_executed: bool,
    /// JSON text of the result, when it was written before. `response` is empty then.
    pub text: Option<String>,
}

impl ExecutionResult {
    /// The result of a request that was not executed.
    pub fn rejected(errors: Vec<ServerError>) -> Self {
        Self { response: Response::from_errors(errors), is_executed: false, text: None }
    }

    /// The JSON text of the result.
    pub(crate) fn json(&self) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        match self.shared_event() {
            // The text was checked to be UTF-8 when it was written.
            Some((field, event)) => {
                format!(r#"{{"data":{{{}:{}}}}}"#, serde_json::Value::from(field), String::from_utf8_lossy(event))
            }
            None => serde_json::to_string(self).expect("GraphQL values are JSON"),
        }
    }

    /// The cursor of an event: the string `cursor` in the first root field, if the client selected it.
    pub(crate) fn cursor(&self) -> Option<Cow<'_, str>> {
        #[derive(Deserialize)]
        struct EventWithCursor<'a> {
            #[serde(borrow)]
            cursor: Option<Cow<'a, str>>,
        }
        if let Some((_, event)) = self.shared_event() {
            return serde_json::from_slice::<EventWithCursor<'_>>(event).ok()?.cursor;
        }
        let Value::Object(root) = &self.response.data else { return None };
        let Value::Object(event) = root.values().next()? else { return None };
        match event.get("cursor")? {
            Value::String(cursor) => Some(Cow::Borrowed(cursor)),
            _ => None,
        }
    }

    /// The response key and the JSON text of an event that an [`audience`](super::audience) shares.
    fn shared_event(&self) -> Option<(&str, &Bytes)> {
        let Value::Object(root) = &self.response.data else { return None };
        match root.first()? {
            (field, Value::Binary(event)) if self.response.errors.is_empty() => Some((field.as_str(), event)),
            _ => None,
        }
    }
}

impl Serialize for ExecutionResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        // Errors come first, as the specification recommends, so that they are not overlooked.
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

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    fn executed(data: Value) -> ExecutionResult {
        ExecutionResult { response: Response::new(data), is_executed: true, text: None }
    }

    #[test]
    fn a_shared_event_has_the_same_json_and_cursor_as_an_event_of_its_own() {
        let own = executed(value!({ "e": { "cursor": "c\"1", "text": "ü" } }));
        let event = serde_json::to_vec(&serde_json::json!({"cursor": "c\"1", "text": "ü"})).unwrap();
        let shared = executed(Value::Object(
            [(async_graphql::Name::new("e"), Value::Binary(event.into()))].into_iter().collect(),
        ));

        assert_eq!(shared.json(), own.json());
        assert_eq!(shared.cursor(), own.cursor());
        assert_eq!(own.cursor().as_deref(), Some("c\"1"));
    }

    #[test]
    fn an_event_without_a_cursor_has_none() {
        let without = executed(value!({ "e": { "text": "a" } }));
        let number = executed(value!({ "e": { "cursor": 1 } }));

        assert_eq!((without.cursor(), number.cursor()), (None, None));
    }
}
