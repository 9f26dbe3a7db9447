//! What one document may contain, and what a document that passed the guard contains.

/// Contents of a document, or the most that a document may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DocumentSize {
    /// Lexical tokens. GraphiQL's introspection query has about 250.
    pub tokens: usize,
    /// Aliases. Each alias can execute the same field once more.
    pub aliases: usize,
    /// Spreads of named fragments.
    pub spreads: usize,
    /// Directives.
    pub directives: usize,
    /// Deepest nesting of brackets. The limit is lower than the parser's own limit of 64, and higher than the depth of
    /// the schema.
    pub nesting: usize,
    /// Selections of the largest operation after every fragment is expanded at each place where it is spread.
    pub selections: usize,
}

impl DocumentSize {
    /// The most that a document may contain.
    pub const MAX: Self =
        Self { tokens: 2_000, aliases: 50, spreads: 30, directives: 50, nesting: 32, selections: 1_000 };
}
