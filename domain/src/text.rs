//! Texts from outside: trimmed, counted in Unicode code points, bounded.

use crate::Invalid;

/// `text` without white space at its ends, refused when that leaves nothing or more than
/// `max_chars` code points.
///
/// # Errors
/// Names `field`, and says which of the two it was.
pub fn required(field: &'static str, text: &str, max_chars: usize) -> Result<String, Invalid> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Invalid::new(field, format!("Missing {field}")));
    }
    bounded(field, trimmed, max_chars)
}

/// `text` without white space at its ends; may be empty.
///
/// # Errors
/// When more than `max_chars` code points are left.
pub fn bounded(field: &'static str, text: &str, max_chars: usize) -> Result<String, Invalid> {
    let trimmed = text.trim();
    // PostgreSQL cannot store it, and no keyboard types it.
    if trimmed.contains('\0') {
        return Err(Invalid::new(field, format!("{field} must not contain the character U+0000")));
    }
    if trimmed.chars().count() > max_chars {
        return Err(Invalid::new(field, format!("{field} must be at most {max_chars} characters")));
    }
    Ok(trimmed.to_owned())
}

/// `text` on one line: each run of white space becomes a space, at the ends nothing.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `bytes` as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// At most `max_chars` code points of `text`, cut at their end.
pub fn cut(text: &str, max_chars: usize) -> &str {
    text.char_indices().nth(max_chars).map_or(text, |(end, _)| &text[..end])
}

/// An e-mail address as a mail server would take it: one `@`, no white space or control
/// characters, a dotted or bracketed domain, at most 254 characters (RFC 5321).
///
/// # Errors
/// Names `field` when it is anything else.
pub fn email(field: &'static str, text: &str) -> Result<String, Invalid> {
    const MAX_CHARS: usize = 254;
    const MAX_LOCAL: usize = 64;
    let address = text.trim();
    let refused = || Invalid::new(field, format!("{field} is not a valid e-mail address"));
    let (local, domain) = address.rsplit_once('@').ok_or_else(refused)?;
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[]\\,;:\"@".contains(c);
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
        && domain.split('.').all(is_label);
    if is_good { Ok(address.to_owned()) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_code_points_after_trimming() {
        assert_eq!(required("question", "  \u{1F600}\u{1F600} ", 2), Ok("\u{1F600}\u{1F600}".to_owned()));
        assert!(required("question", "abc", 2).is_err());
        assert_eq!(required("question", " \t\n", 5), Err(Invalid::new("question", "Missing question")));
    }

    #[test]
    fn addresses_that_could_forge_a_mail_header_are_refused() {
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
