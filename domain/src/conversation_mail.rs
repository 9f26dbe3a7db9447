//! Mails of conversations: the team's messages reach an absent visitor by e-mail, and the visitor answers by e-mail.

use uuid::Uuid;

use crate::Timestamp;
use crate::ids::{ConversationId, SiteId};

/// A mail of a conversation: to the visitor with messages of the team, or of the visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationMail {
    /// Site of the conversation.
    pub site_id: SiteId,
    /// ID of the mail.
    pub id: Uuid,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Message-ID without angle brackets. Those of our own mails have no domain, because the mail server of the
    /// settings decides it.
    pub message_id: String,
    /// Whether the visitor wrote the mail.
    pub is_inbound: bool,
    /// Mailbox that the mail is sent to, see [`crate::mailbox`]. `None` for a mail of the visitor.
    pub mailbox: Option<String>,
    /// Sequence number of the first message of the mail.
    pub first_seq: i64,
    /// Time at which the mail is sent, or at which it arrived.
    pub due_at: Timestamp,
    /// Time at which the mail was planned, or at which it arrived.
    pub created_at: Timestamp,
}
