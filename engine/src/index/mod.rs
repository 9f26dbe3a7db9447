//! The in-memory index of one site. It is built from the site's chunks and never changed.
//!
//! A site has ten to a hundred thousand chunks, so that search is exact: every entry gets an
//! absolute score from both channels. The best entries are then compared with what the question
//! names exactly. Entries in different languages are analyzed separately and ranked together,
//! because their scores mean the same. A change builds a new index, because the weight of every
//! word depends on all chunks, and so nothing of a removed chunk stays.

mod languages;
mod part;
mod profile;
mod rules;
mod search;

use std::sync::Arc;

use helpbot_domain::answer_rule::AnswerRule;

use crate::chunk::{Chunk, Fields};
use crate::external_embeddings::ExternalVectors;
use crate::parallel;
use crate::retrieval::{Candidate, Channels};
use languages::Languages;
pub(crate) use part::Earlier;
use part::LanguagePart;
use profile::SiteProfile;
use rules::Rules;

/// Maximum number of candidates of a retrieval.
pub const MAX_CANDIDATES: usize = 10;

/// All chunks of a site, ready to be searched. Clones share the data.
#[derive(Debug, Clone)]
pub struct Index {
    inner: Arc<IndexData>,
    /// Vectors that replace the built-in ones, for questions with a vector of the same model.
    external: Option<Arc<ExternalVectors>>,
    rules: Arc<Rules>,
}

#[derive(Debug)]
struct IndexData {
    chunks: Vec<Arc<Chunk>>,
    /// The language that was given to `build`. A later build detects a detected language again.
    given_language: Option<String>,
    language: Option<String>,
    /// One part per language, in the order of their first chunks.
    parts: Vec<LanguagePart>,
    /// One per part.
    profiles: Vec<SiteProfile>,
}

impl Index {
    /// Builds an index of these chunks. Their order decides between equal scores.
    ///
    /// `language` is the primary subtag of the site. `None` and `auto` detect it from the chunks.
    /// Chunks that are certainly in another language are treated by the rules of that language.
    pub fn build(chunks: Vec<Chunk>, language: Option<&str>) -> Self {
        Self::build_with(chunks, language, Channels::Both)
    }

    /// Like [`Index::build`], with a choice of channels for measurements.
    pub fn build_with(chunks: Vec<Chunk>, language: Option<&str>, channels: Channels) -> Self {
        Self::build_shared(chunks.into_iter().map(Arc::new).collect(), language, channels)
    }

    /// Returns the index with the vectors of an embedding model, in their stored form and in the
    /// order of the chunks. `None` when vectors are missing or differ in length.
    pub fn with_vectors(&self, model: &str, stored: &[Vec<u8>]) -> Option<Self> {
        let external = ExternalVectors::build(model, &self.inner.chunks, stored)?;
        Some(Self { external: Some(Arc::new(external)), ..self.clone() })
    }

    /// Returns the index with these answer rules of the owner, oldest first. Rules about entries that
    /// the index does not contain have no effect.
    #[must_use]
    pub fn with_rules(&self, rules: Vec<AnswerRule>) -> Self {
        Self { rules: Arc::new(Rules::of(&self.inner, rules)), ..self.clone() }
    }

    /// Name of the embedding model of the vectors. `None` when the built-in table is used.
    pub fn embedding_model(&self) -> Option<&str> {
        self.external.as_deref().map(ExternalVectors::model)
    }

    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.inner.chunks.len()
    }

    /// Whether there are no chunks.
    pub fn is_empty(&self) -> bool {
        self.inner.chunks.is_empty()
    }

    /// Number of bytes of the index, including the texts of the chunks.
    pub fn size_bytes(&self) -> usize {
        let chunks: usize = self.inner.chunks.iter().map(|chunk| size_of::<Chunk>() + chunk.text_bytes()).sum();
        chunks + self.overhead_bytes()
    }

    /// Number of bytes beyond the chunks: postings, words, vectors.
    pub fn overhead_bytes(&self) -> usize {
        let parts: usize = self.inner.parts.iter().map(LanguagePart::size_bytes).sum();
        parts + self.external.as_deref().map_or(0, ExternalVectors::size_bytes)
    }

    /// Language of the site, as given or detected. `None` when it is unknown.
    pub fn language(&self) -> Option<&str> {
        self.inner.language.as_deref()
    }

    /// The language that was given to the build. `None` when it was detected.
    pub fn given_language(&self) -> Option<&str> {
        self.inner.given_language.as_deref()
    }

    /// The languages of the chunks, in the order in which they first occur. `None` for chunks whose
    /// language is unknown.
    pub fn languages(&self) -> impl Iterator<Item = Option<&str>> {
        self.inner.parts.iter().map(|part| part.language.as_deref())
    }

    /// The chunks, in order.
    pub fn chunks(&self) -> &[Arc<Chunk>] {
        &self.inner.chunks
    }

    /// Returns the words of a text as the site sees them in the language of `near`, with their idf.
    pub(crate) fn weighted_words(&self, near: &Candidate, text: &str) -> Vec<(String, f32)> {
        let Some(part) = self.inner.parts.get(near.part) else { return Vec::new() };
        let words = part.lexical.analyzer().words(text);
        words.iter().map(|word| part.lexical.weighted(word)).collect()
    }

    /// Returns the content words of a text in the language of `near`, with their idf on the site.
    pub(crate) fn content_words(&self, near: &Candidate, text: &str) -> Vec<(String, f32)> {
        let Some(part) = self.inner.parts.get(near.part) else { return Vec::new() };
        let analyzer = part.lexical.analyzer();
        let words = analyzer.words(text);
        words.iter().filter(|word| !analyzer.is_small(word)).map(|word| part.lexical.weighted(word)).collect()
    }

    fn build_shared(chunks: Vec<Arc<Chunk>>, given: Option<&str>, channels: Channels) -> Self {
        let given = given.and_then(helpbot_domain::language::primary);
        let Languages { site, groups } = Languages::of(&chunks, given.as_deref());
        let documents: Vec<Fields> = parallel::map(&chunks, |chunk| Fields::of(chunk));
        let part = |(language, places)| LanguagePart::build(language, places, &documents, channels);
        let parts = groups.into_iter().map(part).collect();
        let mut data = IndexData { chunks, given_language: given, language: site, parts, profiles: Vec::new() };
        data.profiles = data.profiles();
        Self { inner: Arc::new(data), external: None, rules: Arc::default() }
    }
}
