//! A question on its way into the engine, and the receiver of the text that is written.

use crate::settings::AnswerPolicy;

/// A question with everything that is needed to answer it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The question as the visitor wrote it, trimmed. It is not empty.
    pub question: String,
    /// Language that the caller wants, as a BCP 47 tag. When it is absent or unknown,
    /// `site_language` applies.
    pub language: Option<String>,
    /// Language of the site: a BCP 47 tag, or `auto` to use the language of the question.
    pub site_language: String,
    /// Earlier exchanges of the session, oldest first.
    pub history: Vec<Exchange>,
    /// The policy by which the site answers.
    pub settings: AnswerPolicy,
}

/// An earlier question of the session and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// Receives the text of an answer while it is written. It must not block, because it is called
/// between awaits.
pub trait AnswerSink: Send + Sync {
    /// Receives the next piece of the text.
    fn delta(&self, text: &str);

    /// Discards everything that was received so far. The text starts from the beginning.
    fn restart(&self);
}
