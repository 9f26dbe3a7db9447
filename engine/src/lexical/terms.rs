//! Reads the words of a question, and corrects those that the site does not contain: short forms,
//! acronyms, joined words and typing errors.

use super::lexicon::Lexicon;
use super::{Lexical, Terms, acronyms, compounds, synonyms};
use crate::normalization;

/// Minimum length of each half of an unknown word that is split in two, in characters.
const MIN_SPLIT_CHARS: usize = 3;

impl Lexical {
    /// Returns the words of a question. Unknown words are corrected, unless `general`, a word list
    /// of the language, contains them, or `is_known` holds because another language of the site has
    /// them.
    pub fn terms(&self, question: &str, general: Option<&Lexicon>, is_known: impl Fn(&str) -> bool) -> Terms {
        let mut terms = Terms { words: Vec::new(), repairs: Vec::new() };
        let written = self.analyzer.words(question);
        let capitals = acronyms::capitals(question);
        let mut at = 0;
        while at < written.len() {
            let word = &written[at];
            let rest = &written[at..];
            let is_unknown = |word: &str| !self.knows(word) && !is_known(word);
            if let Some((length, acronym)) = self.shortened(rest) {
                terms.replace(&rest[..length].join(" "), vec![acronym]);
                at += length;
                continue;
            }
            at += 1;
            if let Some(meant) = synonyms::spelled_out(&self.language, word).filter(|_| is_unknown(word)) {
                terms.replace(word, vec![meant.to_owned()]);
                continue;
            }
            if !is_unknown(word) {
                terms.words.push(word.clone());
                continue;
            }
            let joined = rest.get(1).map(|next| format!("{word}{next}"));
            let is_general = general.is_some_and(|general| general.get(word).is_some());
            if let Some(joined) = joined.filter(|joined| self.surfaces.get(joined).is_some()) {
                terms.replace(&rest[..2].join(" "), vec![joined]);
                at += 1;
            } else if let Some(meant) = self.expanded(word, capitals.contains(word.as_str()), is_general) {
                terms.replace(word, meant);
            } else if let Some(meant) = self.repaired(word, general) {
                terms.replace(word, meant);
            } else {
                terms.words.push(word.clone());
            }
        }
        terms
    }

    pub(super) fn knows(&self, word: &str) -> bool {
        self.has(word) || self.has_stem(word) || self.has_compound(word)
    }

    fn has_compound(&self, word: &str) -> bool {
        let mut is_found = false;
        if let Some(compounds) = &self.compounds {
            compounds.each(&self.stems, &self.analyzer.stem(word), |_, _| is_found = true);
        }
        is_found
    }

    /// The acronym of the site that the first words spell, when the site does not contain them all.
    fn shortened(&self, words: &[String]) -> Option<(usize, String)> {
        let (length, acronym) = self.acronyms.shortened(words, |word| self.analyzer.is_small(word))?;
        let is_missing = words[..length].iter().any(|word| !self.has_stem(word));
        (is_missing && self.has(&acronym)).then_some((length, acronym))
    }

    /// The words of the site for which an unknown word is an acronym.
    fn expanded(&self, word: &str, is_capital: bool, is_general: bool) -> Option<Vec<String>> {
        let is_word = !is_capital && (is_general || self.analyzer.is_small(word));
        if is_word { None } else { self.acronyms.expanded(&self.analyzer, word, is_capital) }
    }

    /// Returns the meaning of an unknown word: a misspelled one, or two known ones that are joined.
    fn repaired(&self, word: &str, general: Option<&Lexicon>) -> Option<Vec<String>> {
        let is_name = normalization::is_bigram_text(word) || word.contains(|c: char| c.is_ascii_digit());
        if is_name || general.is_some_and(|general| general.get(word).is_some()) {
            return None;
        }
        if let Some(meant) = self.accented(word) {
            return Some(vec![meant]);
        }
        let is_stem = |part: &str| self.has(part) || self.has_stem(part);
        if self.compounds.is_some()
            && let Some(parts) = compounds::parts(word, is_stem)
        {
            return Some(parts.map(str::to_owned).to_vec());
        }
        let near = self.surfaces.nearest(word, |term| self.words.document_count(term));
        let is_sure = near.is_some_and(|near| near.edits == 1);
        // The values of the general list are ranks of rarity.
        let other = general.filter(|_| !is_sure).and_then(|general| general.nearest(word, |rarity| !rarity));
        let nearest = near.into_iter().chain(other).min_by_key(|near| near.edits);
        if let Some(near) = nearest {
            return Some(vec![near.word.to_owned()]);
        }
        let cuts = word.char_indices().map(|(at, _)| at).skip(MIN_SPLIT_CHARS);
        cuts.map(|at| word.split_at(at))
            .filter(|(_, second)| second.chars().count() >= MIN_SPLIT_CHARS)
            .find(|(first, second)| self.has(first) && self.has(second))
            .map(|(first, second)| vec![first.to_owned(), second.to_owned()])
    }

    /// The word of the site that a visitor typed without its accents, in a language where accents
    /// make other words.
    fn accented(&self, word: &str) -> Option<String> {
        if !self.analyzer.keeps_accents() || !word.is_ascii() {
            return None;
        }
        let same = self.surfaces.starting_with("").filter(|(known, _)| normalization::fold_accents(known) == word);
        same.max_by_key(|(_, term)| self.words.document_count(*term)).map(|(known, _)| known.to_owned())
    }
}

impl Terms {
    fn replace(&mut self, written: &str, meant: Vec<String>) {
        self.repairs.push((written.to_owned(), meant.join(" ")));
        self.words.extend(meant);
    }
}
