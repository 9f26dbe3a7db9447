//! White space and line breaks of running text. Called by [`flatten`](super).

use html5ever::local_name;

use super::super::dom::{Dom, NodeId, names};
use super::super::flow::Style;
use super::super::images;
use super::flattener::Flattener;

/// Appends text with its white space collapsed. Returns whether a space must precede the next text.
///
/// A line break between two characters of a script that is written without spaces is no space.
pub(super) fn collapse(out: &mut String, source: &str, mut has_space: bool, is_start: bool) -> bool {
    let mut is_start = is_start;
    let mut has_break = false;
    let bytes = source.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at].is_ascii_whitespace() {
            has_space = !is_start;
            has_break |= bytes[at] == b'\n';
            at += 1;
            continue;
        }
        let word = bytes[at..].iter().position(u8::is_ascii_whitespace).map_or(bytes.len(), |n| at + n);
        let is_joined = has_break && bytes[at] >= FIRST_WIDE_BYTE && joins(out, &source[at..word]);
        if has_space && !is_joined {
            out.push(' ');
        }
        out.push_str(&source[at..word]);
        (has_space, has_break, is_start, at) = (false, false, false, word);
    }
    has_space
}

/// The first byte of the wide characters in UTF-8.
const FIRST_WIDE_BYTE: u8 = 0xe3;

/// Whether the characters on both sides of a line break need no space between them.
fn joins(before: &str, after: &str) -> bool {
    before.chars().next_back().is_some_and(is_wide) && after.chars().next().is_some_and(is_wide)
}

/// Whether a character is an ideograph, a kana or a sign of their width. Korean has spaces between words.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{3001}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ff60}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Whether the style or class of an element shows the line breaks of its source; `None` where it does not say.
pub(super) fn keeps_breaks(dom: &Dom, id: NodeId) -> Option<bool> {
    if let Some((_, value)) = dom.attribute(id, &local_name!("style")).and_then(|style| style.split_once("white-space"))
    {
        return Some(value.trim_start_matches([':', ' ']).starts_with("pre") || value.contains("break-spaces"));
    }
    let class = dom.attribute(id, &local_name!("class")).filter(|class| class.contains("pre-"))?;
    let is_named = |name: &str| name.ends_with("pre-line") || name.ends_with("pre-wrap");
    (class.contains("pre-line") || class.contains("pre-wrap")).then(|| names(dom, id).any(|name| is_named(&name)))
}

impl Flattener {
    /// Adds a text whose line breaks are shown. An empty line ends the paragraph.
    pub(super) fn add_lines(&mut self, source: &str) {
        let mut lines = source.split('\n').peekable();
        while let Some(line) = lines.next() {
            self.add_text(line, self.context.style);
            if lines.peek().is_none() {
                break;
            }
            let has_text = self.flow.text.len() as u32 > self.open.0;
            self.flush();
            self.is_continued = has_text;
        }
    }

    /// Adds the question mark of a bold question that is not bold itself. Returns the rest of the text.
    pub(super) fn end_bold_question<'a>(&mut self, source: &'a str) -> &'a str {
        let Some(rest) = source.strip_prefix('?').filter(|_| !self.context.style.is_bold && !self.has_space) else {
            return source;
        };
        let open = self.flow.runs.get(self.open.1 as usize..).unwrap_or_default();
        let Some(style) = open.last().map(|run| run.style).filter(|style| style.is_bold) else { return source };
        self.add_text("?", Style { link: self.context.style.link, ..style });
        rest
    }

    /// Gives a link without text the name that its picture stands for.
    pub(super) fn add_link_label(&mut self, link: NodeId) {
        if self.context.heading > 0 || self.context.is_boilerplate {
            return;
        }
        if let Some(label) = images::link_label(&self.flow.dom, link) {
            self.add_text(&label, self.context.style);
        }
    }
}
