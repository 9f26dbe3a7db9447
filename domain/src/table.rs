//! Tables of questions: which column means what, and which character separates columns. The rules
//! are the same for a file source and for an imported file.
//!
//! The caller reads the cells, and decides what a table without column names means.

/// Maximum number of rows of a table, which is more than any help site has entries.
pub const ROWS_MAX: usize = 50_000;

/// The meaning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// ID of an entry.
    Id,
    /// Question.
    Question,
    /// Answer.
    Answer,
    /// URL of the page behind the answer.
    Url,
    /// Other ways to ask the question.
    Phrasings,
    /// Headings above the entry.
    Categories,
}

impl Column {
    /// Returns the names of the column as people write them, in lower case. The first one is
    /// canonical; when a table has several of them, the first in this order counts.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Id => &["id"],
            Self::Question => &[
                "question",
                "questions",
                "q",
                "frage",
                "pregunta",
                "pergunta",
                "domanda",
                "vraag",
                "fråga",
                "spørgsmål",
                "spørsmål",
                "kysymys",
                "pytanie",
                "otázka",
                "kérdés",
                "întrebare",
                "pitanje",
                "soru",
                "вопрос",
                "питання",
                "въпрос",
                "ερώτηση",
                "سؤال",
                "السؤال",
                "שאלה",
                "प्रश्न",
                "câu hỏi",
                "pertanyaan",
                "คำถาม",
                "問題",
                "问题",
                "質問",
                "질문",
                // Exports of articles use this name for the question.
                "title",
            ],
            Self::Answer => &[
                "answer",
                "answers",
                "a",
                "antwort",
                "respuesta",
                "resposta",
                "réponse",
                "reponse",
                "risposta",
                "antwoord",
                "svar",
                "vastaus",
                "odpowiedź",
                "odpověď",
                "odpoveď",
                "válasz",
                "răspuns",
                "odgovor",
                "cevap",
                "yanıt",
                "ответ",
                "відповідь",
                "отговор",
                "απάντηση",
                "جواب",
                "الجواب",
                "إجابة",
                "תשובה",
                "उत्तर",
                "câu trả lời",
                "trả lời",
                "jawaban",
                "คำตอบ",
                "答案",
                "答复",
                "回答",
                "답변",
            ],
            Self::Url => &["url", "link", "source", "address", "quelle"],
            Self::Phrasings => &["phrasings", "phrasing"],
            Self::Categories => &["categories", "category"],
        }
    }

    /// Returns the position of the column among the cells of the header, from 0. `None` when no
    /// cell names it.
    pub fn place<'a>(self, head: impl IntoIterator<Item = &'a str>) -> Option<usize> {
        let rank = |cell: &str| {
            let cell = cell.trim().to_lowercase();
            let whole = self.names().iter().position(|name| *name == cell);
            // In "Question (EN)" or "Customer question", a name among other words counts less.
            whole.or_else(|| Some(self.names().len() + self.names().iter().position(|name| has_word(&cell, name))?))
        };
        let ranked = head.into_iter().enumerate().filter_map(|(place, cell)| Some((rank(cell)?, place)));
        ranked.min().map(|(_, place)| place)
    }
}

/// Returns whether a name of more than two letters is a word of a cell, or any part of it in
/// scripts without spaces between words.
fn has_word(cell: &str, name: &str) -> bool {
    let is_unspaced =
        name.chars().all(|c| matches!(c, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'));
    if is_unspaced {
        return cell.contains(name);
    }
    let is_long = name.chars().count() > 2 && name != "title";
    is_long && cell.split(|c: char| !c.is_alphanumeric()).any(|word| word == name)
}

/// Returns the separator of a table: the most frequent of comma, semicolon and tab in its first
/// line, outside of quotes. The first of them wins a tie, and a comma is the default.
pub fn delimiter(text: &str) -> u8 {
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    let mut is_quoted = false;
    for byte in text.lines().next().unwrap_or_default().bytes() {
        is_quoted ^= byte == b'"';
        if !is_quoted {
            counts.iter_mut().filter(|(delimiter, _)| *delimiter == byte).for_each(|(_, count)| *count += 1);
        }
    }
    // `max_by_key` returns the last of several equal items.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_any_of_their_names() {
        let place = |column: Column, head: &str| column.place(head.split(','));

        assert_eq!(place(Column::Question, "Antwort, FRAGE "), Some(1));
        assert_eq!(place(Column::Answer, "Antwort, FRAGE "), Some(0));
        assert_eq!(place(Column::Question, "title,question,answer"), Some(1));
        assert_eq!(place(Column::Question, "title,answer"), Some(0));
        assert_eq!(place(Column::Question, "how,why"), None);
        assert_eq!(place(Column::Url, "question,question,quelle"), Some(2));
        assert_eq!(place(Column::Question, "question,question,quelle"), Some(0));
    }

    #[test]
    fn the_separator_is_detected_outside_of_quotes() {
        assert_eq!(delimiter("question,answer\na;b;c;d"), b',');
        assert_eq!(delimiter("\"one, two, three\";answer"), b';');
        assert_eq!(delimiter("question\tanswer"), b'\t');
        assert_eq!(delimiter("a,b;c"), b',');
        assert_eq!(delimiter("question"), b',');
        assert_eq!(delimiter(""), b',');
    }
}
