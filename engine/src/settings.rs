//! The policy by which a site answers, with its defaults.

use helpbot_domain::promise::Judged;
use serde::{Deserialize, Serialize};

/// How a site answers. Every field has a default, and unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AnswerPolicy {
    /// Share of the given answers that must be right, 0 to 1. A higher value gives fewer answers and
    /// fewer wrong ones. The promise on wrong answers is the rest. Before answers were judged, it is
    /// turned into a threshold by measurements on the development sets.
    pub target_precision: f64,
    /// Answers of the site that were judged. They move the threshold, so that the promise is kept.
    #[serde(skip)]
    pub judged: Judged,
    /// Whether similar questions are offered when no answer is certain enough.
    pub suggests: bool,
    /// Maximum length of an extractive answer in characters, without the link to the rest.
    pub max_answer_chars: usize,
    /// Whether a configured model server writes the answers of this site.
    pub uses_model: bool,
    /// Text that replaces the built-in sentence for questions without an answer.
    pub fallback_text: Option<String>,
    /// Number of saved test questions that may start to fail after a sync of a source. A sync that
    /// fails more of them is held back. `None` never holds a sync back.
    pub allowed_losses: Option<u32>,
}

impl Default for AnswerPolicy {
    fn default() -> Self {
        Self {
            target_precision: 0.7,
            judged: Judged::default(),
            suggests: true,
            max_answer_chars: 900,
            uses_model: true,
            fallback_text: None,
            allowed_losses: None,
        }
    }
}

impl AnswerPolicy {
    /// Maximum share of the answers that may be wrong, 0 to 1.
    pub fn promised(&self) -> f64 {
        // Without the last digits of 1 - 0.9.
        ((1.0 - self.target_precision) * 1e9).round() / 1e9
    }
}
