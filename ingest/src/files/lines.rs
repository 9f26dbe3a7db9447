//! Plain text, also that of a PDF: paragraphs from lines, then the same rules as for a page.
//!
//! Text editors and PDF break lines where the paper ends. A line goes on with the one before it
//! unless it begins something: a question or answer by its label, a list item, a paragraph.

use super::text as text_file;
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
        if is_ruler(line) {
            flush(&mut html, &mut paragraph);
            is_after_gap = true;
            continue;
        }
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
        // A label on its own line belongs to the line below it.
        let is_labelled = is_bare_label(&paragraph) && !line.is_empty();
        let is_new = begins(line) || ends_sentence(&paragraph) && question::likeness(line) >= question::LIKELY;
        if !is_labelled && (line.is_empty() || is_new || question::ends_in_mark(&paragraph)) {
            flush(&mut html, &mut paragraph);
        }
        text_file::join(&mut paragraph, line);
    }
    flush(&mut html, &mut paragraph);
    extract::html_text(&html, None)
}

/// Whether a line is drawn between parts of a text.
fn is_ruler(line: &str) -> bool {
    line.len() >= 3 && line.starts_with(['-', '=', '_', '*']) && line.bytes().all(|byte| byte == line.as_bytes()[0])
}

/// Whether a line is nothing but the label of a question or an answer: "Q:", "Antwort:".
fn is_bare_label(line: &str) -> bool {
    if !line.ends_with([':', '：']) || line.len() > LONGEST_LABEL_BYTES {
        return false;
    }
    let labelled = format!("{line} x");
    question::label(&labelled).or(question::answer_label(&labelled)).is_some_and(|label| label.trim() == line)
}

/// The longest label, in bytes.
const LONGEST_LABEL_BYTES: usize = 40;

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
        || is_bare_label(line)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Item;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let pair = |item: &Item| match item {
            Item::Pair { question, answer, .. } => Some((question.clone(), answer.clone())),
            Item::Passage { .. } => None,
        };
        read(text).expect("a page").items.iter().filter_map(pair).collect()
    }

    fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(question, answer)| ((*question).to_owned(), (*answer).to_owned())).collect()
    }

    #[test]
    fn a_line_that_is_drawn_ends_an_answer() {
        let text = "Q: How do I pay?\nA: By card.\n\nQ: Can I cancel?\nA: Yes.\n-----\nCopyright 2024 by us\n";

        assert_eq!(pairs(text), of(&[("How do I pay?", "By card."), ("Can I cancel?", "Yes.")]));
    }

    #[test]
    fn labels_on_their_own_lines_belong_to_the_lines_below() {
        let text = "Q:\nHow do I pay?\nA:\n1) first\n2) second\nQ:\nDo you ship?\nA:\nYes.\n";

        assert_eq!(pairs(text)[1], ("Do you ship?".to_owned(), "Yes.".to_owned()));
        assert!(!pairs(text)[0].1.contains("Q:"), "{:?}", pairs(text));
    }
}
