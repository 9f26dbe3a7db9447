//! The immutable in-memory index of one site: built from its chunks, shared, replaced on change.
//!
//! A site has ten to a hundred thousand chunks, so search is exact: every entry gets an absolute
//! score from both channels, and the best few come back with all that led to their place.
//! Entries in different languages are analysed apart and ranked together, since the scores mean
//! the same. A change makes a new index: the weight of every word depends on all chunks, and
//! nothing of a removed one stays, not even its share in them.

mod languages;
mod part;

use std::sync::Arc;

use crate::chunk::{Chunk, Fields};
use crate::external_embeddings::{CosineScale, ExternalVectors};
use crate::language;
use crate::parallel;
use crate::retrieval::{Candidate, Channels, Retrieval};
use crate::vectors::QueryVector;
use languages::Languages;
use part::{LanguagePart, Search};

/// How many candidates a retrieval returns at most.
pub const MAX_CANDIDATES: usize = 10;
/// The semantic channel's share in the sum of both. Flat from .5 to .65 on the development sets;
/// more helps short entries, less helps documentation.
const SEMANTIC_SHARE: f32 = 0.6;

/// All chunks of a site, ready to be searched. Cloning shares.
#[derive(Debug, Clone)]
pub struct Index {
    inner: Arc<IndexData>,
    /// In place of the built-in vectors, for questions that have one of the same model.
    external: Option<Arc<ExternalVectors>>,
}

#[derive(Debug)]
struct IndexData {
    chunks: Vec<Arc<Chunk>>,
    /// As given to `build`, so that another one detects again what was detected.
    given_language: Option<String>,
    language: Option<String>,
    /// One for each language, in the order of their first chunks.
    parts: Vec<LanguagePart>,
}

/// An entry on its way to being a candidate.
#[derive(Debug, Clone, Copy)]
struct Scored {
    score: f32,
    /// Its place among the chunks.
    place: u32,
    part: usize,
    /// Its place among those of the part.
    at: usize,
}

impl Index {
    /// An index of these chunks, in this order, which decides between equal scores.
    ///
    /// `language` is the site's primary subtag; none or `auto` detects it from the chunks. Chunks
    /// that are surely in another one are treated as what they are.
    pub fn build(chunks: Vec<Chunk>, language: Option<&str>) -> Self {
        Self::build_with(chunks, language, Channels::Both)
    }

    /// As [`Index::build`], with a choice of channels: for measurements.
    pub fn build_with(chunks: Vec<Chunk>, language: Option<&str>, channels: Channels) -> Self {
        Self::build_shared(chunks.into_iter().map(Arc::new).collect(), language, channels)
    }

    /// The same index with the vectors of an embedding model, in their stored form and in the order
    /// of the chunks. None when those of one chunk are missing or of another length: only all of
    /// them are comparable.
    pub fn with_vectors(&self, model: &str, stored: &[Vec<u8>]) -> Option<Self> {
        let external = ExternalVectors::build(model, &self.inner.chunks, stored)?;
        Some(Self { inner: Arc::clone(&self.inner), external: Some(Arc::new(external)) })
    }

    /// The embedding model whose vectors it has; none when they are the built-in ones.
    pub fn embedding_model(&self) -> Option<&str> {
        self.external.as_deref().map(ExternalVectors::model)
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
        let parts: usize = self.inner.parts.iter().map(LanguagePart::size_bytes).sum();
        parts + self.external.as_deref().map_or(0, ExternalVectors::size_bytes)
    }

    /// The language of the site as given or detected; none when neither.
    pub fn language(&self) -> Option<&str> {
        self.inner.language.as_deref()
    }

    /// The language that the index was built with; none when it was to be detected.
    pub fn given_language(&self) -> Option<&str> {
        self.inner.given_language.as_deref()
    }

    /// The languages of its chunks, in the order in which they first occur; none for chunks that
    /// tell nothing.
    pub fn languages(&self) -> impl Iterator<Item = Option<&str>> {
        self.inner.parts.iter().map(|part| part.language.as_deref())
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
        self.retrieve_by(question, context, None)
    }

    /// As [`Index::retrieve`], with the question's vector by the index's embedding model, and what
    /// its cosines mean. A vector of another length is passed over.
    pub fn retrieve_by(
        &self,
        question: &str,
        context: Option<&str>,
        meaning: Option<(&QueryVector, &CosineScale)>,
    ) -> Retrieval {
        let asked_in = meaning.and_then(|_| language::detect(question));
        let near = meaning.and_then(|(vector, scale)| self.external.as_deref()?.scores(vector, scale));
        let spoken = self.spoken(question);
        let parts = self.inner.parts.iter().enumerate();
        let searches: Vec<Search> = parts
            .map(|(number, part)| {
                let is_known = |word: &str| self.is_known_elsewhere(number, word);
                let may_mean = spoken.is_none_or(|spoken| part.language.as_deref() == Some(spoken));
                let mut search = part.search(question, context, is_known, may_mean);
                if let Some(near) = &near {
                    let language = part.language.as_deref();
                    search.is_beyond_words = asked_in.is_some() && language.is_some() && asked_in != language;
                    search.cosines = Some(part.places.iter().map(|place| near[*place as usize]).collect());
                }
                search
            })
            .collect();
        let candidates = self.best(&searches);
        let understood = candidates.first().map(|best| &searches[best.part]).or(searches.first());
        Retrieval {
            question: question.to_owned(),
            word_count: understood.map_or(0, |search| search.terms.words.len()),
            repairs: understood.map_or_else(Vec::new, |search| search.terms.repairs.clone()),
            is_semantic: candidates.first().is_some_and(|best| best.semantic.is_some()),
            is_follow_up: understood.is_some_and(|search| search.has_context),
            candidates,
        }
    }

    /// The words of a text as the site sees them in the language of `near`, with the idf of each.
    pub(crate) fn weighted_words(&self, near: &Candidate, text: &str) -> Vec<(String, f32)> {
        let Some(part) = self.inner.parts.get(near.part) else { return Vec::new() };
        let words = part.lexical.analyzer().words(text);
        words.iter().map(|word| part.lexical.weighted(word)).collect()
    }

    fn build_shared(chunks: Vec<Arc<Chunk>>, given: Option<&str>, channels: Channels) -> Self {
        let given = given.and_then(helpbot_domain::language::primary);
        let Languages { site, groups } = Languages::of(&chunks, given.as_deref());
        let documents: Vec<Fields> = parallel::map(&chunks, |chunk| Fields::of(chunk));
        let part = |(language, places)| LanguagePart::build(language, places, &documents, channels);
        let parts = groups.into_iter().map(part).collect();
        let inner = IndexData { chunks, given_language: given, language: site, parts };
        Self { inner: Arc::new(inner), external: None }
    }

    /// The language of a question where it surely is one of several that the site has.
    fn spoken(&self, question: &str) -> Option<&str> {
        if self.inner.parts.len() < 2 {
            return None;
        }
        let spoken = language::detect(question)?;
        self.languages().flatten().find(|language| *language == spoken)
    }

    fn is_known_elsewhere(&self, than: usize, word: &str) -> bool {
        let others = self.inner.parts.iter().enumerate().filter(|(number, _)| *number != than);
        others.into_iter().any(|(_, part)| part.lexical.has(word))
    }

    fn best(&self, searches: &[Search]) -> Vec<Candidate> {
        // A short sorted list: most entries fail the first comparison with its last place.
        let mut best: Vec<Scored> = Vec::with_capacity(MAX_CANDIDATES + 1);
        for (number, (part, search)) in self.inner.parts.iter().zip(searches).enumerate() {
            for (at, (lexical, &place)) in search.lexical.iter().zip(&part.places).enumerate() {
                let score = match &search.cosines {
                    Some(cosines) if search.is_beyond_words => cosines[at],
                    Some(cosines) => (1.0 - SEMANTIC_SHARE) * lexical.score + SEMANTIC_SHARE * cosines[at],
                    None => lexical.score,
                };
                if best.len() == MAX_CANDIDATES && score < best[MAX_CANDIDATES - 1].score {
                    continue;
                }
                let is_before = |other: &Scored| other.score > score || (other.score == score && other.place < place);
                best.insert(best.partition_point(is_before), Scored { score, place, part: number, at });
                best.truncate(MAX_CANDIDATES);
            }
        }
        let candidate = |(rank, found): (usize, &Scored)| {
            let search = &searches[found.part];
            let cosine = search.cosines.as_ref().map(|cosines| f64::from(cosines[found.at]));
            let next = best.get(rank + 1).map_or(0.0, |next| next.score);
            Candidate {
                chunk: Arc::clone(&self.inner.chunks[found.place as usize]),
                language: self.inner.parts[found.part].language.clone(),
                part: found.part,
                score: f64::from(found.score),
                lexical: f64::from(search.lexical[found.at].score),
                semantic: cosine,
                coverage: f64::from(search.lexical[found.at].coverage),
                gap: f64::from(found.score - next),
            }
        };
        best.iter().enumerate().map(candidate).collect()
    }
}
