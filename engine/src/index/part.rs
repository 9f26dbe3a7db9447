//! The entries of a site in one language: analyzed, weighted and searched by its rules.

use std::sync::OnceLock;

use crate::alignment::AskedPiece;
use crate::chunk::Fields;
use crate::embedding;
use crate::embedding_table::Table;
use crate::lexical::{ContextWord, Lexical, LexicalScore, Terms};
use crate::multilingual;
use crate::parallel::WORTH_A_THREAD;
use crate::retrieval::Channels;
use crate::semantic::{Cuts, Semantic};
use crate::vectors::QueryVector;

/// Share of the semantic channel in the sum of both, for English entries. It is flat from .5 to .65
/// on the development sets. More helps short entries, less helps documentation.
const ENGLISH_SHARE: f32 = 0.6;
/// The same for FAQ entries and passages in other languages.
const MULTILINGUAL_SHARE: f32 = 0.5;
const MULTILINGUAL_PASSAGE_SHARE: f32 = 0.15;

/// The searchable form of these entries.
#[derive(Debug)]
pub(super) struct LanguagePart {
    /// Primary subtag. `None` when the language is unknown.
    pub language: Option<String>,
    /// Positions of the entries among those of the site, ascending.
    pub places: Vec<u32>,
    pub lexical: Lexical,
    pub semantic: Option<Semantic>,
    /// Whether each entry is a passage.
    is_passage: Vec<bool>,
    /// Vectors by the multilingual table for questions in another language, built when the first
    /// one arrives.
    across: OnceLock<Semantic>,
}

/// An earlier question, with the weight of its words beside those of the question itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Earlier<'a> {
    pub question: &'a str,
    pub weight: f32,
}

/// A question as one part understands it, with its scores there.
#[derive(Debug, Clone)]
pub(super) struct Search {
    pub terms: Terms,
    /// In the order of the part's entries.
    pub lexical: Vec<LexicalScore>,
    /// In the same order. `None` where the channel is off.
    pub cosines: Option<Vec<f32>>,
    /// The pieces of the question that are compared with those of the best entries.
    pub asked: Vec<AskedPiece>,
    /// Whether earlier questions were part of the search.
    pub has_context: bool,
    /// Whether only cosines count, because the question is in another language.
    pub is_beyond_words: bool,
    /// Whether the cosines come from an external embedding model.
    pub is_external: bool,
}

impl LanguagePart {
    /// Builds the part. `documents` are all documents of the site, by position.
    pub fn build(language: Option<String>, places: Vec<u32>, documents: &[Fields], channels: Channels) -> Self {
        let own: Vec<&Fields> = places.iter().map(|place| &documents[*place as usize]).collect();
        let cuts = match channels {
            Channels::Both => Cuts::of(&own, language.as_deref()),
            Channels::LexicalOnly => None,
        };
        let has_grams = cuts.as_ref().is_none_or(|cuts| cuts.table() == Table::Multilingual);
        let (lexical, semantic) = match &cuts {
            None => (Lexical::build(language.as_deref(), &own, has_grams), None),
            Some(cuts) if own.len() < WORTH_A_THREAD => {
                (Lexical::build(language.as_deref(), &own, has_grams), Some(Semantic::build(&own, cuts)))
            }
            // Both channels take about as long and do not depend on each other.
            Some(cuts) => std::thread::scope(|scope| {
                let semantic = scope.spawn(|| Semantic::build(&own, cuts));
                let lexical = Lexical::build(language.as_deref(), &own, has_grams);
                (lexical, Some(semantic.join().expect("a panic in a worker thread is passed on")))
            }),
        };
        let is_passage = own.iter().map(|fields| fields.is_passage).collect();
        Self { language, places, lexical, semantic, is_passage, across: OnceLock::new() }
    }

    /// Scores every entry. A word for which `is_known` holds is not taken for a typing error.
    /// `may_mean` says whether the question can be in the language of the part.
    pub fn search(
        &self,
        question: &str,
        context: &[Earlier<'_>],
        is_known: impl Fn(&str) -> bool,
        may_mean: bool,
    ) -> Search {
        let semantic = self.semantic.as_ref().filter(|_| may_mean);
        let general = semantic.filter(|semantic| semantic.table() == Table::English).map(|_| embedding::words());
        let terms = self.lexical.terms(question, general, &is_known);
        let mut words: Vec<ContextWord> = Vec::new();
        for earlier in context {
            let terms = self.lexical.terms(earlier.question, general, &is_known);
            words.extend(terms.words.into_iter().map(|word| (word, earlier.weight)));
        }
        let lexical = self.lexical.scores(&terms.words, &words);
        let mut asked = Vec::new();
        let cosines = semantic.and_then(|semantic| {
            let mut text = match semantic.table() {
                Table::English => apply(question, &terms.repairs),
                // Case counts in this table, and its pieces bear typing errors.
                Table::Multilingual => question.to_owned(),
            };
            for meant in self.lexical.meant(&terms.words) {
                text.push(' ');
                text.push_str(meant);
            }
            asked = semantic.asked(&text);
            let earlier: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
            Some(semantic.scores(&semantic.embed(&text, &earlier.join(" "))?))
        });
        let has_context = !words.is_empty();
        Search { terms, lexical, cosines, asked, has_context, is_beyond_words: false, is_external: false }
    }

    /// Scores every entry for a question in another language. `None` when the multilingual table
    /// does not know the language of the part.
    pub fn search_across(&self, question: &str, documents: impl Fn(u32) -> Fields) -> Option<Search> {
        self.language.as_deref().filter(|language| multilingual::knows(language))?;
        let semantic = match &self.semantic {
            Some(semantic) if semantic.table() == Table::Multilingual => semantic,
            _ => self.across.get_or_init(|| {
                let own: Vec<Fields> = self.places.iter().map(|place| documents(*place)).collect();
                let own: Vec<&Fields> = own.iter().collect();
                Semantic::build(&own, &Cuts::by(Table::Multilingual, &own))
            }),
        };
        let question: QueryVector = semantic.embed(question, "")?;
        let cosines = semantic.scores(&question);
        let lexical = vec![LexicalScore::default(); cosines.len()];
        let terms = Terms { words: Vec::new(), repairs: Vec::new() };
        Some(Search {
            terms,
            lexical,
            cosines: Some(cosines),
            asked: Vec::new(),
            has_context: false,
            is_beyond_words: true,
            is_external: false,
        })
    }

    /// The score of entry `at` of a search.
    pub fn score(&self, search: &Search, at: usize) -> f32 {
        let lexical = search.lexical[at].score;
        let Some(cosines) = &search.cosines else { return lexical };
        if search.is_beyond_words {
            return cosines[at];
        }
        let share = match self.semantic.as_ref().map(Semantic::table) {
            _ if search.is_external => ENGLISH_SHARE,
            Some(Table::Multilingual) if self.is_passage[at] => MULTILINGUAL_PASSAGE_SHARE,
            Some(Table::Multilingual) => MULTILINGUAL_SHARE,
            _ => ENGLISH_SHARE,
        };
        (1.0 - share) * lexical + share * cosines[at]
    }

    /// Number of bytes beyond the entries themselves.
    pub fn size_bytes(&self) -> usize {
        let semantic = self.semantic.iter().chain(self.across.get()).map(Semantic::size_bytes).sum::<usize>();
        self.places.len() * size_of::<u32>() + self.is_passage.len() + self.lexical.size_bytes() + semantic
    }
}

/// The question with corrected words, for the channel that reads text.
fn apply(question: &str, repairs: &[(String, String)]) -> String {
    let text = question.to_lowercase();
    if repairs.is_empty() {
        return text;
    }
    // Whole words only: "u" must not be corrected inside "output".
    let mut words: Vec<String> =
        text.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '\'')).map(str::to_owned).collect();
    let mut text;
    for (written, meant) in repairs {
        if written.contains(' ') {
            text = words.concat().replace(written.as_str(), meant);
            words = text.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '\'')).map(str::to_owned).collect();
        }
        for word in &mut words {
            let end = word.trim_end_matches(|c: char| !(c.is_alphanumeric() || c == '\'')).len();
            if word[..end] == **written {
                word.replace_range(..end, meant);
            }
        }
    }
    words.concat()
}
