//! The sheets of an OpenDocument spreadsheet as rows of text, without hidden rows and columns.

use quick_xml::events::BytesStart;

use super::super::archive::unreadable;
use super::super::sheets::{self, Sheet};
use super::super::xml::{self, XmlNode};
use super::HIDDEN;
use super::styles::Styles;
use crate::extract::ExtractError;

/// The most cells of all sheets; repeated cells count each time.
const CELL_LIMIT: usize = 400_000;

/// The most often that a repeated cell or row is repeated: sheets end in a million empty ones.
const REPEAT_LIMIT: usize = 200;

/// The widest row in which columns are hidden or spanned.
const COLUMN_LIMIT: usize = 1024;

/// The longest text that is repeated in the rows that its cell spans, in bytes.
const SPAN_BYTES: usize = 2000;

/// Reads the sheets of the content part.
///
/// # Errors
/// `Unreadable` when the XML is broken or has too many cells.
pub(super) fn read(content: &str, styles: Styles) -> Result<Vec<Sheet>, ExtractError> {
    let mut reader = TableReader { styles, ..TableReader::default() };
    xml::read(content, |node| reader.visit(node))?;
    if reader.cells > CELL_LIMIT {
        return Err(unreadable(&format!("it has more than {CELL_LIMIT} cells")));
    }
    Ok(reader.sheets)
}

/// Reads the rows of all sheets.
#[derive(Default)]
struct TableReader {
    styles: Styles,
    sheets: Vec<Sheet>,
    is_sheet_hidden: bool,
    row: Vec<String>,
    row_repeats: usize,
    cell: String,
    /// The cell as HTML, and whether it has links or marks that the text alone has not.
    html: String,
    is_rich: bool,
    /// Closing tags of the marks and links that are open.
    ends: Vec<&'static str>,
    cell_repeats: usize,
    is_cell: bool,
    hidden: usize,
    cells: usize,
    /// Whether each column is hidden.
    columns: Vec<bool>,
    is_row_hidden: bool,
    cell_rows: usize,
    /// For each column the text of the cell that spans the next rows, and how many.
    spans: Vec<(String, usize)>,
}

impl TableReader {
    fn visit(&mut self, node: XmlNode<'_>) {
        if self.cells > CELL_LIMIT {
            return;
        }
        match node {
            XmlNode::Open(element) => {
                let repeats = |name| {
                    let count = xml::value(&element, name).and_then(|count| count.parse::<usize>().ok());
                    count.unwrap_or(1).min(REPEAT_LIMIT)
                };
                match xml::name(&element).as_str() {
                    name if HIDDEN.contains(&name) => self.hidden += 1,
                    "table" => {
                        let name = xml::value(&element, "name").unwrap_or_default();
                        let style = xml::value(&element, "style-name").unwrap_or_default();
                        self.is_sheet_hidden = self.styles.is_hidden_sheet(&style);
                        self.sheets.push(Sheet { name, rows: Vec::new() });
                        (self.columns, self.spans) = (Vec::new(), Vec::new());
                    }
                    "table-column" => {
                        let count = repeats("number-columns-repeated").min(COLUMN_LIMIT - self.columns.len());
                        self.columns.extend(std::iter::repeat_n(is_hidden(&element), count));
                    }
                    "table-row" => {
                        (self.row, self.row_repeats) = (Vec::new(), repeats("number-rows-repeated"));
                        self.is_row_hidden = is_hidden(&element);
                    }
                    "table-cell" | "covered-table-cell" => {
                        (self.cell, self.is_cell) = (String::new(), true);
                        (self.html, self.is_rich) = (String::new(), false);
                        self.cell_rows = repeats("number-rows-spanned");
                        self.cell_repeats = repeats("number-columns-repeated");
                    }
                    "p" if !self.cell.is_empty() => self.add("\n", "<br>"),
                    "s" | "tab" => self.add(" ", " "),
                    "line-break" => self.add("\n", "<br>"),
                    "span" | "a" if self.is_cell => self.begin_mark(&element),
                    _ => {}
                }
            }
            XmlNode::Close(name) => match name.as_str() {
                name if HIDDEN.contains(&name) => self.hidden = self.hidden.saturating_sub(1),
                "table-cell" | "covered-table-cell" => {
                    self.is_cell = false;
                    self.end_cell();
                }
                "span" | "a" if self.is_cell => self.html.push_str(self.ends.pop().unwrap_or_default()),
                "table" if self.is_sheet_hidden => {
                    self.sheets.pop();
                    self.is_sheet_hidden = false;
                }
                "table-row" => {
                    let mut row = std::mem::take(&mut self.row);
                    let is_shown = |column: usize| !self.is_row_hidden && self.columns.get(column) != Some(&true);
                    row.iter_mut().enumerate().filter(|(at, _)| !is_shown(*at)).for_each(|(_, cell)| cell.clear());
                    let is_empty = row.iter().all(|cell| cell.trim().is_empty());
                    let count = if is_empty { 0 } else { self.row_repeats };
                    self.cells += row.len() * count.saturating_sub(1);
                    if let Some(sheet) = self.sheets.last_mut() {
                        sheet.rows.extend(std::iter::repeat_n(row, count));
                    }
                }
                _ => {}
            },
            XmlNode::Text(text) if self.is_cell && self.hidden == 0 => self.add(&text, &xml::escaped(&text)),
            XmlNode::Text(_) => {}
        }
    }

    fn add(&mut self, text: &str, html: &str) {
        self.cell.push_str(text);
        self.html.push_str(html);
    }

    /// Begins a link, or a text with a style that changes what it says.
    fn begin_mark(&mut self, element: &BytesStart<'_>) {
        let target = xml::value(element, "href").filter(|target| target.starts_with("http"));
        let style = self.styles.text(&xml::value(element, "style-name").unwrap_or_default());
        let (start, end) = match (target, style.is_deleted, style.script) {
            (Some(target), ..) => (format!("<a href=\"{}\">", xml::escaped(&target)), "</a>"),
            (None, true, _) => ("<del>".to_owned(), "</del>"),
            (None, _, "sup") => ("<sup>".to_owned(), "</sup>"),
            (None, _, "sub") => ("<sub>".to_owned(), "</sub>"),
            _ => (String::new(), ""),
        };
        self.is_rich |= !end.is_empty();
        self.html.push_str(&start);
        self.ends.push(end);
    }

    /// Adds a cell to its row. A cell that spans rows is repeated in each of them.
    fn end_cell(&mut self) {
        let plain = std::mem::take(&mut self.cell);
        // An address that is a link to itself names no more than its text.
        let is_rich = self.is_rich && !plain.starts_with("http");
        let mut cell = if is_rich { sheets::rich(&self.html) } else { plain };
        let column = self.row.len();
        if self.cell_rows > 1 && column < COLUMN_LIMIT {
            self.spans.resize(self.spans.len().max(column + 1), (String::new(), 0));
            self.spans[column] = (cell.clone(), self.cell_rows - 1);
        } else if let Some((text, left)) = self.spans.get_mut(column).filter(|(_, left)| *left > 0) {
            *left -= 1;
            if cell.is_empty() && text.len() <= SPAN_BYTES {
                cell.clone_from(text);
            }
        }
        self.cells += self.cell_repeats;
        self.row.extend(std::iter::repeat_n(cell, self.cell_repeats));
    }
}

/// Whether a row or column is collapsed or filtered away.
fn is_hidden(element: &BytesStart<'_>) -> bool {
    matches!(xml::value(element, "visibility").as_deref(), Some("collapse" | "filter"))
}
