//! PDF, parsed in this process as the child process of the program does.

#![no_main]

use helpbot_ingest::pdf;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = pdf::html(data);
});
