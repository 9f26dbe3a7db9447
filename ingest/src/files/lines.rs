//! Plain text, also that of a PDF: paragraphs from lines, then the same rules as for a page.
//!
//! Text editors and PDF break lines where the paper ends. A line goes on with the one before it
//! unless it begins something: a question or answer by its label, a list item, a paragraph.

use crate::extract::{self, ExtractError, Page, fragment, question};

/// The longest line that is taken for a heading, in characters.
const LONGEST_HEADING_CHARS: usize = 80;

/// Reads plain text.
///
/// # Errors
/// As for a page of HTML.
pub(super) fn read(text: &str) -> Result<Page, ExtractError> {
    let mut html = String::with_capacity(text.len() + text.len() / 4);
    let mut paragraph = String::new();
    let mut lines = text.lines().map(str::trim).peekable();
    let mut is_after_gap = true;
    while let Some(line) = lines.next() {
        let next = lines.peek().copied().unwrap_or_default();
        let is_underlined =
            next.len() >= 3 && (next.bytes().all(|byte| byte == b'=') || next.bytes().all(|byte| byte == b'-'));
        if is_after_gap && is_heading(line) && (next.is_empty() || is_underlined) {
            flush(&mut html, &mut paragraph);
            html.push_str(&format!("<h3>{}</h3>", fragment::escaped(line).trim_start_matches("<p>")));
            if is_underlined {
                lines.next();
            }
            continue;
        }
        is_after_gap = line.is_empty();
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

/// Whether a line between empty lines titles what follows: short, begun like a title, and no sentence.
fn is_heading(line: &str) -> bool {
    let is_short = line.chars().count() <= LONGEST_HEADING_CHARS;
    let starts = line
        .chars()
        .next()
        .is_some_and(|c| c.is_uppercase() || c.is_ascii_digit() || !c.is_lowercase() && c.is_alphabetic());
    let is_open = !line.ends_with(['.', ',', ';', '!', '。', '、']) && !line.contains(". ") || is_numbered_title(line);
    is_short
        && starts
        && is_open
        && !question::ends_in_mark(line)
        && !is_label(line)
        && line.chars().any(char::is_alphabetic)
}

/// "Section 5. Duties of the hirer": a period behind a number ends no sentence.
fn is_numbered_title(line: &str) -> bool {
    let Some((head, rest)) = line.split_once(". ") else { return false };
    head.ends_with(|c: char| c.is_ascii_digit()) && !rest.contains(". ") && !rest.ends_with(['.', ';', ','])
}

fn is_label(line: &str) -> bool {
    question::label(line).is_some() || question::answer_label(line).is_some() || line.starts_with(['-', '*', '•', '–'])
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
