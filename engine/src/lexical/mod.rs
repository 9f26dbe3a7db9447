//! The lexical channel: BM25 over words, divided by what the whole question could have matched.
//!
//! The quotient is what makes the score absolute: 0 when nothing of the question is in an entry,
//! near 1 when all of it is. Where there is no semantic channel, character n-grams share the
//! score, so that compounds and endings of languages without a stemmer still meet. Words that
//! nobody on the site ever wrote are taken for typing errors of words that somebody did.

mod lexicon;
mod postings;

use std::collections::HashMap;

use crate::analysis::{self, Analyzer};
use crate::chunk::Fields;
use crate::normalization;
pub use lexicon::Lexicon;
use postings::{Match, Occurrence, Postings, PostingsBuilder};

/// The share of n-grams in the score of an index that has them; more words help languages with a
/// stemmer, more n-grams those that compound.
const GRAM_SHARE: f32 = 0.6;
/// What a small word of the language weighs that the site never wrote, beside its idf, which is the
/// highest there: on a site of a few entries "I", "my" and "would" would else outweigh the subject.
/// Without effect on the development sets, where hardly a small word is missing.
const UNSEEN_SMALL_WORD: f32 = 0.3;
/// Each half of an unknown word must be this long to count as two words run together.
const MIN_SPLIT_CHARS: usize = 3;

/// The words of a question as the index understands them.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Words in reading order, repaired.
    pub words: Vec<String>,
    /// What was repaired: (as written, as understood).
    pub repairs: Vec<(String, String)>,
}

/// One document's lexical result.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct LexicalScore {
    /// Matched weight over what could match; 0 to about 1.
    pub score: f32,
    /// Share of the question's idf mass whose words the document has, 0..=1.
    pub coverage: f32,
}

/// Words (and n-grams where asked for) of all documents of an index.
#[derive(Debug)]
pub struct Lexical {
    analyzer: Analyzer,
    surfaces: Lexicon,
    stems: Lexicon,
    words: Postings,
    grams: Option<Grams>,
    documents: usize,
}

#[derive(Debug, Default)]
struct Grams {
    hashes: Vec<u32>,
    postings: Postings,
}

/// A number for each key. Half of the time of indexing goes by looking words up; this hash is
/// quick, and seeded, so that no page can make it slow.
type Numbers<K> = HashMap<K, u32, foldhash::fast::RandomState>;

/// Numbers terms while documents come in.
#[derive(Debug, Default)]
struct Numbering {
    surfaces: Numbers<String>,
    stems: Numbers<String>,
    grams: Numbers<u32>,
}

impl Lexical {
    /// Indexes the documents in order. `with_grams` adds the n-gram half of the score.
    pub fn build(analyzer: Analyzer, documents: &[&Fields], with_grams: bool) -> Self {
        let mut numbering = Numbering::default();
        let mut words = PostingsBuilder::default();
        let mut grams = with_grams.then(PostingsBuilder::default);
        let (mut occurrences, mut of_grams) = (Vec::new(), Vec::new());
        for document in documents {
            occurrences.clear();
            of_grams.clear();
            for (text, in_question) in [(&document.question, true), (&document.body, false)] {
                analyzer.each_word(text, |word| {
                    occurrences.push(Occurrence { term: numbering.term(&analyzer, word), in_question });
                    if with_grams {
                        analysis::grams(word, |gram| {
                            of_grams.push(Occurrence { term: numbering.gram(gram), in_question });
                        });
                    }
                });
            }
            words.push(&mut occurrences);
            if let Some(grams) = &mut grams {
                grams.push(&mut of_grams);
            }
        }
        let grams = grams.map(|grams| Grams::new(&numbering.grams, grams.finish()));
        Self {
            analyzer,
            surfaces: Lexicon::new(numbering.surfaces),
            stems: Lexicon::new(numbering.stems),
            words: words.finish(),
            grams,
            documents: documents.len(),
        }
    }

    /// The words of a question, with unknown ones repaired unless `general` has them: a word list
    /// of the language beside the site's own words, which go first. Nor is one that `is_known`
    /// from elsewhere.
    pub fn terms(&self, question: &str, general: Option<&Lexicon>, is_known: impl Fn(&str) -> bool) -> Terms {
        let mut terms = Terms { words: Vec::new(), repairs: Vec::new() };
        let written = self.analyzer.words(question);
        let mut rest = written.iter().peekable();
        while let Some(word) = rest.next() {
            if self.knows(word) || is_known(word) {
                terms.words.push(word.clone());
                continue;
            }
            let joined = rest.peek().map(|next| format!("{word}{next}"));
            if let Some(joined) = joined.filter(|joined| self.surfaces.get(joined).is_some()) {
                let next = rest.next().map(String::as_str).unwrap_or_default();
                terms.repairs.push((format!("{word} {next}"), joined.clone()));
                terms.words.push(joined);
            } else if let Some(meant) = self.repaired(word, general) {
                terms.repairs.push((word.clone(), meant.join(" ")));
                terms.words.extend(meant);
            } else {
                terms.words.push(word.clone());
            }
        }
        terms
    }

    /// The score of every document, in document order, for the question's words. Words of
    /// `context` (an earlier question) count `context_weight` times as much.
    pub fn scores(&self, words: &[String], context: &[String], context_weight: f32) -> Vec<LexicalScore> {
        let weighted = self.weigh(words, context, context_weight);
        let terms = weighted.iter().map(|(stem, weight)| (self.stems.get(stem), *weight));
        let mut scores = score(&self.words, self.documents, terms);
        let Some(grams) = &self.grams else { return scores };
        let weighted = self.weigh_grams(words, context, context_weight);
        let terms = weighted.iter().map(|(gram, weight)| (grams.number(*gram), *weight));
        for (word, gram) in scores.iter_mut().zip(score(&grams.postings, self.documents, terms)) {
            word.score = (1.0 - GRAM_SHARE) * word.score + GRAM_SHARE * gram.score;
        }
        scores
    }

    /// Whether a word stands in the documents as it is.
    pub fn has(&self, word: &str) -> bool {
        self.surfaces.get(word).is_some()
    }

    /// A word as it is indexed, and its idf as the site uses it; an unknown one has the highest.
    pub fn weighted(&self, word: &str) -> (String, f32) {
        let stem = self.analyzer.stem(word);
        let term = self.stems.get(&stem);
        let idf = self.words.idf(term.map_or(0, |term| self.words.document_count(term)));
        (stem, idf)
    }

    /// The analysis that documents and questions went through.
    pub fn analyzer(&self) -> Analyzer {
        self.analyzer
    }

    /// Bytes on the heap.
    pub fn size_bytes(&self) -> usize {
        let grams = self
            .grams
            .as_ref()
            .map_or(0, |grams| grams.hashes.len() * 2 * size_of::<u32>() + grams.postings.size_bytes());
        self.surfaces.size_bytes() + self.stems.size_bytes() + self.words.size_bytes() + grams
    }

    /// What a word of a question weighs beside its idf.
    fn weight(&self, word: &str) -> f32 {
        let is_unseen = || self.stems.get(&self.analyzer.stem(word)).is_none();
        if self.analyzer.is_small(word) && is_unseen() { UNSEEN_SMALL_WORD } else { 1.0 }
    }

    /// Distinct stems in order of first use, with the weight of the first.
    fn weigh(&self, words: &[String], context: &[String], context_weight: f32) -> Vec<(String, f32)> {
        let own = words.iter().map(|word| (word, 1.0));
        let earlier = context.iter().map(|word| (word, context_weight));
        distinct(own.chain(earlier).map(|(word, weight)| (self.analyzer.stem(word), weight * self.weight(word))))
    }

    fn weigh_grams(&self, words: &[String], context: &[String], context_weight: f32) -> Vec<(u32, f32)> {
        let mut all = Vec::new();
        for (part, weight) in [(words, 1.0), (context, context_weight)] {
            for word in part {
                let weight = weight * self.weight(word);
                analysis::grams(word, |gram| all.push((gram, weight)));
            }
        }
        distinct(all.into_iter())
    }

    fn knows(&self, word: &str) -> bool {
        self.has(word) || self.stems.get(&self.analyzer.stem(word)).is_some()
    }

    /// What an unknown word was meant to be: one misspelt, or two known ones run together.
    fn repaired(&self, word: &str, general: Option<&Lexicon>) -> Option<Vec<String>> {
        let is_name = normalization::is_bigram_text(word) || word.contains(|c: char| c.is_ascii_digit());
        if is_name || general.is_some_and(|general| general.get(word).is_some()) {
            return None;
        }
        let near = self.surfaces.nearest(word, |term| self.words.document_count(term));
        let is_sure = near.is_some_and(|near| near.edits == 1);
        // The list's values are ranks of rarity.
        let other = general.filter(|_| !is_sure).and_then(|general| general.nearest(word, |rarity| !rarity));
        let nearest = near.into_iter().chain(other).min_by_key(|near| near.edits);
        if let Some(near) = nearest {
            return Some(vec![near.word.to_owned()]);
        }
        let cuts = word.char_indices().map(|(at, _)| at).skip(MIN_SPLIT_CHARS);
        cuts.map(|at| word.split_at(at))
            .filter(|(_, second)| second.chars().count() >= MIN_SPLIT_CHARS)
            .find(|(first, second)| self.surfaces.get(first).is_some() && self.surfaces.get(second).is_some())
            .map(|(first, second)| vec![first.to_owned(), second.to_owned()])
    }
}

impl Grams {
    /// Sorted by hash for lookup; the postings keep the numbers given while building, so the
    /// hashes are stored in a permutation beside them.
    fn new(numbers: &Numbers<u32>, postings: Postings) -> Self {
        let mut pairs: Vec<(u32, u32)> = numbers.iter().map(|(hash, number)| (*hash, *number)).collect();
        pairs.sort_unstable();
        let hashes = pairs.into_iter().flat_map(|(hash, number)| [hash, number]).collect();
        Self { hashes, postings }
    }

    fn number(&self, hash: u32) -> Option<u32> {
        let (pairs, _) = self.hashes.as_chunks::<2>();
        pairs.binary_search_by_key(&hash, |pair| pair[0]).ok().map(|at| pairs[at][1])
    }
}

impl Numbering {
    fn term(&mut self, analyzer: &Analyzer, word: &str) -> u32 {
        if let Some(&term) = self.surfaces.get(word) {
            return term;
        }
        let next = self.stems.len() as u32;
        let term = *self.stems.entry(analyzer.stem(word)).or_insert(next);
        self.surfaces.insert(word.to_owned(), term);
        term
    }

    fn gram(&mut self, hash: u32) -> u32 {
        let next = self.grams.len() as u32;
        *self.grams.entry(hash).or_insert(next)
    }
}

fn distinct<K: Clone + Eq + std::hash::Hash>(keys: impl Iterator<Item = (K, f32)>) -> Vec<(K, f32)> {
    let mut seen = std::collections::HashSet::new();
    keys.filter(|(key, _)| seen.insert(key.clone())).collect()
}

fn score(postings: &Postings, documents: usize, terms: impl Iterator<Item = (Option<u32>, f32)>) -> Vec<LexicalScore> {
    let mut matches = vec![Match::default(); documents];
    let mut mass = 0.0;
    for (term, weight) in terms {
        let idf = postings.idf(term.map_or(0, |term| postings.document_count(term)));
        mass += weight * idf;
        if let Some(term) = term {
            postings.add(term, weight * idf, &mut matches);
        }
    }
    if mass <= 0.0 {
        return vec![LexicalScore::default(); documents];
    }
    let share = |found: Match| LexicalScore { score: found.score / mass, coverage: found.covered / mass };
    matches.into_iter().map(share).collect()
}
