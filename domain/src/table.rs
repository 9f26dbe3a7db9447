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
                "質問",
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
                "risposta",
                "antwoord",
                "回答",
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
            self.names().iter().position(|name| *name == cell)
        };
        let ranked = head.into_iter().enumerate().filter_map(|(place, cell)| Some((rank(cell)?, place)));
        ranked.min().map(|(_, place)| place)
    }
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
