//! The guard: bounds what a GraphQL document may contain, in linear time, before anything runs.
//!
//! async-graphql's own limits expand every fragment at each place where it is spread, so a document
//! of 770 bytes can keep it busy for a second before it is rejected. The guard works in two passes.
//! [`lexer`] counts tokens, aliases, spreads, directives and nesting from the bytes and stops at the
//! first limit that is exceeded. Only a document that passes is parsed, and [`expansion`] then
//! computes the expanded size of each fragment once. It also rejects fragment cycles.
//!
//! The gateway calls [`read`] for every document that does not come with the binary. The guard never
//! looks at the schema: depth and complexity by type are limits of the schema itself.

pub mod document;
mod expansion;
mod lexer;
pub mod limits;
pub mod rejection;

use async_graphql::parser::parse_query;
use sha2::{Digest, Sha256};

use document::Document;
use limits::{DocumentLimits, DocumentSize};
use rejection::DocumentRejection;

/// Parses a document that stays within `limits`.
///
/// The work is linear in the length of the text, and stops at the first limit that is exceeded.
///
/// # Errors
/// The first limit that is exceeded, or the parser's message.
pub fn read(text: &str, limits: &DocumentLimits) -> Result<Document, DocumentRejection> {
    let lexical = lexer::count(text, limits)?;
    let executable = parse_query(text)?;
    let (selections, visited) = expansion::count(&executable, limits.selections)?;
    let fingerprint = Sha256::digest(text.as_bytes()).into();
    Ok(Document::new(executable, DocumentSize { selections, visited, ..lexical }, fingerprint))
}

#[cfg(test)]
mod tests;
