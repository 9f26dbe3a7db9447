//! The GraphQL surface: the schema by noun, and the ways in.
//!
//! A request meets the transport (HTTP, WebSocket, SSE) or, from REST, the gateway; the guard
//! measures its document before anything runs; its key becomes a viewer; resolvers call the use
//! cases with that viewer and shape what comes back. Resolvers decide nothing: rules live in
//! `services`.

pub mod access;
pub mod analytics;
pub mod conversations;
pub mod entries;
pub mod enums;
pub mod error;
pub mod evaluation;
pub mod events;
pub mod gateway;
pub mod guard;
pub mod ids;
pub mod keys;
pub mod limits;
mod loaders;
pub mod members;
pub mod node;
pub mod page;
pub mod scalars;
pub mod schema;
pub mod sites;
pub mod sources;
pub mod topics;
pub mod transport;
pub mod uploads;
pub mod webhooks;

pub use error::{ErrorCode, Failure};
pub use gateway::{Caller, Gateway, Ground, Operation};
pub use helpbot_domain::ids::KeyId;
pub use helpbot_services::access::Credentials;
