//! The refusal of a value: which field, and a sentence for the person who sent it.

/// A value that a rule refuses. The message is made for outside: it says what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// The field as callers spell it, for example `customerEmail`.
    pub field: &'static str,
    /// A whole sentence without a full stop.
    pub message: String,
}

impl Invalid {
    /// A refusal of `field`.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}
