//! The rejection of a value: the name of the field, and a message for the person who sent the
//! value.

/// A value that violates a rule. The message is public and says what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// Field name as callers spell it, for example `customerEmail`.
    pub field: &'static str,
    /// Message without a final period.
    pub message: String,
}

impl Invalid {
    /// Creates a rejection of `field`.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}
