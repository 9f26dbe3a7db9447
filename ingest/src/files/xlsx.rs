//! Spreadsheets of Excel (XLSX): each sheet as a table of questions, or else as a table of text.
//!
//! Called by [`files`](super). Values are read as Excel last showed them: formulas are not computed,
//! numbers, dates and times are written as the format of their cell shows them. Hidden sheets, rows and columns are
//! left out. A cell that is merged with those below it is repeated in each of their rows.

mod rich;

use std::collections::HashMap;
use std::rc::Rc;

use quick_xml::events::BytesStart;

use self::rich::RichText;
use super::archive::{Archive, unreadable};
use super::number_format::NumberFormat;
use super::package;
use super::sheets::{self, Sheet};
use super::xml::{self, XmlNode};
use crate::extract::{ExtractError, Page};

/// The most sheets that are read.
const SHEET_LIMIT: usize = 50;

/// The most cells of all sheets.
const CELL_LIMIT: usize = 400_000;

/// The most bytes of text of all cells; shared texts may be named by every cell.
const TEXT_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// The widest row; spreadsheets have at most 16,384 columns.
const COLUMN_LIMIT: usize = 256;

/// Where Excel puts the workbook unless the package says otherwise.
const WORKBOOK_PART: &str = "xl/workbook.xml";

/// Reads a workbook.
///
/// # Errors
/// `Unreadable` when the archive is damaged or holds no workbook, `Encrypted`, `TooLarge`.
pub(super) fn read(bytes: &[u8]) -> Result<Page, ExtractError> {
    let mut archive = Archive::open(bytes)?;
    let workbook_part = package::main_part(&mut archive, WORKBOOK_PART, "there is no workbook in it")?;
    let folder = workbook_part.rsplit_once('/').map_or("", |(folder, _)| folder);
    let targets = package::targets(&package::relations(&mut archive, &workbook_part)?)?;
    let shared = rich::shared_texts(&archive.optional(&format!("{folder}/sharedStrings.xml"))?)?;
    let formats = formats(&archive.optional(&format!("{folder}/styles.xml"))?)?;
    let mut sheets = Vec::new();
    let (mut cells, mut bytes) = (0, 0);
    let workbook = archive.part(&workbook_part)?;
    let is_1904 = is_1904(&workbook)?;
    for (name, id) in sheet_names(&workbook)?.into_iter().take(SHEET_LIMIT) {
        let Some(target) = targets.get(&id) else { continue };
        let part = package::part_at(folder, target);
        let links = package::targets(&package::relations(&mut archive, &part)?)?;
        let mut reader = SheetReader { shared: &shared, formats: &formats, is_1904, links, ..SheetReader::default() };
        (reader.cells, reader.bytes) = (cells, bytes);
        xml::read(&archive.optional(&part)?, |node| reader.visit(node))?;
        reader.fill_links();
        reader.fill_merged();
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
        if let XmlNode::Open(element) = node
            && xml::name(&element) == "sheet"
            && xml::value(&element, "state").is_none_or(|state| state == "visible")
            && let (Some(name), Some(id)) = (xml::value(&element, "name"), xml::value(&element, "id"))
        {
            names.push((name, id));
        }
    })?;
    Ok(names)
}

/// Whether the days of a workbook count from 1904, as on old Macintosh computers.
fn is_1904(xml: &str) -> Result<bool, ExtractError> {
    let mut is_1904 = false;
    xml::read(xml, |node| {
        if let XmlNode::Open(element) = node
            && xml::name(&element) == "workbookPr"
        {
            is_1904 = matches!(xml::value(&element, "date1904").as_deref(), Some("1" | "true"));
        }
    })?;
    Ok(is_1904)
}

/// How the cells of one format show what they hold.
#[derive(Debug, Default)]
struct CellFormat {
    number: Rc<NumberFormat>,
    is_deleted: bool,
}

/// The formats of cells.
fn formats(xml: &str) -> Result<Vec<CellFormat>, ExtractError> {
    let mut own: HashMap<String, Rc<NumberFormat>> = HashMap::new();
    // For each font whether it strikes its text out.
    let (mut fonts, mut is_in_fonts) = (Vec::new(), false);
    let (mut formats, mut is_in_formats) = (Vec::new(), false);
    xml::read(xml, |node| match node {
        XmlNode::Open(element) => match xml::name(&element).as_str() {
            "numFmt" => {
                let (id, code) = (xml::value(&element, "numFmtId"), xml::value(&element, "formatCode"));
                let code = code.filter(|code| code.len() <= FORMAT_BYTES).unwrap_or_default();
                own.extend(id.map(|id| (id, Rc::new(NumberFormat::parse(&code)))));
            }
            "fonts" => is_in_fonts = true,
            "font" if is_in_fonts => fonts.push(false),
            "strike" if is_in_fonts => {
                if let Some(font) = fonts.last_mut() {
                    *font = xml::is_on(&element);
                }
            }
            "cellXfs" => is_in_formats = true,
            "xf" if is_in_formats => {
                let id = xml::value(&element, "numFmtId").unwrap_or_default();
                let built_in = || Rc::new(NumberFormat::built_in(id.parse().unwrap_or(0)));
                let font = xml::value(&element, "fontId").and_then(|font| font.parse::<usize>().ok());
                let is_deleted = font.and_then(|font| fonts.get(font).copied()).unwrap_or(false);
                let number = own.get(&id).cloned().unwrap_or_else(built_in);
                formats.push(CellFormat { number, is_deleted });
            }
            _ => {}
        },
        XmlNode::Close(name) => {
            is_in_formats &= name != "cellXfs";
            is_in_fonts &= name != "fonts";
        }
        XmlNode::Text(_) => {}
    })?;
    Ok(formats)
}

/// The longest number format, in bytes; Excel allows 255 characters.
const FORMAT_BYTES: usize = 512;

/// A text with the characters that XML cannot hold, which Excel writes as `_x000D_`.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 6).filter(|_| rest.as_bytes()[at..].get(6) == Some(&b'_'));
        let character = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        out.push_str(&rest[..at]);
        match character {
            Some(character) => out.push(character),
            None => out.push_str("_x"),
        }
        rest = &rest[at + if character.is_some() { 7 } else { 2 }..];
    }
    out + rest
}

/// Reads the rows of one sheet.
#[derive(Default)]
struct SheetReader<'a> {
    shared: &'a [String],
    formats: &'a [CellFormat],
    plain: NumberFormat,
    /// Targets of links by their relation id, and the links: column, row and target.
    links: HashMap<String, String>,
    linked: Vec<(usize, usize, String)>,
    is_1904: bool,
    rows: Vec<Vec<String>>,
    /// The place of each row in `rows` by its number in the sheet.
    row_places: HashMap<usize, usize>,
    row_number: usize,
    is_row_hidden: bool,
    /// The first and last columns of each hidden range, from 0.
    hidden_columns: Vec<(usize, usize)>,
    /// Merged cells of one column: the column and the numbers of the first and last row.
    merged: Vec<(usize, usize, usize)>,
    /// Kind and style of the open cell.
    kind: String,
    style: Option<usize>,
    column: usize,
    value: String,
    rich: RichText,
    is_value: bool,
    cells: usize,
    bytes: usize,
}

impl SheetReader<'_> {
    fn visit(&mut self, node: XmlNode<'_>) {
        if self.cells > CELL_LIMIT || self.bytes > TEXT_LIMIT_BYTES {
            return;
        }
        if self.kind == "inlineStr" {
            self.rich.visit(&node);
        }
        match node {
            XmlNode::Open(element) => match xml::name(&element).as_str() {
                "row" => self.begin_row(&element),
                "col" if is_hidden(&element) && self.hidden_columns.len() < COLUMN_LIMIT => {
                    let at = |name| xml::value(&element, name).and_then(|at| at.parse::<usize>().ok());
                    if let (Some(first), Some(last)) = (at("min"), at("max")) {
                        self.hidden_columns.push((first.saturating_sub(1), last.saturating_sub(1)));
                    }
                }
                "mergeCell" if self.merged.len() < MERGED_LIMIT => {
                    self.merged.extend(xml::value(&element, "ref").and_then(|range| merged_rows(&range)));
                }
                "hyperlink" if self.linked.len() < MERGED_LIMIT => self.link(&element),
                "c" => {
                    self.rich = RichText::default();
                    self.kind = xml::value(&element, "t").unwrap_or_default();
                    self.style = xml::value(&element, "s").and_then(|style| style.parse::<usize>().ok());
                    let place = xml::value(&element, "r").and_then(|at| place(&at));
                    self.column = place.map_or(self.column, |(column, _)| column);
                    self.value.clear();
                }
                "v" | "t" => self.is_value = true,
                _ => {}
            },
            XmlNode::Close(name) => match name.as_str() {
                "v" | "t" => self.is_value = false,
                "c" => self.end_cell(),
                _ => {}
            },
            XmlNode::Text(text) if self.is_value => self.value.push_str(&text),
            XmlNode::Text(_) => {}
        }
    }

    fn link(&mut self, element: &BytesStart<'_>) {
        let target = xml::value(element, "id").and_then(|id| self.links.get(&id)).cloned();
        let place = xml::value(element, "ref").and_then(|range| place(range.split(':').next().unwrap_or_default()));
        if let (Some(target), Some((column, row))) = (target.filter(|target| target.starts_with("http")), place) {
            self.linked.push((column, row, target));
        }
    }

    /// Makes the text of cells with a link one. An address links to itself.
    fn fill_links(&mut self) {
        for (column, row, target) in std::mem::take(&mut self.linked) {
            let cell = self.row_places.get(&row).and_then(|&at| self.rows[at].get_mut(column));
            if let Some(cell) = cell.filter(|cell| !cell.is_empty() && !cell.starts_with("http") && !cell.contains('@'))
            {
                self.bytes += target.len();
                *cell = sheets::rich(&format!("<a href=\"{}\">{}</a>", xml::escaped(&target), sheets::cell_html(cell)));
            }
        }
    }

    fn begin_row(&mut self, element: &BytesStart<'_>) {
        let number = xml::value(element, "r").and_then(|number| number.parse().ok());
        self.row_number = number.unwrap_or(self.row_number + 1);
        self.row_places.insert(self.row_number, self.rows.len());
        self.is_row_hidden = is_hidden(element);
        self.rows.push(Vec::new());
        self.column = 0;
    }

    /// Repeats the text of merged cells in each of their rows that has other text.
    fn fill_merged(&mut self) {
        for (column, first, last) in std::mem::take(&mut self.merged) {
            let row = |number: usize| self.row_places.get(&number).copied();
            let text = row(first).and_then(|at| self.rows[at].get(column)).cloned().unwrap_or_default();
            let places: Vec<usize> = (first + 1..=last).filter_map(row).collect();
            for at in places.into_iter().filter(|_| !text.is_empty()) {
                let row = &mut self.rows[at];
                self.cells += 1;
                if self.bytes > TEXT_LIMIT_BYTES || self.cells > CELL_LIMIT {
                    return;
                }
                if row.iter().all(String::is_empty) {
                    continue;
                }
                self.bytes += text.len();
                row.resize(row.len().max(column + 1), String::new());
                row[column].clone_from(&text);
            }
        }
    }

    fn is_hidden_cell(&self) -> bool {
        let is_within = |(first, last): &(usize, usize)| (*first..=*last).contains(&self.column);
        self.is_row_hidden || self.hidden_columns.iter().any(is_within)
    }

    fn end_cell(&mut self) {
        let value = std::mem::take(&mut self.value);
        let text = match self.kind.as_str() {
            "s" => value.parse::<usize>().ok().and_then(|at| self.shared.get(at)).cloned().unwrap_or_default(),
            "b" => if value == "1" { "TRUE" } else { "FALSE" }.to_owned(),
            "e" => String::new(),
            "inlineStr" => self.rich.take(),
            "str" => unescaped(&value),
            "d" => value,
            _ => {
                let format = self.style.and_then(|style| self.formats.get(style));
                format.map_or(&self.plain, |format| &format.number).shown(&value, self.is_1904).unwrap_or(value)
            }
        };
        let format = self.style.and_then(|style| self.formats.get(style));
        let is_deleted = format.is_some_and(|format| format.is_deleted) && !text.trim().is_empty();
        let text = if is_deleted { sheets::rich(&format!("<del>{}</del>", sheets::cell_html(&text))) } else { text };
        let is_hidden = self.is_hidden_cell();
        self.cells += 1;
        self.bytes += text.len();
        if let Some(row) = self.rows.last_mut()
            && self.column < COLUMN_LIMIT
            && !text.trim().is_empty()
            && !is_hidden
        {
            row.resize(row.len().max(self.column + 1), String::new());
            row[self.column] = text;
        }
        self.column += 1;
    }
}

fn is_hidden(element: &BytesStart<'_>) -> bool {
    matches!(xml::value(element, "hidden").as_deref(), Some("1" | "true"))
}

/// The most merged cells of a sheet, and the most rows of one of them.
const MERGED_LIMIT: usize = 10_000;
const MERGED_ROWS_LIMIT: usize = 200;

/// The column and the rows of a range like "B3:B4" that is one column wide.
fn merged_rows(range: &str) -> Option<(usize, usize, usize)> {
    let (first, last) = range.split_once(':')?;
    let ((column, top), (other, bottom)) = (place(first)?, place(last)?);
    (column == other && column < COLUMN_LIMIT).then(|| (column, top, bottom.min(top + MERGED_ROWS_LIMIT)))
}

/// The column, from 0, and the row, from 1, of a place like "AB12".
fn place(place: &str) -> Option<(usize, usize)> {
    let letters = place.bytes().take_while(u8::is_ascii_uppercase).take(3);
    let number = letters.fold(0, |number, letter| number * 26 + usize::from(letter - b'A') + 1);
    let row = place.trim_start_matches(|c: char| c.is_ascii_uppercase()).parse().unwrap_or(0);
    Some((number.checked_sub(1)?, row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_escaped_characters_are_read() {
        assert_eq!(place("AB12"), Some((27, 12)));
        assert_eq!(unescaped("One_x000D_\n_x005F_x0041_ _xyz_ _x1"), "One\r\n_x0041_ _xyz_ _x1");
    }
}
