//! The settings of a site's answers, and the progress of its embeddings.

use helpbot_api_macros::OutputObject;
use helpbot_services::knowledge::vectors;

use crate::schema::scalars::int;

/// Settings that decide how cautiously HelpBot answers the questions of a site.
#[derive(OutputObject)]
pub struct AnswerSettings {
    /// Share of answers that must be correct, 0 to 1. With a higher value, HelpBot replies more often that
    /// it does not know the answer. It is 1 minus `maxWrongAnswers`.
    target_precision: f64,
    /// Maximum share of the answers that may be wrong, 0 to 1. Defaults to 0.3 for a new site. `answerPromise`
    /// shows how the site keeps this promise.
    max_wrong_answers: f64,
}

impl AnswerSettings {
    pub(super) fn of(target_precision: f64, max_wrong_answers: f64) -> Self {
        Self { target_precision, max_wrong_answers }
    }
}

/// Progress of computing external embeddings. Until it is complete, answers use the embeddings of the
/// previous model or the built-in embeddings.
#[derive(OutputObject)]
pub struct EmbeddingProgress {
    /// Name of the embedding model that the installation uses.
    model: String,
    /// Number of FAQ entries and passages that have an embedding of the model.
    embedded: i32,
    /// Number of FAQ entries and passages that the site has.
    total: i32,
}

impl From<vectors::VectorProgress> for EmbeddingProgress {
    fn from(progress: vectors::VectorProgress) -> Self {
        Self { model: progress.model, embedded: int(progress.embedded), total: int(progress.total) }
    }
}
