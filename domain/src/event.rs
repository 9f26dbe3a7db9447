//! The events of a site's log. The log feeds subscriptions, SSE, webhooks and analytics. The JSON
//! of [`EventData`] is the documented `data` of webhooks.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;
use crate::cases::named_enum;
use crate::conversation::{Author, Vote};
use crate::ids::{ChunkId, ConversationId, EventId, MemberId, MessageId, NoteId, SiteId, SourceId};
use crate::triage::Priority;

/// Passes the cases of [`EventType`] that are about conversations, with their names in webhooks and in the database, to a
/// macro that declares an enum.
#[macro_export]
macro_rules! event_type_cases {
    ($macro:ident $enum:tt) => {
        $macro! { $enum
            /// A visitor asked a question, and HelpBot's reply was stored, whatever its outcome.
            ConversationCreated = "conversation.created",
            /// A question has no answer. This event follows directly after its `CONVERSATION_CREATED`.
            ConversationUnanswered = "conversation.unanswered",
            /// A visitor voted on an answer or changed the vote.
            ConversationFeedback = "conversation.feedback",
            /// A visitor gave, changed or removed the reason or the comment of a vote, which stays as it is.
            FeedbackExplained = "feedback.explained",
            /// A visitor asked for a human.
            ConversationHandoff = "conversation.handoff",
            /// A visitor, a member or a server wrote a message.
            MessageCreated = "message.created",
            /// A conversation was assigned to a member.
            ConversationAssigned = "conversation.assigned",
            /// A member returned a conversation to the queue, so that HelpBot answers the visitor again.
            ConversationUnassigned = "conversation.unassigned",
            /// A conversation was resolved.
            ConversationResolved = "conversation.resolved",
            /// A resolved conversation was reopened.
            ConversationReopened = "conversation.reopened",
            /// A visitor rated the help of the team after a conversation was resolved, or changed the rating.
            ConversationRated = "conversation.rated",
            /// The visitor or the team has read messages that they had not read before.
            ConversationRead = "conversation.read",
            /// A conversation was erased. Only its ID is known.
            ConversationErased = "conversation.erased",
            /// The priority or the tags of a conversation changed. Only the team receives this event.
            ConversationUpdated = "conversation.updated",
            /// A member wrote a note about a conversation or deleted one. Only the team receives this event.
            NoteChanged = "note.changed",
        }
    };
}

/// Same as [`event_type_cases`], for the cases that are about entries and sources. They come after the cases
/// `$before`.
#[macro_export]
macro_rules! content_event_type_cases {
    ($macro:ident $enum:tt $($before:tt)*) => {
        $macro! { $enum $($before)*
            /// An FAQ entry was written or imported. The counts of its source have changed too.
            EntryAdded = "entry.added",
            /// An FAQ entry was changed by a mutation or an import.
            EntryUpdated = "entry.updated",
            /// An FAQ entry that was written by hand was deleted. Only its ID is known, and the counts of its source
            /// have changed too.
            EntryDeleted = "entry.deleted",
            /// A source was added.
            SourceAdded = "source.added",
            /// The options, the content or the status of a source changed, for example when its sync begins, fails or is
            /// canceled.
            SourceUpdated = "source.updated",
            /// A sync of a source succeeded. The entries that it added, changed and removed have no events of their
            /// own, so a client reads the entries of the source again.
            SourceSynced = "source.synced",
            /// A source was deleted with its pages and entries. Only its ID is known.
            SourceDeleted = "source.deleted",
        }
    };
}

/// Declares an enum with the cases of both lists.
macro_rules! with_content_cases {
    ($enum:tt $($cases:tt)*) => {
        content_event_type_cases!(named_enum $enum $($cases)*);
    };
}

event_type_cases!(with_content_cases {
    /// The type of an event.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum EventType
});

impl EventType {
    /// The event types that webhooks can subscribe to, in the documented order.
    pub const WEBHOOK: [EventType; 4] = [
        EventType::ConversationCreated,
        EventType::ConversationUnanswered,
        EventType::ConversationFeedback,
        EventType::ConversationHandoff,
    ];

    /// Returns whether only the team receives events of the type.
    pub const fn is_of_team(self) -> bool {
        matches!(self, EventType::ConversationUpdated | EventType::NoteChanged)
    }

    /// Returns whether events of the type are about an entry or a source.
    pub const fn is_of_content(self) -> bool {
        use EventType::{
            EntryAdded, EntryDeleted, EntryUpdated, SourceAdded, SourceDeleted, SourceSynced, SourceUpdated,
        };
        matches!(
            self,
            EntryAdded | EntryUpdated | EntryDeleted | SourceAdded | SourceUpdated | SourceSynced | SourceDeleted
        )
    }
}

/// The text is not the name of an event type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the text is not the name of an event type")]
pub struct EventTypeError;

impl FromStr for EventType {
    type Err = EventTypeError;

    fn from_str(text: &str) -> Result<Self, EventTypeError> {
        Self::ALL.into_iter().find(|t| t.as_str() == text).ok_or(EventTypeError)
    }
}

/// The public data of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EventData {
    /// Data of `conversation.created` and `conversation.unanswered`.
    #[serde(rename_all = "camelCase")]
    Asked {
        /// ID of the conversation.
        conversation_id: ConversationId,
        /// Session of the visitor.
        session_id: String,
        /// Question as the visitor wrote it.
        question: String,
        /// Answer as it was sent.
        answer: String,
        /// URLs or names of the pages that the answer is based on, best match first.
        sources: Vec<String>,
    },
    /// Data of `message.created`.
    #[serde(rename_all = "camelCase")]
    Message {
        /// ID of the conversation.
        conversation_id: ConversationId,
        /// ID of the message.
        message_id: MessageId,
        /// Author of the message.
        author: Author,
        /// Name of the member, for messages of the team.
        agent_name: Option<String>,
        /// Text of the message.
        text: String,
    },
    /// Data of `conversation.handoff`.
    #[serde(rename_all = "camelCase")]
    Handoff {
        /// ID of the conversation.
        conversation_id: ConversationId,
        /// Question as the visitor wrote it.
        question: String,
        /// Answer as it was sent.
        answer: String,
        /// E-mail address that the visitor left for replies.
        customer_email: Option<String>,
    },
    /// Data of `conversation.feedback` and `feedback.explained`. What the visitor wrote is in the conversation only.
    #[serde(rename_all = "camelCase")]
    Feedback {
        /// ID of the conversation.
        conversation_id: ConversationId,
        /// Vote of the visitor.
        helpful: Vote,
    },
    /// Data of `conversation.read`.
    #[serde(rename_all = "camelCase")]
    Read {
        /// ID of the conversation.
        conversation_id: ConversationId,
        /// Side that has read the messages.
        reader: Author,
    },
    /// Data of `conversation.rated`.
    #[serde(rename_all = "camelCase")]
    Rated {
        /// ID of the conversation.
        conversation_id: ConversationId,
        /// Rating from 1 to 5.
        rating: u8,
    },
    /// Data of `conversation.updated`.
    #[serde(rename_all = "camelCase")]
    Updated {
        /// ID of the conversation.
        conversation_id: ConversationId,
        /// Member who acted. `None` when an API key acted.
        actor_id: Option<MemberId>,
        /// The priority after the change.
        priority: Priority,
        /// Tags that were added.
        added_tags: Vec<String>,
        /// Tags that were removed.
        removed_tags: Vec<String>,
    },
    /// Data of `note.changed`.
    #[serde(rename_all = "camelCase")]
    Noted {
        /// ID of the conversation.
        conversation_id: ConversationId,
        /// Member who acted. `None` when an API key acted.
        actor_id: Option<MemberId>,
        /// ID of the note, which may have been deleted.
        note_id: NoteId,
    },
    /// Data of `conversation.assigned`, `conversation.unassigned`, `conversation.resolved` and
    /// `conversation.reopened`. It stays the last variant: its only required field is in all others.
    #[serde(rename_all = "camelCase")]
    Moved {
        /// ID of the conversation.
        conversation_id: ConversationId,
        /// Member who was assigned, or who acted otherwise. `None` when an API key acted.
        member_id: Option<MemberId>,
        /// Member who acted. `None` when an API key acted, and in events of earlier versions.
        #[serde(default)]
        actor_id: Option<MemberId>,
    },
}

impl EventData {
    /// Returns the ID of the conversation that the event belongs to.
    pub const fn conversation_id(&self) -> ConversationId {
        match self {
            EventData::Asked { conversation_id, .. }
            | EventData::Message { conversation_id, .. }
            | EventData::Handoff { conversation_id, .. }
            | EventData::Feedback { conversation_id, .. }
            | EventData::Read { conversation_id, .. }
            | EventData::Rated { conversation_id, .. }
            | EventData::Updated { conversation_id, .. }
            | EventData::Noted { conversation_id, .. }
            | EventData::Moved { conversation_id, .. } => *conversation_id,
        }
    }
}

/// The data of an event about an entry or a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentEventData {
    /// ID of the source that the event is about, or that the entry belongs to.
    pub source_id: SourceId,
    /// ID of the entry. `None` for an event about a source.
    pub entry_id: Option<ChunkId>,
}

/// An event of a site's log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Site that the event belongs to.
    pub site_id: SiteId,
    /// Number of the event in the site's log. Numbers start at 1, have no gaps and rise in the
    /// order of commits.
    pub seq: i64,
    /// ID of the event, the same in webhooks and logs.
    pub id: EventId,
    /// Type of the event.
    pub event_type: EventType,
    /// ID of the conversation that the event belongs to. `None` for an event about an entry or a source.
    pub conversation_id: Option<ConversationId>,
    /// Session of the visitor. Empty for an event about an entry or a source.
    pub session_id: String,
    /// ID of the session token that proved the question of the conversation. `None` when it was
    /// asked without proof.
    pub token_id: Option<Uuid>,
    /// Documented data, as JSON text: [`EventData`] or [`ContentEventData`]. It is stored as written and never generated
    /// again.
    pub data: String,
    /// Time of the event.
    pub created_at: Timestamp,
}

impl Event {
    /// Data of an event whose visitor was erased. The event keeps its number, so that cursors stay
    /// valid. It parses as none of the variants of [`EventData`].
    pub const ERASED: &str = r#"{"isErased":true}"#;

    /// Returns whether the visitor of the event was erased.
    pub fn is_erased(&self) -> bool {
        self.data == Self::ERASED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_name_is_parsed() {
        for event_type in EventType::ALL {
            assert_eq!(event_type.as_str().parse(), Ok(event_type));
            let is_of_content = ["entry.", "source."].iter().any(|start| event_type.as_str().starts_with(start));
            assert_eq!(event_type.is_of_content(), is_of_content, "{event_type}");
        }
        assert_eq!("conversation.deleted".parse::<EventType>(), Err(EventTypeError));
    }

    #[test]
    fn the_data_of_an_erased_event_parses_as_no_variant() {
        assert!(serde_json::from_str::<EventData>(Event::ERASED).is_err());
    }

    #[test]
    fn the_json_is_the_documented_one() {
        let conversation_id = ConversationId::from_uuid(Uuid::from_u128(1));
        let data =
            EventData::Handoff { conversation_id, question: "q".into(), answer: "a".into(), customer_email: None };

        let json = serde_json::to_value(&data).expect("plain data");

        assert_eq!(
            json,
            serde_json::json!({
                "conversationId": conversation_id.to_string(), "question": "q", "answer": "a", "customerEmail": null
            })
        );
        assert_eq!(serde_json::from_value::<EventData>(json).expect("the same"), data);
    }
}
