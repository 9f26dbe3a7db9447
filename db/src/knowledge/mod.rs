//! What a site can answer from: chunks with their embeddings, evaluation cases, and the questions
//! that topics are built from.

pub mod chunks;
pub mod evaluation;
pub mod topics;
pub mod vectors;
