//! Question in, grounded answer out: retrieve, decide, compose.
//!
//! Actors: a [`Chunk`] is what can be found and cited; an [`Index`] holds a site's chunks in
//! memory; the engine asks it, decides whether to answer, offer near questions or say "I don't
//! know", and composes the text from the passages alone.
//!
//! Guarantees: the same index and question give the same scores on every machine; an answer rests
//! on passages of the index and cites them; a removed chunk leaves no trace. Without a model
//! server nothing here waits for anything.
//!
//! Knows no database, no HTTP surface, no site: services bring the index and the settings.

mod analysis;
pub mod ask;
mod breaker;
pub mod chunk;
mod compose;
pub mod decide;
mod embedding;
pub mod engine;
pub mod evaluate;
pub mod external_embeddings;
pub mod fallback;
mod follow_up;
pub mod index;
pub mod language;
mod lexical;
#[cfg(feature = "local-model")]
pub mod local;
mod markdown;
pub mod model;
mod normalization;
pub mod openai;
mod parallel;
mod question_embedding;
pub mod retrieval;
mod semantic;
pub mod settings;
mod smalltalk;
pub mod speed;
mod split;
pub mod topics;
mod vectors;

pub use ask::{AnswerSink, Ask, Exchange};
pub use chunk::{Chunk, ChunkDraft, ChunkKind};
pub use decide::{Decision, decide};
pub use engine::{Answer, Engine, EngineError, EngineSettings};
pub use fallback::fallback;
pub use index::Index;
pub use retrieval::{Candidate, Channels, Retrieval};
pub use settings::AnswerPolicy;
