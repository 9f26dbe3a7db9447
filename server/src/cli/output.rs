//! Prints the results of commands to stdout and their progress to stderr. A closed pipe, as in
//! `helpbot source list | head`, is not an error.

use std::io::{self, Write};

use serde_json::Value;

use super::failure::CommandFailure;

/// Prints a text unchanged.
pub(super) fn text(text: &str) -> Result<(), CommandFailure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandFailure::failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints an indented JSON document.
pub(super) fn json(value: &Value) -> Result<(), CommandFailure> {
    text(&format!("{value:#}\n"))
}

/// Prints a table with a header line. Each column is as wide as its widest cell.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> Result<(), CommandFailure> {
    text(&table_lines(head, rows).concat())
}

/// Prints a table with a note in an indented line below each row.
pub(super) fn table_with_notes(head: &[&str], rows: &[Vec<String>], notes: &[&str]) -> Result<(), CommandFailure> {
    let notes = std::iter::once(String::new()).chain(notes.iter().map(|note| format!("    {note}\n")));
    let lines = table_lines(head, rows).into_iter().zip(notes);
    text(&lines.map(|(line, note)| line + &note).collect::<String>())
}

/// The lines of a table, which begin with its head.
fn table_lines(head: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let head: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&head).chain(rows).collect();
    let columns = head.len();
    let width = |column: usize| all.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let lines = all.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    });
    lines.collect()
}

/// Prints a line of progress to stderr.
pub(super) fn progress(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A number with its noun, in the plural unless the number is 1.
pub(super) fn counted(number: impl TryInto<u64>, noun: &str) -> String {
    match number.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        let texts = [0, 1, 2].map(|number| counted(number, "site"));

        assert_eq!(texts, ["0 sites", "1 site", "2 sites"]);
    }
}
