//! The result of searching an index, with every number that led to it. It is the input of the
//! decision, and `--explain` shows it.

use std::sync::Arc;

use helpbot_domain::answer_rule::RuleKind;
use helpbot_domain::ids::RuleId;
use serde::{Serialize, Serializer};

use crate::chunk::Chunk;
use crate::evidence::Conflict;

/// The channels that an index uses.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// Words and vectors. Vectors are used only for languages that a table knows.
    #[default]
    Both,
    /// Words and n-grams, as for a language that no table knows.
    LexicalOnly,
}

/// The best entries for one question, best first.
#[derive(Debug, Clone, Serialize)]
pub struct Retrieval {
    /// The question.
    pub question: String,
    /// Number of words in the question after corrections.
    pub word_count: usize,
    /// Misspelled words: (as written, as understood).
    pub repairs: Vec<(String, String)>,
    /// Whether the semantic channel is part of the best entry's score.
    pub is_semantic: bool,
    /// Whether earlier questions were part of the search.
    pub is_follow_up: bool,
    /// At most [`crate::index::MAX_CANDIDATES`] entries.
    pub candidates: Vec<Candidate>,
    /// Signals about the best entry. `None` when there is no entry.
    pub signals: Option<Signals>,
    /// Answer rules of the owner that were applied, newest first.
    pub rules: Vec<AppliedRule>,
}

impl Retrieval {
    /// Whether the best entry is pinned to the question.
    pub fn is_pinned(&self) -> bool {
        self.candidates.first().is_some_and(|best| best.is_pinned)
    }
}

/// One entry and its scores.
#[derive(Debug, Clone, Serialize)]
pub struct Candidate {
    /// The entry. It is serialized as its ID.
    #[serde(serialize_with = "id_only")]
    pub chunk: Arc<Chunk>,
    /// Primary subtag of the language in which it was searched. `None` when it is unknown.
    pub language: Option<String>,
    /// The part of the index with the entry.
    #[serde(skip)]
    pub(crate) part: usize,
    /// Position of the entry in that part.
    #[serde(skip)]
    pub(crate) at: usize,
    /// Sum of the channels, about 0 to 1. It can be compared between questions and sites.
    pub score: f64,
    /// Normalized BM25, about 0 to 1.
    pub lexical: f64,
    /// Cosine, -1 to 1. `None` where the channel is off.
    pub semantic: Option<f64>,
    /// Share of the question's weight in words that the entry has, 0 to 1.
    pub coverage: f64,
    /// Distance to the score of the next candidate. For the last one, its score.
    pub gap: f64,
    /// Reason not to give this entry as the answer.
    pub conflict: Option<Conflict>,
    /// Whether the owner pinned this entry to the question.
    pub is_pinned: bool,
}

/// A rule that was applied to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppliedRule {
    /// ID of the rule.
    #[serde(serialize_with = "rule_id")]
    pub id: RuleId,
    /// What the rule does.
    pub kind: RuleKind,
    /// The question of the rule.
    pub question: String,
}

/// Signals that tell a right best entry from a wrong one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Signals {
    /// Score that the best entry of this site reaches for questions without an answer.
    pub site_level: f64,
    /// Standard deviation of that score.
    pub site_spread: f64,
    /// Share of the weight of the question's content words that the best entry has, 0 to 1.
    pub content_coverage: f64,
    /// Number of content words of the question.
    pub content_words: usize,
    /// Sum of the idf of its words. Function words count less.
    pub question_mass: f64,
    /// Distance to the mean score of the next entries.
    pub lead: f64,
    /// Mean score that the entries of this site reach for their own questions.
    pub own_level: f64,
    /// Whether the question is written exactly like that of the best entry.
    pub is_own_words: bool,
    /// Whether the multilingual table was used.
    pub is_multilingual: bool,
    /// Number of entries of the site in the language of the best entry.
    pub entries: usize,
    /// Whether the best entry is a passage.
    pub is_passage: bool,
}

fn id_only<S: Serializer>(chunk: &Arc<Chunk>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&chunk.id)
}

fn rule_id<S: Serializer>(id: &RuleId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}
