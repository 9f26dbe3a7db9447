//! Copying a whole installation: the tables with their columns, and rows in a form that both databases
//! share.
//!
//! `services::backups` writes backups, restores them and moves an installation with these functions. The
//! tables and columns come from the catalog of the database ([`tables`]), so that a migration cannot
//! add one that a backup misses. Rows are read and inserted in the order of their keys, in batches, so
//! that a copy that was interrupted is the beginning of its source ([`rows`]). [`marks`] keeps other
//! programs away from a copy that has not finished.
//!
//! Not copied: the search index of conversations in SQLite, which the server builds again; the list of
//! applied migrations and the row of `installation`, which belong to one database; and leases
//! ([`tables::RESET`]), whose nodes do not know the new database.

pub mod marks;
pub mod rows;
pub mod tables;

pub use rows::ColumnValue;
pub use tables::{ColumnKind, CopiedColumn, CopiedTable};
