//! What one document may contain, and what a document that passed the guard contains.

/// Maximum contents of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentLimits {
    /// Lexical tokens. GraphiQL's introspection query has about 250.
    pub tokens: usize,
    /// Aliases. Each alias can execute the same field once more.
    pub aliases: usize,
    /// Spreads of named fragments.
    pub spreads: usize,
    /// Directives.
    pub directives: usize,
    /// Nested brackets. Lower than the parser's own limit of 64, higher than the schema's depth.
    pub nesting: usize,
    /// Selections of one operation after every fragment is expanded at each place where it is spread.
    pub selections: usize,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self { tokens: 2_000, aliases: 50, spreads: 30, directives: 50, nesting: 32, selections: 1_000 }
    }
}

/// Contents of a document that passed the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DocumentSize {
    /// Lexical tokens.
    pub tokens: usize,
    /// Aliases.
    pub aliases: usize,
    /// Spreads of named fragments.
    pub spreads: usize,
    /// Directives.
    pub directives: usize,
    /// Deepest nesting of brackets.
    pub nesting: usize,
    /// Expanded selections of the largest operation.
    pub selections: usize,
    /// Selections that were visited to compute `selections`; never more than the text contains.
    pub visited: usize,
}
