//! Inline content: what is rendered as Markdown is parsed back to the same text.

#![no_main]

use helpbot_domain::inline;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parts = inline::parse(text);
    let flat = inline::flat(&parts);
    let middle = (flat.len() / 2..=flat.len()).find(|&at| flat.is_char_boundary(at)).unwrap_or(0);
    let halves = inline::split(parts.clone(), &[middle]);
    let _ = (inline::to_html(&parts), inline::to_plain(&parts), halves);
    let plain = [inline::Inline::Text(text.replace('\u{a0}', " "))];
    let back = inline::flat(&inline::parse(&inline::to_markdown(&plain))).replace('\u{a0}', " ");
    assert_eq!(back, text.replace('\u{a0}', " "));
});
