//! What a site can answer from: chunks with their embeddings, evaluation cases, answer rules, previews of changes, and the questions
//! that topics are built from.

pub mod answer_rules;
pub mod change_previews;
pub mod chunks;
pub mod evaluation;
pub mod topics;
pub mod vectors;
