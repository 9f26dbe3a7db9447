//! The gateway: the only way to the schema, for HTTP, WebSocket, server-sent events and, in process,
//! the stored operations of `/api/v1`.
//!
//! ```text
//! Caller            the headers of a request                              caller
//!   → AdmittedCaller   valid key, within its rate limit                   admission
//! RequestParams     document, variables, operation name                   request
//!   → PreparedOperation   a trusted or cached document, or one that       trusted, documents,
//!                         passes the guard                                guard
//!   → ExecutionResult     executed within a deadline                      execution, result
//! ```
//! Errors leave the gateway with a code; internal causes are logged and masked. A panic in a resolver
//! becomes an internal error of this one operation. A mutation runs in its own task, so that a client
//! that disconnects does not stop it half-way, and with an idempotency key it runs at most once
//! ([`idempotency`]). Subscriptions with the same selection share their events ([`audience`]), and live
//! queries with the same rights share their executions ([`live`]).
//!
//! The gateway knows no status codes, frames or response headers, and nothing about the schema except
//! its three root types.

pub mod admission;
pub mod audience;
pub mod caller;
mod cost;
pub mod direct;
mod documents;
pub mod execution;
pub mod files;
mod fingerprint;
pub mod guard;
mod idempotency;
mod live;
pub mod measures;
pub mod permission;
mod preparing;
pub mod request;
pub mod result;
pub mod settings;
pub mod stored;
pub mod trusted;
