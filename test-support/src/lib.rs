//! What the tests and benchmarks of several crates share: a database for each test, PostgreSQL servers that fail, identity
//! tokens, PDF files, and prose for generated pages. Only `[dev-dependencies]`, `tests` and `benches` name this crate.

pub mod cluster;
pub mod database;
pub mod identity;
pub mod pdf;
pub mod prose;
pub mod proxy;
