//! CSV files of questions: question, answer and, if there is a third column, the address behind
//! the answer.
//!
//! Comma, semicolon and tab are told apart by the first line. A first line with the columns'
//! names puts them into any order.

use csv::{ReaderBuilder, StringRecord};
use url::Url;

use crate::extract::{ExtractError, Item, Page, fragment, question};

/// The most rows that are read.
const ROW_LIMIT: usize = 50_000;

/// The longest question and answer, in bytes.
const FIELD_LIMIT_BYTES: usize = 64 * 1024;

const QUESTION_NAMES: [&str; 10] =
    ["question", "questions", "q", "frage", "pregunta", "pergunta", "domanda", "vraag", "title", "質問"];
const ANSWER_NAMES: [&str; 10] =
    ["answer", "answers", "a", "antwort", "respuesta", "resposta", "réponse", "risposta", "antwoord", "回答"];
const ADDRESS_NAMES: [&str; 5] = ["url", "link", "source", "address", "quelle"];

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
    let delimiter = delimiter(text.lines().next().unwrap_or_default());
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut page = Page::default();
    let mut columns = None;
    for (index, row) in reader.records().take(ROW_LIMIT + 1).enumerate() {
        let row = row.map_err(|error| unreadable(format!("row {} is broken ({error})", index + 1)))?;
        if index == ROW_LIMIT {
            return Err(unreadable(format!("it has more than {ROW_LIMIT} rows")));
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

/// The separator that the first line has most of, outside of quotes.
fn delimiter(line: &str) -> u8 {
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    let mut is_quoted = false;
    for byte in line.bytes() {
        is_quoted ^= byte == b'"';
        if !is_quoted {
            counts.iter_mut().filter(|(delimiter, _)| *delimiter == byte).for_each(|(_, count)| *count += 1);
        }
    }
    // Of equals the first: a comma when there is no separator at all.
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
    counts.iter().find(|(_, count)| *count == most).map_or(b',', |(delimiter, _)| *delimiter)
}

fn named_columns(row: &StringRecord) -> Option<Columns> {
    let find = |names: &[&str]| row.iter().position(|field| names.contains(&field.trim().to_lowercase().as_str()));
    // French names its question like English.
    Some(Columns { question: find(&QUESTION_NAMES)?, answer: find(&ANSWER_NAMES)?, address: find(&ADDRESS_NAMES) })
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
