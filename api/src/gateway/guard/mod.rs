//! The guard: bounds what a GraphQL document may contain, in linear time, before anything runs.
//!
//! async-graphql's own limits expand every fragment at each place where it is spread, so a document
//! of 770 bytes can keep it busy for a second before it is rejected. The guard works in two passes.
//! [`lexer`] counts tokens, aliases, spreads, directives and nesting from the bytes and stops at the
//! first limit that is exceeded. Only a document that passes is parsed ([`syntax`]), and [`expansion`]
//! then computes the expanded size of each fragment once. It also rejects fragment cycles.
//!
//! The gateway calls [`read`] for every document, and then asks the
//! [`Document`] for its [`validation`], the values of its variables and its [`cost`], for which the
//! guard knows the schema as a [`model`].

mod collecting;
pub mod cost;
pub mod document;
mod expansion;
mod lexer;
pub mod limits;
pub(crate) mod live;
pub mod model;
mod overlap;
pub mod plan;
mod public;
pub mod rejection;
pub(crate) mod shape;
mod suggestion;
mod syntax;
mod tokens;
mod validation;
mod values;

use sha2::{Digest, Sha256};

use document::Document;
use limits::DocumentSize;
use rejection::DocumentRejection;

/// Parses a document that stays within `limits`.
///
/// The work is linear in the length of the text, and stops at the first limit that is exceeded.
///
/// # Errors
/// The first limit that is exceeded, or the first syntax error.
pub fn read(text: &str, limits: &DocumentSize) -> Result<Document, DocumentRejection> {
    let lexical = lexer::count(text, limits)?;
    let executable = syntax::parse(text)?;
    let (selections, _) = expansion::count(&executable, limits.selections)?;
    let fingerprint = Sha256::digest(text.as_bytes()).into();
    Ok(Document::new(executable, DocumentSize { selections, ..lexical }, fingerprint))
}

#[cfg(test)]
mod tests;
