//! The immutable in-memory index of one site: built from its chunks, shared, replaced on change.
//!
//! A site has ten to a hundred thousand chunks, so search is exact: every entry gets an absolute
//! score from both channels, and the best few come back with all that led to their place.
//! Patching gives the same index as building from the resulting chunks; nothing of a removed
//! chunk stays, not even its share in the weights of words.

use std::collections::HashSet;
use std::sync::Arc;

use helpbot_domain::ids::ChunkId;

use crate::analysis::Analyzer;
use crate::chunk::{Chunk, Fields};
use crate::embedding;
use crate::language;
use crate::lexical::{Lexical, LexicalScore, Terms};
use crate::retrieval::{Candidate, Channels, Retrieval};
use crate::semantic::Semantic;

/// How many candidates a retrieval returns at most.
pub const MAX_CANDIDATES: usize = 10;
/// The semantic channel's share in the sum of both. Flat from .5 to .65 on the development sets;
/// more helps short entries, less helps documentation.
const SEMANTIC_SHARE: f32 = 0.6;
/// What a word of an earlier question counts beside one of the question itself.
const CONTEXT_WEIGHT: f32 = 0.5;
/// Characters of the site's text from which its language is detected.
const LANGUAGE_SAMPLE_CHARS: usize = 20_000;

/// All chunks of a site, ready to be searched. Cloning shares.
#[derive(Debug, Clone)]
pub struct Index {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    chunks: Vec<Arc<Chunk>>,
    /// As given to `build`, so that a patch detects again what was detected.
    given_language: Option<String>,
    language: Option<String>,
    channels: Channels,
    lexical: Lexical,
    semantic: Option<Semantic>,
}

impl Index {
    /// An index of these chunks, in this order, which decides between equal scores.
    ///
    /// `language` is the site's primary subtag; none or `auto` detects it from the chunks.
    pub fn build(chunks: Vec<Chunk>, language: Option<&str>) -> Self {
        Self::build_with(chunks, language, Channels::Both)
    }

    /// As [`Index::build`], with a choice of channels: for measurements.
    pub fn build_with(chunks: Vec<Chunk>, language: Option<&str>, channels: Channels) -> Self {
        Self::build_shared(chunks.into_iter().map(Arc::new).collect(), language, channels)
    }

    /// The index after adding chunks and removing others; an added chunk replaces one of its id.
    ///
    /// Equal to building anew from the resulting chunks, and costs as much, since the weight of
    /// every word depends on all of them; the text itself is shared with this index.
    pub fn patched(&self, added: Vec<Chunk>, removed: &HashSet<ChunkId>) -> Self {
        let replaced: HashSet<ChunkId> = added.iter().map(|chunk| chunk.id).collect();
        let gone = |id: &ChunkId| removed.contains(id) || replaced.contains(id);
        let kept = self.inner.chunks.iter().filter(|chunk| !gone(&chunk.id)).cloned();
        let chunks = kept.chain(added.into_iter().map(Arc::new)).collect();
        Self::build_shared(chunks, self.inner.given_language.as_deref(), self.inner.channels)
    }

    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.inner.chunks.len()
    }

    /// Whether there is nothing to find.
    pub fn is_empty(&self) -> bool {
        self.inner.chunks.is_empty()
    }

    /// Bytes that the index holds, chunk texts included.
    pub fn size_bytes(&self) -> usize {
        let chunks: usize = self.inner.chunks.iter().map(|chunk| size_of::<Chunk>() + chunk.text_bytes()).sum();
        chunks + self.overhead_bytes()
    }

    /// Bytes beyond the chunks themselves: postings, words, vectors.
    pub fn overhead_bytes(&self) -> usize {
        let semantic = self.inner.semantic.as_ref().map_or(0, Semantic::size_bytes);
        self.inner.lexical.size_bytes() + semantic
    }

    /// The language of the site as given or detected; none when neither.
    pub fn language(&self) -> Option<&str> {
        self.inner.language.as_deref()
    }

    /// The language that the index was built with; none when it was to be detected.
    pub fn given_language(&self) -> Option<&str> {
        self.inner.given_language.as_deref()
    }

    /// Whether the semantic channel is on for this site.
    pub fn has_semantic(&self) -> bool {
        self.inner.semantic.is_some()
    }

    /// The chunks in order.
    pub fn chunks(&self) -> &[Arc<Chunk>] {
        &self.inner.chunks
    }

    /// The best entries for a question: at most [`MAX_CANDIDATES`], best first, ties in the order
    /// of the chunks; empty only when the index is.
    ///
    /// `context` is an earlier question that this one follows up; its words count half.
    pub fn retrieve(&self, question: &str, context: Option<&str>) -> Retrieval {
        let inner = &*self.inner;
        let general = inner.semantic.as_ref().map(|_| embedding::words());
        let terms = inner.lexical.terms(question, general);
        let context = context.map(|context| inner.lexical.terms(context, general).words);
        let context = context.unwrap_or_default();
        let lexical = inner.lexical.scores(&terms.words, &context, CONTEXT_WEIGHT);
        let cosines = self.cosines(question, &terms, &context);
        let candidates = self.best(&lexical, cosines.as_deref());
        Retrieval {
            question: question.to_owned(),
            word_count: terms.words.len(),
            repairs: terms.repairs,
            is_semantic: cosines.is_some(),
            is_follow_up: !context.is_empty(),
            candidates,
        }
    }

    /// The words of a text as this site's index sees them, with the idf of each.
    pub(crate) fn weighted_words(&self, text: &str) -> Vec<(String, f32)> {
        let lexical = &self.inner.lexical;
        let analyzer = lexical.analyzer();
        let words = analyzer.words(text);
        words.iter().map(|word| (analyzer.stem(word), lexical.idf(word))).collect()
    }

    fn build_shared(chunks: Vec<Arc<Chunk>>, given: Option<&str>, channels: Channels) -> Self {
        let given = given.and_then(helpbot_domain::language::primary);
        let language = given.clone().or_else(|| detect(&chunks));
        let documents: Vec<Fields> = chunks.iter().map(|chunk| chunk.fields()).collect();
        let semantic = match channels {
            Channels::Both => Semantic::build(&documents),
            Channels::LexicalOnly => None,
        };
        let analyzer = Analyzer::new(language.as_deref());
        let lexical = Lexical::build(analyzer, &documents, semantic.is_none());
        let inner = Inner { chunks, given_language: given, language, channels, lexical, semantic };
        Self { inner: Arc::new(inner) }
    }

    fn cosines(&self, question: &str, terms: &Terms, context: &[String]) -> Option<Vec<f32>> {
        let semantic = self.inner.semantic.as_ref()?;
        let mut text = apply(question, &terms.repairs);
        for word in context {
            text.push(' ');
            text.push_str(word);
        }
        Some(semantic.scores(&semantic.embed(&text)?))
    }

    fn best(&self, lexical: &[LexicalScore], cosines: Option<&[f32]>) -> Vec<Candidate> {
        let total = |at: usize| match cosines {
            Some(cosines) => (1.0 - SEMANTIC_SHARE) * lexical[at].score + SEMANTIC_SHARE * cosines[at],
            None => lexical[at].score,
        };
        // A short sorted list: most entries fail the first comparison with its last place.
        let mut best: Vec<(f32, usize)> = Vec::with_capacity(MAX_CANDIDATES + 1);
        for at in 0..lexical.len() {
            let score = total(at);
            if best.len() == MAX_CANDIDATES && score <= best[MAX_CANDIDATES - 1].0 {
                continue;
            }
            let place = best.partition_point(|(better, _)| *better >= score);
            best.insert(place, (score, at));
            best.truncate(MAX_CANDIDATES);
        }
        let scores: Vec<f32> = best.iter().map(|(score, _)| *score).collect();
        best.iter()
            .enumerate()
            .map(|(place, &(score, at))| Candidate {
                chunk: Arc::clone(&self.inner.chunks[at]),
                score: f64::from(score),
                lexical: f64::from(lexical[at].score),
                semantic: cosines.map(|cosines| f64::from(cosines[at])),
                coverage: f64::from(lexical[at].coverage),
                gap: scores.get(place + 1).map_or(f64::from(score), |next| f64::from(score - next)),
            })
            .collect()
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

fn detect(chunks: &[Arc<Chunk>]) -> Option<String> {
    let mut sample = String::new();
    for chunk in chunks {
        for part in [chunk.question.as_deref().unwrap_or_default(), &chunk.text] {
            sample.push_str(part);
            sample.push('\n');
        }
        if sample.len() > LANGUAGE_SAMPLE_CHARS {
            break;
        }
    }
    language::detect(&sample).map(str::to_owned)
}
