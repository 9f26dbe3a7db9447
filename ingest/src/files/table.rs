//! Tables of questions and answers: which column is which, row by row.
//!
//! Called by the readers of CSV and spreadsheets with the rows as text. Columns are found by the names
//! in a head, wherever it is among the first rows and in any of the languages that `domain` knows;
//! without a head, by what the columns hold. A table that holds no questions is refused, because
//! pairs of numbers and codes would answer nothing.

mod head;

use helpbot_domain::table::ROWS_MAX;
use url::Url;

use crate::extract::{ExtractError, Item, Page, fragment, question};

/// The longest question and answer, in bytes.
const FIELD_LIMIT_BYTES: usize = 64 * 1024;

/// The rows that are looked at to find the columns.
const SAMPLE_ROWS: usize = 200;

/// How many rows may come before the head: a title, the date of an export, an empty row.
const HEAD_ROWS: usize = 10;

/// The share of a column that must read like questions when no head names it.
const QUESTION_SHARE: f32 = 0.5;

/// The longest name of a column, in characters.
const LONGEST_NAME_CHARS: usize = 60;

/// Where the columns are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Columns {
    /// Columns of questions and of their answers; several where a row has several entries.
    pairs: Vec<(usize, usize)>,
    address: Option<usize>,
    /// The first row that is no head and no title.
    first_row: usize,
}

/// Reads a table of questions; rows without a question or an answer are left out.
///
/// # Errors
/// `Unreadable` when no columns with questions and answers are found or a row is broken, `TooLarge`
/// for a cell or a number of rows above the limits; the first error of `rows`.
pub(super) fn read(rows: impl Iterator<Item = Result<Vec<String>, ExtractError>>) -> Result<Page, ExtractError> {
    let mut rows = rows.take(ROWS_MAX + 1);
    let sample: Vec<Vec<String>> = rows.by_ref().take(SAMPLE_ROWS).collect::<Result<_, _>>()?;
    let columns = columns(&sample).ok_or_else(|| unreadable(REFUSAL.to_owned()))?;
    let mut page = Page::default();
    let mut count = sample.len();
    for row in sample.iter().skip(columns.first_row) {
        add(&mut page, row, &columns)?;
    }
    for row in rows {
        count += 1;
        add(&mut page, &row?, &columns)?;
    }
    if count > ROWS_MAX {
        return Err(unreadable(format!("it has more than {ROWS_MAX} rows")));
    }
    Ok(page)
}

/// Whether rows are a table of questions and answers.
pub(super) fn has_questions(rows: &[Vec<String>]) -> bool {
    let sample = &rows[..rows.len().min(SAMPLE_ROWS)];
    head::named(sample).is_some() || guessed(sample).is_some()
}

const REFUSAL: &str = "no columns with questions and answers were found; name them in the first row, for example \
                       \"question\" and \"answer\"";

fn unreadable(reason: String) -> ExtractError {
    ExtractError::Unreadable { reason }
}

fn columns(rows: &[Vec<String>]) -> Option<Columns> {
    head::named(rows).or_else(|| guessed(rows)).or_else(|| two_of_text(rows))
}

fn is_name(cell: &str) -> bool {
    cell.chars().count() <= LONGEST_NAME_CHARS
}

/// What a column holds, as shares of its cells that are not empty.
#[derive(Debug, Default)]
struct ColumnContents {
    cells: usize,
    questions: usize,
    /// Numbers, codes of few letters, dates.
    codes: usize,
    addresses: usize,
    bytes: usize,
}

impl ColumnContents {
    fn of(rows: &[Vec<String>], column: usize) -> Self {
        let mut contents = Self::default();
        for cell in
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
        {
            contents.cells += 1;
            contents.bytes += cell.len();
            contents.questions += usize::from(question::likeness(cell) >= question::LIKELY);
            contents.addresses += usize::from(cell.starts_with("http://") || cell.starts_with("https://"));
            let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
            let is_short = cell.is_ascii() && cell.len() <= 3;
            contents.codes += usize::from(letters * 3 < cell.chars().count() || is_short);
        }
        contents
    }

    fn share(&self, part: usize) -> f32 {
        part as f32 / self.cells.max(1) as f32
    }

    fn is_text(&self) -> bool {
        self.cells > 0 && self.share(self.codes) < 0.5 && self.share(self.addresses) < 0.5
    }
}

/// The columns by what they hold: one of questions, and the longest text beside it.
fn guessed(rows: &[Vec<String>]) -> Option<Columns> {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0).min(COLUMN_LIMIT);
    let contents: Vec<ColumnContents> = (0..width).map(|column| ColumnContents::of(rows, column)).collect();
    let share = |column: &usize| contents[*column].share(contents[*column].questions);
    let question = (0..width)
        .filter(|&column| contents[column].is_text() && contents[column].cells * 2 >= rows.len())
        .filter(|column| share(column) >= QUESTION_SHARE)
        .max_by(|one, other| share(one).total_cmp(&share(other)).then(other.cmp(one)))?;
    let answer = (0..width)
        .filter(|&column| column != question && contents[column].is_text())
        .max_by_key(|&column| (column > question, contents[column].bytes / contents[column].cells.max(1)))?;
    let address = (0..width).find(|&column| contents[column].share(contents[column].addresses) >= 0.5);
    // First rows that ask nothing are titles, or name the columns in words that we do not know.
    let is_head = |row: &&Vec<String>| {
        let cell = |column: usize| row.get(column).map_or("", |cell| cell.trim());
        question::likeness(cell(question)) < question::LIKELY && is_name(cell(answer)) && !cell(answer).ends_with('.')
    };
    let heads = rows.iter().take(HEAD_ROWS).take_while(is_head).count();
    // Without a question right behind them only the first one is a head.
    let is_asked = rows
        .get(heads)
        .is_some_and(|row| question::likeness(row.get(question).map_or("", |cell| cell.trim())) >= question::LIKELY);
    Some(Columns {
        pairs: vec![(question, answer)],
        address,
        first_row: if is_asked { heads } else { heads.min(1).min(rows.len() - 1) },
    })
}

/// The most columns that are looked at.
const COLUMN_LIMIT: usize = 64;

/// A table of two columns of text, and perhaps one of addresses, as people write it without a head:
/// the subject first, then what there is to say about it.
fn two_of_text(rows: &[Vec<String>]) -> Option<Columns> {
    let width = rows.iter().map(Vec::len).max()?;
    let is_text = |column: usize| ColumnContents::of(rows, column).is_text();
    let third = ColumnContents::of(rows, 2);
    let is_small = width == 2 || width == 3 && (third.cells == 0 || third.share(third.addresses) >= 0.5);
    let address = (width == 3).then_some(2);
    let is_answered = ColumnContents::of(rows, 1).cells > 0;
    (is_small && is_text(0) && is_answered && (is_text(1) || width == 2 && has_long_subjects(rows))).then(|| Columns {
        pairs: vec![(0, 1)],
        address,
        first_row: 0,
    })
}

/// Whether the first column holds subjects of several words, so that a number may answer them.
fn has_long_subjects(rows: &[Vec<String>]) -> bool {
    let first = rows.iter().filter_map(|row| row.first());
    let long = first.clone().filter(|cell| cell.trim().contains(' ')).count();
    long * 2 >= first.count()
}

fn add(page: &mut Page, row: &[String], columns: &Columns) -> Result<(), ExtractError> {
    let field = |at: usize| row.get(at).map_or("", |cell| spreadsheet_text(cell));
    let address = columns.address.and_then(|at| Url::parse(field(at)).ok());
    let address = address.filter(|url| matches!(url.scheme(), "http" | "https"));
    for &(question, answer) in &columns.pairs {
        let (asked, answered) = (field(question), field(answer));
        if let Some(size) = [asked.len(), answered.len()].into_iter().find(|&size| size > FIELD_LIMIT_BYTES) {
            return Err(ExtractError::TooLarge { size_bytes: size as u64, limit_bytes: FIELD_LIMIT_BYTES as u64 });
        }
        let mut answer = fragment::markdown(answered, None);
        let questions = questions(asked);
        if questions.is_empty() || answer.is_empty() {
            continue;
        }
        if let Some(url) = &address {
            answer.push_str(&fragment::link(url));
            page.links.push(url.clone());
        }
        let pair = |question| Item::Pair { question, answer: answer.clone(), context: Vec::new(), anchor: None };
        page.items.extend(questions.into_iter().map(pair));
    }
    Ok(())
}

/// The questions in a cell, which are several where each line or each part behind a bar asks something.
fn questions(cell: &str) -> Vec<String> {
    let parts: Vec<&str> = cell.split(['\n', '|']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let are_questions =
        (2..=QUESTIONS_MAX).contains(&parts.len()) && parts.iter().all(|part| question::ends_in_mark(part));
    let texts = if are_questions { parts } else { vec![cell] };
    let bare = |text: &str| question::strip_label(&fragment::line(text)).to_owned();
    texts.into_iter().map(bare).filter(|question| !question.is_empty()).collect()
}

/// The most questions that one cell asks.
const QUESTIONS_MAX: usize = 10;

/// A cell without what spreadsheets add to keep it as text (`="0123"`, `'+49`), and without errors of
/// formulas.
fn spreadsheet_text(cell: &str) -> &str {
    let cell = cell.trim();
    let formula = cell.strip_prefix("=\"").and_then(|cell| cell.strip_suffix('"'));
    let quoted = cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@']));
    let is_error = ["#N/A", "#NV", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!"].contains(&cell);
    if is_error { "" } else { formula.or(quoted).unwrap_or(cell) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(table: &str) -> Result<Vec<(String, String)>, ExtractError> {
        let rows = table.lines().map(|line| Ok(line.split('|').map(str::to_owned).collect()));
        let page = read(rows)?;
        let pair = |item: &Item| match item {
            Item::Pair { question, answer, .. } => (question.clone(), answer.clone()),
            Item::Passage { .. } => panic!("a table has no passages"),
        };
        Ok(page.items.iter().map(pair).collect())
    }

    fn one(question: &str, answer: &str) -> Result<Vec<(String, String)>, ExtractError> {
        Ok(vec![(question.to_owned(), answer.to_owned())])
    }

    #[test]
    fn a_head_names_the_columns_in_any_place_and_language() {
        assert_eq!(pairs("Export of May||\n||\nNr|Antwort|Frage\n1|Ja.|Kostet das?"), one("Kostet das?", "Ja."));
        assert_eq!(pairs("番号|質問|回答\n1|いつ開きますか|九時です"), one("いつ開きますか", "九時です"));
        assert_eq!(pairs("№|Вопрос|Ответ\n1|Где вы?|В Уфе."), one("Где вы?", "В Уфе."));
    }

    #[test]
    fn columns_without_known_names_are_found_by_what_they_hold() {
        assert_eq!(
            pairs("7|en|Is it open?|Every day but Sunday.\n8|en|Is it free?|Children pay nothing."),
            Ok(vec![
                ("Is it open?".to_owned(), "Every day but Sunday.".to_owned()),
                ("Is it free?".to_owned(), "Children pay nothing.".to_owned())
            ])
        );
        assert_eq!(pairs("Thema|Auskunft\nWo sind Sie?|In Ulm"), one("Wo sind Sie?", "In Ulm"));
    }

    #[test]
    fn names_of_columns_are_weighed_with_what_the_columns_hold() {
        assert_eq!(pairs("title|content|answer\nPay|How do I pay?|By card."), one("How do I pay?", "By card."));
        assert!(pairs("Product|Price|Question about|Answer time\nBox|5|size|2 days\nBag|7|color|3 days").is_err());
        assert_eq!(pairs("Frage|Antwort (DE)|Answer (EN)\nGeht das?|Ja.|Yes."), one("Geht das?", "Ja."));
        assert_eq!(pairs("Question|Antwort (DE)|Answer (EN)\nDoes it work?|Ja.|Yes."), one("Does it work?", "Yes."));
    }

    #[test]
    fn each_question_of_a_row_or_a_cell_is_an_entry() {
        let entry = |question: &str, answer: &str| (question.to_owned(), answer.to_owned());
        let cell = vec![
            Ok(vec!["question".to_owned(), "answer".to_owned()]),
            Ok(vec!["Why?\nHow come?".to_owned(), "So.".to_owned()]),
        ];

        assert_eq!(
            pairs("question|answer|question|answer\nWhy?|So.|Where?|Here."),
            Ok(vec![entry("Why?", "So."), entry("Where?", "Here.")])
        );
        assert_eq!(read(cell.into_iter()).map(|page| page.items.len()), Ok(2));
    }

    #[test]
    fn a_table_without_questions_is_refused() {
        assert!(matches!(pairs("1|en|x|12\n2|de|y|13"), Err(ExtractError::Unreadable { .. })));
        assert!(matches!(pairs("1|en\n2|de"), Err(ExtractError::Unreadable { .. })));
    }

    #[test]
    fn what_spreadsheets_add_is_removed() {
        assert_eq!(pairs("question|answer\nWhich number?|=\"0123\""), one("Which number?", "0123"));
        assert_eq!(pairs("question|answer\nWhich number?|'+49 1\nWhich one?|#N/A"), one("Which number?", "+49 1"));
    }
}
