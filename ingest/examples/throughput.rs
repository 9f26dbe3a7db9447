//! Measures extraction on one core: megabytes of HTML a second over the given pages.
//!
//!     cargo run --release -p helpbot-ingest --example throughput -- PAGE.html ...

use std::io::Write;
use std::time::Instant;

use helpbot_ingest::extract;

/// Enough passes over half a megabyte of pages for a steady number.
const PASSES: usize = 40;

fn main() -> std::io::Result<()> {
    let pages = std::env::args().skip(1).map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    let bytes: usize = pages.iter().map(Vec::len).sum();
    let mut items = 0;
    let start = Instant::now();
    for _ in 0..PASSES {
        items = pages.iter().filter_map(|page| extract::html(page, None, None).ok()).map(|page| page.items.len()).sum();
    }
    let seconds = start.elapsed().as_secs_f64();
    let megabytes = (bytes * PASSES) as f64 / 1e6;
    writeln!(
        std::io::stdout(),
        "{:.1} MB/s ({} pages, {items} items, {:.2} MB, {PASSES} passes)",
        megabytes / seconds,
        pages.len(),
        bytes as f64 / 1e6
    )
}
