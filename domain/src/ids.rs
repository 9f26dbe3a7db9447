//! IDs of all objects. An ID is a TypeID: a prefix that names the type, and a UUIDv7 in base32. IDs
//! sort by creation time and are the same in GraphQL, REST, webhooks and logs.
//!
//! An ID is built from a UUID that the caller provides; this crate generates none.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use type_safe_id::{StaticType, TypeSafeId};
use uuid::Uuid;

/// The text is not an ID of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the text is not an ID with the prefix {kind}")]
pub struct IdError {
    /// Expected prefix, for example `conv`.
    pub kind: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $tag:ident = $prefix:literal;)+) => {$(
        #[doc(hidden)]
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $tag;
        impl StaticType for $tag {
            const TYPE: &'static str = $prefix;
        }

        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(TypeSafeId<$tag>);

        impl $name {
            /// Prefix of the ID, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Builds an ID from a UUID, which must be of version 7.
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(TypeSafeId::from_type_and_uuid($tag, uuid))
            }

            /// Returns the UUID of the ID.
            pub fn uuid(&self) -> Uuid {
                self.0.uuid()
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self::from_uuid(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse().map(Self).map_err(|_| IdError { kind: $prefix })
            }
        }
    )+};
}

ids! {
    /// ID of a site: a web site and its account.
    SiteId, SiteTag = "site";
    /// ID of an API key record. The key itself is never stored.
    KeyId, KeyTag = "key";
    /// ID of a member of a site's team.
    MemberId, MemberTag = "mem";
    /// ID of a source: a web site, file or text that answers come from.
    SourceId, SourceTag = "src";
    /// ID of a page or file of a source.
    DocumentId, DocumentTag = "doc";
    /// ID of a chunk: a question with its answer, or a passage of a page.
    ChunkId, ChunkTag = "chk";
    /// ID of a conversation: a question, its answer and what follows a handoff.
    ConversationId, ConversationTag = "conv";
    /// ID of a message of a conversation.
    MessageId, MessageTag = "msg";
    /// One entry of a site's event log.
    EventId, EventTag = "evt";
    /// A webhook endpoint.
    WebhookId, WebhookTag = "wh";
    /// A request to send again what a webhook has not got.
    ReplayId, ReplayTag = "rpl";
    /// A saved test question.
    CaseId, CaseTag = "case";
    /// An instruction of the owner about the answer to a question.
    RuleId, RuleTag = "rule";
    /// A preview of a change.
    PreviewId, PreviewTag = "prv";
    /// A unit of background work.
    JobId, JobTag = "job";
    /// A note of the team.
    NoteId, NoteTag = "note";
    /// A canned reply.
    CannedReplyId, CannedReplyTag = "canned";
    /// A block of a visitor.
    BlockId, BlockTag = "blk";
    /// Global ID of a session. Its UUID is that of the session's token.
    SessionId, SessionTag = "ses";
    /// A person whom the site's own server names.
    ContactId, ContactTag = "contact";
    /// A secret that signs identity tokens.
    IdentitySecretId, IdentitySecretTag = "idsec";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_after_formatting_and_parsing() {
        let id = ConversationId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));

        let text = id.to_string();

        assert!(text.starts_with("conv_"));
        assert_eq!(text.len(), "conv_".len() + 26);
        assert_eq!(text.parse(), Ok(id));
    }

    #[test]
    fn an_id_of_another_type_is_rejected() {
        let source = SourceId::from_uuid(Uuid::from_u128(7)).to_string();

        assert_eq!(source.parse::<ConversationId>(), Err(IdError { kind: "conv" }));
        assert_eq!("conv_".parse::<ConversationId>(), Err(IdError { kind: "conv" }));
        assert_eq!("conv_abc123".parse::<ConversationId>(), Err(IdError { kind: "conv" }));
    }
}
