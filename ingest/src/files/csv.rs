//! CSV files of questions: question, answer and, if there is a third column, the address behind
//! the answer.
//!
//! What separates the columns and what they are called is `domain`'s to say, for imports as well.
//! A first line with the columns' names puts them into any order; without one they stand in this.

use csv::{ReaderBuilder, StringRecord};
use helpbot_domain::table::{self, Column, ROWS_MAX};
use url::Url;

use crate::extract::{ExtractError, Item, Page, fragment, question};

/// The longest question and answer, in bytes.
const FIELD_LIMIT_BYTES: usize = 64 * 1024;

/// Where the columns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    question: usize,
    answer: usize,
    address: Option<usize>,
}

/// Reads a table of questions; rows without a question or an answer are left out.
///
/// # Errors
/// `Unreadable` when it has one column only or no row at all can be read, `TooLarge` (of fields)
/// above the limits.
pub(super) fn read(text: &str) -> Result<Page, ExtractError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new()
        .delimiter(table::delimiter(text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut page = Page::default();
    let mut columns = None;
    for (index, row) in reader.records().take(ROWS_MAX + 1).enumerate() {
        let row = row.map_err(|error| unreadable(format!("row {} is broken ({error})", index + 1)))?;
        if index == ROWS_MAX {
            return Err(unreadable(format!("it has more than {ROWS_MAX} rows")));
        }
        if columns.is_none() {
            let named = named_columns(&row);
            columns = Some(named.unwrap_or(Columns { question: 0, answer: 1, address: (row.len() > 2).then_some(2) }));
            if named.is_some() {
                continue;
            }
            if row.len() < 2 {
                return Err(unreadable("it has one column, where a question and an answer are needed".into()));
            }
        }
        if let Some(columns) = columns {
            add(&mut page, &row, columns)?;
        }
    }
    Ok(page)
}

fn unreadable(reason: String) -> ExtractError {
    ExtractError::Unreadable { reason }
}

fn named_columns(row: &StringRecord) -> Option<Columns> {
    let place = |column: Column| column.place(row);
    Some(Columns { question: place(Column::Question)?, answer: place(Column::Answer)?, address: place(Column::Url) })
}

fn add(page: &mut Page, row: &StringRecord, columns: Columns) -> Result<(), ExtractError> {
    let field = |at: usize| row.get(at).unwrap_or_default().trim();
    let (asked, answered) = (field(columns.question), field(columns.answer));
    if let Some(size) = [asked.len(), answered.len()].into_iter().find(|&size| size > FIELD_LIMIT_BYTES) {
        return Err(ExtractError::TooLarge { size_bytes: size as u64, limit_bytes: FIELD_LIMIT_BYTES as u64 });
    }
    let line = fragment::line(asked);
    let question = question::strip_label(&line).to_owned();
    let mut answer = fragment::markdown(answered, None);
    if question.is_empty() || answer.is_empty() {
        return Ok(());
    }
    let address = columns.address.and_then(|at| Url::parse(field(at)).ok());
    if let Some(url) = address.filter(|url| matches!(url.scheme(), "http" | "https")) {
        answer.push_str(&fragment::link(&url));
        page.links.push(url);
    }
    page.items.push(Item::Pair { question, answer, context: Vec::new(), anchor: None });
    Ok(())
}
