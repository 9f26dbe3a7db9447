//! Global IDs: the ID of any object that can be looked up without knowing its type or site.

use uuid::Uuid;

use crate::ids::{
    BlockId, CannedReplyId, CaseId, ChunkId, ContactId, ConversationId, DocumentId, KeyId, MemberId, NoteId, PreviewId,
    RuleId, SessionId, SourceId, WebhookId,
};

/// The ID of an object that belongs to a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// ID of an entry or a passage.
    Chunk(ChunkId),
    /// ID of a page.
    Page(DocumentId),
    /// ID of a test question.
    Case(CaseId),
    /// ID of a block of a visitor.
    Block(BlockId),
    /// ID of a note of the team.
    Note(NoteId),
    /// ID of a canned reply.
    CannedReply(CannedReplyId),
    /// ID of an answer rule.
    Rule(RuleId),
    /// ID of a change preview.
    Preview(PreviewId),
    /// ID of a session.
    Session(SessionId),
    /// ID of a contact.
    Contact(ContactId),
}
