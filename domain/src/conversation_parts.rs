//! The parts of a conversation that a list reads.
//!
//! A caller names the parts that it needs, and `db` reads only their columns. In a conversation that was
//! read in part, the other parts are empty and must not be used.

/// The parts of a conversation that a list reads beside its ID. Reading fewer parts is faster, above all
/// without the texts and the citations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConversationParts(u16);

impl ConversationParts {
    /// Only the ID.
    pub const ID: Self = Self(0);
    /// The session.
    pub const SESSION: Self = Self(1);
    /// The question.
    pub const QUESTION: Self = Self(1 << 1);
    /// The answer.
    pub const ANSWER: Self = Self(1 << 2);
    /// The citations.
    pub const CITATIONS: Self = Self(1 << 3);
    /// The outcome.
    pub const OUTCOME: Self = Self(1 << 4);
    /// The confidence.
    pub const CONFIDENCE: Self = Self(1 << 5);
    /// The language.
    pub const LANGUAGE: Self = Self(1 << 6);
    /// The vote with its reason and comment.
    pub const VOTE: Self = Self(1 << 7);
    /// The state of the handoff, its time, the e-mail address and the assignee.
    pub const HANDOFF: Self = Self(1 << 8);
    /// The number of messages.
    pub const MESSAGE_COUNT: Self = Self(1 << 9);
    /// The time of the question.
    pub const CREATED: Self = Self(1 << 10);
    /// The time of the last change.
    pub const UPDATED: Self = Self(1 << 11);
    /// The ID of the session token, and the key of the visitor's address.
    pub const TOKEN: Self = Self(1 << 12);
    /// The priority.
    pub const PRIORITY: Self = Self(1 << 13);
    /// The whole conversation.
    pub const ALL: Self = Self((1 << 14) - 1);

    /// Returns the parts of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns whether all parts of `other` are included.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the parts as bits, which identify the form of a statement.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Returns the parts with these bits. Unknown bits are ignored.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & Self::ALL.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_combined_and_compared() {
        let texts = ConversationParts::QUESTION.with(ConversationParts::ANSWER);

        assert!(texts.has(ConversationParts::ANSWER) && texts.has(ConversationParts::ID));
        assert!(!texts.has(ConversationParts::CITATIONS));
        assert!(ConversationParts::ALL.has(texts));
        assert_eq!(ConversationParts::from_bits(texts.bits()), texts);
        assert_eq!(ConversationParts::from_bits(u16::MAX), ConversationParts::ALL);
    }
}
