//! Tables of questions that people make: which column is which, what separates them. For a file
//! that is a source as for one that is imported, so that one table means the same in both.
//!
//! Reading the cells is the caller's; so is what a table without names means.

/// Rows of one table: more than any help site has entries.
pub const ROWS_MAX: usize = 50_000;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The id of an entry.
    Id,
    /// The question.
    Question,
    /// Its answer.
    Answer,
    /// The address behind the answer.
    Url,
    /// Other ways to ask the question.
    Phrasings,
    /// The headings above it.
    Categories,
}

impl Column {
    /// Its names as people write them, in small letters. The first is its own; where a table has
    /// several of them, the first in this order counts.
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
                // What an answer stands under in an export of articles.
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

    /// Its place among the cells of a head, from 0; none where no cell names it.
    pub fn place<'a>(self, head: impl IntoIterator<Item = &'a str>) -> Option<usize> {
        let rank = |cell: &str| {
            let cell = cell.trim().to_lowercase();
            let whole = self.names().iter().position(|name| *name == cell);
            // "Question (EN)" or "Customer question": a name among other words counts less.
            whole.or_else(|| Some(self.names().len() + self.names().iter().position(|name| has_word(&cell, name))?))
        };
        let ranked = head.into_iter().enumerate().filter_map(|(place, cell)| Some((rank(cell)?, place)));
        ranked.min().map(|(_, place)| place)
    }
}

/// Whether a name of more than two letters is a word of a cell, or any part of it in scripts that
/// write no spaces.
fn has_word(cell: &str, name: &str) -> bool {
    let is_unspaced =
        name.chars().all(|c| matches!(c, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'));
    if is_unspaced {
        return cell.contains(name);
    }
    let is_long = name.chars().count() > 2 && name != "title";
    is_long && cell.split(|c: char| !c.is_alphanumeric()).any(|word| word == name)
}

/// The separator of a table by its first line: what of comma, semicolon and tab it has most of
/// outside of quotes. Of equals the first; a comma where there is none.
pub fn delimiter(text: &str) -> u8 {
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    let mut is_quoted = false;
    for byte in text.lines().next().unwrap_or_default().bytes() {
        is_quoted ^= byte == b'"';
        if !is_quoted {
            counts.iter_mut().filter(|(delimiter, _)| *delimiter == byte).for_each(|(_, count)| *count += 1);
        }
    }
    // Of equals `max_by_key` gives the last.
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
    fn the_separator_is_what_stands_outside_of_quotes() {
        assert_eq!(delimiter("question,answer\na;b;c;d"), b',');
        assert_eq!(delimiter("\"one, two, three\";answer"), b';');
        assert_eq!(delimiter("question\tanswer"), b'\t');
        assert_eq!(delimiter("a,b;c"), b',');
        assert_eq!(delimiter("question"), b',');
        assert_eq!(delimiter(""), b',');
    }
}
