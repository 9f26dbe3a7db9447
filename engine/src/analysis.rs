//! Splits text into words: segmentation, stemming and character n-grams, by language.
//!
//! The index and the question go through the same functions, so that they meet. This module knows
//! no corpus and no scores.

use std::borrow::Cow;

use frostem::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

use crate::language;
use crate::normalization::{fold_accents, is_bigram_text, normalize};

/// Maximum length of a word, in characters. Longer runs are keys, hashes or damaged text.
const MAX_WORD_CHARS: usize = 64;
/// Maximum length of a hyphenated prefix that is joined with the word after it, in characters:
/// e-mail, wi-fi, t-shirt.
const MAX_JOINED_PREFIX_CHARS: usize = 2;
/// Maximum length of an elided article or pronoun (`dell'acqua`, `qu'il`), in characters.
const MAX_ELISION_CHARS: usize = 4;

/// The analysis of one language: its stemmer, and whether words begin with elided articles.
#[derive(Debug, Clone, Copy)]
pub struct Analyzer {
    stemmer: Option<Algorithm>,
    /// Position of the language in the list of function words.
    small: Option<usize>,
    elides: bool,
    joins_words: bool,
    /// Whether accents distinguish words, as tones do in Vietnamese.
    keeps_accents: bool,
}

impl Analyzer {
    /// Returns the analysis for a primary language subtag. Words of an unknown language are not
    /// stemmed.
    pub fn new(language: Option<&str>) -> Self {
        let stemmer = language.and_then(algorithm);
        let elides = matches!(language, Some("fr" | "it" | "ca"));
        let joins_words = language.is_some_and(joins_words);
        let small = language.and_then(language::small_words_of);
        Self { stemmer, small, elides, joins_words, keeps_accents: language == Some("vi") }
    }

    /// Returns the words of a text in reading order, normalized and in lower case, before stemming.
    ///
    /// Scripts that are written without spaces, and Hangul, whose particles are attached to the
    /// noun, are returned as overlapping pairs of characters.
    pub fn words(&self, text: &str) -> Vec<String> {
        let mut words = Vec::with_capacity(text.len() / 5);
        self.each_word(text, |word| words.push(word.to_owned()));
        words
    }

    /// Calls `emit` with each of the words that [`Analyzer::words`] returns.
    pub fn each_word(&self, text: &str, mut emit: impl FnMut(&str)) {
        let text = normalize(text);
        let mut run: Option<(usize, usize)> = None;
        let mut joined: Option<(usize, usize)> = None;
        for (start, segment) in text.unicode_word_indices() {
            let end = start + segment.len();
            if is_bigram_text(segment) {
                flush(&text, &mut joined, |word| self.emit_word(word, &mut emit));
                match run {
                    Some((from, to)) if to == start => run = Some((from, end)),
                    _ => {
                        flush(&text, &mut run, |run| emit_bigrams(run, &mut emit));
                        run = Some((start, end));
                    }
                }
                continue;
            }
            flush(&text, &mut run, |run| emit_bigrams(run, &mut emit));
            match joined {
                Some((from, to)) if joins(&text[from..to], &text[to..start]) => {
                    joined = Some((from, end));
                }
                _ => {
                    flush(&text, &mut joined, |word| self.emit_word(word, &mut emit));
                    joined = Some((start, end));
                }
            }
        }
        flush(&text, &mut run, |run| emit_bigrams(run, &mut emit));
        flush(&text, &mut joined, |word| self.emit_word(word, &mut emit));
    }

    /// Whether a word is a function word of the language, such as "the" or "with".
    pub fn is_small(&self, word: &str) -> bool {
        self.small.is_some_and(|place| language::is_small_word(place, word))
    }

    /// Returns the form of a word that is indexed: stemmed, without Latin, Greek or Cyrillic
    /// accents.
    pub fn stem(&self, word: &str) -> String {
        match self.stemmer {
            Some(algorithm) if !is_bigram_text(word) => fold_accents(&Stemmer::new(algorithm).stem(word)),
            _ if self.keeps_accents => word.to_owned(),
            _ => fold_accents(word),
        }
    }

    /// Whether the language joins words to compounds.
    pub fn joins_words(&self) -> bool {
        self.joins_words
    }

    /// Whether accents distinguish words of the language.
    pub fn keeps_accents(&self) -> bool {
        self.keeps_accents
    }

    /// Calls `emit` with the n-grams of a word, like [`grams`].
    pub fn grams(&self, word: &str, emit: impl FnMut(u32)) {
        if self.keeps_accents { grams_as_written(word, emit) } else { grams(word, emit) }
    }

    fn emit_word(&self, word: &str, emit: &mut impl FnMut(&str)) {
        if word.len() > MAX_WORD_CHARS && word.chars().count() > MAX_WORD_CHARS {
            return;
        }
        let whole =
            if word.contains(is_hyphen) { Cow::Owned(word.replace(is_hyphen, "")) } else { Cow::Borrowed(word) };
        let mut word = &*whole;
        if self.elides
            && let Some((article, rest)) = word.split_once('\'')
            && article.chars().count() <= MAX_ELISION_CHARS
            && rest.chars().count() > 1
        {
            word = rest;
        }
        if !word.is_empty() {
            emit(word);
        }
    }
}

/// Calls `emit` with every character 3-gram and 4-gram of a word that is padded with spaces. For a
/// pair of characters of a script without spaces, it emits the pair and its first character.
pub fn grams(word: &str, emit: impl FnMut(u32)) {
    if is_bigram_text(word) { grams_as_written(word, emit) } else { grams_as_written(&fold_accents(word), emit) }
}

fn grams_as_written(word: &str, mut emit: impl FnMut(u32)) {
    if is_bigram_text(word) {
        emit(hash(word));
        let first = word.chars().next().map_or(0, char::len_utf8);
        emit(hash(&word[..first]));
        return;
    }
    let padded = format!(" {word} ");
    let mut bounds: Vec<usize> = padded.char_indices().map(|(at, _)| at).collect();
    bounds.push(padded.len());
    for size in [3, 4] {
        for window in bounds.windows(size + 1) {
            emit(hash(&padded[window[0]..window[size]]));
        }
    }
}

/// Whether words of this language are often joined: German, Dutch, the Nordic languages, Finnish,
/// Estonian and Hungarian.
fn joins_words(language: &str) -> bool {
    matches!(language, "de" | "nl" | "da" | "sv" | "no" | "nb" | "nn" | "is" | "fi" | "et" | "hu")
}

fn algorithm(language: &str) -> Option<Algorithm> {
    Some(match language {
        "ar" => Algorithm::Arabic,
        "ca" => Algorithm::Catalan,
        "cs" | "sk" => Algorithm::Czech,
        "da" => Algorithm::Danish,
        "de" => Algorithm::German,
        "el" => Algorithm::Greek,
        "en" => Algorithm::English,
        "es" => Algorithm::Spanish,
        "et" => Algorithm::Estonian,
        "fa" => Algorithm::Persian,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "hu" => Algorithm::Hungarian,
        "id" => Algorithm::Indonesian,
        "it" => Algorithm::Italian,
        "lt" => Algorithm::Lithuanian,
        "nl" => Algorithm::Dutch,
        "no" | "nb" | "nn" => Algorithm::Norwegian,
        "pl" => Algorithm::Polish,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "sv" => Algorithm::Swedish,
        "ta" => Algorithm::Tamil,
        "tr" => Algorithm::Turkish,
        "uk" => Algorithm::Ukrainian,
        _ => return None,
    })
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}')
}

fn joins(first: &str, between: &str) -> bool {
    let mut gap = between.chars();
    gap.next().is_some_and(is_hyphen)
        && gap.next().is_none()
        && first.chars().all(char::is_alphabetic)
        && first.chars().count() <= MAX_JOINED_PREFIX_CHARS
}

fn flush(text: &str, span: &mut Option<(usize, usize)>, emit: impl FnOnce(&str)) {
    if let Some((from, to)) = span.take() {
        emit(&text[from..to]);
    }
}

fn emit_bigrams(run: &str, emit: &mut impl FnMut(&str)) {
    let mut units: Vec<usize> = run.grapheme_indices(true).map(|(at, _)| at).collect();
    units.push(run.len());
    if units.len() == 2 {
        emit(run);
    }
    for window in units.windows(3) {
        emit(&run[window[0]..window[2]]);
    }
}

/// FNV-1a with 32 bits. It is stable across builds and machines. Collisions among the n-grams of
/// one site are rare.
pub fn hash(text: &str) -> u32 {
    const OFFSET: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    text.bytes().fold(OFFSET, |h, b| (h ^ u32::from(b)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(language: &str, text: &str) -> Vec<String> {
        Analyzer::new(Some(language)).words(text)
    }

    #[test]
    fn words_are_cut_lowered_and_joined_after_a_short_hyphenated_prefix() {
        assert_eq!(words("en", "E-Mail & Wi‑Fi: check-in?"), ["email", "wifi", "check", "in"]);
    }

    #[test]
    fn scripts_without_spaces_come_in_pairs_and_keep_combining_marks() {
        assert_eq!(words("ja", "返品したい"), ["返品", "品し", "した", "たい"]);
        assert_eq!(words("th", "คืนเงิน").first().map(String::as_str), Some("คืน"));
        assert_eq!(words("hi", "मेरी डिलीवरी"), ["मेरी", "डिलीवरी"]);
    }

    #[test]
    fn elided_articles_fall_away_in_languages_that_have_them() {
        assert_eq!(words("fr", "l’hôtel d'Anne"), ["hôtel", "anne"]);
        assert_eq!(words("en", "don’t"), ["don't"]);
    }

    #[test]
    fn stems_lose_endings_and_accents() {
        assert_eq!(Analyzer::new(Some("en")).stem("deliveries"), "deliveri");
        assert_eq!(Analyzer::new(Some("es")).stem("teléfono"), "telefon");
        assert_eq!(Analyzer::new(None).stem("naïve"), "naive");
    }

    #[test]
    fn grams_of_a_word_have_its_edges() {
        let mut seen = Vec::new();

        grams("ab", |gram| seen.push(gram));

        assert_eq!(seen, [hash(" ab"), hash("ab "), hash(" ab ")]);
    }
}
