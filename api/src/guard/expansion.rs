//! How many selections a document has when every fragment is written out where it is spread.
//!
//! Each fragment is worked out once and remembered, so the work is what the text holds, whatever
//! the expansion would be.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use super::Refusal;

/// The expanded selections of all operations, and how many were looked at.
///
/// # Errors
/// `TooMany` past `limit`, `Cycle` for a fragment that reaches itself.
pub(super) fn count(document: &ExecutableDocument, limit: usize) -> Result<(usize, usize), Refusal> {
    let mut expansion = Expansion { document, limit, known: HashMap::new(), visited: 0 };
    let mut total = 0;
    for (_, operation) in document.operations.iter() {
        total += expansion.set(&operation.node.selection_set.node)?;
        expansion.within(total)?;
    }
    Ok((total, expansion.visited))
}

/// What is known of a fragment.
#[derive(Clone, Copy)]
enum Fragment {
    /// It is being worked out: meeting it again is a cycle.
    Open,
    /// Its expanded selections.
    Size(usize),
}

struct Expansion<'a> {
    document: &'a ExecutableDocument,
    limit: usize,
    known: HashMap<&'a str, Fragment>,
    visited: usize,
}

impl<'a> Expansion<'a> {
    fn set(&mut self, set: &'a SelectionSet) -> Result<usize, Refusal> {
        let mut total = 0;
        for item in &set.items {
            self.visited += 1;
            total += 1 + match &item.node {
                Selection::Field(field) => self.set(&field.node.selection_set.node)?,
                Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => self.fragment(spread.node.fragment_name.node.as_str())?,
            };
            self.within(total)?;
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &'a str) -> Result<usize, Refusal> {
        match self.known.get(name) {
            Some(Fragment::Size(size)) => return Ok(*size),
            Some(Fragment::Open) => return Err(Refusal::Cycle(name.to_owned())),
            None => {}
        }
        // A spread of nothing is the validator's to refuse.
        let Some(definition) = self.document.fragments.get(name) else { return Ok(0) };
        self.known.insert(name, Fragment::Open);
        let size = self.set(&definition.node.selection_set.node)?;
        self.known.insert(name, Fragment::Size(size));
        Ok(size)
    }

    fn within(&self, total: usize) -> Result<(), Refusal> {
        let limit = self.limit;
        if total > limit { Err(Refusal::TooMany { what: "expanded selections", limit }) } else { Ok(()) }
    }
}
