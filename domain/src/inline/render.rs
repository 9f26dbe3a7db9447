//! [`Inline`] parts to restricted Markdown, plain text and HTML.
//!
//! Markdown is escaped only where a reader would otherwise see something else than the text: prices,
//! dates, phone numbers and comparisons stay as they are, because not every client removes escapes.

use super::parts::{self, Inline};

/// The parts as restricted Markdown that [`parse`](super::parse) reads back.
pub fn to_markdown(inlines: &[Inline]) -> String {
    let mut raw = Raw::default();
    raw.push(inlines, Place::Text);
    guard_line_start(raw.escaped())
}

/// The parts as people read them, on one line for each line of the text; deleted text is left out,
/// because it no longer holds.
pub fn to_plain(inlines: &[Inline]) -> String {
    let mut out = String::new();
    push_plain(inlines, &mut out);
    out
}

fn push_plain(inlines: &[Inline], out: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text(text) | Inline::Code(text) => {
                // Where deleted text was, the spaces around it meet.
                let is_doubled = out.ends_with(' ') && text.starts_with(' ');
                out.push_str(if is_doubled { &text[1..] } else { text });
            }
            Inline::Strong(inner) | Inline::Emphasis(inner) => push_plain(inner, out),
            Inline::Link { label, .. } => push_plain(label, out),
            Inline::Deleted(_) => {}
        }
    }
}

/// The parts as HTML that is safe to put into a page or a mail: text is escaped, and links other
/// than `http`, `https`, `mailto` and `tel` become their label.
pub fn to_html(inlines: &[Inline]) -> String {
    let mut out = String::new();
    push_html(inlines, &mut out);
    out
}

fn push_html(inlines: &[Inline], out: &mut String) {
    for inline in inlines {
        let (tag, inner) = match inline {
            Inline::Text(text) => {
                push_html_text(text, out);
                continue;
            }
            Inline::Code(code) => {
                out.push_str("<code>");
                push_html_text(code, out);
                out.push_str("</code>");
                continue;
            }
            Inline::Link { address, label } => {
                let is_allowed = ["http://", "https://", "mailto:", "tel:"]
                    .iter()
                    .any(|scheme| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
                if is_allowed {
                    out.push_str("<a href=\"");
                    push_html_text(address, out);
                    out.push_str("\">");
                }
                push_html(label, out);
                out.push_str(if is_allowed { "</a>" } else { "" });
                continue;
            }
            Inline::Strong(inner) => ("strong", inner),
            Inline::Emphasis(inner) => ("em", inner),
            Inline::Deleted(inner) => ("del", inner),
        };
        out.push_str(&format!("<{tag}>"));
        push_html(inner, out);
        out.push_str(&format!("</{tag}>"));
    }
}

fn push_html_text(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("<br>"),
            c => out.push(c),
        }
    }
}

/// Position of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Label,
}

/// Markdown before it is escaped: text and markers, with the ranges that are text.
#[derive(Default)]
struct Raw {
    markdown: String,
    texts: Vec<(std::ops::Range<usize>, Place)>,
}

impl Raw {
    fn push(&mut self, inlines: &[Inline], place: Place) {
        for inline in inlines {
            match inline {
                Inline::Text(text) => {
                    let start = self.markdown.len();
                    self.markdown.push_str(text);
                    self.texts.push((start..self.markdown.len(), place));
                }
                Inline::Code(code) => self.code(code),
                Inline::Strong(inner) => self.pair("**", inner, place),
                Inline::Emphasis(inner) => self.pair("*", inner, place),
                Inline::Deleted(inner) => self.pair("~~", inner, place),
                Inline::Link { address, label } => {
                    self.markdown.push('[');
                    self.push(label, Place::Label);
                    self.markdown.push_str("](");
                    self.markdown.push_str(&address.replace('(', "%28").replace(')', "%29").replace(' ', "%20"));
                    self.markdown.push(')');
                }
            }
        }
    }

    /// Markers stand next to the text that they mark: space at its ends moves outside.
    fn pair(&mut self, marker: &str, inner: &[Inline], place: Place) {
        let flat = parts::flat(inner);
        let core = flat.trim();
        if core.is_empty() {
            self.markdown.push_str(if flat.is_empty() { "" } else { " " });
            return;
        }
        let lead = flat.len() - flat.trim_start().len();
        let pieces = parts::split(inner.to_vec(), &[lead, lead + core.len()]);
        self.markdown.push_str(if lead > 0 { " " } else { "" });
        self.markdown.push_str(marker);
        self.push(&pieces[1], place);
        self.markdown.push_str(marker);
        self.markdown.push_str(if lead + core.len() < flat.len() { " " } else { "" });
    }

    fn code(&mut self, code: &str) {
        let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let ticks = "`".repeat(longest + 1);
        let space = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
        self.markdown.push_str(&format!("{ticks}{space}{code}{space}{ticks}"));
    }

    /// The Markdown with a backslash before each sign of its texts that would be read as a marker.
    fn escaped(self) -> String {
        let markdown = self.markdown.as_str();
        let mut later = Later::of(markdown);
        let mut out = String::with_capacity(markdown.len() + 8);
        let mut written = 0;
        let mut texts = self.texts.into_iter().peekable();
        for (at, sign) in markdown.match_indices(MARKERS) {
            let rest = &markdown[at + sign.len()..];
            let sign = char::from(markdown.as_bytes()[at]);
            later.pass(&markdown[at..], sign);
            while texts.next_if(|(range, _)| range.end <= at).is_some() {}
            let place = texts.peek().filter(|(range, _)| range.contains(&at)).map(|&(_, place)| place);
            let before = markdown[..at].chars().next_back();
            if place.is_some_and(|place| is_marker(sign, before, rest, place, &later)) {
                out.push_str(&markdown[written..at]);
                out.push('\\');
                written = at;
            }
        }
        out.push_str(&markdown[written..]);
        out
    }
}

/// The signs that [`is_marker`] looks at.
const MARKERS: [char; 10] = ['\\', '*', '_', '`', '~', '[', ']', '!', '<', '&'];

/// How many signs that could close a marker are still to come.
struct Later {
    stars: usize,
    ticks: usize,
    underscores: usize,
    tildes: usize,
    targets: usize,
}

impl Later {
    fn of(markdown: &str) -> Self {
        let mut counted = Self { stars: 0, ticks: 0, underscores: 0, tildes: 0, targets: 0 };
        for (at, byte) in markdown.bytes().enumerate() {
            match byte {
                b'*' => counted.stars += 1,
                b'`' => counted.ticks += 1,
                b'_' => counted.underscores += 1,
                b'~' => counted.tildes += 1,
                b']' if markdown[at..].starts_with("](") => counted.targets += 1,
                _ => {}
            }
        }
        counted
    }

    fn pass(&mut self, rest: &str, c: char) {
        match c {
            '*' => self.stars -= 1,
            '`' => self.ticks -= 1,
            '_' => self.underscores -= 1,
            '~' => self.tildes -= 1,
            ']' if rest.starts_with("](") => self.targets -= 1,
            _ => {}
        }
    }
}

/// Whether a sign of a text would be read as a marker, by what is around it.
fn is_marker(c: char, before: Option<char>, rest: &str, place: Place, later: &Later) -> bool {
    let next = rest.chars().next();
    let is_before_text = next.is_some_and(|next| !next.is_whitespace());
    match c {
        '\\' => next.is_some_and(|next| next.is_ascii_punctuation()),
        '*' => is_before_text && later.stars > 0,
        '_' => is_before_text && later.underscores > 0 && before.is_none_or(|before| !before.is_alphanumeric()),
        '`' => later.ticks > 0,
        '~' => next == Some('~') && later.tildes > 2,
        '[' => place == Place::Label || later.targets > 0,
        ']' => place == Place::Label,
        '!' => next == Some('[') && later.targets > 0,
        '<' => next.is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')),
        '&' => is_reference(rest),
        _ => false,
    }
}

/// Whether a text goes on like a character reference of HTML behind its `&`.
fn is_reference(rest: &str) -> bool {
    let name = rest.strip_prefix('#').unwrap_or(rest);
    let length = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
    length > 0 && length < 32 && name[length..].starts_with(';')
}

/// Keeps a text that begins like a list item, a quotation or a heading from being read as one. A
/// no-break space does so without a visible sign; a quotation needs no space and is escaped.
fn guard_line_start(mut line: String) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let signs = match line.as_bytes().get(digits) {
        Some(b'.' | b')') if (1..=9).contains(&digits) => digits + 1,
        Some(b'-' | b'+' | b'*') if digits == 0 => 1,
        Some(b'#') if digits == 0 => line.bytes().take_while(|&byte| byte == b'#').count(),
        Some(b'>') if digits == 0 => {
            line.insert(0, '\\');
            return line;
        }
        _ => return line,
    };
    if line[signs..].starts_with(' ') {
        line.replace_range(signs..=signs, "\u{a0}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inline::parse;

    fn text(text: &str) -> Inline {
        Inline::Text(text.to_owned())
    }

    #[test]
    fn text_without_markers_is_not_escaped() {
        for plain in [
            "3.50 euros, children 1.50.",
            "+49 30 1234567",
            "24.12.2026 at noon.",
            "All < 2 kg, << 3",
            "5 * 3 and a * b",
            "price* (*net)",
            "snake_case_name",
            "[sic] and (this)",
            "C:\\dir",
            "a ~ b",
            "R&D & more",
        ] {
            assert_eq!(to_markdown(&[text(plain)]), plain);
        }
    }

    #[test]
    fn text_that_would_be_read_as_markup_comes_back_as_it_was() {
        for plain in [
            "**a**",
            "*a* b*",
            "_a_",
            "`a`",
            "[a](b)",
            "~~a~~",
            "<b>",
            "</b>",
            "\\*",
            "\\",
            "&lt;",
            "![a](b)",
            "> a",
            "a [b] [c](d)",
            "1. a",
            "- a",
            "# a",
            "*",
            "**",
            "a**b**c",
            "\\[",
            "`a` `b",
        ] {
            let markdown = to_markdown(&[text(plain)]);
            assert_eq!(to_plain(&parse(&markdown)).replace('\u{a0}', " "), plain, "{markdown}");
        }
    }

    #[test]
    fn parts_come_back_as_they_were() {
        let link =
            |label: &str| Inline::Link { address: "https://a.example/?b=1&c_d=2".into(), label: vec![text(label)] };
        let parts = vec![
            Inline::Strong(vec![text("Note * 1.")]),
            text(" see "),
            link("a [b] * c"),
            text("! 2 < 3 "),
            Inline::Code("x`y".into()),
            text(" * "),
            Inline::Deleted(vec![text("19 euros")]),
            text(" 14 euros"),
        ];

        assert_eq!(parse(&to_markdown(&parts)), parts, "{}", to_markdown(&parts));
    }

    #[test]
    fn deleted_text_is_not_in_plain_text() {
        assert_eq!(to_plain(&parse("It costs ~~19 euros~~ 14 euros.")), "It costs 14 euros.");
    }

    #[test]
    fn html_is_escaped_and_links_are_safe() {
        let html = to_html(&parse("**a** <b> [c](javascript:x) [d](https://e.example/?f=\"g\")"));

        assert_eq!(html, "<strong>a</strong> &lt;b&gt; c <a href=\"https://e.example/?f=&quot;g&quot;\">d</a>");
    }
}
