//! What an owner can set about answering, and the defaults.

use serde::{Deserialize, Serialize};

/// How a site answers. Every field has a default; unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AnswerPolicy {
    /// The share of given answers that are to be right, .5 to .95: higher answers less and errs
    /// less. Turned into a threshold by what the development sets showed.
    pub target_precision: f64,
    /// Whether near questions are offered where no answer is sure enough.
    pub suggests: bool,
    /// Most characters of an extractive answer; the link to the rest comes on top.
    pub max_answer_chars: usize,
    /// Whether a configured model server writes the answers of this site.
    pub uses_model: bool,
    /// What is said instead of an answer, in place of the built-in sentence of the language.
    pub fallback_text: Option<String>,
    /// How many of the saved test questions that pass may fail after a new reading of a source;
    /// a reading that loses more is held back. None: no reading is.
    pub allowed_losses: Option<u32>,
}

impl Default for AnswerPolicy {
    fn default() -> Self {
        Self {
            target_precision: 0.7,
            suggests: true,
            max_answer_chars: 900,
            uses_model: true,
            fallback_text: None,
            allowed_losses: None,
        }
    }
}
