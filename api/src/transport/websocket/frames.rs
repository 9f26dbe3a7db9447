//! The messages of `graphql-transport-ws`, and every way in which a socket is closed.
//!
//! The reference is PROTOCOL.md of graphql-ws. Which codes a client retries is known of its
//! standard implementation: 4403, 4408, 1012 and 1013 are retried, the other 4xxx below are not.

use axum::extract::ws::{CloseFrame, Utf8Bytes};
use serde_json::{Map, Value, json};

use crate::gateway::Params;
use crate::transport::params;

/// Why a socket is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// A message that the protocol does not know, with what is wrong about it.
    Malformed(&'static str),
    /// `subscribe` before `connection_ack`.
    Unauthorized,
    /// The credentials were refused, or do not open any more.
    Forbidden,
    /// No subprotocol in common.
    SubprotocolNotAcceptable,
    /// No `connection_init` in time.
    InitTimeout,
    /// Two live operations under one id.
    DuplicateId,
    /// A second `connection_init`.
    TooManyInits,
    /// A fault of the server.
    Internal,
    /// The server goes away; another one takes over.
    Restart,
    /// Too many connections, too slow a reader, or no database: later.
    TryLater(&'static str),
}

impl Close {
    /// The frame that tells it. A reason has at most 123 bytes.
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

/// A message of the client.
#[derive(Debug)]
pub(super) enum Incoming {
    Init(Map<String, Value>),
    Ping(Option<Value>),
    Pong,
    Subscribe { id: String, params: Params },
    Complete { id: String },
}

impl Incoming {
    /// Reads a message.
    ///
    /// # Errors
    /// `Malformed` for what the protocol does not allow a client to send.
    pub(super) fn parse(text: &str) -> Result<Self, Close> {
        let Ok(Value::Object(mut message)) = serde_json::from_str(text) else {
            return Err(Close::Malformed("Messages are JSON objects"));
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
        _ => Err(Close::Malformed("The id must be a string that is not empty")),
    }
}

/// `connection_ack`.
pub(super) fn ack() -> String {
    json!({ "type": "connection_ack" }).to_string()
}

/// `pong` with the payload of the `ping`.
pub(super) fn pong(payload: Option<Value>) -> String {
    match payload {
        Some(payload) => json!({ "type": "pong", "payload": payload }).to_string(),
        None => json!({ "type": "pong" }).to_string(),
    }
}

/// `complete`.
pub(super) fn complete(id: &str) -> String {
    json!({ "id": id, "type": "complete" }).to_string()
}

/// `next` with the JSON of a result, `error` with that of a list of errors. The payload is
/// written as it is: it is the large part and was serialised already.
pub(super) fn with_payload(id: &str, kind: &'static str, payload: &str) -> String {
    let id = Value::from(id);
    format!(r#"{{"id":{id},"type":"{kind}","payload":{payload}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_protocol_does_not_allow_is_malformed() {
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
    fn reasons_fit_into_a_close_frame() {
        for close in [Close::SubprotocolNotAcceptable, Close::InitTimeout, Close::TooManyInits, Close::Internal] {
            assert!(close.frame().reason.len() <= 123);
        }
    }

    #[test]
    fn ids_are_escaped_in_answers() {
        let text = with_payload("a\"b", "next", "{\"data\":null}");

        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["id"], "a\"b");
    }
}
