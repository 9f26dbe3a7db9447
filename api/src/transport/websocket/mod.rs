//! `graphql-transport-ws`: many operations over one socket.
//!
//! ```text
//! client: connection_init {authorization|apiKey, sessionToken}     within 3 s
//! server: connection_ack
//! client: subscribe {id, query, variables}     up to 50 at a time
//! server: next… then complete, or error; each with the id
//! both:   ping, pong, complete
//! ```
//! A [`socket`] is one task that reads, writes and keeps time. Each operation is a task of its own, so
//! that operations share the processor fairly and a panic in one affects no other. Between them is a
//! bounded queue: an operation waits for a slow reader, and a reader that reads nothing for ten seconds
//! is closed with 1013 and can resume with its cursor. Every way in which a socket ends is one of
//! [`frames::Close`].

mod frames;
mod operations;
mod socket;

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};

use super::accept::Media;
use super::http_error::HttpError;
use super::response_headers;
use super::state::Transport;

/// The only subprotocol that the server speaks.
const SUBPROTOCOL: &str = "graphql-transport-ws";
/// Read buffer of a socket, held even while it is idle; a longer message makes it grow. Small, so that
/// ten thousand sockets take far less than a gigabyte.
const READ_BYTES: usize = 1024;
/// Maximum size of the write buffer. An idle socket holds none.
const WRITE_BYTES: usize = 4 * 1024;

/// Turns a request into a socket.
pub(super) async fn upgrade(transport: Arc<Transport>, request: Request) -> Response {
    let (mut head, _) = request.into_parts();
    let admitted = transport.caller(&head).and_then(|caller| {
        let slot = transport.connection_slots.take_address(caller.peer)?;
        Ok((caller, slot))
    });
    let (caller, slot) = match admitted {
        Ok(admitted) => admitted,
        Err(error) => {
            let mut response = HttpError::from(error).into_response(Media::Json);
            response_headers::finish(response.headers_mut(), None);
            return response;
        }
    };
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut head, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let bytes = transport.settings.body_bytes;
    // Counted from here on, because the socket is handed over only after the response was sent.
    let open = transport.connections.open_socket();
    upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(bytes)
        .max_frame_size(bytes)
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(WRITE_BYTES)
        .on_upgrade(async move |socket| {
            socket::run(socket, transport, caller, slot).await;
            drop(open);
        })
}
