//! The fingerprint of an operation: equal for requests that ask for the same.
//!
//! Idempotency keys compare requests with it, and audiences of events are identified by it.

use async_graphql::Value;
use helpbot_domain::text;
use sha2::{Digest, Sha256};

use super::request::PreparedOperation;

/// A hash of everything that a request asks for.
pub(super) fn fingerprint(operation: &PreparedOperation) -> String {
    let mut hash = Sha256::new();
    hash.update(operation.document.fingerprint());
    add_part(&mut hash, operation.operation_name.as_deref().unwrap_or_default().as_bytes());
    for (name, value) in operation.variables.iter() {
        add_part(&mut hash, name.as_bytes());
        add_value(&mut hash, value);
    }
    text::hex(&hash.finalize())
}

/// Adds a part with its length, so that no two lists of parts have the same hash.
fn add_part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update(bytes.len().to_be_bytes());
    hash.update(bytes);
}

/// Adds a value, independent of the order in which the client sent the fields of its objects.
fn add_value(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            hash.update(b"{");
            hash.update(fields.len().to_be_bytes());
            for (name, value) in fields {
                add_part(hash, name.as_bytes());
                add_value(hash, value);
            }
        }
        Value::List(items) => {
            hash.update(b"[");
            hash.update(items.len().to_be_bytes());
            items.iter().for_each(|item| add_value(hash, item));
        }
        scalar => {
            hash.update(b"=");
            add_part(hash, scalar.to_string().as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_graphql::Variables;
    use async_graphql::parser::types::OperationType;
    use serde_json::json;

    use super::*;
    use crate::gateway::guard::{self, cost::OperationCost, limits::DocumentSize};

    fn of(text: &str, variables: serde_json::Value) -> String {
        fingerprint(&PreparedOperation {
            document: Arc::new(guard::read(text, &DocumentSize::MAX).unwrap()),
            operation_type: OperationType::Mutation,
            operation_name: None,
            variables: Variables::from_json(variables),
            files: None,
            cost: Ok(OperationCost::default()),
            is_stored: false,
            has_live_patches: false,
            accepts_text: false,
        })
    }

    #[test]
    fn two_requests_are_the_same_when_document_and_variables_are_equal() {
        let first = of("mutation { a }", json!({"input": {"x": 1, "y": [null, "b"]}}));

        assert_eq!(first, of("mutation { a }", json!({"input": {"y": [null, "b"], "x": 1}})));
        for (text, variables) in [
            ("mutation { b }", json!({"input": {"x": 1, "y": [null, "b"]}})),
            ("mutation { a }", json!({"input": {"x": 1, "y": ["b", null]}})),
            ("mutation { a }", json!({"input": {"x": "1", "y": [null, "b"]}})),
            ("mutation { a }", json!({"input": {"x": 1, "y": [null, ["b"]]}})),
            ("mutation { a }", json!({"inputx": {"x": 1, "y": [null, "b"]}})),
            ("mutation { a }", json!({})),
        ] {
            assert_ne!(first, of(text, variables.clone()), "{text} {variables}");
        }
    }
}
