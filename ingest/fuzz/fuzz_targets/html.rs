//! Extraction of HTML pages: whatever the bytes, a page or a reason. No text of a page holds what
//! a database cannot store, and no page grows out of proportion to its bytes.

#![no_main]

use helpbot_ingest::extract::{self, Item};
use libfuzzer_sys::fuzz_target;
use url::Url;

/// Markdown that a byte of HTML may become (entities, escapes, links made absolute), and what a
/// page has beside it.
const GROWTH: usize = 64;

fuzz_target!(|data: &[u8]| {
    let url = Url::parse("https://example.com/help/faq.html").expect("a valid address");
    let Ok(page) = extract::html(data, None, Some(&url)) else { return };
    let mut written = 0;
    for item in &page.items {
        let (head, text) = match item {
            Item::Pair { question, answer, .. } => (question, answer),
            Item::Passage { text, .. } => (&page.title, text),
        };
        assert!(!head.contains('\0') && !text.contains('\0'), "U+0000 in {item:?}");
        written += text.len() + item.answer_text().len();
    }
    assert!(written <= data.len() * GROWTH, "{written} bytes from {}", data.len());
});
