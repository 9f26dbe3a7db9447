//! Finds the parts of compound words, using only words of the site itself.
//!
//! German, Dutch, the Nordic languages, Finnish, Estonian and Hungarian join words: a visitor asks
//! for the "Frist" of the "Rückgabe", and the site writes "Rückgabefrist". The lexical channel asks
//! here which terms begin or end with the stem of a question's word.

use super::lexicon::Lexicon;

/// Minimum length of a stem that is searched inside longer words, in characters.
const MIN_PART_CHARS: usize = 4;
/// Minimum number of characters that a compound has beyond the part.
const MIN_REST_CHARS: usize = 3;
/// Maximum number of compounds of one word on each side. A part of more words says little.
const MAX_COMPOUNDS: usize = 24;
/// Weight of a match at the end of a compound, which names the thing itself.
const HEAD_WEIGHT: f32 = 0.8;
/// Weight of a match at the start of a compound, which only describes the thing.
const MODIFIER_WEIGHT: f32 = 0.65;
/// Letters that join the parts of a compound, longest first.
const LINKS: [&str; 7] = ["es", "en", "er", "ens", "s", "n", "e"];

/// The stems of an index, ordered by their ends.
#[derive(Debug)]
pub struct Compounds {
    /// Each stem with its letters reversed, and its term.
    reversed: Lexicon,
}

impl Compounds {
    /// Orders stems by their ends.
    pub fn new<'a>(stems: impl Iterator<Item = (&'a str, u32)>) -> Self {
        Self { reversed: Lexicon::new(stems.map(|(stem, term)| (stem.chars().rev().collect(), term))) }
    }

    /// Calls `emit` with each term whose stem begins or ends with `stem`, and the weight of the match.
    pub fn each(&self, stems: &Lexicon, stem: &str, mut emit: impl FnMut(u32, f32)) {
        let length = stem.chars().count();
        if length < MIN_PART_CHARS {
            return;
        }
        let is_longer = |word: &str| word.chars().count() >= length + MIN_REST_CHARS;
        let backwards: String = stem.chars().rev().collect();
        let ending = self.reversed.starting_with(&backwards).filter(|(word, _)| is_longer(word));
        ending.take(MAX_COMPOUNDS).for_each(|(_, term)| emit(term, HEAD_WEIGHT));
        let beginning = stems.starting_with(stem).filter(|(word, _)| is_longer(word));
        beginning.take(MAX_COMPOUNDS).for_each(|(_, term)| emit(term, MODIFIER_WEIGHT));
    }

    /// Number of bytes on the heap.
    pub fn size_bytes(&self) -> usize {
        self.reversed.size_bytes()
    }
}

/// Splits a word into two words for which `is_known` holds, with or without linking letters between
/// them. Returns the split with the longest second part.
pub fn parts(word: &str, is_known: impl Fn(&str) -> bool) -> Option<[&str; 2]> {
    let cuts = word.char_indices().map(|(at, _)| at).skip(MIN_PART_CHARS);
    let is_long = |part: &str| part.chars().count() >= MIN_PART_CHARS;
    cuts.map(|at| word.split_at(at)).filter(|(_, second)| is_long(second) && is_known(second)).find_map(
        |(first, second)| {
            let stripped = LINKS.iter().filter_map(|link| first.strip_suffix(link)).filter(|part| is_long(part));
            let known = std::iter::once(first).chain(stripped).find(|part| is_known(part))?;
            Some([known, second])
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_finds_the_compounds_that_begin_or_end_with_it() {
        let stems = Lexicon::new(
            [("versandkost", 1), ("kost", 2), ("kostbar", 3), ("versand", 4)].map(|(s, t)| (s.to_owned(), t)),
        );
        let compounds = Compounds::new(stems.starting_with(""));
        let mut found = Vec::new();

        compounds.each(&stems, "kost", |term, _| found.push(term));
        compounds.each(&stems, "versand", |term, _| found.push(term));

        assert_eq!(found, [1, 3, 1], "at the end, at the start");
    }

    #[test]
    fn a_compound_is_split_into_known_words_with_or_without_linking_letters() {
        let known = |word: &str| ["garantie", "karte", "zeit", "arbeit"].contains(&word);

        assert_eq!(parts("garantiekarte", known), Some(["garantie", "karte"]));
        assert_eq!(parts("arbeitszeit", known), Some(["arbeit", "zeit"]));
        assert_eq!(parts("arbeitsplatz", known), None);
    }
}
