//! State: the only room that knows SQL.
//!
//! [`Db`] is one database, SQLite or PostgreSQL. [`Db::reader`] gives a connection to read with;
//! [`Db::write`] runs a closure in a transaction that is durable when the call returns. Query
//! functions stand one file a noun, take a [`Conn`] and the site they are scoped to, and are
//! written once for both databases (see [`conn`]). They decide nothing: rules live in `services`.

pub mod attempts;
pub mod chunks;
pub mod columns;
mod conn;
pub mod conversations;
pub mod crawl_files;
pub mod crawl_visits;
pub mod deliveries;
pub mod documents;
mod error;
pub mod evaluation;
pub mod events;
mod fixed;
pub mod idempotency;
pub mod jobs;
pub mod keys;
pub mod members;
pub mod messages;
mod migrate;
pub mod nodes;
mod open;
pub mod outbox;
pub mod part;
pub mod read_marks;
pub mod replays;
pub mod schema;
pub mod search;
pub mod sites;
pub mod sources;
pub mod stats;
pub mod topics;
pub mod transcripts;
pub mod usage;
pub mod vectors;
pub mod webhooks;
mod work;
mod writer;

pub use conn::Conn;
pub use error::{Error, Result};
pub use open::{DatabaseUrl, Db};
