//! Prints the question/answer pairs of HTML pages as JSON lines, for the scorer and for eyes.
//!
//!     cargo run -p helpbot-ingest --example extract -- PAGE.html ...

use std::io::Write;
use std::path::Path;

use helpbot_ingest::extract::{self, Item};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for name in std::env::args().skip(1) {
        let bytes = std::fs::read(&name)?;
        let page = match extract::html(&bytes, None, None) {
            Ok(page) => page,
            Err(error) => {
                eprintln!("{name}: {error}");
                continue;
            }
        };
        let file = Path::new(&name).file_name().map(|name| name.to_string_lossy().into_owned());
        for item in page.pairs() {
            let Item::Pair { question, .. } = item else { continue };
            let line = serde_json::json!({ "page": file, "q": question, "a": item.answer_text() });
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}
