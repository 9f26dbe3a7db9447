//! From an HTTP request to credentials and lenient values.
//!
//! Lenient as a legacy server was: the body is read as JSON whatever its content type says, a
//! byte order mark is skipped, unknown fields are ignored, and a value of a wrong type counts
//! as absent, so that it is the use case that refuses it, after it has looked at the key.

use axum::RequestExt as _;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Query, Request};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use bytes::Bytes;
use helpbot_api::{Caller, Gateway};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::error::Refusal;

/// A request as the routes see it.
pub(crate) struct Incoming {
    /// Who asks.
    pub caller: Caller,
    /// The entity tags that the caller has.
    pub if_none_match: Option<HeaderValue>,
    values: Map<String, Value>,
}

impl Incoming {
    /// Reads head and body.
    ///
    /// # Errors
    /// 413 for a body over the limit; 400 for one that is needed and not a JSON object.
    pub async fn read(gateway: &Gateway, request: Request) -> Result<Self, Refusal> {
        let mut caller = gateway.caller(request.headers(), request.extensions());
        let (method, query) = (request.method().clone(), query(request.uri()));
        let if_none_match = request.headers().get(header::IF_NONE_MATCH).cloned();
        let bytes: Bytes = request.extract().await.map_err(unread)?;
        let body = object(&bytes);
        // The key: of header, query and body the first that has one decides, and no other is
        // tried when it does not open.
        let in_body = || body.as_ref().ok().and_then(stated_key);
        caller.credentials.key = caller.credentials.key.or_else(|| stated_key(&query)).or_else(in_body);
        // The body is needed where the input stands in it. Elsewhere it can only hold the key.
        let values = match method {
            Method::POST | Method::PATCH => body?,
            _ => query,
        };
        Ok(Self { caller, if_none_match, values })
    }

    /// The input.
    ///
    /// # Errors
    /// 400 when it does not fit; request types are lenient, so none does.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        T::deserialize(&self.values).map_err(|error| Refusal::bad_request(error.to_string()))
    }
}

/// A text; any other JSON value is absent.
pub(crate) fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// A text; null is absent, and any other JSON value is its own spelling, for fields where a
/// wrong value must be refused and not overlooked.
pub(crate) fn text_or_spelling<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

fn unread(rejection: BytesRejection) -> Refusal {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Refusal::too_large()
    } else {
        Refusal::bad_request("The body could not be read")
    }
}

/// The query's parameters; of one that is repeated, the first.
fn query(uri: &Uri) -> Map<String, Value> {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else { return Map::new() };
    let mut parameters = Map::new();
    for (name, value) in pairs {
        parameters.entry(name).or_insert(Value::String(value));
    }
    parameters
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Refusal::bad_request("The body must be a JSON object")),
        Err(_) => Err(Refusal::bad_request("The body is not valid JSON")),
    }
}

/// The key among `values`; one that is empty or no text is absent.
fn stated_key(values: &Map<String, Value>) -> Option<String> {
    const PARAMETER: &str = "apiKey";
    let key = values.get(PARAMETER)?.as_str()?.trim();
    (!key.is_empty()).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_that_is_empty_or_no_text_is_absent() {
        let rows = [
            (json!({"apiKey": " wk_1 "}), Some("wk_1")),
            (json!({"apiKey": " "}), None),
            (json!({"apiKey": 7}), None),
            (json!({"apiKey": ["wk_1"]}), None),
            (json!({"apiKey": null}), None),
            (json!({"apikey": "wk_1"}), None),
        ];

        for (values, expected) in rows {
            let found = values.as_object().and_then(stated_key);
            assert_eq!(found.as_deref(), expected, "{values}");
        }
    }

    #[test]
    fn a_body_is_a_json_object_or_refused() {
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
    fn of_a_repeated_parameter_the_first_counts_and_odd_escapes_do_not_fail() {
        let uri: Uri = "/x?id=1&id=2&bad=%ff&half=%2&plus=a+b&empty".parse().unwrap();

        let parameters = query(&uri);

        assert_eq!(
            Value::Object(parameters),
            json!({"id": "1", "bad": "\u{fffd}", "half": "%2", "plus": "a b", "empty": ""})
        );
    }

    #[test]
    fn a_value_of_a_wrong_type_is_absent() {
        #[derive(Deserialize, Debug, PartialEq)]
        struct Asked {
            #[serde(default, deserialize_with = "text")]
            one: Option<String>,
            #[serde(default, deserialize_with = "text_or_spelling")]
            other: Option<String>,
        }

        for value in [json!({}), json!({"one": 1}), json!({"one": null, "other": null}), json!({"one": {}})] {
            assert_eq!(Asked::deserialize(&value).unwrap(), Asked { one: None, other: None }, "{value}");
        }
        assert_eq!(Asked::deserialize(&json!({"other": [7]})).unwrap().other.as_deref(), Some("[7]"));
    }
}
