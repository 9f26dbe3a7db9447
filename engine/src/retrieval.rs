//! What a search of the index found, with every number that led to it: input of the decision,
//! and shown by `--explain`.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::chunk::Chunk;

/// Which channels an index uses.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// Words and vectors, the vectors only where the language is theirs.
    #[default]
    Both,
    /// Words and n-grams, as for a language that the vectors don't know.
    LexicalOnly,
}

/// The best entries for one question, best first.
#[derive(Debug, Clone, Serialize)]
pub struct Retrieval {
    /// The question as asked.
    pub question: String,
    /// Words in it, after repair.
    pub word_count: usize,
    /// Misspelt words: (as written, as understood).
    pub repairs: Vec<(String, String)>,
    /// Whether the semantic channel took part in the best one's score.
    pub is_semantic: bool,
    /// Whether an earlier question was searched along.
    pub is_follow_up: bool,
    /// At most [`crate::index::MAX_CANDIDATES`].
    pub candidates: Vec<Candidate>,
}

/// One entry and its scores.
#[derive(Debug, Clone, Serialize)]
pub struct Candidate {
    /// The entry; serialised as its id.
    #[serde(serialize_with = "id_only")]
    pub chunk: Arc<Chunk>,
    /// The primary subtag of the language as which it was searched; none when nothing tells.
    pub language: Option<String>,
    /// The part of the index that it stands in.
    #[serde(skip)]
    pub(crate) part: usize,
    /// The sum of the channels; comparable between questions and sites. About 0 to 1.
    pub score: f64,
    /// Normalised BM25, about 0 to 1.
    pub lexical: f64,
    /// Cosine, -1 to 1; none where the channel is off.
    pub semantic: Option<f64>,
    /// Share of the question's weight in words that the entry has, 0 to 1.
    pub coverage: f64,
    /// How far the next candidate's score is below; for the last one its score.
    pub gap: f64,
}

fn id_only<S: Serializer>(chunk: &Arc<Chunk>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&chunk.id)
}
