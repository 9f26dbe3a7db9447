//! The parameters of a GraphQL request, from a JSON body, a query string or a `subscribe` message.
//! Types are checked as the specification requires; unknown keys are ignored.

use async_graphql::Variables;
use axum::body::Body;
use axum::extract::Query;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use serde_json::{Map, Value};

use super::http_error::HttpError;
use super::{accept, body};
use crate::gateway::caller::IdempotencyKey;
use crate::gateway::request::RequestParams;

/// A sentence that describes what is wrong with a request.
pub(super) type Malformed = &'static str;

/// Checks that the body of a POST request is JSON that is not compressed.
///
/// # Errors
/// 415 for any other media type or content coding.
pub(super) fn require_json_body(head: &Parts) -> Result<(), HttpError> {
    let message = match head.method == Method::POST {
        true if !accept::is_json(&head.headers) => "Send the body as application/json in UTF-8",
        true if !body::is_plain(&head.headers) => {
            "Send the body without compression. Content-Encoding is not supported."
        }
        _ => return Ok(()),
    };
    Err(HttpError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

/// Reads the parameters from the body of a POST request, or else from the query string.
///
/// # Errors
/// 413 for a body over `limit` bytes; 400 when the parameters are malformed.
pub(super) async fn read(head: &Parts, body: Body, limit: usize) -> Result<RequestParams, HttpError> {
    let params = match head.method {
        Method::POST => from_body(&body::read(&head.headers, body, limit).await?),
        _ => from_query(&head.uri),
    };
    params.map_err(HttpError::malformed)
}

/// Reads the parameters from a body.
///
/// # Errors
/// When the body is not a JSON object (a batch, for example), or a parameter has the wrong type.
pub(super) fn from_body(body: &[u8]) -> Result<RequestParams, Malformed> {
    // Some clients send a byte order mark, which RFC 8259 allows to ignore.
    match serde_json::from_slice(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)) {
        Ok(Value::Object(map)) => from_map(map),
        Ok(Value::Array(_)) => Err("Batches are not supported. Send one operation per request."),
        Ok(_) => Err("The body must be a JSON object"),
        Err(_) => Err("The body is not valid JSON"),
    }
}

/// Reads the parameters from a JSON object.
///
/// # Errors
/// As [`from_body`].
pub(super) fn from_map(mut map: Map<String, Value>) -> Result<RequestParams, Malformed> {
    let extensions = object(map.remove("extensions"), "extensions must be an object")?;
    let key = text(extensions.get("idempotencyKey").cloned(), "extensions.idempotencyKey must be a string")?;
    let has_live_patches = extensions.get("livePatches") == Some(&Value::Bool(true));
    let persisted = object(extensions.get("persistedQuery").cloned(), "extensions.persistedQuery must be an object")?;
    // Some clients send an empty name with a document that has one operation.
    let name = text(map.remove("operationName"), "operationName must be a string")?;
    let document_id = text(map.remove("documentId"), "documentId must be a string")?;
    let persisted_hash = text(persisted.get("sha256Hash").cloned(), "sha256Hash must be a string")?;
    let is_named = document_id.is_some() || persisted_hash.is_some();
    let params = RequestParams {
        // An empty text beside the name of a document stands for no text.
        query: text(map.remove("query"), "query must be a string")?.filter(|query| !is_named || !query.is_empty()),
        document_id,
        persisted_hash,
        operation_name: name.filter(|name| !name.is_empty()),
        variables: Variables::from_json(object(map.remove("variables"), "variables must be an object")?),
        idempotency_key: key.map(IdempotencyKey),
        has_live_patches,
    };
    match (&params.query, &params.document_id, &params.persisted_hash) {
        (None, None, None) => Err("query or documentId is required"),
        _ => Ok(params),
    }
}

/// Reads the parameters from a query string. An empty parameter counts as absent.
fn from_query(uri: &Uri) -> Result<RequestParams, Malformed> {
    let Query(pairs) =
        Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| "The query string is not valid")?;
    let mut map = Map::new();
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        let value = match name.as_str() {
            "variables" => serde_json::from_str(&value).map_err(|_| "variables must be a JSON object")?,
            "extensions" => serde_json::from_str(&value).map_err(|_| "extensions must be a JSON object")?,
            _ => Value::String(value),
        };
        if map.insert(name, value).is_some() {
            return Err("A parameter appears twice in the query string");
        }
    }
    from_map(map)
}

fn text(value: Option<Value>, otherwise: Malformed) -> Result<Option<String>, Malformed> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(otherwise),
    }
}

fn object(value: Option<Value>, otherwise: Malformed) -> Result<Value, Malformed> {
    match value {
        None | Some(Value::Null) => Ok(Value::Object(Map::new())),
        Some(Value::Object(map)) => Ok(Value::Object(map)),
        Some(_) => Err(otherwise),
    }
}
