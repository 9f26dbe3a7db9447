//! The columns of a table by the names in its head, in any of the languages that `domain` knows.
//!
//! Called by [`table`](super). A name is evidence, not proof: "Question about" may name a subject, and a column with
//! another name may hold the questions, so the rows below the head are looked at too.

use helpbot_domain::table::Column;

use super::{COLUMN_LIMIT, ColumnContents, Columns, HEAD_ROWS, QUESTION_SHARE, is_name};

/// Words for questions and for answers of one language, for tables with answers in several.
const LANGUAGES: [(&str, &str); 12] = [
    ("question", "answer"),
    ("question", "réponse"),
    ("frage", "antwort"),
    ("pregunta", "respuesta"),
    ("pergunta", "resposta"),
    ("domanda", "risposta"),
    ("vraag", "antwoord"),
    ("fråga", "svar"),
    ("pytanie", "odpowiedź"),
    ("otázka", "odpověď"),
    ("soru", "cevap"),
    ("вопрос", "ответ"),
];

/// The most pairs of columns of one table.
const PAIRS_MAX: usize = 8;

/// The columns by the first row that names a question and an answer.
pub(super) fn named(rows: &[Vec<String>]) -> Option<Columns> {
    rows.iter().take(HEAD_ROWS).enumerate().find_map(|(at, row)| {
        let cells: Vec<String> = row.iter().take(COLUMN_LIMIT).map(|cell| name(cell)).collect();
        let below = &rows[at + 1..];
        let question = question(&cells, below)?;
        let answer = answer(&cells, question)?;
        let address = Column::Url.place(cells.iter().map(String::as_str));
        Some(Columns { pairs: pairs(&cells, question, answer), address, first_row: at + 1 })
    })
}

/// A cell of a head in lower case; empty when it is too long for a name.
fn name(cell: &str) -> String {
    let cell = cell.trim();
    if is_name(cell) { cell.to_lowercase() } else { String::new() }
}

/// The column of questions: the one that is named so, unless only another one asks.
fn question(cells: &[String], below: &[Vec<String>]) -> Option<usize> {
    let named = Column::Question.place(cells.iter().map(String::as_str))?;
    let asks = |column: usize| {
        let contents = ColumnContents::of(below, column);
        contents.share(contents.questions)
    };
    if asks(named) > 0.0 {
        return Some(named);
    }
    let answer = Column::Answer.place(cells.iter().map(String::as_str));
    let other = (0..cells.len()).find(|&column| Some(column) != answer && asks(column) >= QUESTION_SHARE);
    let is_whole = Column::Question.names().contains(&cells[named].as_str());
    other.or(is_whole.then_some(named))
}

/// The column of answers: of several, the one in the language of the name of the questions.
fn answer(cells: &[String], question: usize) -> Option<usize> {
    let place = |word: &str| (0..cells.len()).find(|&column| column != question && has_word(&cells[column], word));
    let mut own = LANGUAGES.iter().filter(|(asked, _)| has_word(&cells[question], asked));
    let by_language = own.find_map(|(_, answer)| place(answer));
    by_language.or_else(|| {
        let others = cells.iter().enumerate().map(|(at, cell)| if at == question { "" } else { cell });
        Column::Answer.place(others)
    })
}

fn has_word(cell: &str, word: &str) -> bool {
    cell.split(|c: char| !c.is_alphanumeric()).any(|own| own == word)
}

/// The pair of columns, and those with the same names behind it.
fn pairs(cells: &[String], question: usize, answer: usize) -> Vec<(usize, usize)> {
    let mut pairs = vec![(question, answer)];
    let mut at = question.max(answer) + 1;
    let next =
        |name: &String, from: usize| (from..cells.len()).find(|&column| cells[column] == *name && !name.is_empty());
    while let (Some(asked), Some(answered)) = (next(&cells[question], at), next(&cells[answer], at))
        && pairs.len() < PAIRS_MAX
    {
        pairs.push((asked, answered));
        at = asked.max(answered) + 1;
    }
    pairs
}
