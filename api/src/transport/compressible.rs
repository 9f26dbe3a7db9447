//! Marks responses to POST requests that may be compressed.
//!
//! The length of a compressed response tells how much of it repeats. A response that contains a secret
//! together with text that somebody else chose must therefore not be compressed (BREACH). Secrets are
//! returned only by mutations, when a key or a session is created, so only the responses to queries
//! carry the mark. The server compresses; see `server/src/compression.rs`.

use axum::response::Response;

/// In the extensions of a response to a POST request: it contains no secrets.
#[derive(Debug, Clone, Copy)]
pub struct Compressible;

/// Marks a response without secrets.
pub(super) fn mark(response: &mut Response) {
    response.extensions_mut().insert(Compressible);
}
