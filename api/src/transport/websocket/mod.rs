//! `graphql-transport-ws`: many operations over one socket.
//!
//! ```text
//! client: connection_init {authorization|apiKey, sessionToken}     within 3 s
//! server: connection_ack
//! client: subscribe {id, query, variables}     up to 50 at a time
//! server: next… then complete, or error; each with the id
//! both:   ping, pong, complete
//! ```
//! A [`socket`] is one task that reads, writes and keeps time; each operation is a task of its
//! own, so that they share the processor fairly and one that panics takes nobody along. Between
//! them lies a bounded queue: an operation waits for a slow reader, and a reader that takes
//! nothing for ten seconds is closed with 1013 and resumes by its cursor. Every way a socket
//! can end is one of [`frames::Close`].

mod frames;
mod operations;
mod socket;

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};

use super::Transport;
use super::accept::Media;
use super::http;
use super::problem::Problem;

/// The one subprotocol that is spoken here.
const SUBPROTOCOL: &str = "graphql-transport-ws";
/// What a socket holds for reading even while it is idle; a longer message makes it grow. Ten
/// thousand of them must not take a gigabyte.
const READ_BYTES: usize = 1024;
/// Written at once where there is more to write; an idle socket holds none of it.
const WRITE_BYTES: usize = 4 * 1024;

/// Takes the connection over.
pub(super) async fn upgrade(transport: Arc<Transport>, request: Request) -> Response {
    let (mut head, _) = request.into_parts();
    let caller = transport.gateway.caller(&head.headers, &head.extensions);
    let seat = match transport.live.arrive(caller.peer) {
        Ok(seat) => seat,
        Err(failure) => {
            let mut response = Problem::from(failure).into_response(Media::Json);
            http::seal(response.headers_mut(), &caller.request_id, None);
            return response;
        }
    };
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut head, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let bytes = transport.settings.body_bytes;
    // Counted from here on: the socket is handed over only after the response has been sent.
    let open = transport.connections.open.token();
    upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(bytes)
        .max_frame_size(bytes)
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(WRITE_BYTES)
        .on_upgrade(async move |socket| {
            socket::run(socket, transport, caller, seat).await;
            drop(open);
        })
}
