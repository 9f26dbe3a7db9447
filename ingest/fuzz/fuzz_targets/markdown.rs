//! Markdown of all dialects.

#![no_main]

use helpbot_ingest::files;
use helpbot_ingest::pdf::{Child, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let nobody = Child { program: "/nonexistent".into(), limits: Limits::default() };
    let _ = files::extract_with("faq.mdx", data, &nobody);
});
