//! The parameters of a GraphQL request, from a JSON body, a query string or a `subscribe`
//! message. Types are checked here, as the specification has them; unknown keys are ignored.

use async_graphql::Variables;
use axum::extract::Query;
use axum::http::Uri;
use serde_json::{Map, Value};

use crate::gateway::{IdempotencyKey, Params};

/// What is wrong with a request; a sentence for its sender.
pub(super) type Malformed = &'static str;

/// The parameters of a body.
///
/// # Errors
/// When it is not a JSON object (a batch, too), or one of the parameters has a wrong type.
pub(super) fn from_body(body: &[u8]) -> Result<Params, Malformed> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => from_map(map),
        Ok(Value::Array(_)) => Err("Batches are not supported: send one operation a request"),
        Ok(_) => Err("The body must be a JSON object"),
        Err(_) => Err("The body is not valid JSON"),
    }
}

/// The parameters of a JSON object.
///
/// # Errors
/// As [`from_body`].
pub(super) fn from_map(mut map: Map<String, Value>) -> Result<Params, Malformed> {
    let extensions = object(map.remove("extensions"), "extensions must be an object")?;
    let named = text(extensions.get("idempotencyKey").cloned(), "extensions.idempotencyKey must be a string")?;
    let persisted = object(extensions.get("persistedQuery").cloned(), "extensions.persistedQuery must be an object")?;
    let params = Params {
        query: text(map.remove("query"), "query must be a string")?,
        document_id: text(map.remove("documentId"), "documentId must be a string")?,
        persisted_hash: text(persisted.get("sha256Hash").cloned(), "sha256Hash must be a string")?,
        operation_name: text(map.remove("operationName"), "operationName must be a string")?,
        variables: Variables::from_json(object(map.remove("variables"), "variables must be an object")?),
        idempotency_key: named.map(IdempotencyKey),
    };
    complete(params)
}

/// The parameters of a query string, where an empty one counts as absent.
///
/// # Errors
/// As [`from_body`]; also when `variables` or `extensions` is not JSON.
pub(super) fn from_query(uri: &Uri) -> Result<Params, Malformed> {
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
            return Err("A parameter stands twice in the query string");
        }
    }
    from_map(map)
}

fn complete(params: Params) -> Result<Params, Malformed> {
    match (&params.query, &params.document_id, &params.persisted_hash) {
        (None, None, None) => Err("query or documentId is required"),
        _ => Ok(params),
    }
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
