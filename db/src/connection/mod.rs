//! Connections to SQLite or PostgreSQL: opening, pooling, transactions and migrations.
//!
//! [`open`] is the entry point. It holds a [`store::Store`], of which [`sqlite`] and [`postgres`]
//! are the two implementations. Query functions in the other folders receive a [`conn::Conn`] and
//! run each query with `on!`, which compiles the query for both databases. [`dialect`] holds what
//! the two databases write differently.

mod batch;
mod channel;
pub(crate) mod conn;
mod database_url;
pub(crate) mod dialect;
pub(crate) mod grouped;
mod load;
mod migrate;
mod open;
pub(crate) mod paged;
mod postgres;
pub(crate) mod prepared;
mod readers;
pub(crate) mod run;
mod snapshot;
mod sqlite;
mod store;
mod turns;
mod work;
mod writer;

pub use batch::{BatchEnd, Batched};
pub use channel::{CHANNEL_TEXT_MAX, Channel};
pub use conn::Conn;
pub use database_url::DatabaseUrl;
pub use load::{DatabaseLoad, PoolLoad};
pub use open::Db;
pub use postgres::{Pooler, PostgresOptions, PostgresUrl};
pub use snapshot::{Snapshot, SnapshotKind};
