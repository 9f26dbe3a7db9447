//! Entries as a file: CSV for spreadsheets, JSON lines for programs. Each row is an entry.
//!
//! | column | CSV | JSON lines |
//! |---|---|---|
//! | `id` | ID of an exported entry, or empty | the same, or absent |
//! | `question`, `answer` | text; the answer is restricted Markdown | the same |
//! | `url` | an address, or empty | the same, or null |
//! | `phrasings`, `categories` | one per line of the cell | arrays of texts |
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula (CWE-1236). Such
//! cells are written with an apostrophe before them, which spreadsheets understand as "this is
//! text", and read without it. Cells in which only apostrophes precede such a sign are treated in
//! the same way, so that every text is read as it was written.

use std::borrow::Cow;

use helpbot_domain::Invalid;
use helpbot_domain::table::{self, Column};
use serde::{Deserialize, Serialize};

pub use helpbot_domain::table::ROWS_MAX;

/// Tells Excel that a file is UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// The columns, in the order in which they are written.
const COLUMNS: [Column; 6] =
    [Column::Id, Column::Question, Column::Answer, Column::Url, Column::Phrasings, Column::Categories];

/// Returns the name of a column in a file.
fn name(column: Column) -> &'static str {
    column.names()[0]
}

/// The format of a file of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header row. Semicolons and tabs are also accepted as
    /// separators.
    Csv,
    /// One JSON object per line.
    JsonLines,
}

impl Format {
    /// Returns the format for the name of a file.
    pub fn of_name(name: &str) -> Option<Self> {
        let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
        match extension.as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }

    /// Returns the media type of the format.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines => "application/jsonl",
        }
    }

    /// Returns what precedes the first row.
    pub fn head(self) -> String {
        match self {
            Self::Csv => format!("{BYTE_ORDER_MARK}{}\r\n", COLUMNS.map(name).join(",")),
            Self::JsonLines => String::new(),
        }
    }

    /// Returns one row with its line end.
    pub fn row(self, row: &Row) -> String {
        match self {
            Self::Csv => csv_row(row),
            Self::JsonLines => format!("{}\n", helpbot_db::columns::to_json(row)),
        }
    }

    /// Parses a file. Returns each row with its line number.
    pub fn read(self, text: &str) -> Result<Vec<(usize, Row)>, Invalid> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let rows = match self {
            Self::Csv => read_csv(text)?,
            Self::JsonLines => read_json_lines(text)?,
        };
        if rows.is_empty() {
            return Err(refused("The file contains no entries.".into()));
        }
        Ok(rows)
    }
}

/// One entry in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// ID of the entry when it was exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The question.
    pub question: String,
    /// The answer in restricted Markdown.
    pub answer: String,
    /// Address where visitors can read more.
    #[serde(default)]
    pub url: Option<String>,
    /// Other ways to ask the question. `None` keeps the existing ones.
    #[serde(default)]
    pub phrasings: Option<Vec<String>>,
    /// Categories of the entry, outermost first.
    #[serde(default)]
    pub categories: Vec<String>,
}

fn refused(message: String) -> Invalid {
    Invalid::new("file", message)
}

fn csv_row(row: &Row) -> String {
    let phrasings = row.phrasings.as_deref().unwrap_or_default().join("\n");
    let cells = [
        row.id.as_deref().unwrap_or_default(),
        &row.question,
        &row.answer,
        row.url.as_deref().unwrap_or_default(),
        &phrasings,
        &row.categories.join("\n"),
    ];
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let bytes = writer.write_record(cells.map(|cell| harmless(cell).into_owned())).ok().and_then(|()| {
        // Writing six cells to memory cannot fail.
        writer.into_inner().ok()
    });
    String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
}

/// Returns whether a spreadsheet would run the text as a formula, or remove an apostrophe that
/// belongs to it.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

fn harmless(text: &str) -> Cow<'_, str> {
    if is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Returns the text of a cell that [`harmless`] or anybody else wrote.
fn meant(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| is_formula(text)).unwrap_or(cell)
}

fn read_csv(text: &str) -> Result<Vec<(usize, Row)>, Invalid> {
    let delimiter = table::delimiter(text);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|error| refused(format!("The file cannot be read as CSV: {error}.")))?.clone();
    let place = |column: Column| column.place(&head);
    if let Some(missing) = [Column::Question, Column::Answer].into_iter().find(|needed| place(*needed).is_none()) {
        let needed = name(missing);
        return Err(refused(format!("The first line must name the columns, and the column \"{needed}\" is missing.")));
    }
    let [id, question, answer, url, phrasings, categories] = COLUMNS.map(place);
    let (mut rows, mut lines) = (Vec::new(), Lines { text, seen: 0, line: 1 });
    for record in reader.records() {
        let record = record.map_err(|error| refused(format!("The file cannot be read as CSV: {error}.")))?;
        let line = lines.at(record.position());
        let cell = |place: Option<usize>| place.map(|at| meant(record.get(at).unwrap_or_default().trim()));
        let text = |place| cell(place).filter(|text| !text.is_empty()).map(str::to_owned);
        let list = |place| cell(place).map(|text| text.lines().map(str::trim).filter(|line| !line.is_empty()));
        let row = Row {
            id: text(id),
            question: text(question).unwrap_or_default(),
            answer: text(answer).unwrap_or_default(),
            url: text(url),
            phrasings: list(phrasings).map(|lines| lines.map(str::to_owned).collect()),
            categories: list(categories).map(|lines| lines.map(str::to_owned).collect()).unwrap_or_default(),
        };
        if record.iter().any(|cell| !cell.trim().is_empty()) {
            push(&mut rows, line, row)?;
        }
    }
    Ok(rows)
}

/// Computes line numbers as an editor shows them. The numbers of the CSV reader are one too low
/// after CRLF.
struct Lines<'a> {
    text: &'a str,
    seen: usize,
    line: usize,
}

impl Lines<'_> {
    fn at(&mut self, position: Option<&csv::Position>) -> usize {
        let byte = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(0);
        let rest = self.text.as_bytes().get(byte..).unwrap_or_default();
        let start = byte + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.text.as_bytes().get(self.seen..start).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.seen = start.max(self.seen);
        self.line
    }
}

fn read_json_lines(text: &str) -> Result<Vec<(usize, Row)>, Invalid> {
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let row =
            serde_json::from_str(text).map_err(|error| refused(format!("Line {line} is not an entry: {error}.")))?;
        push(&mut rows, line, row)?;
    }
    Ok(rows)
}

fn push(rows: &mut Vec<(usize, Row)>, line: usize, row: Row) -> Result<(), Invalid> {
    if rows.len() == ROWS_MAX {
        return Err(refused(format!("The file has more than {ROWS_MAX} entries. Split it into several files.")));
    }
    rows.push((line, row));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(question: &str, answer: &str) -> Row {
        Row { question: question.into(), answer: answer.into(), phrasings: Some(Vec::new()), ..Row::default() }
    }

    fn written(format: Format, rows: &[Row]) -> String {
        format.head() + &rows.iter().map(|row| format.row(row)).collect::<String>()
    }

    #[test]
    fn every_text_is_read_as_it_was_written_and_none_is_a_formula() {
        let texts = [
            "=HYPERLINK(\"https://evil.example\",\"a\")",
            "+49 30 1234",
            "-5 degrees",
            "@SUM(A1)",
            "'=quoted",
            "''=twice",
            "'tis plain",
            "- a list\n- of two",
            "with \"quotes\", commas; semicolons",
            "für Größe 🦀 か",
        ];
        let mut rows: Vec<Row> = texts.iter().map(|text| row(text, text)).collect();
        rows[0].phrasings = Some(vec!["=1+1".into(), "another".into()]);
        rows[0].categories = vec!["Orders".into(), "Returns".into()];
        rows[1].url = Some("https://example.com/?a=1,2".into());
        rows[1].id = Some("chk_1".into());

        for format in [Format::Csv, Format::JsonLines] {
            let text = written(format, &rows);
            let read: Vec<Row> = format.read(&text).expect("a table").into_iter().map(|(_, row)| row).collect();
            assert_eq!(read, rows);
        }
        let text = written(Format::Csv, &rows);
        let mut reader = csv::Reader::from_reader(text.trim_start_matches(BYTE_ORDER_MARK).as_bytes());
        for record in reader.records().map(|record| record.expect("a record")) {
            assert!(record.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{record:?}");
        }
    }

    #[test]
    fn tables_from_spreadsheets_are_read() {
        let semicolons = "\u{feff}Antwort;Frage\r\nSo.;Why?\r\n;\r\n";
        let tabs = "question\tanswer\tcategory\nWhy?\t\"So.\"\tOrders\n";

        let read = |text| Format::Csv.read(text).expect("a table");

        let plain = Row { phrasings: None, ..row("Why?", "So.") };
        assert_eq!(read(semicolons), [(2, plain.clone())]);
        assert_eq!(read(tabs), [(2, Row { categories: vec!["Orders".into()], ..plain.clone() })]);
        assert_eq!(
            Format::JsonLines.read("\n{\"question\":\"Why?\",\"answer\":\"So.\",\"more\":1}\n"),
            Ok(vec![(2, plain)])
        );
    }

    #[test]
    fn malformed_files_are_refused_with_the_line() {
        let message = |format: Format, text: &str| format.read(text).expect_err("no table").to_string();

        assert!(message(Format::Csv, "how,why\na,b\n").contains("the column \"question\" is missing"));
        assert!(message(Format::Csv, "question,answer\n").contains("no entries"));
        assert!(
            message(Format::JsonLines, "{\"question\":\"a\",\"answer\":\"b\"}\n{\"question\":1}").contains("Line 2")
        );
        let many = "{\"question\":\"a\",\"answer\":\"b\"}\n".repeat(ROWS_MAX + 1);
        assert!(message(Format::JsonLines, &many).contains("more than 50000"));
    }
}
