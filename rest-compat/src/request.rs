//! Reads credentials and values from an HTTP request.
//!
//! Reading is as lenient as in the legacy server: the body is parsed as JSON whatever its content type,
//! a byte order mark is skipped, unknown fields are ignored, and a value of the wrong type counts as
//! absent. The use case then rejects the missing value after it has checked the key.

use axum::RequestExt as _;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Query, Request};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use bytes::Bytes;
use helpbot_api::{Caller, Gateway};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::error::RestError;

/// The headers and the query string of a request, before its body is read.
pub(crate) struct IncomingHead {
    caller: Caller,
    method: Method,
    query: Map<String, Value>,
    if_none_match: Option<HeaderValue>,
}

/// A request as the routes see it.
pub(crate) struct Incoming {
    /// The caller, with its API key from header, query or body.
    pub caller: Caller,
    /// The entity tags of the answers that the client has cached.
    pub if_none_match: Option<HeaderValue>,
    values: Map<String, Value>,
}

impl IncomingHead {
    /// Reads the headers and the query string.
    pub fn read(gateway: &Gateway, request: &Request) -> Self {
        let mut caller = gateway.caller(request.headers(), request.extensions());
        let query = query(request.uri());
        // The first place that contains a key decides: header, query, body. When that key is invalid, no
        // other place is tried.
        caller.credentials.key = caller.credentials.key.or_else(|| api_key(&query));
        let if_none_match = request.headers().get(header::IF_NONE_MATCH).cloned();
        Self { caller, method: request.method().clone(), query, if_none_match }
    }

    /// The caller, if the header or the query string contains its key. Otherwise only the body can.
    pub fn caller_with_key(&self) -> Option<&Caller> {
        Some(&self.caller).filter(|caller| caller.credentials.key.is_some())
    }

    /// Reads the body.
    ///
    /// # Errors
    /// 413 for a body over the limit; 400 for a body that is required and not a JSON object.
    pub async fn with_body(self, request: Request) -> Result<Incoming, RestError> {
        let Self { mut caller, method, query, if_none_match } = self;
        let bytes: Bytes = request.extract().await.map_err(unreadable)?;
        let body = object(&bytes);
        let in_body = || body.as_ref().ok().and_then(api_key);
        caller.credentials.key = caller.credentials.key.or_else(in_body);
        // POST and PATCH require a body. Bodies of other methods can only contain the key.
        let values = match method {
            Method::POST | Method::PATCH => body?,
            _ => query,
        };
        Ok(Incoming { caller, if_none_match, values })
    }
}

impl Incoming {
    /// Reads the input of the route.
    ///
    /// # Errors
    /// 400 when the input has the wrong type. Request types are lenient, so this does not happen.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, RestError> {
        T::deserialize(&self.values).map_err(|error| RestError::bad_request(error.to_string()))
    }
}

/// A string. Any other JSON value counts as absent.
pub(crate) fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// A string. Null counts as absent, and any other JSON value becomes its JSON text, for fields where a
/// value of the wrong type must be rejected and not ignored.
pub(crate) fn text_or_json<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

fn unreadable(rejection: BytesRejection) -> RestError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        RestError::too_large()
    } else {
        RestError::bad_request("The body could not be read")
    }
}

/// The parameters of the query string. The first value of a repeated parameter counts.
fn query(uri: &Uri) -> Map<String, Value> {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else { return Map::new() };
    let mut parameters = Map::new();
    for (name, value) in pairs {
        parameters.entry(name).or_insert(Value::String(value));
    }
    parameters
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, RestError> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(RestError::bad_request("The body must be a JSON object")),
        Err(_) => Err(RestError::bad_request("The body is not valid JSON")),
    }
}

/// The API key in `values`. A key that is empty or not a string counts as absent.
fn api_key(values: &Map<String, Value>) -> Option<String> {
    const PARAMETER: &str = "apiKey";
    let key = values.get(PARAMETER)?.as_str()?.trim();
    (!key.is_empty()).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_api_key_that_is_empty_or_not_a_string_is_absent() {
        let rows = [
            (json!({"apiKey": " wk_1 "}), Some("wk_1")),
            (json!({"apiKey": " "}), None),
            (json!({"apiKey": 7}), None),
            (json!({"apiKey": ["wk_1"]}), None),
            (json!({"apiKey": null}), None),
            (json!({"apikey": "wk_1"}), None),
        ];

        for (values, expected) in rows {
            let found = values.as_object().and_then(api_key);
            assert_eq!(found.as_deref(), expected, "{values}");
        }
    }

    #[test]
    fn a_body_must_be_a_json_object() {
        let good: [&[u8]; 4] =
            [b"{}", b"\xef\xbb\xbf{\"a\":1}", b" {\"a\":\"\\ud83d\\ude00\"} ", "{\"a\":\"ü\"}".as_bytes()];
        let bad: [&[u8]; 10] = [
            b"",
            b"null",
            b"[]",
            b"\"text\"",
            b"{\"a\":1",
            b"{\"a\":1} x",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":\"\\udc00\"}",
            b"{\"a\":\"\xff\"}",
            b"question=hello",
        ];

        for bytes in good {
            assert!(object(bytes).is_ok(), "{}", String::from_utf8_lossy(bytes));
        }
        for bytes in bad {
            assert!(object(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
        let deep = "[".repeat(10_000);
        assert!(object(format!("{{\"a\":{deep}").as_bytes()).is_err());
    }

    #[test]
    fn the_first_value_of_a_repeated_parameter_counts_and_malformed_escapes_are_accepted() {
        let uri: Uri = "/x?id=1&id=2&bad=%ff&half=%2&plus=a+b&empty".parse().unwrap();

        let parameters = query(&uri);

        assert_eq!(
            Value::Object(parameters),
            json!({"id": "1", "bad": "\u{fffd}", "half": "%2", "plus": "a b", "empty": ""})
        );
    }

    #[test]
    fn a_value_of_the_wrong_type_is_absent() {
        #[derive(Deserialize, Debug, PartialEq)]
        struct Input {
            #[serde(default, deserialize_with = "text")]
            one: Option<String>,
            #[serde(default, deserialize_with = "text_or_json")]
            other: Option<String>,
        }

        for value in [json!({}), json!({"one": 1}), json!({"one": null, "other": null}), json!({"one": {}})] {
            assert_eq!(Input::deserialize(&value).unwrap(), Input { one: None, other: None }, "{value}");
        }
        assert_eq!(Input::deserialize(&json!({"other": [7]})).unwrap().other.as_deref(), Some("[7]"));
    }
}
