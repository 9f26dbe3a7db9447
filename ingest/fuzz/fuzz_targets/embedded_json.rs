//! Pages without text of their own: the input is the JSON that they embed for their scripts, as data, as the state
//! that a script assigns, and as a list of values.

#![no_main]

use helpbot_ingest::extract;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let json = String::from_utf8_lossy(data);
    for script in [
        format!("<div id=app></div><script type=\"application/json\">{json}</script>"),
        format!("<div id=app></div><script>window.__STATE__ = {json};</script>"),
        format!("<div id=app></div><noscript>{json}</noscript>"),
    ] {
        let Ok(page) = extract::html(script.as_bytes(), None, None) else { continue };
        for item in page.pairs() {
            assert!(!item.answer_text().contains('\0'), "U+0000 in {item:?}");
        }
    }
});
