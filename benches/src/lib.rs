//! Benchmarks. Each result is compared with a ceiling that is measured in the same run on the same machine, and only
//! the ratio matters: absolute times vary between runs, ratios vary less.
//!
//! `cargo run --release -p helpbot-benches` measures answering and `--bin ingestion` measures syncs.
//! `docs/performance.md` contains the latest results. `application.rs` runs the product inside the measuring process. Only
//! the programs that need it include it, so that the others link without the product.

pub mod fanout;
pub mod load;
pub mod process;
pub mod receiver;
pub mod site;
