//! What the first bytes of binary data look like, in words for the message that refuses it.
//!
//! Called by `extract` for pages and by `files` for files, which both read text only.

use crate::charset;

/// What binary bytes look like; `None` for everything that may be text.
pub(crate) fn binary_kind(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 9] = [
        (b"\x89PNG", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"%PDF-", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "gzip data"),
        (b"7z\xbc\xaf", "a 7z archive"),
        (b"\x7fELF", "a program"),
        (b"MZ\x90", "a program"),
    ];
    if let Some((_, found)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(found);
    }
    // UTF-16 is text full of zeros.
    let has_mark = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let is_utf_16 = has_mark || charset::utf_16_without_mark(bytes).is_some();
    let window = &bytes[..bytes.len().min(1024)];
    let zeros = window.iter().filter(|&&byte| byte == 0).count();
    (!is_utf_16 && zeros * 100 > window.len()).then_some("binary data")
}
