//! The ids of everything that has one: TypeIDs, a prefix that names the kind and a UUIDv7 in
//! base32, so that they sort by creation and read the same in GraphQL, REST, webhooks and logs.
//!
//! An id is made from a UUID that the caller brings; nothing here draws one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use type_safe_id::{StaticType, TypeSafeId};
use uuid::Uuid;

/// A text that is no id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind} id")]
pub struct IdError {
    /// The prefix that was wanted, for example `conv`.
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
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// The id of this kind with that UUID; callers bring a version 7 one.
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(TypeSafeId::from_type_and_uuid($tag, uuid))
            }

            /// The UUID inside.
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
    /// A web site and its account.
    SiteId, SiteTag = "site";
    /// An API key (the record; the key itself is never stored).
    KeyId, KeyTag = "key";
    /// A person who answers visitors.
    MemberId, MemberTag = "mem";
    /// Where answers come from: a URL, a file, a text.
    SourceId, SourceTag = "src";
    /// One page or file of a source.
    DocumentId, DocumentTag = "doc";
    /// One retrievable piece of a document: a question with its answer, or a passage.
    ChunkId, ChunkTag = "chk";
    /// A question, its answer, and what follows a handoff.
    ConversationId, ConversationTag = "conv";
    /// One message of a conversation.
    MessageId, MessageTag = "msg";
    /// One entry of a site's event log.
    EventId, EventTag = "evt";
    /// A webhook endpoint.
    WebhookId, WebhookTag = "wh";
    /// A request to send again what a webhook has not got.
    ReplayId, ReplayTag = "rpl";
    /// A saved test question.
    CaseId, CaseTag = "case";
    /// A unit of background work.
    JobId, JobTag = "job";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_the_way_through_text() {
        let id = ConversationId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));

        let text = id.to_string();

        assert!(text.starts_with("conv_"));
        assert_eq!(text.len(), "conv_".len() + 26);
        assert_eq!(text.parse(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let source = SourceId::from_uuid(Uuid::from_u128(7)).to_string();

        assert_eq!(source.parse::<ConversationId>(), Err(IdError { kind: "conv" }));
        assert_eq!("conv_".parse::<ConversationId>(), Err(IdError { kind: "conv" }));
        assert_eq!("conv_abc123".parse::<ConversationId>(), Err(IdError { kind: "conv" }));
    }
}
