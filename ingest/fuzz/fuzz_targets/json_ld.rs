//! Questions in JSON-LD, which pages write by hand and therefore badly.

#![no_main]

use helpbot_ingest::extract;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let page = [b"<!doctype html><script type=application/ld+json>", data, b"</script><p>Text"].concat();
    if let Ok(page) = extract::html(&page, Some("text/html; charset=utf-8"), None) {
        for item in &page.items {
            assert!(!item.answer_text().contains('\0'), "U+0000 in {item:?}");
        }
    }
});
