//! The transports, driven from outside: requests through the router, frames over real sockets,
//! real keys in a real database, and a small schema that does what transports must survive.
#![expect(clippy::unwrap_used, reason = "what helpers of a test unwrap is the test's own failure")]

mod app;
mod gateway;
mod http;
mod schema;
mod sse;
mod websocket;
