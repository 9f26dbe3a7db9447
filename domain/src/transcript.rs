//! Transcripts: copies of a conversation that are sent by e-mail, and the codes that confirm an address.

use uuid::Uuid;

use crate::Timestamp;
use crate::ids::{ConversationId, SiteId};
use crate::limit::MailRequester;

/// A visitor's request to receive the conversation by e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptRequest {
    /// Site that the request belongs to.
    pub site_id: SiteId,
    /// ID of the request.
    pub id: Uuid,
    /// Conversation that is sent.
    pub conversation_id: ConversationId,
    /// Address that receives the transcript.
    pub email: String,
    /// Mailbox of that address, see [`crate::mailbox`].
    pub mailbox: String,
    /// Session of the visitor who asked for it. `None` when the team sent it.
    pub session_id: Option<String>,
    /// Keyed hash of the visitor's network address. `None` when it is not known.
    pub address_key: Option<String>,
    /// Time of the request.
    pub created_at: Timestamp,
}

/// A code that was mailed to an address, to prove that the address is the visitor's. The code itself is
/// derived from the ID and is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptCode {
    /// Site that the code belongs to.
    pub site_id: SiteId,
    /// ID of the code.
    pub id: Uuid,
    /// Session of the visitor.
    pub session_id: String,
    /// ID of the session token that proved the session.
    pub token_id: Uuid,
    /// Address that receives the code.
    pub email: String,
    /// Mailbox of that address, see [`crate::mailbox`].
    pub mailbox: String,
    /// Keyed hash of the visitor's network address. `None` when it is not known.
    pub address_key: Option<String>,
    /// Number of attempts to confirm the code.
    pub attempts: i32,
    /// Time of the request.
    pub created_at: Timestamp,
    /// Time at which the visitor sent the right code. `None` until then.
    pub confirmed_at: Option<Timestamp>,
}

impl TranscriptRequest {
    /// Returns what limits count the mail by.
    pub fn requester(&self) -> MailRequester {
        MailRequester {
            session_id: self.session_id.clone(),
            mailbox: Some(self.mailbox.clone()),
            address_key: self.address_key.clone(),
        }
    }
}

impl TranscriptCode {
    /// Returns what limits count the mail by.
    pub fn requester(&self) -> MailRequester {
        MailRequester {
            session_id: Some(self.session_id.clone()),
            mailbox: Some(self.mailbox.clone()),
            address_key: self.address_key.clone(),
        }
    }
}
