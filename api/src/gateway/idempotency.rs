//! Mutations and questions with an idempotency key: executed once, answered with the same result
//! every time. A repeated `answer` subscription returns the last event of the first one.
//!
//! Two requests are the same when document, operation and variables are equal. The whole response is
//! stored, including ids and secrets, except for a session token of a visitor who did not prove a
//! session; a repeated response says so in `extensions.replayed`.

use async_graphql::{Response, Value};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use helpbot_services::Error;
use helpbot_services::runtime::idempotency::{self, Named, RequestAttempt, RequestStart};
use tokio::sync::mpsc;

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
        let named = named(&operation, caller, key);
        let services = self.services();
        match idempotency::begin(services, &caller.viewer, &named).await {
            Ok(RequestStart::Answered(answer)) => replayed(&answer, &caller.request_id),
            Ok(RequestStart::Run(turn)) => {
                let result = idempotency::run(&turn, self.respond(operation, caller)).await;
                self.end(caller, turn, &result.json()).await;
                result
            }
            Err(error) => rejected(&error, caller),
        }
    }

    /// Asks the question of a subscription, or returns the last result of its first execution. It runs
    /// in its own task, so that the result is stored even when the client disconnects.
    pub(super) fn subscribe_once(
        &self,
        operation: PreparedOperation,
        caller: AdmittedCaller,
        key: &IdempotencyKey,
    ) -> BoxStream<'static, ExecutionResult> {
        let named = named(&operation, &caller, key);
        // The engine limits the length of an answer, so the channel needs no limit.
        let (sender, receiver) = mpsc::unbounded_channel();
        let gateway = self.clone();
        tokio::spawn(async move {
            // A closed channel means that the client has gone. The result is stored anyway.
            match idempotency::begin(gateway.services(), &caller.viewer, &named).await {
                Ok(RequestStart::Answered(answer)) => drop(sender.send(replayed(&answer, &caller.request_id))),
                Ok(RequestStart::Run(turn)) => {
                    let mut results = gateway.follow(operation, &caller, Some(turn.clone()));
                    let mut last = String::new();
                    while let Some(result) = results.next().await {
                        last = result.json();
                        drop(sender.send(result));
                    }
                    gateway.end(&caller, turn, &last).await;
                }
                Err(error) => drop(sender.send(rejected(&error, &caller))),
            }
        });
        stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) }).boxed()
    }

    async fn end(&self, caller: &AdmittedCaller, turn: RequestAttempt, answer: &str) {
        if let Err(failed) = idempotency::end(self.services(), &caller.viewer, turn, answer).await {
            // The request took effect and this is recorded; only its response is lost.
            error::log(&failed, &caller.request_id);
        }
    }
}

fn named(operation: &PreparedOperation, caller: &AdmittedCaller, key: &IdempotencyKey) -> Named {
    Named { name: key.0.clone(), request_hash: fingerprint(operation), address: caller.peer }
}

fn rejected(error: &Error, caller: &AdmittedCaller) -> ExecutionResult {
    error::log(error, &caller.request_id);
    ExecutionResult::rejected(vec![ApiError::from(error).into_server_error()])
}

/// A stored response as a result.
fn replayed(answer: &str, request_id: &str) -> ExecutionResult {
    match serde_json::from_str::<Response>(answer) {
        Ok(mut response) => {
            response.extensions.insert("replayed".to_owned(), Value::Boolean(true));
            // Only the response of an executed operation is stored.
            ExecutionResult { response, is_executed: true, text: None }
        }
        Err(error) => {
            tracing::error!(request_id, %error, "the stored response of an operation cannot be read");
            ExecutionResult::rejected(vec![ApiError::internal().into_server_error()])
        }
    }
}
