//! Decodes the bytes of a page or text file in the order that browsers use.
//!
//! Used for HTML, Markdown, text and CSV. Never fails: bytes that cannot be decoded become U+FFFD.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The HTML standard looks for `<meta charset>` in the first 1024 bytes.
const META_WINDOW_BYTES: usize = 1024;

/// Number of bytes that the detector reads. More bytes do not change the result.
const DETECTION_WINDOW_BYTES: usize = 64 * 1024;

/// Decodes bytes and returns the WHATWG name of the encoding, such as "UTF-8".
///
/// Order: byte order mark, charset of the HTTP `Content-Type`, `<meta>` in the first 1024 bytes, UTF-8 if all
/// bytes are valid, detection, UTF-8 with replacement characters. A declaration that the bytes refute does not count.
pub fn decode(bytes: &[u8], http_content_type: Option<&str>) -> (String, &'static str) {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return with(encoding, &bytes[length..]);
    }
    if let Some(encoding) = utf_16_without_mark(bytes) {
        return with(encoding, bytes);
    }
    let by_header = http_content_type.and_then(from_content_type);
    let declared = by_header.or_else(|| from_meta(bytes));
    match declared {
        // A page that claims UTF-8 without being UTF-8 is decoded by what it contains: old pages on a server with a
        // default header are common.
        Some(encoding) if encoding != UTF_8 && !is_undeclared_utf_8(bytes, encoding) => with(encoding, bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(_) if declared.is_none() && has_japanese_escapes(bytes) => with(ISO_2022_JP, bytes),
            Ok(text) => (text.to_owned(), UTF_8.name()),
            Err(error) if declared.is_some() && is_mostly_utf8(bytes, error) => with(UTF_8, bytes),
            Err(_) => {
                with(from_meta(bytes).filter(|&encoding| encoding != UTF_8).unwrap_or_else(|| detect(bytes)), bytes)
            }
        },
    }
}

/// The fewest characters beyond ASCII that prove UTF-8 against the declaration of an encoding of several bytes. In an
/// encoding of single bytes, one of them is a row of signs that nobody writes.
const PROOF_CHARS: usize = 8;

/// Returns whether the bytes are UTF-8 although another encoding is declared. Servers add a default to every page.
fn is_undeclared_utf_8(bytes: &[u8], declared: &'static Encoding) -> bool {
    let needed = if declared.is_single_byte() { 1 } else { PROOF_CHARS };
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().filter(|c| !c.is_ascii()).nth(needed - 1).is_some())
}

/// Returns whether bytes change to Japanese characters and back as in ISO-2022-JP, whose bytes are all ASCII.
fn has_japanese_escapes(bytes: &[u8]) -> bool {
    let has = |escape: &[u8]| bytes.windows(escape.len()).any(|window| window == escape);
    bytes.contains(&0x1b) && (has(b"\x1b$B") || has(b"\x1b$@")) && (has(b"\x1b(B") || has(b"\x1b(J"))
}

/// Number of bytes in which zeros are counted.
const ZERO_WINDOW_BYTES: usize = 4096;

/// The share of the characters of a text in UTF-16 that are ASCII, in percent: letters, or spaces and line ends.
const ASCII_PERCENT: usize = 10;

/// Returns the variant of UTF-16 that a text without a byte order mark is in: its ASCII characters have a zero in
/// their upper byte, and hardly any character has one in its lower byte.
pub(crate) fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let window = &bytes[..bytes.len().min(ZERO_WINDOW_BYTES) & !1];
    let zeros = |first: usize| window.iter().skip(first).step_by(2).filter(|&&byte| byte == 0).count();
    let (first, second, units) = (zeros(0), zeros(1), window.len() / 2);
    let is_enough = |zeros: usize| units > 1 && zeros * 100 >= units * ASCII_PERCENT;
    let is_rare = |zeros: usize| zeros * 100 <= units;
    let encoding = match (first, second) {
        (rare, enough) if is_rare(rare) && is_enough(enough) => UTF_16LE,
        (enough, rare) if is_rare(rare) && is_enough(enough) => UTF_16BE,
        _ => return None,
    };
    let (text, has_errors) = encoding.decode_without_bom_handling(window);
    let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    (!has_errors && text.chars().all(is_text)).then_some(encoding)
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
    match detector.guess(None, Utf8Detection::Allow) {
        // Spreadsheets on a Macintosh save CSV in the encoding and with the line ends of its old system.
        encoding if encoding == WINDOWS_1252 && has_old_line_ends(window) => MACINTOSH,
        encoding => encoding,
    }
}

/// Returns whether lines end in a carriage return alone.
fn has_old_line_ends(bytes: &[u8]) -> bool {
    bytes.contains(&b'\r') && !bytes.contains(&b'\n')
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
        // A default header of the server, on a page that is UTF-8.
        assert_eq!(decode("f\u{fc}nf".as_bytes(), Some("text/html; charset=iso-8859-1")).0, "f\u{fc}nf");
        let cut = "\u{e9}t\u{e9}".as_bytes();
        assert_eq!(decode(&cut[..cut.len() - 1], Some("charset=utf-8")).0, "\u{e9}t\u{fffd}");
    }
}
