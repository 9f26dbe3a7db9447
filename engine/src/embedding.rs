//! The English static embedding table that is compiled into the binary: word pieces with a vector
//! each.
//!
//! The vector of a text is the normalized sum of the rows of its pieces, each multiplied by a
//! weight that the index of the site gives. `engine/assets/reference.py` defines it,
//! `engine/assets/golden.json` checks it, `engine/assets/distill.py` made it, and
//! `engine/assets/NOTICE` names the work it derives from.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::lexical::Lexicon;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Length of a vector.
pub const DIMS: usize = 256;
/// Maximum length of a word in characters. The source tokenizer has the same limit.
const MAX_WORD_CHARS: usize = 60;

static VOCABULARY: &str = include_str!("../assets/vocab.txt");
static ROWS: &[u8] = include_bytes!("../assets/table.i8");
static SCALES: &[u8] = include_bytes!("../assets/scale.f32");
static PIECES: LazyLock<WordPieces> = LazyLock::new(WordPieces::load);

/// Number of rows of the table. All piece IDs are below it.
pub fn piece_count() -> usize {
    ROWS.len() / DIMS
}

/// The pieces of a text, and how well the table knows its words.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Row numbers in reading order, with repeats. A word with an unknown part has none.
    pub pieces: Vec<u16>,
    /// Number of words that contain a letter.
    pub words: usize,
    /// Number of those words that are one whole piece.
    pub whole_words: usize,
}

/// Splits a text like the uncased tokenizer of BERT, then greedily into the longest known pieces.
pub fn cut(text: &str) -> Cut {
    let table = &*PIECES;
    let mut cut = Cut::default();
    if text.is_ascii() {
        let lower = text.to_ascii_lowercase();
        ascii_words(&lower, |word| table.push(word, &mut cut));
    } else {
        let folded = fold(text);
        folded_words(&folded, |word| table.push(word, &mut cut));
    }
    cut
}

/// Returns the whole words of the table with at least four letters. Their value is the row, and
/// frequent words have low rows.
pub fn words() -> &'static Lexicon {
    static WORDS: LazyLock<Lexicon> = LazyLock::new(|| {
        let is_word = |piece: &str| piece.len() > 3 && piece.bytes().all(|b| b.is_ascii_lowercase());
        let words = PIECES.beginnings.iter().filter(|(piece, _)| is_word(piece));
        Lexicon::new(words.map(|(piece, row)| ((*piece).to_owned(), u32::from(*row))))
    });
    &WORDS
}

/// Adds `weight` times a row of the table to `sum`. Unknown IDs add nothing.
pub fn add_row(sum: &mut [f32; DIMS], piece: u16, weight: f32) {
    let row = usize::from(piece);
    let Some(values) = ROWS.get(row * DIMS..(row + 1) * DIMS) else { return };
    let factor = weight * PIECES.scales[row];
    for (out, value) in sum.iter_mut().zip(values) {
        *out += f32::from(value.cast_signed()) * factor;
    }
}

/// A row of the table, with the factor that makes it a unit vector. `None` for an unknown ID.
pub fn row(piece: u16) -> Option<(&'static [u8], f32)> {
    static FACTORS: LazyLock<Vec<f32>> = LazyLock::new(|| {
        let squares = |row: &[u8]| row.iter().map(|value| i32::from(value.cast_signed()).pow(2)).sum::<i32>();
        ROWS.chunks_exact(DIMS).map(|row| factor(squares(row))).collect()
    });
    let at = usize::from(piece);
    Some((ROWS.get(at * DIMS..(at + 1) * DIMS)?, FACTORS[at]))
}

/// The factor for a vector with this sum of squares.
pub fn factor(squares: i32) -> f32 {
    if squares > 0 { 1.0 / (squares as f32).sqrt() } else { 0.0 }
}

/// Row numbers by piece. Every word of a text is looked up.
type Rows = HashMap<&'static str, u16, foldhash::fast::RandomState>;

struct WordPieces {
    beginnings: Rows,
    rests: Rows,
    scales: Vec<f32>,
}

impl WordPieces {
    fn load() -> Self {
        let mut beginnings = Rows::with_capacity_and_hasher(piece_count(), foldhash::fast::RandomState::default());
        let mut rests = Rows::default();
        // Line 0 is [UNK] with a row of zeros, so it is left out.
        for (row, piece) in (0_u16..).zip(VOCABULARY.lines()).skip(1) {
            match piece.strip_prefix("##") {
                Some(rest) if !rest.is_empty() => rests.insert(rest, row),
                _ => beginnings.insert(piece, row),
            };
        }
        let scales = SCALES.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Self { beginnings, rests, scales }
    }

    fn push(&self, word: &str, cut: &mut Cut) {
        let has_letter = word.chars().any(char::is_alphabetic);
        cut.words += usize::from(has_letter);
        if let Some(&row) = self.beginnings.get(word) {
            cut.whole_words += usize::from(has_letter);
            cut.pieces.push(row);
            return;
        }
        if word.chars().count() > MAX_WORD_CHARS {
            return;
        }
        let before = cut.pieces.len();
        let mut rest = word;
        while !rest.is_empty() {
            let known = if rest.len() == word.len() { &self.beginnings } else { &self.rests };
            let Some((row, length)) = longest(known, rest) else {
                cut.pieces.truncate(before);
                return;
            };
            cut.pieces.push(row);
            rest = &rest[length..];
        }
    }
}

fn longest(known: &Rows, text: &str) -> Option<(u16, usize)> {
    /// Maximum length of a piece of the table, in bytes.
    const MAX_PIECE_BYTES: usize = 24;
    let mut end = text.len().min(MAX_PIECE_BYTES);
    while end > 0 {
        if text.is_char_boundary(end)
            && let Some(&row) = known.get(&text[..end])
        {
            return Some((row, end));
        }
        end -= 1;
    }
    None
}

fn ascii_words<'a>(text: &'a str, mut emit: impl FnMut(&'a str)) {
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        let is_space = byte.is_ascii_whitespace();
        // Control characters are rare in ASCII text. They end a word, like a space.
        if is_space || byte.is_ascii_control() || byte.is_ascii_punctuation() {
            if start < at {
                emit(&text[start..at]);
            }
            if byte.is_ascii_punctuation() {
                emit(&text[at..=at]);
            }
            start = at + 1;
        }
    }
    if start < text.len() {
        emit(&text[start..]);
    }
}

fn folded_words<'a>(text: &'a str, mut emit: impl FnMut(&'a str)) {
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let is_space = c.is_whitespace();
        if is_space || is_punctuation(c) {
            if start < at {
                emit(&text[start..at]);
            }
            start = at + c.len_utf8();
            if !is_space {
                emit(&text[at..start]);
            }
        }
    }
    if start < text.len() {
        emit(&text[start..]);
    }
}

fn fold(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if matches!(c, '\t' | '\n' | '\r') || c.general_category() == GeneralCategory::SpaceSeparator {
            spaced.push(' ');
        } else if c == '\u{FFFD}' || c.general_category_group() == GeneralCategoryGroup::Other {
        } else if is_han(c) {
            spaced.extend([' ', c, ' ']);
        } else {
            spaced.push(c);
        }
    }
    let unaccented: String = spaced.nfd().filter(|c| c.general_category() != GeneralCategory::NonspacingMark).collect();
    unaccented.to_lowercase()
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || c.general_category_group() == GeneralCategoryGroup::Punctuation
}

fn is_han(c: char) -> bool {
    matches!(u32::from(c),
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x20000..=0x2A6DF | 0x2A700..=0x2B73F
        | 0x2B740..=0x2B81F | 0x2B820..=0x2CEAF | 0xF900..=0xFAFF | 0x2F800..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Golden {
        text: String,
        ids: Vec<u16>,
        first8: Vec<f32>,
    }

    #[test]
    fn the_table_cuts_and_embeds_as_its_reference_does() {
        let golden: Vec<Golden> = serde_json::from_str(include_str!("../assets/golden.json")).unwrap();
        assert!(golden.len() > 10);

        for case in golden {
            let cut = cut(&case.text);
            let mut sum = [0.0; DIMS];
            for &piece in &cut.pieces {
                add_row(&mut sum, piece, 1.0);
            }
            let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);

            assert_eq!(cut.pieces, case.ids, "{}", case.text);
            for (ours, theirs) in sum.iter().zip(&case.first8) {
                assert!((ours / norm - theirs).abs() < 2e-4, "{}: {ours} {theirs}", case.text);
            }
        }
    }

    #[test]
    fn the_files_have_the_shape_that_the_code_expects() {
        assert_eq!(VOCABULARY.lines().count(), piece_count());
        assert_eq!(SCALES.len(), piece_count() * 4);
        assert!(VOCABULARY.lines().all(|piece| piece.trim_start_matches("##").len() <= 24));
    }

    #[test]
    fn whole_words_are_counted_among_words_with_letters() {
        let cut = cut("refund pasword 42?");

        assert_eq!((cut.words, cut.whole_words), (2, 1));
    }
}
