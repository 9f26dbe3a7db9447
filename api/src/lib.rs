//! The GraphQL API: the schema, and everything that a request passes before it reaches a resolver.
//!
//! A request arrives at [`transport`] (HTTP, WebSocket, server-sent events) or, from `/api/v1`, directly
//! at [`gateway`]. The gateway authenticates the caller, counts the operation against [`limits`], checks
//! the document with its guard and executes it. The resolvers in [`schema`] call use cases of `services`
//! with the viewer and shape the results. They decide nothing: the rules are in `services`.

pub mod error;
pub mod gateway;
pub mod limits;
pub mod schema;
pub mod transport;

pub use error::{ApiError, ErrorCode};
pub use gateway::caller::{AdmittedCaller, Caller};
pub use gateway::execution::Gateway;
pub use gateway::permission::Permission;
pub use gateway::stored::{SettingsSnapshot, StoredOperation};
pub use helpbot_domain::ids::KeyId;
pub use helpbot_services::accounts::access::Credentials;
