//! Stored operations, executed in process: `/api/v1` consists of them.

use std::sync::Arc;

use async_graphql::Variables;
use async_graphql::parser::types::OperationType;
use helpbot_domain::ids::KeyId;
use helpbot_domain::site::Site;
use helpbot_services::Viewer;
use helpbot_services::accounts::sites;
use serde_json::Value;

use super::caller::AdmittedCaller;
use super::execution::Gateway;
use super::guard;
use super::guard::cost::OperationCost;
use super::guard::document::Document;
use super::guard::limits::DocumentSize;
use super::guard::rejection::DocumentRejection;
use super::request::PreparedOperation;
use super::result::ExecutionResult;
use crate::error::{ApiError, ErrorCode};

/// A named operation of ours, parsed once and executed often.
#[derive(Debug, Clone)]
pub struct StoredOperation {
    name: &'static str,
    document: Arc<Document>,
    operation_type: OperationType,
}

impl StoredOperation {
    /// Parses the operation `name` in `text`.
    ///
    /// # Errors
    /// `GRAPHQL_PARSE_FAILED`, `COMPLEXITY_LIMIT`, or `GRAPHQL_VALIDATION_FAILED` when `text` contains
    /// no operation with this name.
    pub fn parse(name: &'static str, text: &str) -> Result<Self, ApiError> {
        let error = |rejection: DocumentRejection| ApiError::from_server_error(&rejection.into_server_error());
        let document = guard::read(text, &DocumentSize::MAX).map_err(error)?;
        let operation_type = document.operation_type(Some(name)).map_err(error)?;
        Ok(Self { name, document: Arc::new(document), operation_type })
    }

    /// Name of the operation.
    pub fn name(&self) -> &'static str {
        self.name
    }

    fn prepared(&self, variables: Value) -> PreparedOperation {
        PreparedOperation {
            document: self.document.clone(),
            operation_type: self.operation_type,
            operation_name: Some(self.name.to_owned()),
            variables: Variables::from_json(variables),
            files: None,
            // The operations are ours, and a test validates them.
            cost: Ok(OperationCost::default()),
            is_stored: true,
            has_live_patches: false,
            accepts_text: false,
        }
    }
}

impl Gateway {
    /// Executes a stored operation and returns its `data` object.
    ///
    /// `variables` must be an object; any other value counts as an empty one.
    ///
    /// # Errors
    /// The first top-level error, or the first entry of `userErrors` in any root payload that selects
    /// it.
    pub async fn run(
        &self,
        operation: &StoredOperation,
        variables: Value,
        caller: &AdmittedCaller,
    ) -> Result<Value, ApiError> {
        let result = self.execute(operation.prepared(variables), caller).await;
        data(result, &caller.request_id)
    }

    /// The settings that a response about the viewer's site depends on, or `None` when the viewer has
    /// no site.
    pub async fn settings_snapshot(&self, viewer: &Viewer) -> Option<SettingsSnapshot> {
        let site = sites::remembered(self.services(), viewer.site_id?).await.ok()?;
        Some(SettingsSnapshot { key: viewer.key_id, site })
    }
}

/// An API key and the settings of its site as they were read a moment ago.
///
/// A response that depends on nothing else may be sent again while the snapshot is equal. Snapshots
/// are never older than the time for which `services` caches the settings of a site.
#[derive(Debug, Clone)]
pub struct SettingsSnapshot {
    /// The API key, which decides what its holder may read.
    pub key: KeyId,
    site: Arc<Site>,
}

impl PartialEq for SettingsSnapshot {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && Arc::ptr_eq(&self.site, &other.site)
    }
}

fn data(result: ExecutionResult, request_id: &str) -> Result<Value, ApiError> {
    if let Some(first) = result.response.errors.first() {
        return Err(ApiError::from_server_error(first));
    }
    let data = result.response.data.into_json().map_err(|error| {
        tracing::error!(request_id, %error, "a stored operation returned data that is not JSON");
        ApiError::internal()
    })?;
    match first_user_error(&data) {
        Some(error) => Err(error),
        None => Ok(data),
    }
}

fn first_user_error(data: &Value) -> Option<ApiError> {
    let payloads = data.as_object()?.values();
    let error = payloads.filter_map(|payload| payload.get("userErrors")?.as_array()?.first()).next()?;
    let code = error["code"].as_str().and_then(ErrorCode::from_code).unwrap_or(ErrorCode::BadUserInput);
    let message = error["message"].as_str().unwrap_or("The input is invalid");
    // The path starts with `input`, which exists only in GraphQL.
    let path = error["field"].as_array().map(|path| path.iter().filter_map(Value::as_str).skip(1).collect::<Vec<_>>());
    let field = path.filter(|path| !path.is_empty()).map(|path| path.join("."));
    Some(ApiError { field, ..ApiError::new(code, message) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_user_error_of_a_payload_becomes_the_error() {
        let rejected = json!({"result": {"webhook": null, "userErrors": [
            {"field": ["input", "url"], "message": "url must be https", "code": "BAD_USER_INPUT"},
            {"field": null, "message": "second", "code": "CONFLICT"},
        ]}});

        let error = first_user_error(&rejected).unwrap();

        assert_eq!(error.code, ErrorCode::BadUserInput);
        assert_eq!((error.message.as_str(), error.field.as_deref()), ("url must be https", Some("url")));
        assert_eq!(first_user_error(&json!({"result": {"userErrors": []}})), None);
        assert_eq!(first_user_error(&json!({"result": null})), None);
    }

    #[test]
    fn a_stored_operation_is_found_by_its_name() {
        let code = |text| StoredOperation::parse("Ask", text).unwrap_err().code;

        assert_eq!(StoredOperation::parse("Ask", "mutation Ask { a }").unwrap().name(), "Ask");
        assert_eq!(code("mutation { a }"), ErrorCode::GraphqlValidationFailed);
        assert_eq!(code("mutation"), ErrorCode::GraphqlParseFailed);
    }
}
