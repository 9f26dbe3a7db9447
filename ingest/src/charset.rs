//! Decodes the bytes of a page or text file in the order that browsers use.
//!
//! Used for HTML, Markdown, text and CSV. Never fails: bytes that cannot be decoded become U+FFFD.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

/// The HTML standard looks for `<meta charset>` in the first 1024 bytes.
const META_WINDOW_BYTES: usize = 1024;

/// Number of bytes that the detector reads. More bytes do not change the result.
const DETECTION_WINDOW_BYTES: usize = 64 * 1024;

/// Decodes bytes and returns the WHATWG name of the encoding, such as "UTF-8".
///
/// Order: byte order mark, charset of the HTTP `Content-Type`, `<meta>` in the first 1024 bytes, UTF-8 if all
/// bytes are valid, detection, UTF-8 with replacement characters.
pub fn decode(bytes: &[u8], http_content_type: Option<&str>) -> (String, &'static str) {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return with(encoding, &bytes[length..]);
    }
    let declared = http_content_type.and_then(from_content_type).or_else(|| from_meta(bytes));
    match declared {
        // A page that claims UTF-8 without being UTF-8 is decoded by what it contains: old pages on a server with a
        // default header are common.
        Some(encoding) if encoding != UTF_8 => with(encoding, bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => (text.to_owned(), UTF_8.name()),
            Err(error) if declared.is_some() && is_mostly_utf8(bytes, error) => with(UTF_8, bytes),
            Err(_) => with(detect(bytes), bytes),
        },
    }
}

fn with(encoding: &'static Encoding, bytes: &[u8]) -> (String, &'static str) {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    (text.into_owned(), encoding.name())
}

/// Returns whether the bytes before the first error already contain UTF-8 beyond ASCII.
fn is_mostly_utf8(bytes: &[u8], error: std::str::Utf8Error) -> bool {
    !bytes[..error.valid_up_to()].is_ascii()
}

fn detect(bytes: &[u8]) -> &'static Encoding {
    let window = &bytes[..bytes.len().min(DETECTION_WINDOW_BYTES)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(window, true);
    detector.guess(None, Utf8Detection::Allow)
}

/// Returns the encoding that a `Content-Type` names, in a header or in `<meta http-equiv>`.
fn from_content_type(value: &str) -> Option<&'static Encoding> {
    let at = find_ignoring_case(value.as_bytes(), b"charset")?;
    let rest = value.as_bytes()[at + b"charset".len()..].trim_ascii_start();
    let rest = rest.strip_prefix(b"=")?.trim_ascii_start();
    let end = match rest.first() {
        Some(quote @ (b'"' | b'\'')) => {
            let inner = &rest[1..];
            let end = inner.iter().position(|byte| byte == quote)?;
            return Encoding::for_label(&inner[..end]);
        }
        _ => rest
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b';' | b',' | b'"' | b'\'' | b'>' | b'/'))
            .unwrap_or(rest.len()),
    };
    Encoding::for_label(&rest[..end])
}

/// Returns the encoding that a `<meta>` near the start names. UTF-16 there is always a mistake.
fn from_meta(bytes: &[u8]) -> Option<&'static Encoding> {
    let mut rest = &bytes[..bytes.len().min(META_WINDOW_BYTES)];
    while let Some(at) = find_ignoring_case(rest, b"<meta") {
        rest = &rest[at + b"<meta".len()..];
        let end = rest.iter().position(|&byte| byte == b'>').unwrap_or(rest.len());
        let tag = String::from_utf8_lossy(&rest[..end]);
        if let Some(encoding) = from_content_type(&tag) {
            let is_utf_16 = encoding.name().starts_with("UTF-16");
            return Some(if is_utf_16 { UTF_8 } else { encoding });
        }
    }
    None
}

fn find_ignoring_case(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_mark_wins_over_header_and_header_over_meta() {
        let meta = b"<meta charset=\"windows-1251\">\xe4";

        assert_eq!(decode(b"\xef\xbb\xbf\xc3\xa4", Some("text/html; charset=latin1")), ("\u{e4}".into(), "UTF-8"));
        assert_eq!(decode(b"\xff\xfea\0", None), ("a".into(), "UTF-16LE"));
        assert_eq!(decode(meta, Some("text/html; Charset = 'iso-8859-1'")).1, "windows-1252");
        assert_eq!(decode(meta, None).1, "windows-1251");
        assert_eq!(
            decode(b"<meta http-equiv=Content-Type content='text/html; charset=shift_jis'>", None).1,
            "Shift_JIS"
        );
    }

    #[test]
    fn undeclared_text_is_detected() {
        let (bytes, _, _) = encoding_rs::SHIFT_JIS
            .encode("\u{3088}\u{304f}\u{3042}\u{308b}\u{8cea}\u{554f}\u{3068}\u{56de}\u{7b54}\u{3092}\u{8aad}\u{3080}");

        assert_eq!(decode(&bytes, None).1, "Shift_JIS");
        assert_eq!(decode("caf\u{e9}".as_bytes(), None), ("caf\u{e9}".into(), "UTF-8"));
    }

    #[test]
    fn wrong_declarations_do_not_lose_text() {
        assert_eq!(decode(b"caf\xe9 au lait", Some("text/html; charset=utf-8")).0, "caf\u{e9} au lait");
        assert_eq!(decode(b"caf\xe9", Some("text/html; charset=nonsense")).0, "caf\u{e9}");
        let cut = "\u{e9}t\u{e9}".as_bytes();
        assert_eq!(decode(&cut[..cut.len() - 1], Some("charset=utf-8")).0, "\u{e9}t\u{fffd}");
    }
}
