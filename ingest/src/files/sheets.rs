//! Sheets of a workbook to a page: a sheet of questions gives pairs, any other sheet a table of text.
//!
//! Called by the readers of XLSX and ODS.

use super::table;
use super::xml::escaped;
use crate::extract::{self, ExtractError, Page};

/// A sheet of a workbook.
#[derive(Debug)]
pub(super) struct Sheet {
    pub name: String,
    /// Rows of different lengths; empty cells are empty, and those with links or marks are HTML.
    pub rows: Vec<Vec<String>>,
}

/// The page of a workbook, its sheets in their order.
///
/// # Errors
/// As for a table of questions and for a page of HTML.
pub(super) fn page(sheets: Vec<Sheet>) -> Result<Page, ExtractError> {
    let mut page = Page::default();
    let is_single = sheets.len() == 1;
    for Sheet { name, mut rows } in sheets {
        rows.retain(|row| row.iter().any(|cell| !cell.trim().is_empty()));
        if rows.is_empty() {
            continue;
        }
        let read = if table::has_questions(&rows) {
            table::read(rows.into_iter().map(Ok))?
        } else {
            let title = if is_single { String::new() } else { format!("<h2>{}</h2>", escaped(&name)) };
            extract::html_text(&format!("{title}{}", html(&rows)), None)?
        };
        page.items.extend(read.items);
        page.links.extend(read.links);
    }
    Ok(page)
}

/// The start and the end of a cell that is HTML.
const RICH: (&str, &str) = ("<span>", "</span>");

/// A cell with links or marks, from its HTML.
pub(super) fn rich(html: &str) -> String {
    format!("{}{html}{}", RICH.0, RICH.1)
}

/// Whether a cell is HTML.
pub(super) fn is_rich(cell: &str) -> bool {
    cell.starts_with(RICH.0) && cell.ends_with(RICH.1)
}

/// The HTML of a cell.
pub(super) fn cell_html(cell: &str) -> String {
    if is_rich(cell) { cell.to_owned() } else { escaped(cell).replace('\n', "<br>") }
}

/// Rows as an HTML table. The first row with more than one cell names the columns where the rows
/// below are wider than one cell too; rows of one cell before it are paragraphs.
fn html(rows: &[Vec<String>]) -> String {
    let filled = |row: &Vec<String>| row.iter().filter(|cell| !cell.trim().is_empty()).count();
    let first = rows.iter().position(|row| filled(row) > 1).unwrap_or(rows.len());
    let mut out = String::new();
    for title in rows[..first].iter().flatten().filter(|cell| !cell.trim().is_empty()) {
        out.push_str(&format!("<p>{}</p>", cell_html(title.trim())));
    }
    out.push_str("<table>");
    let is_named = rows.len() - first > 1 && rows.get(first).is_some_and(|row| !row.iter().any(|cell| is_number(cell)));
    for (at, row) in rows[first..].iter().enumerate() {
        let tag = if at == 0 && is_named { "th" } else { "td" };
        out.push_str("<tr>");
        for cell in row {
            out.push_str(&format!("<{tag}>{}</{tag}>", cell_html(cell.trim())));
        }
        out.push_str("</tr>");
    }
    out.push_str("</table>");
    out
}

fn is_number(cell: &str) -> bool {
    let cell = cell.trim();
    !cell.is_empty() && cell.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '%'))
}
