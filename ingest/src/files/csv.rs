//! CSV files of questions: the rows of the file, for [`table`](super::table) to find its columns.
//!
//! Spreadsheets separate columns by comma, semicolon, tab or bar, depending on the language of the
//! system, and may say so in a first line (`sep=;`). The separator that gives the most rows of equal
//! width wins.

mod quotes;

use csv::{ReaderBuilder, StringRecord};

use super::table;
use crate::extract::{ExtractError, Page};

/// Separators in the order in which they win a tie.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// The rows that are read with each separator to compare them.
const SAMPLE_ROWS: usize = 50;

/// The text that is read with each separator to compare them, in bytes.
const SAMPLE_BYTES: usize = 64 * 1024;

/// Reads a table of questions; rows without a question or an answer are left out.
///
/// # Errors
/// `Unreadable` when a row is broken or the table has no columns with questions and answers,
/// `TooLarge` above the limits of a cell.
pub(super) fn read(text: &str) -> Result<Page, ExtractError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (declared, text) = declared_separator(text);
    let separator = declared.unwrap_or_else(|| separator(text));
    let text = quotes::regular(text, separator);
    let row = |(index, row): (usize, Result<StringRecord, csv::Error>)| match row {
        Ok(row) => Ok(row.iter().map(with_line_breaks).collect()),
        Err(error) => Err(ExtractError::Unreadable { reason: format!("row {} is broken ({error})", index + 1) }),
    };
    table::read(reader(&text, separator).into_records().enumerate().map(row))
}

/// A cell with the line breaks that programs write as `\n` behind a sentence.
fn with_line_breaks(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len());
    for part in cell.split("\\n") {
        // In "C:\new", the letter belongs to a name.
        let is_break = out.ends_with(|c: char| c.is_whitespace() || c.is_ascii_punctuation() && c != ':' && c != '\\');
        if !out.is_empty() {
            out.push_str(if is_break { "\n" } else { "\\n" });
        }
        out.push_str(part);
    }
    out
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes())
}

/// The separator that a first line like `sep=;` names, and the text behind that line.
fn declared_separator(text: &str) -> (Option<u8>, &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let line = first.trim_end_matches('\r').trim_matches('"');
    let value = line.get(..4).filter(|name| name.eq_ignore_ascii_case("sep=")).map(|_| &line[4..]);
    match value {
        Some(value) => (value.bytes().next().filter(u8::is_ascii).or(Some(b'\t')), rest),
        None => (None, text),
    }
}

/// The separator by which the first rows are most alike.
fn separator(text: &str) -> u8 {
    let end = (0..=SAMPLE_BYTES.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let sample = &text[..end];
    let score = |separator: u8| {
        let widths: Vec<usize> =
            reader(sample, separator).records().take(SAMPLE_ROWS).flatten().map(|row| row.len()).collect();
        let widest = widths.iter().copied().filter(|&width| width > 1);
        widest.map(|width| (widths.iter().filter(|&&other| other == width).count(), width)).max().unwrap_or((0, 0))
    };
    // Of equals `max_by_key` returns the last.
    SEPARATORS.iter().rev().copied().max_by_key(|&separator| score(separator)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_declared_or_found() {
        assert_eq!(declared_separator("sep=;\r\na;b"), (Some(b';'), "a;b"));
        assert_eq!(declared_separator("\"sep=|\"\na|b").0, Some(b'|'));
        assert_eq!(separator("Our export\n\nquestion;answer\nHow, when?;a, b\nWhy?;c"), b';');
        assert_eq!(separator("question\tanswer\nHow?\ta, b, c"), b'\t');
        assert_eq!(separator("question,answer\nHow?,\"a; b; c\""), b',');
    }

    #[test]
    fn line_breaks_in_tables_with_tabs_are_read() {
        assert_eq!(with_line_breaks("By card.\\nOr cash."), "By card.\nOr cash.");
        assert_eq!(with_line_breaks("In C:\\new"), "In C:\\new");
    }
}
