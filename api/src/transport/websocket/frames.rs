//! The messages of `graphql-transport-ws`, and every way in which the server closes a socket.
//!
//! The reference is PROTOCOL.md of graphql-ws. Its standard client retries after 4403, 4408, 1012 and
//! 1013, and does not retry after the other 4xxx codes below.

use axum::extract::ws::{CloseFrame, Utf8Bytes};
use serde_json::{Map, Value, json};

use crate::gateway::request::RequestParams;
use crate::transport::params;

/// The reason why the server closes a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// The protocol does not allow this message; the text says why.
    Malformed(&'static str),
    /// The client sent `subscribe` before `connection_ack`.
    Unauthorized,
    /// The credentials are invalid or were revoked.
    Forbidden,
    /// The client does not speak the subprotocol of the server.
    SubprotocolNotAcceptable,
    /// The client did not send `connection_init` in time.
    InitTimeout,
    /// Two running operations have the same id.
    DuplicateId,
    /// The client sent a second `connection_init`.
    TooManyInits,
    /// The server failed.
    Internal,
    /// The server shuts down; another one takes over.
    Restart,
    /// Too many connections, a slow reader, or no database. The client may try again later.
    TryLater(&'static str),
}

impl Close {
    /// The close frame. Its reason has at most 123 bytes.
    pub(super) fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Close::Malformed(what) => (4400, what),
            Close::Unauthorized => (4401, "Unauthorized"),
            Close::Forbidden => (4403, "Forbidden"),
            Close::SubprotocolNotAcceptable => (4406, "Subprotocol not acceptable"),
            Close::InitTimeout => (4408, "Connection initialisation timeout"),
            Close::DuplicateId => (4409, "Subscriber already exists"),
            Close::TooManyInits => (4429, "Too many initialisation requests"),
            Close::Internal => (4500, "Internal server error"),
            Close::Restart => (1012, "Service restart"),
            Close::TryLater(why) => (1013, why),
        };
        CloseFrame { code, reason: Utf8Bytes::from_static(reason) }
    }
}

/// A message from the client.
#[derive(Debug)]
pub(super) enum Incoming {
    Init(Map<String, Value>),
    Ping(Option<Value>),
    Pong,
    Subscribe { id: String, params: RequestParams },
    Complete { id: String },
}

impl Incoming {
    /// Parses a message.
    ///
    /// # Errors
    /// `Malformed` for a message that the protocol does not allow a client to send.
    pub(super) fn parse(text: &str) -> Result<Self, Close> {
        let Ok(Value::Object(mut message)) = serde_json::from_str(text) else {
            return Err(Close::Malformed("Messages must be JSON objects"));
        };
        let payload = message.remove("payload").filter(|payload| !payload.is_null());
        let kind = message.get("type").and_then(Value::as_str).unwrap_or_default();
        match (kind, payload) {
            ("connection_init", None) => Ok(Incoming::Init(Map::new())),
            ("connection_init", Some(Value::Object(payload))) => Ok(Incoming::Init(payload)),
            ("ping", payload @ (None | Some(Value::Object(_)))) => Ok(Incoming::Ping(payload)),
            ("pong", None | Some(Value::Object(_))) => Ok(Incoming::Pong),
            ("complete", _) => Ok(Incoming::Complete { id: id(&mut message)? }),
            ("subscribe", Some(Value::Object(payload))) => {
                let id = id(&mut message)?;
                let params = params::from_map(payload).map_err(Close::Malformed)?;
                Ok(Incoming::Subscribe { id, params })
            }
            ("connection_init" | "ping" | "pong" | "subscribe", _) => {
                Err(Close::Malformed("The payload must be an object"))
            }
            _ => Err(Close::Malformed("Unknown message type")),
        }
    }
}

fn id(message: &mut Map<String, Value>) -> Result<String, Close> {
    match message.remove("id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(id),
        _ => Err(Close::Malformed("The id must be a non-empty string")),
    }
}

/// The message `connection_ack`.
pub(super) fn ack() -> String {
    json!({ "type": "connection_ack" }).to_string()
}

/// The message `pong` with the payload of the `ping`.
pub(super) fn pong(payload: Option<Value>) -> String {
    match payload {
        Some(payload) => json!({ "type": "pong", "payload": payload }).to_string(),
        None => json!({ "type": "pong" }).to_string(),
    }
}

/// The message `complete`.
pub(super) fn complete(id: &str) -> String {
    json!({ "id": id, "type": "complete" }).to_string()
}

/// The message `next` with the JSON of a result, or `error` with the JSON of a list of errors. The
/// payload is the large part and is already serialized, so it is inserted as it is.
pub(super) fn with_payload(id: &str, kind: &'static str, payload: &str) -> String {
    let id = Value::from(id);
    format!(r#"{{"id":{id},"type":"{kind}","payload":{payload}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_the_protocol_does_not_allow_are_malformed() {
        for text in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"start"}"#,
            r#"{"type":"next","id":"1","payload":{}}"#,
            r#"{"type":"connection_init","payload":"x"}"#,
            r#"{"type":"ping","payload":[]}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"complete","id":1}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
        ] {
            assert!(matches!(Incoming::parse(text), Err(Close::Malformed(_))), "{text}");
        }
    }

    #[test]
    fn close_reasons_fit_into_a_close_frame() {
        for close in [Close::SubprotocolNotAcceptable, Close::InitTimeout, Close::TooManyInits, Close::Internal] {
            assert!(close.frame().reason.len() <= 123);
        }
    }

    #[test]
    fn operation_ids_are_escaped_in_messages() {
        let text = with_payload("a\"b", "next", "{\"data\":null}");

        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["id"], "a\"b");
    }
}
