//! Turns a visitor's question into an answer that is grounded in the site's pages.
//!
//! The steps are retrieve, decide and compose. An [`Index`] holds the [`Chunk`]s of one site in
//! memory and returns the chunks that match a question. The decision is to answer, to offer
//! suggestions, or to say that there is no answer. The text is composed only from the chunks that
//! were found.
//!
//! Guarantees: the same index and question give the same scores on every machine. An answer rests
//! on chunks of the index and cites them. A removed chunk leaves no trace. Without a model server,
//! nothing in this crate waits for I/O.
//!
//! This crate knows no database, no HTTP interface and no account. `services` passes in the index
//! and the policy of the site.

mod alignment;
mod analysis;
pub mod ask;
mod breaker;
pub mod chunk;
mod compose;
pub mod decide;
mod embedding;
mod embedding_table;
pub mod engine;
pub mod evaluate;
mod evidence;
pub mod external_embeddings;
pub mod fallback;
mod follow_up;
mod human_request;
pub mod index;
pub mod language;
mod lexical;
#[cfg(feature = "local-model")]
pub mod local;
mod long_question;
mod markdown;
pub mod model;
mod multilingual;
mod normalization;
pub mod openai;
mod parallel;
mod question_embedding;
pub mod replay;
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
pub use human_request::human_request;
pub use index::Index;
pub use retrieval::{Candidate, Channels, Retrieval};
pub use settings::AnswerPolicy;
