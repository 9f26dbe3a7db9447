//! Spreadsheets of Excel (XLSX): each sheet as a table of questions, or else as a table of text.
//!
//! Called by [`files`](super). Values are read as Excel last showed them: formulas are not computed,
//! numbers keep what is stored, and dates that are stored as numbers are written as dates where
//! the format of the cell says so. Hidden sheets are left out.

use std::collections::HashMap;

use super::archive::{Archive, unreadable};
use super::sheets::{self, Sheet};
use super::xml::{self, Node};
use crate::extract::{ExtractError, Page};

/// The most sheets that are read.
const SHEET_LIMIT: usize = 50;

/// The most cells of all sheets.
const CELL_LIMIT: usize = 400_000;

/// The most bytes of text of all cells; shared texts may be named by every cell.
const TEXT_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// The widest row; spreadsheets have at most 16,384 columns.
const COLUMN_LIMIT: usize = 256;

/// Reads a workbook.
///
/// # Errors
/// `Unreadable` when the archive is damaged or holds no workbook, `Encrypted`, `TooLarge`.
pub(super) fn read(bytes: &[u8]) -> Result<Page, ExtractError> {
    let mut archive = Archive::open(bytes)?;
    let targets = targets(&archive.optional("xl/_rels/workbook.xml.rels")?)?;
    let shared = shared_texts(&archive.optional("xl/sharedStrings.xml")?)?;
    let date_styles = date_styles(&archive.optional("xl/styles.xml")?)?;
    if !archive.has("xl/workbook.xml") {
        return Err(unreadable("there is no workbook in it"));
    }
    let mut sheets = Vec::new();
    let (mut cells, mut bytes) = (0, 0);
    for (name, id) in sheet_names(&archive.part("xl/workbook.xml")?)?.into_iter().take(SHEET_LIMIT) {
        let Some(target) = targets.get(&id) else { continue };
        let part = match target.strip_prefix('/') {
            Some(absolute) => absolute.to_owned(),
            None => format!("xl/{target}"),
        };
        let mut reader = SheetReader { shared: &shared, date_styles: &date_styles, ..SheetReader::default() };
        (reader.cells, reader.bytes) = (cells, bytes);
        xml::read(&archive.optional(&part)?, |node| reader.visit(node))?;
        (cells, bytes) = (reader.cells, reader.bytes);
        if cells > CELL_LIMIT {
            return Err(unreadable(&format!("it has more than {CELL_LIMIT} cells")));
        }
        if bytes > TEXT_LIMIT_BYTES {
            return Err(ExtractError::TooLarge { size_bytes: bytes as u64, limit_bytes: TEXT_LIMIT_BYTES as u64 });
        }
        sheets.push(Sheet { name, rows: reader.rows });
    }
    sheets::page(sheets)
}

/// The visible sheets in their order: name and relation id.
fn sheet_names(xml: &str) -> Result<Vec<(String, String)>, ExtractError> {
    let mut names = Vec::new();
    xml::read(xml, |node| {
        if let Node::Open(element) = node
            && xml::name(&element) == "sheet"
            && xml::value(&element, "state").is_none_or(|state| state == "visible")
            && let (Some(name), Some(id)) = (xml::value(&element, "name"), xml::value(&element, "id"))
        {
            names.push((name, id));
        }
    })?;
    Ok(names)
}

fn targets(xml: &str) -> Result<HashMap<String, String>, ExtractError> {
    let mut targets = HashMap::new();
    xml::read(xml, |node| {
        if let Node::Open(element) = node
            && let (Some(id), Some(target)) = (xml::value(&element, "Id"), xml::value(&element, "Target"))
        {
            targets.insert(id, target);
        }
    })?;
    Ok(targets)
}

fn shared_texts(xml: &str) -> Result<Vec<String>, ExtractError> {
    let (mut texts, mut text, mut is_text, mut is_reading_aid) = (Vec::new(), String::new(), false, false);
    xml::read(xml, |node| match node {
        Node::Open(element) => match xml::name(&element).as_str() {
            "si" => text.clear(),
            "t" => is_text = true,
            "rPh" => is_reading_aid = true,
            _ => {}
        },
        Node::Close(name) => match name.as_str() {
            "si" => texts.push(std::mem::take(&mut text)),
            "t" => is_text = false,
            "rPh" => is_reading_aid = false,
            _ => {}
        },
        Node::Text(part) if is_text && !is_reading_aid => text.push_str(&part),
        Node::Text(_) => {}
    })?;
    Ok(texts)
}

/// For each cell format whether it shows a number as a date.
fn date_styles(xml: &str) -> Result<Vec<bool>, ExtractError> {
    let (mut own_dates, mut styles, mut is_in_formats) = (Vec::new(), Vec::new(), false);
    xml::read(xml, |node| match node {
        Node::Open(element) => match xml::name(&element).as_str() {
            "numFmt" => {
                let code = xml::value(&element, "formatCode").unwrap_or_default().to_lowercase();
                if code.contains("yy") || code.contains("mmm") {
                    own_dates.extend(xml::value(&element, "numFmtId"));
                }
            }
            "cellXfs" => is_in_formats = true,
            "xf" if is_in_formats => {
                let id = xml::value(&element, "numFmtId").unwrap_or_default();
                let is_built_in = matches!(id.parse::<u32>(), Ok(14..=17 | 22));
                styles.push(is_built_in || own_dates.contains(&id));
            }
            _ => {}
        },
        Node::Close(name) => is_in_formats &= name != "cellXfs",
        Node::Text(_) => {}
    })?;
    Ok(styles)
}

/// Reads the rows of one sheet.
#[derive(Default)]
struct SheetReader<'a> {
    shared: &'a [String],
    date_styles: &'a [bool],
    rows: Vec<Vec<String>>,
    /// Kind and style of the open cell.
    kind: String,
    is_date: bool,
    column: usize,
    value: String,
    is_value: bool,
    cells: usize,
    bytes: usize,
}

impl SheetReader<'_> {
    fn visit(&mut self, node: Node<'_>) {
        if self.cells > CELL_LIMIT || self.bytes > TEXT_LIMIT_BYTES {
            return;
        }
        match node {
            Node::Open(element) => match xml::name(&element).as_str() {
                "row" => {
                    self.rows.push(Vec::new());
                    self.column = 0;
                }
                "c" => {
                    self.kind = xml::value(&element, "t").unwrap_or_default();
                    let style = xml::value(&element, "s").and_then(|style| style.parse::<usize>().ok());
                    self.is_date = style.and_then(|style| self.date_styles.get(style).copied()).unwrap_or(false);
                    let place = xml::value(&element, "r").and_then(|place| column(&place));
                    self.column = place.unwrap_or(self.column);
                    self.value.clear();
                }
                "v" | "t" => self.is_value = true,
                _ => {}
            },
            Node::Close(name) => match name.as_str() {
                "v" | "t" => self.is_value = false,
                "c" => self.end_cell(),
                _ => {}
            },
            Node::Text(text) if self.is_value => self.value.push_str(&text),
            Node::Text(_) => {}
        }
    }

    fn end_cell(&mut self) {
        let value = std::mem::take(&mut self.value);
        let text = match self.kind.as_str() {
            "s" => value.parse::<usize>().ok().and_then(|at| self.shared.get(at)).cloned().unwrap_or_default(),
            "b" => if value == "1" { "TRUE" } else { "FALSE" }.to_owned(),
            "e" => String::new(),
            "str" | "inlineStr" | "d" => value,
            _ if self.is_date => date(&value).unwrap_or(value),
            _ => number(&value).unwrap_or(value),
        };
        self.cells += 1;
        self.bytes += text.len();
        if let Some(row) = self.rows.last_mut()
            && self.column < COLUMN_LIMIT
            && !text.trim().is_empty()
        {
            row.resize(row.len().max(self.column + 1), String::new());
            row[self.column] = text;
        }
        self.column += 1;
    }
}

/// The column of a place like "AB12", from 0.
fn column(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_uppercase).take(3);
    let number = letters.fold(0, |number, letter| number * 26 + usize::from(letter - b'A') + 1);
    number.checked_sub(1)
}

/// A stored number without the noise of its binary form: 0.1 + 0.2 is stored as 0.30000000000000004.
fn number(value: &str) -> Option<String> {
    let number: f64 = value.parse().ok().filter(|number: &f64| number.is_finite() && number.abs() < 1e15)?;
    let rounded = format!("{number:.10}");
    let short = rounded.trim_end_matches('0').trim_end_matches('.');
    Some(if short == "-0" { "0".to_owned() } else { short.to_owned() })
}

/// The date of a stored number of days since 1899-12-30, as `2026-12-24`.
fn date(value: &str) -> Option<String> {
    let days = value.split('.').next()?.parse::<i64>().ok().filter(|days| (60..2_958_466).contains(days))?;
    // Days since 0000-03-01, after the algorithm of Howard Hinnant.
    let shifted = days - 25_569 + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_are_written_as_people_see_them() {
        assert_eq!(number("0.30000000000000004").as_deref(), Some("0.3"));
        assert_eq!(number("1200").as_deref(), Some("1200"));
        assert_eq!(date("46380").as_deref(), Some("2026-12-24"));
        assert_eq!(date("45351.5").as_deref(), Some("2024-02-29"));
        assert_eq!(column("AB12"), Some(27));
    }
}
