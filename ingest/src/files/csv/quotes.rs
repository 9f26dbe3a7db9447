//! Quotes in CSV files that do not follow the rule: those of MySQL with a backslash, single ones, quotes behind a
//! space, quotes within a quoted cell, and an inch sign that nothing closes.
//!
//! Called by [`csv`](super) before its cells are read. The rule is that of RFC 4180: a quoted cell ends at a quote
//! before a separator or the end of a line, and its own quotes are doubled.

/// The text with quotes that follow the rule.
pub(super) fn regular(text: &str, separator: u8) -> String {
    let quote = if is_in_single_quotes(text, separator) { '\'' } else { '"' };
    let mut reader = QuoteReader {
        separator: char::from(separator),
        quote,
        has_backslashes: quote == '"' && has_backslashes(text, char::from(separator)),
        left: text.len().saturating_mul(READINGS),
    };
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut rest = text;
    while !rest.is_empty() {
        rest = reader.cell(rest, &mut out);
        if let Some(sign) = rest.chars().next() {
            out.push(sign);
            rest = &rest[sign.len_utf8()..];
        }
    }
    out
}

/// Whether the cells of the first line are in single quotes.
fn is_in_single_quotes(text: &str, separator: u8) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let between = format!("'{}'", char::from(separator));
    first.len() > 1 && first.starts_with('\'') && first.ends_with('\'') && first.contains(&between)
}

/// Whether there is a backslash before a quote that cannot be the end of a cell, so that it is not the end of a path.
fn has_backslashes(text: &str, separator: char) -> bool {
    let mut followers = text.match_indices("\\\"").map(|(at, sign)| text[at + sign.len()..].chars().next());
    followers.any(|next| next.is_some_and(|next| next != separator && !matches!(next, '\n' | '\r' | '"')))
}

/// How often the text may be read for quotes that nothing closes, so that a hostile file takes little time.
const READINGS: usize = 8;

struct QuoteReader {
    separator: char,
    quote: char,
    has_backslashes: bool,
    /// The bytes that may still be read in search of the end of a cell.
    left: usize,
}

impl QuoteReader {
    /// Writes the cell at the start of a text and returns what follows it.
    fn cell<'a>(&mut self, text: &'a str, out: &mut String) -> &'a str {
        let inside = text.trim_start_matches(' ').strip_prefix(self.quote).filter(|_| self.left > 0);
        if let Some((cell, rest)) = inside.and_then(|inside| self.quoted(inside)) {
            push_quoted(&cell, out);
            return rest;
        }
        let end = text.find([self.separator, '\n', '\r']).unwrap_or(text.len());
        let cell = &text[..end];
        if cell.contains('"') {
            push_quoted(cell.trim(), out);
        } else {
            out.push_str(cell);
        }
        &text[end..]
    }

    /// The content of a quoted cell, and what follows it. `None` when nothing closes it: its first quote is a sign
    /// like any other.
    fn quoted<'a>(&mut self, text: &'a str) -> Option<(String, &'a str)> {
        let (mut cell, mut at, mut before) = (String::new(), 0, None);
        let separator = self.separator;
        let is_end = |c: char| c == separator || matches!(c, '\n' | '\r');
        while let Some(c) = text[at..].chars().next() {
            self.left = self.left.saturating_sub(c.len_utf8());
            if self.left == 0 {
                return None;
            }
            let rest = &text[at + c.len_utf8()..];
            let next = rest.chars().next();
            if self.has_backslashes && c == '\\' && matches!(next, Some('"' | '\\')) {
                cell.extend(next);
                at += 2;
                before = next;
                continue;
            }
            if c == self.quote {
                let closes = rest.trim_start_matches(' ');
                if closes.is_empty() || closes.starts_with(is_end) {
                    return Some((cell, closes));
                }
                if next == Some(self.quote) {
                    // The sign of a doubled quote is one of its own; it neither opens nor closes.
                    cell.push(self.quote);
                    at += 2;
                    before = Some('\u{0}');
                    continue;
                }
                // Another cell begins here, so that the one before it was never quoted.
                if before.is_none_or(is_end) && cell.contains(['\n', '\r']) {
                    return None;
                }
            }
            cell.push(c);
            before = Some(c);
            at += c.len_utf8();
        }
        None
    }
}

fn push_quoted(cell: &str, out: &mut String) {
    out.push('"');
    out.push_str(&cell.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_text_stays() {
        for text in ["a,b\n\"c, d\",\"e \"\"f\"\"\ng\"\r\n", "\"\"\"a\"\"\",\"\"\n", "it's,'so'\nx,y"] {
            assert_eq!(regular(text, b','), text);
        }
    }

    #[test]
    fn other_quotes_are_made_regular() {
        assert_eq!(regular("\"a \\\"b\\\", c\",\"d\\\\\"", b','), "\"a \"\"b\"\", c\",\"d\\\"");
        assert_eq!(regular("'a','b, c'\n'it''s','d'", b','), "\"a\",\"b, c\"\n\"it's\",\"d\"");
        assert_eq!(regular("\"a\", \"b, c\"\n", b','), "\"a\",\"b, c\"\n");
        assert_eq!(regular("\"say \"hi\" to all\",b", b','), "\"say \"\"hi\"\" to all\",b");
    }

    #[test]
    fn a_quote_that_nothing_closes_is_a_sign() {
        assert_eq!(regular("5\" screen,b\nc,\"d", b','), "\"5\"\" screen\",b\nc,\"\"\"d\"");
        assert_eq!(regular("a,\"M5 and M6\nb,\"Yes, it is.\"\n", b','), "a,\"\"\"M5 and M6\"\nb,\"Yes, it is.\"\n");
    }
}
