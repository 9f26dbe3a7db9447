//! Stored operations, run in process: what `/api/v1` is made of.

use std::sync::Arc;

use async_graphql::Variables;
use async_graphql::parser::types::OperationType;
use helpbot_domain::ids::KeyId;
use helpbot_services::accounts::sites;
use helpbot_services::{Site, Viewer};
use serde_json::Value;

use super::{Caller, Gateway, Outcome, Prepared, Session};
use crate::error::{ErrorCode, Failure};
use crate::guard::{self, Document};
use crate::limits::Standing;

/// A document with one operation, parsed once and run often.
#[derive(Debug, Clone)]
pub struct Operation {
    name: &'static str,
    document: Arc<Document>,
    kind: OperationType,
}

impl Operation {
    /// The operation `name` of `text`.
    ///
    /// # Errors
    /// What the guard says of it: `GRAPHQL_PARSE_FAILED`, `COMPLEXITY_LIMIT`, or
    /// `GRAPHQL_VALIDATION_FAILED` when there is no operation of that name.
    pub fn parse(name: &'static str, text: &str) -> Result<Self, Failure> {
        let refused = |refusal: guard::Refusal| Failure::from_server_error(&refusal.into_server_error());
        let document = guard::read(text, &guard::Limits::default()).map_err(refused)?;
        let kind = document.operation(Some(name)).map_err(refused)?;
        Ok(Self { name, document: Arc::new(document), kind })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl Gateway {
    /// Runs `operation` for `caller` and gives the `data` object. Where the caller has a limit,
    /// `standing` says afterwards what is left of it.
    ///
    /// `variables` is an object; what else it is counts as none. A mutation that the caller named
    /// is run once, and gives the same again to the same request.
    ///
    /// # Errors
    /// Whatever refuses the caller; the first top-level error; the first entry of any root
    /// payload's `userErrors`, if the operation selects them.
    pub async fn run(
        &self,
        operation: &Operation,
        variables: Value,
        caller: &Caller,
        standing: &mut Option<Standing>,
    ) -> Result<Value, Failure> {
        let viewer = self.enter(caller, standing).await?;
        self.run_as(viewer, operation, variables, caller).await
    }

    /// Authenticates and admits `caller`, for [`Gateway::run_as`]. `standing` says what is left of
    /// the limit, also when nothing is.
    ///
    /// # Errors
    /// Whatever refuses the caller.
    pub async fn enter(&self, caller: &Caller, standing: &mut Option<Standing>) -> Result<Viewer, Failure> {
        let entered = async {
            let viewer = self.authenticate(caller).await?;
            Ok::<_, Failure>((self.admit(&viewer, caller)?, viewer))
        };
        match entered.await {
            Ok((left, viewer)) => {
                *standing = left;
                Ok(viewer)
            }
            Err(failure) => {
                *standing = failure.standing;
                Err(failure)
            }
        }
    }

    /// [`Gateway::run`] for a caller that has entered as `viewer`.
    ///
    /// # Errors
    /// As there.
    pub async fn run_as(
        &self,
        viewer: Viewer,
        operation: &Operation,
        variables: Value,
        caller: &Caller,
    ) -> Result<Value, Failure> {
        let idempotency_key = caller.idempotency_key.clone();
        let session = Session { viewer, request_id: caller.request_id.clone(), idempotency_key };
        let prepared = Prepared {
            document: operation.document.clone(),
            kind: operation.kind,
            operation_name: Some(operation.name.to_owned()),
            variables: Variables::from_json(variables),
            files: None,
            is_stored: true,
        };
        data(self.execute_within(prepared, &session, self.settings().stored_deadline).await)
    }

    /// What an answer to `viewer` about its site's settings rests on; none without a site.
    pub async fn ground(&self, viewer: &Viewer) -> Option<Ground> {
        let site = sites::remembered(self.services(), viewer.site_id?).await.ok()?;
        Some(Ground { key: viewer.key_id, site })
    }
}

/// A key and the settings of its site as they were read a moment ago. An answer that rests on
/// nothing else may be given again while the ground is the same; it never is for longer than
/// `services` believes the settings.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The key, which decides what the holder may read.
    pub key: KeyId,
    site: Arc<Site>,
}

impl PartialEq for Ground {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && Arc::ptr_eq(&self.site, &other.site)
    }
}

fn data(outcome: Outcome) -> Result<Value, Failure> {
    if let Some(first) = outcome.response.errors.first() {
        return Err(Failure::from_server_error(first));
    }
    let data = outcome.response.data.into_json().map_err(|error| {
        tracing::error!(%error, "an operation gave data that JSON cannot hold");
        Failure::new(ErrorCode::Internal, "Internal server error")
    })?;
    match first_user_error(&data) {
        Some(failure) => Err(failure),
        None => Ok(data),
    }
}

fn first_user_error(data: &Value) -> Option<Failure> {
    let payloads = data.as_object()?.values();
    let refused = payloads.filter_map(|payload| payload.get("userErrors")?.as_array()?.first()).next()?;
    let code = refused["code"].as_str().and_then(ErrorCode::from_code).unwrap_or(ErrorCode::BadUserInput);
    let message = refused["message"].as_str().unwrap_or("The input was refused");
    // The path begins at `input`, which callers of other surfaces do not know.
    let path =
        refused["field"].as_array().map(|path| path.iter().filter_map(Value::as_str).skip(1).collect::<Vec<_>>());
    let field = path.filter(|path| !path.is_empty()).map(|path| path.join("."));
    Some(Failure { field, ..Failure::new(code, message) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_user_error_of_a_payload_is_the_failure() {
        let refused = json!({"result": {"webhook": null, "userErrors": [
            {"field": ["input", "url"], "message": "url must be https", "code": "BAD_USER_INPUT"},
            {"field": null, "message": "second", "code": "CONFLICT"},
        ]}});

        let failure = first_user_error(&refused).unwrap();

        assert_eq!(failure.code, ErrorCode::BadUserInput);
        assert_eq!((failure.message.as_str(), failure.field.as_deref()), ("url must be https", Some("url")));
        assert_eq!(first_user_error(&json!({"result": {"userErrors": []}})), None);
        assert_eq!(first_user_error(&json!({"result": null})), None);
    }

    #[test]
    fn a_stored_operation_is_found_by_its_name() {
        assert_eq!(Operation::parse("Ask", "mutation Ask { a }").unwrap().name(), "Ask");
        assert_eq!(Operation::parse("Ask", "mutation { a }").unwrap_err().code, ErrorCode::GraphqlValidationFailed);
        assert_eq!(Operation::parse("Ask", "mutation").unwrap_err().code, ErrorCode::GraphqlParseFailed);
    }
}
