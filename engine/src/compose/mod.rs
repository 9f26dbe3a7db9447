//! From a decision to the text that a visitor reads, and the passages that it rests on.
//!
//! Two ways: extractive (the site's own words, always there) and generative (a model server
//! writes from the same passages, where one is configured). Both cite; neither says what no
//! passage says, and neither shows a URL that retrieval did not return.

mod excerpt;
pub(crate) mod extractive;
pub(crate) mod generative;
pub(crate) mod prompt;
pub(crate) mod sanitize;

use helpbot_domain::conversation::Citation;

use crate::markdown;
use crate::retrieval::Candidate;

/// Longest quote kept with a citation, in characters.
const MAX_QUOTE_CHARS: usize = 300;

/// An answer's text and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Composed {
    /// Restricted Markdown.
    pub text: String,
    /// In order of importance, one per chunk.
    pub citations: Vec<Citation>,
}

/// The citation of a candidate with the part of it that was used.
pub(crate) fn cite(candidate: &Candidate, used: &str) -> Citation {
    let chunk = &candidate.chunk;
    let title = chunk.page_title.as_deref().filter(|title| !title.is_empty());
    Citation {
        source_id: chunk.source_id,
        chunk_id: chunk.id,
        url: chunk.url.clone(),
        source_name: None,
        title: title.unwrap_or(chunk.title()).to_owned(),
        quote: excerpt::leading(&markdown::plain(&markdown::safe(used)), MAX_QUOTE_CHARS).text,
        score: candidate.score.clamp(0.0, 1.0),
    }
}

/// Whether a stored address may stand in an answer as a link.
pub(crate) fn is_linkable(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && !url.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '(' | ')' | '<' | '>'))
}
