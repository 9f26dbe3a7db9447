//! The GraphQL surface: the schema by noun, and the ways in.
//!
//! A request meets the transport (HTTP, WebSocket, SSE) or, from REST, the gateway; the guard
//! measures its document before anything runs; its key becomes a viewer; resolvers call the use
//! cases with that viewer and shape what comes back. Resolvers decide nothing: rules live in
//! `services`.

pub mod error;
pub mod gateway;
pub mod guard;
pub mod limits;
pub mod schema;
pub mod transport;
pub mod uploads;

pub use error::{ErrorCode, Failure};
pub use gateway::{Caller, Gateway, Ground, Operation};
pub use helpbot_domain::ids::KeyId;
pub use helpbot_services::accounts::access::Credentials;
