//! Text files as plain lines: every kind of line break, marks that nobody sees, and lines that go on.
//!
//! Called by [`files`](super) for plain text and Markdown, and by the readers that join lines. Programs end lines in
//! different ways, and editors for scripts from right to left put marks at both ends of a line, which would hide its
//! label or heading.

/// The text with one line feed at the end of each line, and without invisible marks at the edges of lines.
pub(super) fn plain_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(is_break).unwrap_or(rest.len());
        push_bare(&rest[..end], &mut out);
        rest = &rest[end..];
        let Some(sign) = rest.chars().next() else { break };
        let length = if rest.starts_with("\r\n") { 2 } else { sign.len_utf8() };
        // A page or a paragraph that ends leaves a gap.
        out.push_str(if matches!(sign, '\u{c}' | '\u{2029}') { "\n\n" } else { "\n" });
        rest = &rest[length..];
    }
    out
}

/// Whether a character ends a line: line feed, carriage return, vertical tab, form feed, and those of Unicode.
fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Adds a line without the invisible marks before its first and behind its last character.
fn push_bare(line: &str, out: &mut String) {
    let start = line.trim_start_matches([' ', '\t']);
    out.push_str(&line[..line.len() - start.len()]);
    out.push_str(start.trim_matches(is_invisible));
}

/// Whether a character has no width and no meaning at the edge of a line: byte order marks within a file, and marks for
/// the direction of text.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2060}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character belongs to a script that writes no spaces.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}')
}

/// Adds a line to a text, with a space between them where their script writes one.
pub(super) fn join(text: &mut String, line: &str) {
    let (before, after) = (text.chars().next_back(), line.chars().next());
    let is_whole = before.is_some_and(is_unspaced) && after.is_some_and(is_unspaced);
    if !text.is_empty() && !is_whole {
        text.push(' ');
    }
    text.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_every_kind_of_break() {
        assert_eq!(plain_lines("a\rb\r\nc\u{b}d\u{2028}e\u{85}f\n"), "a\nb\nc\nd\ne\nf\n");
        assert_eq!(plain_lines("a\u{c}b\u{2029}c"), "a\n\nb\n\nc");
    }

    #[test]
    fn invisible_marks_at_the_edges_of_lines_are_removed() {
        assert_eq!(plain_lines("\u{feff}a\n  \u{200f}b\u{202c}\nc\u{200f}d"), "a\n  b\nc\u{200f}d");
    }

    #[test]
    fn lines_of_scripts_without_spaces_are_joined_without_one() {
        let joined = |one: &str, other: &str| {
            let mut text = one.to_owned();
            join(&mut text, other);
            text
        };

        assert_eq!(joined("重置", "密码"), "重置密码");
        assert_eq!(joined("비밀", "번호"), "비밀 번호");
        assert_eq!(joined("打开", "Word"), "打开 Word");
    }
}
