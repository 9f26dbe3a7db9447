//! A question on its way into the engine, and the receiver of the text that comes out.

use crate::settings::AnswerPolicy;

/// A question with what is needed to answer it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// As the visitor wrote it, trimmed, not empty.
    pub question: String,
    /// The language that the caller asks for; unknown or absent: see `site_language`.
    pub language: Option<String>,
    /// The site's language: a BCP 47 tag, or `auto` for that of the question.
    pub site_language: String,
    /// Earlier exchanges of the session, oldest first.
    pub history: Vec<Exchange>,
    /// How the site answers.
    pub settings: AnswerPolicy,
}

/// A question of the session and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What was asked.
    pub question: String,
    /// What was answered.
    pub answer: String,
}

/// Gets an answer's text while it is written. Must not block: it is called between awaits.
pub trait AnswerSink: Send + Sync {
    /// The next piece of the text.
    fn delta(&self, text: &str);

    /// What came so far does not hold; the text begins anew.
    fn restart(&self);
}
