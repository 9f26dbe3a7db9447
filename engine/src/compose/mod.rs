//! Composes the text that a visitor reads, with its citations.
//!
//! There are two ways: extractive, in the words of the site and always available, and generative,
//! by a model server from the same passages. Both cite. Neither states anything that no passage
//! states, and neither shows an address that retrieval did not return.

mod excerpt;
pub(crate) mod extractive;
pub(crate) mod generative;
pub(crate) mod prompt;
pub(crate) mod sanitize;
mod version;

use helpbot_domain::conversation::Citation;

use crate::markdown;
use crate::retrieval::Candidate;

/// Maximum length of the quote of a citation, in characters.
const MAX_QUOTE_CHARS: usize = 300;

/// The text of an answer with its citations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Composed {
    /// Restricted Markdown.
    pub text: String,
    /// Citations in order of importance, one per chunk.
    pub citations: Vec<Citation>,
}

/// Makes the citation of a candidate from the part of it that was used.
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

/// Whether a stored address may be a link in an answer.
pub(crate) fn is_linkable(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && !url.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '(' | ')' | '<' | '>'))
}
