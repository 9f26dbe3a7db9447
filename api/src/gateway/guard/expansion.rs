//! Counts the selections of an operation after every fragment is expanded where it is spread.
//!
//! The size of each fragment is computed once and remembered, so the work is proportional to the
//! text, however large the expansion would be.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use super::rejection::DocumentRejection;

/// Returns the expanded selections of the largest operation, and the number of selections visited.
///
/// # Errors
/// `TooMany` above `limit`; `Invalid` for a fragment that spreads itself, directly or through others.
pub(super) fn count(document: &ExecutableDocument, limit: usize) -> Result<(usize, usize), DocumentRejection> {
    let mut expansion = Expansion { document, limit, known: HashMap::new(), visited: 0 };
    let mut total = 0;
    for (_, operation) in document.operations.iter() {
        total = total.max(expansion.set(&operation.node.selection_set.node)?);
    }
    Ok((total, expansion.visited))
}

/// What is known about a fragment.
#[derive(Clone, Copy)]
enum FragmentSize {
    /// The size is being computed. Another spread of the same fragment is a cycle.
    InProgress,
    /// The number of expanded selections.
    Known(usize),
}

struct Expansion<'a> {
    document: &'a ExecutableDocument,
    limit: usize,
    known: HashMap<&'a str, FragmentSize>,
    visited: usize,
}

impl<'a> Expansion<'a> {
    fn set(&mut self, set: &'a SelectionSet) -> Result<usize, DocumentRejection> {
        let mut total = 0;
        for item in &set.items {
            self.visited += 1;
            total += 1 + match &item.node {
                Selection::Field(field) => self.set(&field.node.selection_set.node)?,
                Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => self.fragment(spread.node.fragment_name.node.as_str())?,
            };
            self.check(total)?;
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &'a str) -> Result<usize, DocumentRejection> {
        match self.known.get(name) {
            Some(FragmentSize::Known(size)) => return Ok(*size),
            Some(FragmentSize::InProgress) => {
                let pos = self.document.fragments.get(name).map_or_else(Default::default, |definition| definition.pos);
                return Err(DocumentRejection::invalid(format!("Fragment \"{name}\" spreads itself"), pos));
            }
            None => {}
        }
        // The schema's validation rejects spreads of fragments that do not exist.
        let Some(definition) = self.document.fragments.get(name) else { return Ok(0) };
        self.known.insert(name, FragmentSize::InProgress);
        let size = self.set(&definition.node.selection_set.node)?;
        self.known.insert(name, FragmentSize::Known(size));
        Ok(size)
    }

    fn check(&self, total: usize) -> Result<(), DocumentRejection> {
        let limit = self.limit;
        if total > limit { Err(DocumentRejection::TooMany { what: "expanded selections", limit }) } else { Ok(()) }
    }
}
