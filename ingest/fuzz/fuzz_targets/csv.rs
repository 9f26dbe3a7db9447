//! Files of text: CSV, and by their names also Markdown and plain text.

#![no_main]

use helpbot_ingest::extract::Item;
use helpbot_ingest::files;
use helpbot_ingest::pdf::{Child, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // What begins as a PDF goes to a child process, which is not what is looked at here.
    let nobody = Child { program: "/nonexistent".into(), limits: Limits::default() };
    if let Ok(page) = files::extract_with("faq.csv", data, &nobody) {
        assert!(page.items.iter().all(|item| matches!(item, Item::Pair { .. })));
    }
    for name in ["faq.md", "faq.txt"] {
        let _ = files::extract_with(name, data, &nobody);
    }
});
