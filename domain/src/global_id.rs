//! Global IDs: the ID of any object that can be looked up without knowing its type or site.

use uuid::Uuid;

use crate::ids::{ConversationId, KeyId, MemberId, SourceId, WebhookId};

/// The ID of an object that belongs to a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlobalId {
    /// ID of a source.
    Source(SourceId),
    /// ID of a conversation.
    Conversation(ConversationId),
    /// ID of an API key.
    Key(KeyId),
    /// ID of a member.
    Member(MemberId),
    /// ID of a webhook endpoint.
    Webhook(WebhookId),
    /// ID of a delivery.
    Delivery(Uuid),
}
