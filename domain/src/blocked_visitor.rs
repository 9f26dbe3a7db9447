//! Visitors whom the team of a site has blocked.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::ids::{BlockId, ConversationId, SiteId};

/// By what a visitor is recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// The ID of the visitor's session.
    Session,
    /// The network address of the visitor's questions.
    Address,
    /// The e-mail address that the visitor left.
    Email,
}

impl BlockKind {
    /// Returns the name as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            BlockKind::Session => "session",
            BlockKind::Address => "address",
            BlockKind::Email => "email",
        }
    }
}

/// The subjects of all blocks of a site.
pub type BlockedSubjects = Arc<HashSet<(BlockKind, String)>>;

/// A visitor whose requests are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedVisitor {
    /// Site that refuses the visitor.
    pub site_id: SiteId,
    /// ID of the block.
    pub id: BlockId,
    /// By what the visitor is recognized.
    pub kind: BlockKind,
    /// The session ID, or the keyed hash of the network address or the mailbox.
    pub subject: String,
    /// Conversation from which the visitor was blocked.
    pub conversation_id: ConversationId,
    /// Reason that the team wrote down.
    pub note: Option<String>,
    /// Time of the block.
    pub created_at: Timestamp,
}
