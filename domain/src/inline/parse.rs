//! Restricted Markdown of one paragraph to [`Inline`] parts.
//!
//! A marker that is never closed is text. A search for a closing marker that failed is remembered,
//! so that thousands of opening markers cost no more than one look at the rest of the text.

use super::parts::{Inline, NESTING_MAX};

/// Parses the Markdown of one paragraph, list item, heading or table cell.
pub fn parse(markdown: &str) -> Vec<Inline> {
    Parser { rest: markdown, before: None, out: Vec::new(), unclosed: Unclosed::default(), depth: 0 }.run()
}

/// The markers that the rest of the text is known not to close.
#[derive(Debug, Clone, Copy, Default)]
struct Unclosed {
    strong: bool,
    deleted: bool,
    star: bool,
    underscore: bool,
    /// Backtick runs, one bit for each length up to 31.
    code: u32,
}

struct Parser<'a> {
    rest: &'a str,
    /// The character before `rest`.
    before: Option<char>,
    out: Vec<Inline>,
    unclosed: Unclosed,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn run(mut self) -> Vec<Inline> {
        while let Some(at) = self.rest.find(['\\', '*', '_', '`', '[', '~']) {
            self.text(at);
            if let Some((inline, length)) = self.marked() {
                self.out.push(inline);
                self.step(length);
            } else if let Some(escaped) = escaped(self.rest) {
                self.before = Some(escaped);
                self.rest = &self.rest[1 + escaped.len_utf8()..];
                push_text(&mut self.out, escaped.encode_utf8(&mut [0; 4]));
            } else {
                // A whole run of one sign is taken at once: none of its parts opens anything.
                let sign = self.rest.as_bytes()[0];
                let run = if sign == b'`' { self.rest.bytes().take_while(|&byte| byte == sign).count() } else { 1 };
                self.text(run);
            }
        }
        let length = self.rest.len();
        self.text(length);
        self.out
    }

    /// Takes the next bytes as text.
    fn text(&mut self, length: usize) {
        push_text(&mut self.out, &self.rest[..length]);
        self.step(length);
    }

    fn step(&mut self, length: usize) {
        self.before = self.rest[..length].chars().next_back().or(self.before);
        self.rest = &self.rest[length..];
    }

    /// The part that the marker at the start of the rest opens, and its length in bytes.
    fn marked(&mut self) -> Option<(Inline, usize)> {
        match self.rest.as_bytes() {
            [b'`', ..] => self.code(),
            [b'[', ..] => self.link(),
            _ if self.depth == NESTING_MAX => None,
            [b'*', b'*', ..] => self.pair("**"),
            [b'~', b'~', ..] => self.pair("~~"),
            [b'*', ..] => self.emphasis('*'),
            [b'_', ..] => self.emphasis('_'),
            _ => None,
        }
    }

    fn code(&mut self) -> Option<(Inline, usize)> {
        let ticks = self.rest.bytes().take_while(|&byte| byte == b'`').count();
        let bit = 1_u32.checked_shl(u32::try_from(ticks).unwrap_or(u32::MAX)).unwrap_or(0);
        if bit == 0 || self.unclosed.code & bit != 0 {
            return None;
        }
        let Some(end) = closing_ticks(self.rest, ticks) else {
            self.unclosed.code |= bit;
            return None;
        };
        let code = &self.rest[ticks..end];
        // One space inside of the ticks on each side lets code begin or end with a backtick.
        let inner = code.strip_prefix(' ').and_then(|inner| inner.strip_suffix(' '));
        let code = inner.filter(|inner| !inner.trim().is_empty()).unwrap_or(code);
        Some((Inline::Code(code.to_owned()), end + ticks))
    }

    fn link(&self) -> Option<(Inline, usize)> {
        let label_end = label_end(self.rest)?;
        let target = self.rest[label_end + 1..].strip_prefix('(')?;
        let (address, length) = address(target)?;
        let label = Parser {
            rest: &self.rest[1..label_end],
            before: None,
            out: Vec::new(),
            unclosed: Unclosed::default(),
            depth: (self.depth + 1).min(NESTING_MAX),
        };
        Some((Inline::Link { address, label: label.run() }, label_end + 2 + length))
    }

    fn pair(&mut self, marker: &'static str) -> Option<(Inline, usize)> {
        let is_strong = marker == "**";
        let is_unclosed = if is_strong { &mut self.unclosed.strong } else { &mut self.unclosed.deleted };
        if *is_unclosed || self.rest[2..].starts_with(char::is_whitespace) {
            return None;
        }
        let Some(end) = closing(self.rest, marker) else {
            *is_unclosed = true;
            return None;
        };
        let inner = self.inner(2, end);
        Some((if is_strong { Inline::Strong(inner) } else { Inline::Deleted(inner) }, end + 2))
    }

    fn emphasis(&mut self, marker: char) -> Option<(Inline, usize)> {
        let is_unclosed = if marker == '*' { &mut self.unclosed.star } else { &mut self.unclosed.underscore };
        let is_word = self.before.is_some_and(|c| c.is_alphanumeric() || c == marker);
        if *is_unclosed || is_word || self.rest[1..].starts_with(|c: char| c.is_whitespace() || c == marker) {
            return None;
        }
        let found = closing(self.rest, if marker == '*' { "*" } else { "_" });
        let Some(end) = found else {
            *is_unclosed = true;
            return None;
        };
        let inner = self.inner(1, end);
        Some((Inline::Emphasis(inner), end + 1))
    }

    fn inner(&self, start: usize, end: usize) -> Vec<Inline> {
        let (rest, depth) = (&self.rest[start..end], self.depth + 1);
        Parser { rest, before: None, out: Vec::new(), unclosed: Unclosed::default(), depth }.run()
    }
}

/// Adds text to the part before it where that is text as well.
fn push_text(out: &mut Vec<Inline>, text: &str) {
    match out.last_mut() {
        _ if text.is_empty() => {}
        Some(Inline::Text(last)) => last.push_str(text),
        _ => out.push(Inline::Text(text.to_owned())),
    }
}

/// The sign behind a backslash, where the backslash only says that the sign is itself.
fn escaped(text: &str) -> Option<char> {
    text.strip_prefix('\\')?.chars().next().filter(char::is_ascii_punctuation)
}

/// Where the run of backticks is that closes the one at the start.
fn closing_ticks(text: &str, ticks: usize) -> Option<usize> {
    let mut at = ticks;
    while let Some(found) = text[at..].find('`') {
        let run = text[at + found..].bytes().take_while(|&byte| byte == b'`').count();
        if run == ticks && found + at > ticks {
            return Some(at + found);
        }
        at += found + run;
    }
    None
}

/// Where the marker is that closes the one at the start: behind a character that is no space,
/// outside of code, not escaped.
fn closing(text: &str, marker: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = marker.len();
    let mut unclosed_code = 0_u32;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
            b'`' => {
                let ticks = bytes[at..].iter().take_while(|&&byte| byte == b'`').count();
                let bit = 1_u32.checked_shl(u32::try_from(ticks).unwrap_or(u32::MAX)).unwrap_or(0);
                let is_open = bit != 0 && unclosed_code & bit == 0;
                let end = is_open.then(|| closing_ticks(&text[at..], ticks)).flatten();
                unclosed_code |= if end.is_none() { bit } else { 0 };
                at += end.map_or(ticks, |end| end + ticks);
            }
            // The first of three stars closes the emphasis inside of the strong text.
            _ if marker == "**" && text[at..].starts_with("***") && !text[at..].starts_with("****") => {
                return Some(at + 1);
            }
            _ if text[at..].starts_with(marker) && is_closing(text, at, marker) => return Some(at),
            // A longer run of the same sign belongs to another marker.
            byte if byte == marker.as_bytes()[0] => at += bytes[at..].iter().take_while(|&&b| b == byte).count(),
            _ => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    None
}

fn is_closing(text: &str, at: usize, marker: &str) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[at + marker.len()..].chars().next();
    let is_behind_text = before.is_some_and(|c| !c.is_whitespace());
    // One star or underscore inside of a word, or as half of a pair, closes nothing.
    let is_apart = marker.len() == 2 || after.is_none_or(|c| !c.is_alphanumeric() && !marker.contains(c));
    is_behind_text && is_apart
}

/// Where the bracket is that ends the label of a link; a label has no other brackets.
fn label_end(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' => return None,
            ']' => return (at > 1).then_some(at),
            _ => {}
        }
    }
    None
}

/// The longest address of a link, in bytes.
const ADDRESS_MAX_BYTES: usize = 8 * 1024;

/// The address behind `](`, and the length with the bracket that ends it.
fn address(target: &str) -> Option<(String, usize)> {
    let mut depth = 0_usize;
    for (at, c) in target.char_indices().take(ADDRESS_MAX_BYTES) {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => {
                let address = target[..at].trim().trim_start_matches('<').trim_end_matches('>');
                let is_address = !address.is_empty() && !address.contains(char::is_whitespace);
                return is_address.then(|| (address.to_owned(), at + 1));
            }
            ')' => depth -= 1,
            '\n' => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Inline {
        Inline::Text(text.to_owned())
    }

    #[test]
    fn each_marker_is_a_part() {
        assert_eq!(
            parse("a **b *c*** `d*` ~~e~~ [f](https://x.example/(1)?a=b_c) _g_ \\*h"),
            [
                text("a "),
                Inline::Strong(vec![text("b "), Inline::Emphasis(vec![text("c")])]),
                text(" "),
                Inline::Code("d*".to_owned()),
                text(" "),
                Inline::Deleted(vec![text("e")]),
                text(" "),
                Inline::Link { address: "https://x.example/(1)?a=b_c".to_owned(), label: vec![text("f")] },
                text(" "),
                Inline::Emphasis(vec![text("g")]),
                text(" *h"),
            ]
        );
    }

    #[test]
    fn markers_that_are_not_closed_are_text() {
        for plain in
            ["5 * 3 * 2", "a**b", "price*", "snake_case_name", "[x] (y)", "`a", "~~ b ~~", "** a **", "C:\\dir"]
        {
            assert_eq!(parse(plain), [text(plain)], "{plain}");
        }
    }

    #[test]
    fn hostile_markers_cost_linear_time() {
        let begin = std::time::Instant::now();
        for sign in ["**a ", "[a", "`a ``b ", "~~a ", "_a ", "\\", "[[[](", "*a **b "] {
            let text = sign.repeat(200_000 / sign.len());
            assert!(!parse(&text).is_empty());
        }
        assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
    }
}
