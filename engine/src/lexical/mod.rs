//! The lexical channel: BM25 over words, divided by the score of a perfect match.
//!
//! The division makes the score absolute: 0 when an entry has none of the question's words, near 1
//! when it has all of them. Without a semantic channel, character n-grams share the score, so that
//! compounds and endings of languages without a stemmer still match. Words that the site does not
//! contain are taken for acronyms, compounds or typing errors of words that it contains.

mod acronyms;
mod compounds;
mod lexicon;
mod postings;
mod synonyms;
mod terms;

use std::collections::{HashMap, HashSet};

use crate::analysis::Analyzer;
use crate::chunk::Fields;
use acronyms::Acronyms;
use compounds::Compounds;
pub use lexicon::Lexicon;
use postings::{Match, Occurrence, Postings, PostingsBuilder};

/// Share of n-grams in the score of an index that has them. More words help languages with a
/// stemmer, more n-grams help languages with compounds.
const GRAM_SHARE: f32 = 0.6;
/// Weight of a function word that the site does not contain, beside its idf. On a site of a few
/// entries, "I", "my" and "would" would otherwise outweigh the subject. It has no effect on the
/// development sets, where hardly any function word is missing.
const UNSEEN_FUNCTION_WORD: f32 = 0.3;
/// Maximum share of an earlier question's words in the weight of the question's own words. More
/// would answer the earlier question again.
const MAX_CONTEXT_SHARE: f32 = 0.7;

/// The lexical result of one document.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct LexicalScore {
    /// Matched weight divided by the weight of a perfect match, 0 to about 1.
    pub score: f32,
    /// Share of the question's idf whose words the document has, 0 to 1.
    pub coverage: f32,
}

/// The words of a question as the index understands them.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Words in reading order, with corrections.
    pub words: Vec<String>,
    /// Corrections: (as written, as understood).
    pub repairs: Vec<(String, String)>,
}

/// Words, and n-grams where they are used, of all documents of an index.
#[derive(Debug)]
pub struct Lexical {
    analyzer: Analyzer,
    surfaces: Lexicon,
    stems: Lexicon,
    words: Postings,
    grams: Option<Grams>,
    /// Only in languages that join words.
    compounds: Option<Compounds>,
    acronyms: Acronyms,
    /// Primary subtag of the language. Empty when it is unknown.
    language: String,
    documents: usize,
}

#[derive(Debug, Default)]
struct Grams {
    hashes: Vec<u32>,
    postings: Postings,
}

/// A number for each key. Half of the time of indexing goes into lookups. This hash is fast, and
/// seeded, so that no page can slow it down.
type Numbers<K> = HashMap<K, u32, foldhash::fast::RandomState>;

/// Numbers terms while documents are added.
#[derive(Debug, Default)]
struct Numbering {
    surfaces: Numbers<String>,
    stems: Numbers<String>,
    grams: Numbers<u32>,
}

/// A word of a question with its terms in the index.
struct QueryTerm {
    exact: Option<u32>,
    /// Compounds that contain the word, with the weight of the match.
    related: Vec<(u32, f32)>,
    weight: f32,
    idf: f32,
}

/// A word of an earlier question, with its weight beside a word of the question itself.
pub type ContextWord = (String, f32);

impl Lexical {
    /// Indexes the documents in order. `with_grams` adds n-grams to the score.
    pub fn build(language: Option<&str>, documents: &[&Fields], with_grams: bool) -> Self {
        let analyzer = Analyzer::new(language);
        let mut numbering = Numbering::default();
        let mut words = PostingsBuilder::default();
        let mut grams = with_grams.then(PostingsBuilder::default);
        let (mut occurrences, mut of_grams) = (Vec::new(), Vec::new());
        for document in documents {
            occurrences.clear();
            of_grams.clear();
            let fields = [(&document.question, true), (&document.headings, true), (&document.body, false)];
            for (text, in_question) in fields {
                analyzer.each_word(text, |word| {
                    occurrences.push(Occurrence { term: numbering.term(&analyzer, word), in_question });
                    if with_grams {
                        analyzer.grams(word, |gram| {
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
        let stems = Lexicon::new(numbering.stems);
        let compounds = analyzer.joins_words().then(|| Compounds::new(stems.starting_with("")));
        Self {
            acronyms: Acronyms::new(&analyzer, documents),
            analyzer,
            surfaces: Lexicon::new(numbering.surfaces),
            stems,
            words: words.finish(),
            grams,
            compounds,
            language: language.unwrap_or_default().to_owned(),
            documents: documents.len(),
        }
    }

    /// Returns the score of every document, in order, for the question's words and those of earlier
    /// questions.
    pub fn scores(&self, words: &[String], context: &[ContextWord]) -> Vec<LexicalScore> {
        let terms = self.weigh(words, context);
        let mut scores = self.word_scores(&terms);
        let Some(grams) = &self.grams else { return scores };
        let weighted = self.weigh_grams(words, context);
        let terms = weighted.iter().map(|(gram, weight)| (grams.number(*gram), *weight));
        for (word, gram) in scores.iter_mut().zip(score(&grams.postings, self.documents, terms)) {
            word.score = (1.0 - GRAM_SHARE) * word.score + GRAM_SHARE * gram.score;
        }
        scores
    }

    /// Returns the words of the site with the meaning of those words that it does not contain.
    pub fn meant(&self, words: &[String]) -> Vec<&'static str> {
        let unknown = words.iter().filter(|word| !self.knows(word));
        let known = |other: &&str| self.has_stem(other);
        unknown.flat_map(|word| synonyms::of(&self.language, word).filter(known)).collect()
    }

    /// Whether the documents contain a word as it is written.
    pub fn has(&self, word: &str) -> bool {
        self.surfaces.get(word).is_some()
    }

    /// Whether the documents contain a word in any form.
    pub fn has_stem(&self, word: &str) -> bool {
        self.stems.get(&self.analyzer.stem(word)).is_some()
    }

    /// Returns the indexed form of a word and its idf on the site. An unknown word has the highest.
    pub fn weighted(&self, word: &str) -> (String, f32) {
        let stem = self.analyzer.stem(word);
        let term = self.stems.get(&stem);
        let idf = self.words.idf(term.map_or(0, |term| self.words.document_count(term)));
        (stem, idf)
    }

    /// Returns the words, each once, with their idf on the site.
    pub fn distinct_words<'a>(&self, words: &'a [String]) -> impl Iterator<Item = (&'a str, f32)> {
        let is_first = |at: &usize| !words[..*at].contains(&words[*at]);
        (0..words.len()).filter(is_first).map(|at| (words[at].as_str(), self.weighted(&words[at]).1))
    }

    /// Returns the words that are not function words, each once.
    pub fn content_words(&self, words: &[String]) -> Vec<String> {
        let mut content: Vec<String> = Vec::new();
        for word in words.iter().filter(|word| !self.analyzer.is_small(word)) {
            if !content.contains(word) {
                content.push(word.clone());
            }
        }
        content
    }

    /// Returns the share of the idf of these words that a document has, 0 to 1.
    pub fn content_coverage(&self, words: &[String], document: usize) -> f32 {
        let (mut mass, mut covered) = (0.0, 0.0);
        for word in words {
            let term = self.query_term(&self.analyzer.stem(word), 1.0);
            mass += term.idf;
            let terms = term.exact.map(|exact| (exact, 1.0)).into_iter().chain(term.related);
            let found = terms.filter(|(term, _)| self.words.contains(*term, document)).map(|(_, share)| share);
            covered += term.idf * found.fold(0.0, f32::max);
        }
        if mass > 0.0 { covered / mass } else { 0.0 }
    }

    /// Share of the documents that contain a word, 0 to 1.
    pub fn document_share(&self, word: &str) -> f32 {
        let term = self.stems.get(&self.analyzer.stem(word));
        term.map_or(0, |term| self.words.document_count(term)) as f32 / self.documents.max(1) as f32
    }

    /// The analysis that documents and questions go through.
    pub fn analyzer(&self) -> Analyzer {
        self.analyzer
    }

    /// Number of bytes on the heap.
    pub fn size_bytes(&self) -> usize {
        let grams = self
            .grams
            .as_ref()
            .map_or(0, |grams| grams.hashes.len() * 2 * size_of::<u32>() + grams.postings.size_bytes());
        let compounds = self.compounds.as_ref().map_or(0, Compounds::size_bytes);
        let lists = self.surfaces.size_bytes() + self.stems.size_bytes() + self.acronyms.size_bytes();
        lists + self.words.size_bytes() + compounds + grams
    }

    /// Weight of a word of a question beside its idf.
    fn weight(&self, word: &str) -> f32 {
        if self.analyzer.is_small(word) && !self.has_stem(word) { UNSEEN_FUNCTION_WORD } else { 1.0 }
    }

    /// Returns distinct terms in order of first use. The words of earlier questions together weigh
    /// at most [`MAX_CONTEXT_SHARE`] of the question's own content words.
    fn weigh(&self, words: &[String], context: &[ContextWord]) -> Vec<QueryTerm> {
        let own = distinct(words.iter().map(|word| (self.analyzer.stem(word), self.weight(word))));
        let mut terms: Vec<QueryTerm> = own.iter().map(|(stem, weight)| self.query_term(stem, *weight)).collect();
        for word in words {
            let stem = self.analyzer.stem(word);
            let term = own.iter().position(|(known, _)| *known == stem).map(|at| &mut terms[at]);
            if let Some(term) = term.filter(|term| term.exact.is_none() && term.related.is_empty()) {
                let known =
                    synonyms::of(&self.language, word).filter_map(|other| self.stems.get(&self.analyzer.stem(other)));
                term.related.extend(known.map(|other| (other, synonyms::WEIGHT)));
            }
        }
        if context.is_empty() {
            return terms;
        }
        let content = words.iter().filter(|word| !self.analyzer.is_small(word) && self.has_stem(word));
        let of_own: f32 = distinct(content.map(|word| (self.analyzer.stem(word), self.weighted(word).1)))
            .iter()
            .map(|(_, idf)| idf)
            .sum();
        let earlier = context.iter().map(|(word, weight)| (self.analyzer.stem(word), weight * self.weight(word)));
        let earlier = distinct(earlier).into_iter().filter(|(stem, _)| own.iter().all(|(known, _)| known != stem));
        let mut earlier: Vec<QueryTerm> = earlier.map(|(stem, weight)| self.query_term(&stem, weight)).collect();
        let of_earlier: f32 = earlier.iter().map(|term| term.weight * term.idf).sum();
        if of_own > 0.0 && of_earlier > MAX_CONTEXT_SHARE * of_own {
            let factor = MAX_CONTEXT_SHARE * of_own / of_earlier;
            earlier.iter_mut().for_each(|term| term.weight *= factor);
        }
        terms.append(&mut earlier);
        terms
    }

    fn query_term(&self, stem: &str, weight: f32) -> QueryTerm {
        let exact = self.stems.get(stem);
        let mut related = Vec::new();
        if let Some(compounds) = &self.compounds {
            compounds.each(&self.stems, stem, |term, weight| related.push((term, weight)));
        }
        let count = |term: u32| self.words.document_count(term);
        let of_related: u32 = related.iter().map(|(term, _)| count(*term)).sum();
        let with = exact.map_or(0, count).max(of_related.min(self.documents as u32));
        QueryTerm { exact, related, weight, idf: self.words.idf(with) }
    }

    fn word_scores(&self, terms: &[QueryTerm]) -> Vec<LexicalScore> {
        let mut matches = vec![Match::default(); self.documents];
        let mut mass = 0.0;
        // The last term that was found in each document as it is asked for: its compounds add nothing.
        let mut found: Vec<u16> = Vec::new();
        for (number, term) in (1_u16..).zip(terms) {
            let weight = term.weight * term.idf;
            mass += weight;
            if term.related.is_empty() {
                term.exact.inspect(|exact| self.words.add(*exact, weight, &mut matches));
                continue;
            }
            found.resize(self.documents, 0);
            let best = term.exact.map(|exact| (exact, 1.0));
            for (related, share) in best.into_iter().chain(term.related.iter().copied()) {
                self.words.each(related, |document, matched| {
                    if found[document] != number {
                        found[document] = number;
                        matches[document].score += weight * share * matched;
                        matches[document].covered += weight * share;
                    }
                });
            }
        }
        shares(matches, mass)
    }

    fn weigh_grams(&self, words: &[String], context: &[ContextWord]) -> Vec<(u32, f32)> {
        let mut all = Vec::new();
        let own = words.iter().map(|word| (word, 1.0));
        for (word, weight) in own.chain(context.iter().map(|(word, weight)| (word, *weight))) {
            let weight = weight * self.weight(word);
            self.analyzer.grams(word, |gram| all.push((gram, weight)));
        }
        distinct(all.into_iter())
    }
}

impl Grams {
    /// Sorts the hashes for lookup. The postings keep the numbers that were given while building, so
    /// each hash is stored with its number.
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
    let mut seen = HashSet::new();
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
    shares(matches, mass)
}

fn shares(matches: Vec<Match>, mass: f32) -> Vec<LexicalScore> {
    if mass <= 0.0 {
        return vec![LexicalScore::default(); matches.len()];
    }
    let share = |found: Match| LexicalScore { score: found.score / mass, coverage: found.covered / mass };
    matches.into_iter().map(share).collect()
}
