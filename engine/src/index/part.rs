//! The entries of a site that are in one language: analysed, weighted and searched by its rules.

use crate::analysis::Analyzer;
use crate::chunk::Fields;
use crate::embedding;
use crate::lexical::{Lexical, LexicalScore, Terms};
use crate::parallel::WORTH_A_THREAD;
use crate::retrieval::Channels;
use crate::semantic::{Cuts, Semantic};

/// What a word of an earlier question counts beside one of the question itself.
const CONTEXT_WEIGHT: f32 = 0.5;

/// The searchable form of these entries.
#[derive(Debug)]
pub(super) struct LanguagePart {
    /// Primary subtag; none when nothing tells.
    pub language: Option<String>,
    /// The places of its entries among those of the site, ascending.
    pub places: Vec<u32>,
    pub lexical: Lexical,
    pub semantic: Option<Semantic>,
}

/// What a question means to one part, and what it scores there.
#[derive(Debug)]
pub(super) struct Search {
    pub terms: Terms,
    /// In the order of the part's entries.
    pub lexical: Vec<LexicalScore>,
    /// In the same order; none where the channel is off.
    pub cosines: Option<Vec<f32>>,
    /// Whether an earlier question was searched along.
    pub has_context: bool,
    /// Whether words cannot tell, since the question is in another language.
    pub is_beyond_words: bool,
}

impl LanguagePart {
    /// `documents` are all of the site's, by place.
    pub fn build(language: Option<String>, places: Vec<u32>, documents: &[Fields], channels: Channels) -> Self {
        let own: Vec<&Fields> = places.iter().map(|place| &documents[*place as usize]).collect();
        let cuts = match channels {
            Channels::Both => Cuts::of(&own),
            Channels::LexicalOnly => None,
        };
        let analyzer = Analyzer::new(language.as_deref());
        let Some(cuts) = cuts else {
            let lexical = Lexical::build(analyzer, &own, true);
            return Self { language, places, lexical, semantic: None };
        };
        // Both channels take about as long, and know nothing of each other.
        let (lexical, semantic) = if own.len() < WORTH_A_THREAD {
            (Lexical::build(analyzer, &own, false), Semantic::build(&own, &cuts))
        } else {
            std::thread::scope(|scope| {
                let semantic = scope.spawn(|| Semantic::build(&own, &cuts));
                let lexical = Lexical::build(analyzer, &own, false);
                (lexical, semantic.join().expect("a build that panics on one thread would on any"))
            })
        };
        let semantic = Some(semantic);
        Self { language, places, lexical, semantic }
    }

    /// Scores every entry. A word that `is_known` elsewhere on the site is not taken for a typing
    /// error; `may_mean` says whether the question may be in the language of the vectors.
    pub fn search(
        &self,
        question: &str,
        context: Option<&str>,
        is_known: impl Fn(&str) -> bool,
        may_mean: bool,
    ) -> Search {
        let semantic = self.semantic.as_ref().filter(|_| may_mean);
        let general = semantic.map(|_| embedding::words());
        let terms = self.lexical.terms(question, general, &is_known);
        let context = context.map(|context| self.lexical.terms(context, general, &is_known).words);
        let context = context.unwrap_or_default();
        let lexical = self.lexical.scores(&terms.words, &context, CONTEXT_WEIGHT);
        let cosines = semantic.and_then(|semantic| {
            let mut text = apply(question, &terms.repairs);
            for word in &context {
                text.push(' ');
                text.push_str(word);
            }
            Some(semantic.scores(&semantic.embed(&text)?))
        });
        Search { terms, lexical, cosines, has_context: !context.is_empty(), is_beyond_words: false }
    }

    /// Bytes beyond the entries themselves.
    pub fn size_bytes(&self) -> usize {
        let semantic = self.semantic.as_ref().map_or(0, Semantic::size_bytes);
        self.places.len() * size_of::<u32>() + self.lexical.size_bytes() + semantic
    }
}

/// The question with misspelt words replaced, for the channel that reads text.
fn apply(question: &str, repairs: &[(String, String)]) -> String {
    let mut text = question.to_lowercase();
    for (written, meant) in repairs {
        text = text.replace(written.as_str(), meant);
    }
    text
}
