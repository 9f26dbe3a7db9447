//! Plain text, also that of a PDF: paragraphs from lines, then the same rules as for a page.
//!
//! Text editors and PDF break lines where the paper ends. A line goes on with the one before it
//! unless it begins something: a question or answer by its label, a list item, a paragraph.

use crate::extract::{self, ExtractError, Page, fragment, question};

/// Reads plain text.
///
/// # Errors
/// As for a page of HTML.
pub(super) fn read(text: &str) -> Result<Page, ExtractError> {
    let mut html = String::with_capacity(text.len() + text.len() / 4);
    let mut paragraph = String::new();
    for line in text.lines().map(str::trim) {
        let is_new = begins(line) || ends_sentence(&paragraph) && question::likeness(line) >= question::LIKELY;
        if line.is_empty() || is_new || question::ends_in_mark(&paragraph) {
            flush(&mut html, &mut paragraph);
        }
        if !paragraph.is_empty() {
            paragraph.push(' ');
        }
        paragraph.push_str(line);
    }
    flush(&mut html, &mut paragraph);
    extract::html_text(&html, None)
}

fn ends_sentence(paragraph: &str) -> bool {
    paragraph.ends_with(['.', '!', '?', ':', '。', '！', '؟'])
}

/// Whether a line begins something: a list item, a question or an answer by its label.
pub(super) fn begins(line: &str) -> bool {
    line.starts_with(['-', '*', '•', '–'])
        || question::label(line).is_some()
        || question::answer_label(line).is_some()
        || question::number(line).is_some()
}

fn flush(html: &mut String, paragraph: &mut String) {
    if !paragraph.is_empty() {
        html.push_str(&fragment::escaped(paragraph));
        paragraph.clear();
    }
}
