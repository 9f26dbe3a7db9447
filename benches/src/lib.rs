//! The project's own measurements. Every figure stands beside a ceiling measured in the same
//! run on the same machine, and what counts is the ratio: machines are noisy, ratios less so.
//!
//! `cargo run --release -p helpbot-benches` prints those of answering, `--bin ingestion` those of
//! reading; `docs/performance.md` holds the last. What runs the product in the measuring process
//! (`house.rs`) stands in the programs that do so, so that the others link without it.

pub mod fanout;
pub mod load;
pub mod process;
pub mod receiver;
pub mod site;
