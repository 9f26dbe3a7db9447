//! The orders of a list of conversations.

use crate::Timestamp;
use crate::conversation::Conversation;
use crate::conversation_parts::ConversationParts;

/// Order of a list of conversations. Conversations with the same time are ordered by ID, in the
/// same direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConversationOrder {
    /// Newest question first.
    #[default]
    CreatedDesc,
    /// Oldest question first.
    CreatedAsc,
    /// Latest change first.
    UpdatedDesc,
    /// Oldest change first.
    UpdatedAsc,
    /// Latest request for a human first. The list contains only conversations with a handoff.
    HandoffDesc,
    /// Oldest request for a human first. The list contains only conversations with a handoff.
    HandoffAsc,
}

impl ConversationOrder {
    /// Returns whether the list contains only conversations with a handoff.
    pub const fn is_by_handoff(self) -> bool {
        matches!(self, ConversationOrder::HandoffDesc | ConversationOrder::HandoffAsc)
    }

    /// Returns the order in the opposite direction.
    pub const fn reversed(self) -> Self {
        match self {
            ConversationOrder::CreatedDesc => ConversationOrder::CreatedAsc,
            ConversationOrder::CreatedAsc => ConversationOrder::CreatedDesc,
            ConversationOrder::UpdatedDesc => ConversationOrder::UpdatedAsc,
            ConversationOrder::UpdatedAsc => ConversationOrder::UpdatedDesc,
            ConversationOrder::HandoffDesc => ConversationOrder::HandoffAsc,
            ConversationOrder::HandoffAsc => ConversationOrder::HandoffDesc,
        }
    }

    /// Returns the part that [`ConversationOrder::key`] needs.
    pub const fn key_part(self) -> ConversationParts {
        match self {
            ConversationOrder::CreatedDesc | ConversationOrder::CreatedAsc => ConversationParts::CREATED,
            ConversationOrder::UpdatedDesc | ConversationOrder::UpdatedAsc => ConversationParts::UPDATED,
            ConversationOrder::HandoffDesc | ConversationOrder::HandoffAsc => {
                ConversationParts::HANDOFF.with(ConversationParts::CREATED)
            }
        }
    }

    /// Returns the time of `conversation` that this order compares.
    pub fn key(self, conversation: &Conversation) -> Timestamp {
        match self {
            ConversationOrder::CreatedDesc | ConversationOrder::CreatedAsc => conversation.created_at,
            ConversationOrder::UpdatedDesc | ConversationOrder::UpdatedAsc => conversation.updated_at,
            ConversationOrder::HandoffDesc | ConversationOrder::HandoffAsc => {
                conversation.handoff_at.unwrap_or(conversation.created_at)
            }
        }
    }
}
