//! Answers a question as a visitor without a session would be answered, in the words of the site and
//! with the built-in embeddings. It never waits, so that thousands of questions can be replayed
//! against an index that nobody uses yet.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use helpbot_domain::conversation::Outcome;

use crate::ask::Ask;
use crate::chunk::Chunk;
use crate::compose::extractive;
use crate::decide;
use crate::follow_up;
use crate::index::Index;
use crate::smalltalk;

/// What a visitor would get for a question.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The outcome.
    pub outcome: Outcome,
    /// Probability that the best entry answers the question, 0 to 1.
    pub confidence: f64,
    /// The entry that answers, or that comes closest. `None` when there is none.
    pub best: Option<Arc<Chunk>>,
    /// Hash of the text of the answer. `None` unless the question is answered.
    pub text_hash: Option<u64>,
}

impl Replayed {
    /// Whether a visitor would read the same answer, or none in both cases.
    pub fn is_same_answer(&self, other: &Self) -> bool {
        self.text_hash == other.text_hash
    }
}

/// Replays a question against an index. The same input gives the same result as
/// [`Engine::answer`](crate::Engine::answer) without a model and an embedder.
pub fn replay(index: &Index, ask: &Ask) -> Replayed {
    if smalltalk::recognize(&ask.question).is_some() && !index.has_pin_for(&ask.question) {
        return Replayed { outcome: Outcome::SmallTalk, confidence: 1.0, best: None, text_hash: None };
    }
    let retrieval = follow_up::retrieve(index, ask, None);
    let decision = decide::decide(&retrieval, &ask.settings);
    let text_hash = (decision.outcome == Outcome::Answered).then(|| {
        let mut hasher = DefaultHasher::new();
        extractive::answer(index, &retrieval, &ask.settings).text.hash(&mut hasher);
        hasher.finish()
    });
    let best = retrieval.candidates.first().map(|best| Arc::clone(&best.chunk));
    Replayed { outcome: decision.outcome, confidence: decision.confidence, best, text_hash }
}
