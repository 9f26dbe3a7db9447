//! Texts from callers: trimmed, counted in Unicode code points and limited in length.

use unicode_normalization::UnicodeNormalization as _;

use crate::Invalid;

/// Returns `text` without surrounding white space.
///
/// # Errors
/// Names `field` when the result is empty or longer than `max_chars` code points.
pub fn required(field: &'static str, text: &str, max_chars: usize) -> Result<String, Invalid> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Invalid::new(field, format!("Missing {field}")));
    }
    bounded(field, trimmed, max_chars)
}

/// Returns `text` without surrounding white space. The result may be empty.
///
/// # Errors
/// Names `field` when the result is longer than `max_chars` code points.
pub fn bounded(field: &'static str, text: &str, max_chars: usize) -> Result<String, Invalid> {
    let trimmed = text.trim();
    // PostgreSQL cannot store this character, and no keyboard can type it.
    if trimmed.contains('\0') {
        return Err(Invalid::new(field, format!("{field} must not contain the character U+0000")));
    }
    if trimmed.chars().count() > max_chars {
        return Err(Invalid::new(field, format!("{field} must be at most {max_chars} characters")));
    }
    Ok(trimmed.to_owned())
}

/// Returns `text` on one line: white space becomes single spaces and is removed at both ends.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the text as both databases can store and compare it: PostgreSQL refuses NUL, which becomes U+FFFD.
pub fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Returns the text without differences of case and of composition, for searching: `İSTANBUL` equals
/// `istanbul`, `LINDENSTRASSE` equals `Lindenstraße`, and é equals e with a separate accent. Folds by
/// way of upper case, because some letters, such as ß, have more than one letter only there.
#[must_use]
pub fn folded(text: &str) -> String {
    const DOT_ABOVE: char = '\u{307}';
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    let composed: String = text.nfc().collect();
    for letter in composed.to_uppercase().chars().flat_map(char::to_lowercase) {
        match letter {
            'ς' => folded.push('σ'),
            // Only the capital ẞ still has this letter here.
            'ß' => folded.push_str("ss"),
            // The lower case of İ is i with a separate dot.
            DOT_ABOVE if folded.ends_with('i') => {}
            letter => folded.push(letter),
        }
    }
    folded
}

/// Returns `bytes` as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Returns at most `max_chars` code points of `text`.
pub fn cut(text: &str, max_chars: usize) -> &str {
    text.char_indices().nth(max_chars).map_or(text, |(end, _)| &text[..end])
}

/// Validates an e-mail address as a mail server would: one `@`, no white space, control or invisible
/// characters, a dotted domain name (not an IP address), at most 254 characters (RFC 5321).
///
/// # Errors
/// Names `field` when the address is not valid.
pub fn email(field: &'static str, text: &str) -> Result<String, Invalid> {
    const MAX_CHARS: usize = 254;
    const MAX_LOCAL: usize = 64;
    let address = text.trim();
    let refused = || Invalid::new(field, format!("{field} is not a valid e-mail address"));
    let (local, domain) = address.rsplit_once('@').ok_or_else(refused)?;
    // `?` and `&` would add headers in a `mailto:` link, and a change of direction hides the real address.
    let is_plain =
        |c: char| !c.is_whitespace() && !c.is_control() && !is_ignorable(c) && !"<>()[]\\,;:\"@?&".contains(c);
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let is_good = address.len() <= MAX_CHARS
        && (1..=MAX_LOCAL).contains(&local.len())
        && local.chars().all(is_plain)
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && matches!(url::Host::parse(domain), Ok(url::Host::Domain(_)));
    if is_good { Ok(address.to_owned()) } else { Err(refused()) }
}

/// Returns whether `c` is invisible or reorders text: soft hyphen, joiners, fillers, zero-width,
/// bidirectional, tag and variation characters (the property `Default_Ignorable_Code_Point` of Unicode).
const fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_misleads_in_a_link_is_invalid() {
        for bad in [
            "a?bcc=x@b.example",
            "a&cc=x@b.example",
            "a\u{202e}x@b.example",
            "a\u{2066}@b.example",
            "a\u{200b}n@b.example",
            "a\u{ad}@b.example",
            "a@127.0.0.1",
            "a@0x7f.1",
            "a@b\u{200d}.example",
            "a@b.example\u{feff}x",
        ] {
            assert!(email("customerEmail", bad).is_err(), "{bad:?}");
        }
        for good in ["ann+shop@b.example", "ann@bücher.example", "jörg@b.example", "ann@4u.example"] {
            assert!(email("customerEmail", good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn folded_texts_are_equal_in_every_case() {
        for (one, other) in [
            ("KARGO İSTANBUL", "kargo istanbul"),
            ("LINDENSTRASSE", "Lindenstraße"),
            ("ΟΔΟΣ", "οδος"),
            ("ΟΔΟΣ", "οδοσ"),
            ("MOSKWA МОСКВА", "moskwa москва"),
            ("ﬁn", "FIN"),
            ("LINDENSTRAẞE", "Lindenstraße"),
            ("Cafe\u{301}", "CAFÉ"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("äpfel"), folded("apfel"));
    }

    #[test]
    fn lengths_count_code_points_after_trimming() {
        assert_eq!(required("question", "  \u{1F600}\u{1F600} ", 2), Ok("\u{1F600}\u{1F600}".to_owned()));
        assert!(required("question", "abc", 2).is_err());
        assert_eq!(required("question", " \t\n", 5), Err(Invalid::new("question", "Missing question")));
    }

    #[test]
    fn addresses_that_could_forge_a_mail_header_are_rejected() {
        assert_eq!(email("customerEmail", " ann@example.com "), Ok("ann@example.com".to_owned()));
        for bad in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@example",
            "a b@example.com",
            "ann@exa\r\nmple.com",
            "a@b.c,d@e.f",
            "<a@b.c>",
            "a@-b.c",
            "a@b..c",
        ] {
            assert!(email("customerEmail", bad).is_err(), "{bad:?}");
        }
    }
}
