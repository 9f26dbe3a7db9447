//! Labels before questions and answers ("Q:", "Antwort 3."), in many languages.

use super::ends_in_mark;

/// Labels of questions, lower case, longest first; what follows must be a number or a separator.
const QUESTION_LABELS: [&str; 20] = [
    "question",
    "pregunta",
    "pergunta",
    "domanda",
    "вопрос",
    "frage",
    "質問",
    "问题",
    "問題",
    "faq",
    "q",
    "f",
    "p",
    "d",
    "в",
    "問",
    "问",
    "س",
    "ש",
    "ｑ",
];

/// Labels of answers, as above.
const ANSWER_LABELS: [&str; 16] = [
    "respuesta",
    "resposta",
    "risposta",
    "antwort",
    "réponse",
    "answer",
    "ответ",
    "回答",
    "答え",
    "a",
    "r",
    "о",
    "答",
    "ج",
    "ת",
    "ａ",
];

/// The question's label at the head of a line ("Q:", "F 3.", "問1："), if it has one.
pub(crate) fn label(line: &str) -> Option<&str> {
    let line = line.trim_start();
    find_label(line, &QUESTION_LABELS).or_else(|| is_bare(line).then(|| &line[..BARE_QUESTION.len()]))
}

/// The label of a question that only its style sets apart: "**Q** Can I cancel?".
const BARE_QUESTION: &str = "Q ";

/// The label of its answer, which is an article elsewhere.
const BARE_ANSWER: &str = "A ";

/// Whether a question has a label without a separator.
pub(crate) fn is_bare(line: &str) -> bool {
    let rest = line.trim_start().strip_prefix(BARE_QUESTION);
    rest.is_some_and(|rest| rest.starts_with(char::is_uppercase) && ends_in_mark(rest))
}

/// The answer of such a question without its label.
pub(crate) fn without_bare_answer(line: &str) -> &str {
    line.strip_prefix(BARE_ANSWER).unwrap_or(line)
}

/// The answer's label at the head of a line, if it has one.
pub(crate) fn answer_label(line: &str) -> Option<&str> {
    find_label(line.trim_start(), &ANSWER_LABELS)
}

/// Whether a line is nothing but a label of an answer: "Answer:", "Antwort".
pub(crate) fn is_answer_label(line: &str) -> bool {
    let line = line.trim();
    // "A4" may be the first line of an answer.
    let is_label = line.ends_with([':', '：']) || line.chars().filter(|c| c.is_alphabetic()).count() > 1;
    is_label && line.len() <= LONGEST_LABEL_BYTES && badge(line).is_some_and(|badge| !badge.is_question)
}

/// The longest line that is nothing but a label, in bytes.
const LONGEST_LABEL_BYTES: usize = 30;

/// A text that is nothing but a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Badge {
    pub is_question: bool,
    /// The label in lower case, without its number.
    pub label: &'static str,
}

impl Badge {
    /// Whether the label stands for a question wherever it is. "F", "P" and "D" also abbreviate other words.
    pub fn is_clear(self) -> bool {
        !matches!(self.label, "f" | "p" | "d" | "в" | "faq")
    }
}

/// Whether a text is nothing but a label, with or without a number: "Q", "Q.3", "Frage 1", "問". A single letter
/// is a capital.
pub(crate) fn badge(text: &str) -> Option<Badge> {
    let word = text.trim_end_matches(|c: char| {
        c.is_ascii_digit() || c.is_whitespace() || matches!(c, '.' | ':' | '：' | ')' | '#' | '-')
    });
    if word.chars().count() == 1 && word.chars().any(char::is_lowercase) {
        return None;
    }
    let word = word.to_lowercase();
    let find = |labels: &[&'static str]| labels.iter().copied().find(|label| *label == word);
    find(&QUESTION_LABELS)
        .map(|label| Badge { is_question: true, label })
        .or_else(|| find(&ANSWER_LABELS).map(|label| Badge { is_question: false, label }))
}

fn find_label<'a>(line: &'a str, labels: &[&str]) -> Option<&'a str> {
    let first = line.chars().next()?.to_lowercase().next()?;
    // Few labels begin like the line, so that only they are compared completely.
    let mut likely = labels.iter().filter(|label| label.starts_with(first));
    let length = likely.find_map(|label| prefix_length(line, label))?;
    let rest = &line[length..];
    let number = rest.trim_start_matches([' ', '.', '#']);
    let after = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let has_number = after.len() < number.len();
    let trimmed = after.trim_start();
    let end = trimmed
        .strip_prefix([':', '：', ')', '.', '）', '．', '、'])
        .or_else(|| trimmed.strip_prefix("- ").or_else(|| trimmed.strip_prefix("– ")))
        .or_else(|| (rest.starts_with('.') && !has_number).then_some(trimmed))
        .or_else(|| (has_number && after.starts_with(' ')).then_some(trimmed))
        .or_else(|| (has_number && number[..number.len() - after.len()].ends_with('.')).then_some(after))?;
    // "P.S. ..." and "A.1" are no labels; nor is a label with nothing behind it.
    (!end.trim().is_empty()).then(|| &line[..line.len() - end.len()])
}

fn prefix_length(line: &str, label: &str) -> Option<usize> {
    let mut rest = line.char_indices();
    for expected in label.chars() {
        let (_, c) = rest.next()?;
        if !c.to_lowercase().eq(expected.to_lowercase()) {
            return None;
        }
    }
    let at = rest.next().map_or(line.len(), |(at, _)| at);
    let is_word = line[at..].chars().next().is_some_and(char::is_alphabetic);
    (!is_word).then_some(at)
}
