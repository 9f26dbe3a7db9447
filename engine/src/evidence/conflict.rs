//! The reasons for which an entry is not given as the answer, however high its score is.

use serde::Serialize;

/// A reason not to give an entry as the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// The question names a code, model or version that the entry does not contain.
    Code,
    /// The question names a year that the entry does not contain.
    Year,
    /// The question names a country that the entry does not contain, or another place that the site
    /// does not know, and the entry lists countries.
    Country,
    /// The entry states other amounts of the same unit, or another number of the same thing.
    Amount,
    /// The question asks for the opposite of what the entry states.
    Negation,
    /// The question and the entry have only function words in common.
    FunctionWords,
    /// The question gives orders to the bot, and the entry is not about them.
    Orders,
}
