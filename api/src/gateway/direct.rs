//! Direct execution: a query that only reads common objects is answered without async-graphql.
//!
//! async-graphql resolves each field through a boxed future and collects the values in a tree, which is
//! then written as JSON. For a list of conversations that took more time than the database. The schema
//! therefore names the fields that it can read directly, and a function that reads a whole
//! [plan](super::guard::plan) of such fields and writes the JSON at once.
//!
//! The function returns `None` whenever something is out of the ordinary: an error, a missing
//! permission, an argument that cannot be read. The gateway then lets async-graphql execute the query
//! from the beginning, so that errors are reported in one way only. A query changes nothing, so it may be
//! executed twice.

use std::panic::AssertUnwindSafe;

use async_graphql::{Response, Variables};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use helpbot_services::{Services, Viewer};

use super::caller::AdmittedCaller;
use super::cost;
use super::execution::Gateway;
use super::guard::plan::QueryPlan;
use super::request::PreparedOperation;
use super::result::ExecutionResult;
use crate::error::ApiError;

/// Executes a plan. `None` when async-graphql must execute the query.
pub type ExecuteDirectly =
    for<'a> fn(&'a Services, &'a Viewer, &'a QueryPlan, &'a Variables) -> BoxFuture<'a, Option<DirectData>>;

/// What the schema can read directly.
#[derive(Debug, Clone, Copy)]
pub struct DirectRules {
    /// Types with the names of their direct fields.
    pub fields: &'static [(&'static str, &'static [&'static str])],
    /// Executes plans of these fields.
    pub execute: ExecuteDirectly,
}

impl DirectRules {
    /// Nothing is read directly.
    pub const NONE: Self = Self { fields: &[], execute: |_, _, _, _| std::future::ready(None).boxed() };
}

/// The `data` of a response, already written.
#[derive(Debug)]
pub struct DirectData {
    /// JSON text of the data.
    pub json: String,
    /// Number of objects in the data, without the root.
    pub objects: u64,
}

impl Gateway {
    /// Executes an operation directly. `None` when async-graphql must execute it.
    pub(super) async fn respond_directly(
        &self,
        operation: &PreparedOperation,
        caller: &AdmittedCaller,
    ) -> Option<ExecutionResult> {
        let requested = operation.cost.as_ref().ok()?;
        let plan = operation.document.plan(operation.operation_name.as_deref(), self.model())?;
        let execute = self.model().direct().execute;
        let data = execute(self.services(), &caller.viewer, &plan, &operation.variables);
        match AssertUnwindSafe(data).catch_unwind().await {
            Ok(data) => {
                let DirectData { json, objects } = data?;
                let limit = self.settings().costs.of(caller.viewer.kind);
                let report = cost::report_text(requested, objects, limit);
                let text = format!(r#"{{"data":{json},"extensions":{{"cost":{report}}}}}"#);
                Some(ExecutionResult { response: Response::default(), is_executed: true, text: Some(text) })
            }
            Err(panic) => {
                let error = ApiError::panicked(&*panic, &caller.request_id);
                Some(ExecutionResult::rejected(vec![error.into_server_error()]))
            }
        }
    }
}
