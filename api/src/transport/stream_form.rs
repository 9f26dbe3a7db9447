//! The two forms in which a response carries many results: server-sent events (graphql-sse), and the parts
//! of `multipart/mixed` that Apollo's clients read (`subscriptionSpec=1.0`).
//!
//! [`sse`](super::sse) writes both. A form is only text; what ends a stream is decided there.

use crate::gateway::result::ExecutionResult;

/// The form of a stream of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamForm {
    /// `text/event-stream`.
    Events,
    /// `multipart/mixed`. A client handles a part when it sees the boundary after it, so each part ends
    /// with the boundary of the next one.
    Parts,
}

impl StreamForm {
    pub fn content_type(self) -> &'static str {
        match self {
            StreamForm::Events => "text/event-stream",
            StreamForm::Parts => r#"multipart/mixed;boundary="graphql";subscriptionSpec=1.0"#,
        }
    }

    /// The first bytes of a stream.
    pub fn opening(self) -> &'static [u8] {
        match self {
            StreamForm::Events => b"",
            StreamForm::Parts => b"\r\n--graphql",
        }
    }

    /// The end of a stream that is complete. Browsers would not dispatch the event without its `data` line.
    pub fn end(self) -> &'static [u8] {
        match self {
            StreamForm::Events => b"event: complete\ndata:\n\n",
            StreamForm::Parts => b"--\r\n",
        }
    }

    /// Bytes without a result, so that proxies do not close a silent stream.
    pub fn keep_alive(self) -> &'static [u8] {
        match self {
            StreamForm::Events => b":\n\n",
            StreamForm::Parts => b"\r\ncontent-type: application/json\r\n\r\n{}\r\n--graphql",
        }
    }

    /// One result.
    pub fn next(self, result: &ExecutionResult) -> String {
        // JSON text contains no line break, which would end the field of an event.
        let json = result.json();
        match (self, result.cursor()) {
            (StreamForm::Events, Some(cursor)) if !cursor.contains(['\r', '\n', '\0']) => {
                format!("event: next\nid: {cursor}\ndata: {json}\n\n")
            }
            (StreamForm::Events, _) => format!("event: next\ndata: {json}\n\n"),
            // Errors beside the payload end the subscription; errors inside it belong to one event.
            (StreamForm::Parts, _) if !result.is_executed => {
                let errors = json.strip_prefix('{').unwrap_or(&json);
                format!("\r\ncontent-type: application/json\r\n\r\n{{\"payload\":null,{errors}\r\n--graphql")
            }
            (StreamForm::Parts, _) => {
                format!("\r\ncontent-type: application/json\r\n\r\n{{\"payload\":{json}}}\r\n--graphql")
            }
        }
    }
}
