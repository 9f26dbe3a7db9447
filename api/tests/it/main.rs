//! Tests of the transports and the gateway from outside: requests to the router, frames over real
//! sockets, real API keys in a real database, and a small schema whose resolvers fail, panic and block.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails in a helper fails the test")]

mod app;
mod envelope;
mod forms;
mod gateway;
mod http;
mod live;
mod rules;
mod schema;
mod selections;
mod sse;
mod websocket;
