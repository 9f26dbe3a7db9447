//! Mutations that their caller named (`Idempotency-Key`): run once, answered as often as asked.
//!
//! Two requests are the same when document, operation and variables are. What is kept is the
//! whole response, ids and secrets and all; a repeated one says so in `extensions.replayed`.

use async_graphql::{Response, Value};
use helpbot_domain::text;
use helpbot_services::runtime::idempotency::{self, Attempt, Named};
use sha2::{Digest, Sha256};

use super::{Gateway, IdempotencyKey, Outcome, Prepared, Session};
use crate::error::{self, ErrorCode, Failure};

impl Gateway {
    /// Runs a mutation, or gives the answer that it had.
    pub(super) async fn run_once(&self, prepared: Prepared, session: &Session, key: &IdempotencyKey) -> Outcome {
        let named = Named { name: key.0.clone(), request_hash: fingerprint(&prepared) };
        let services = self.services();
        match services.begin_attempt(&session.viewer, &named).await {
            Ok(Attempt::Answered(answer)) => replayed(&answer),
            Ok(Attempt::Run(turn)) => {
                let outcome = idempotency::run(&turn, self.respond(prepared, session)).await;
                let answer = serde_json::to_string(&outcome).expect("GraphQL values are JSON");
                if let Err(failed) = services.end_attempt(turn, &answer).await {
                    // The effect stands and is noted; only its answer cannot be had again.
                    error::log(&failed, &session.request_id);
                }
                outcome
            }
            Err(refused) => {
                error::log(&refused, &session.request_id);
                Outcome::refused(vec![Failure::from(&refused).into_server_error()])
            }
        }
    }
}

/// A kept answer as an outcome.
fn replayed(answer: &str) -> Outcome {
    match serde_json::from_str::<Response>(answer) {
        // Only what was executed can have written anything, and only that is kept.
        Ok(mut response) => {
            response.extensions.insert("replayed".to_owned(), Value::Boolean(true));
            Outcome { response, is_executed: true, told: None }
        }
        Err(error) => {
            tracing::error!(%error, "a kept answer cannot be read");
            Outcome::refused(vec![Failure::new(ErrorCode::Internal, "Internal server error").into_server_error()])
        }
    }
}

/// A hash of everything that a request asks.
pub(super) fn fingerprint(prepared: &Prepared) -> String {
    let mut hash = Sha256::new();
    hash.update(prepared.document.fingerprint());
    part(&mut hash, prepared.operation_name.as_deref().unwrap_or_default().as_bytes());
    for (name, value) in prepared.variables.iter() {
        part(&mut hash, name.as_bytes());
        absorb(&mut hash, value);
    }
    text::hex(&hash.finalize())
}

/// Each part with its length, so that no two lists of parts look alike.
fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update(bytes.len().to_be_bytes());
    hash.update(bytes);
}

/// A value whatever the order in which the fields of its objects were sent.
fn absorb(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            hash.update(b"{");
            hash.update(fields.len().to_be_bytes());
            for (name, value) in fields {
                part(hash, name.as_bytes());
                absorb(hash, value);
            }
        }
        Value::List(items) => {
            hash.update(b"[");
            hash.update(items.len().to_be_bytes());
            items.iter().for_each(|item| absorb(hash, item));
        }
        scalar => {
            hash.update(b"=");
            part(hash, scalar.to_string().as_bytes());
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
    use crate::guard::{self, Limits};

    fn of(text: &str, variables: serde_json::Value) -> String {
        fingerprint(&Prepared {
            document: Arc::new(guard::read(text, &Limits::default()).unwrap()),
            kind: OperationType::Mutation,
            operation_name: None,
            variables: Variables::from_json(variables),
            files: None,
            is_stored: false,
        })
    }

    #[test]
    fn requests_are_the_same_when_document_and_variables_are() {
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
