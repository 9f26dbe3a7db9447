//! Mutations with an idempotency key: executed once, answered with the same result every time.
//!
//! Two requests are the same when document, operation and variables are equal. The whole response is
//! stored, including ids and secrets; a repeated response says so in `extensions.replayed`.

use async_graphql::{Response, Value};
use helpbot_services::runtime::idempotency::{self, Named, RequestStart};

use super::caller::{AdmittedCaller, IdempotencyKey};
use super::execution::Gateway;
use super::fingerprint::fingerprint;
use super::request::PreparedOperation;
use super::result::ExecutionResult;
use crate::error::{self, ApiError};

impl Gateway {
    /// Executes a mutation, or returns the stored result of its first execution.
    pub(super) async fn respond_once(
        &self,
        operation: PreparedOperation,
        caller: &AdmittedCaller,
        key: &IdempotencyKey,
    ) -> ExecutionResult {
        let named = Named { name: key.0.clone(), request_hash: fingerprint(&operation) };
        let services = self.services();
        match idempotency::begin(services, &caller.viewer, &named).await {
            Ok(RequestStart::Answered(answer)) => replayed(&answer, &caller.request_id),
            Ok(RequestStart::Run(turn)) => {
                let result = idempotency::run(&turn, self.respond(operation, caller)).await;
                if let Err(failed) = idempotency::end(services, turn, &result.json()).await {
                    // The mutation took effect and this is recorded; only its response is lost.
                    error::log(&failed, &caller.request_id);
                }
                result
            }
            Err(rejected) => {
                error::log(&rejected, &caller.request_id);
                ExecutionResult::rejected(vec![ApiError::from(&rejected).into_server_error()])
            }
        }
    }
}

/// A stored response as a result.
fn replayed(answer: &str, request_id: &str) -> ExecutionResult {
    match serde_json::from_str::<Response>(answer) {
        Ok(mut response) => {
            response.extensions.insert("replayed".to_owned(), Value::Boolean(true));
            // Only the response of an executed mutation is stored.
            ExecutionResult { response, is_executed: true }
        }
        Err(error) => {
            tracing::error!(request_id, %error, "the stored response of a mutation cannot be read");
            ExecutionResult::rejected(vec![ApiError::internal().into_server_error()])
        }
    }
}
