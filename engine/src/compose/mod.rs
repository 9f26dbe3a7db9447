//! Composes the text that a visitor reads, with its citations.
//!
//! There are two ways: extractive, in the words of the site and always available, and generative,
//! by a model server from the same passages. Both cite. Neither states anything that no passage
//! states, and neither shows an address that retrieval did not return.

mod citing;
mod excerpt;
pub(crate) mod extractive;
pub(crate) mod generative;
pub(crate) mod prompt;
pub(crate) mod sanitize;
mod text_fragment;
mod version;

use helpbot_domain::conversation::Citation;

pub(crate) use citing::cite;

/// The text of an answer with its citations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Composed {
    /// Restricted Markdown.
    pub text: String,
    /// Citations in order of importance, one per chunk.
    pub citations: Vec<Citation>,
}

/// Whether a stored address may be a link in an answer.
pub(crate) fn is_linkable(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && !url.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '(' | ')' | '<' | '>'))
}
