//! What a site's event log holds. One log feeds subscriptions, SSE, webhooks and analytics; the
//! JSON of [`EventData`] is the documented webhook `data`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::conversation::{Author, Vote};
use crate::ids::{ConversationId, EventId, MemberId, MessageId, SiteId};

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// A visitor asked and was answered (or told that there is no answer).
    ConversationCreated,
    /// There was no answer; comes right after its `ConversationCreated`.
    ConversationUnanswered,
    /// A visitor voted, or changed the vote.
    ConversationFeedback,
    /// A visitor asked for a human.
    ConversationHandoff,
    /// Visitor or team wrote a message.
    MessageCreated,
    /// A member took the conversation.
    ConversationAssigned,
    /// A member closed it.
    ConversationResolved,
    /// It was opened again.
    ConversationReopened,
}

impl EventType {
    /// All of them, in the order above.
    pub const ALL: [EventType; 8] = [
        EventType::ConversationCreated,
        EventType::ConversationUnanswered,
        EventType::ConversationFeedback,
        EventType::ConversationHandoff,
        EventType::MessageCreated,
        EventType::ConversationAssigned,
        EventType::ConversationResolved,
        EventType::ConversationReopened,
    ];

    /// The four that webhooks may ask for, in the order of the reference page.
    pub const WEBHOOK: [EventType; 4] = [
        EventType::ConversationCreated,
        EventType::ConversationUnanswered,
        EventType::ConversationFeedback,
        EventType::ConversationHandoff,
    ];

    /// The name in webhooks and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            EventType::ConversationCreated => "conversation.created",
            EventType::ConversationUnanswered => "conversation.unanswered",
            EventType::ConversationFeedback => "conversation.feedback",
            EventType::ConversationHandoff => "conversation.handoff",
            EventType::MessageCreated => "message.created",
            EventType::ConversationAssigned => "conversation.assigned",
            EventType::ConversationResolved => "conversation.resolved",
            EventType::ConversationReopened => "conversation.reopened",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown event type")]
pub struct EventTypeError;

impl FromStr for EventType {
    type Err = EventTypeError;

    fn from_str(text: &str) -> Result<Self, EventTypeError> {
        Self::ALL.into_iter().find(|t| t.as_str() == text).ok_or(EventTypeError)
    }
}

/// What happened, as told to the outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EventData {
    /// For `conversation.created` and `conversation.unanswered`.
    #[serde(rename_all = "camelCase")]
    Asked {
        /// The conversation.
        conversation_id: ConversationId,
        /// The visitor's session.
        session_id: String,
        /// As asked.
        question: String,
        /// As answered.
        answer: String,
        /// Addresses or names of the pages that the answer rests on, best first.
        sources: Vec<String>,
    },
    /// For `message.created`.
    #[serde(rename_all = "camelCase")]
    Message {
        /// The conversation.
        conversation_id: ConversationId,
        /// The message.
        message_id: MessageId,
        /// Who wrote it.
        author: Author,
        /// The member's name, for an agent's message.
        agent_name: Option<String>,
        /// Its words.
        text: String,
    },
    /// For `conversation.handoff`.
    #[serde(rename_all = "camelCase")]
    Handoff {
        /// The conversation.
        conversation_id: ConversationId,
        /// As asked.
        question: String,
        /// As answered.
        answer: String,
        /// Where the visitor can be written to.
        customer_email: Option<String>,
    },
    /// For `conversation.feedback`.
    #[serde(rename_all = "camelCase")]
    Feedback {
        /// The conversation.
        conversation_id: ConversationId,
        /// The vote.
        helpful: Vote,
    },
    /// For `conversation.assigned`, `.resolved` and `.reopened`.
    #[serde(rename_all = "camelCase")]
    Moved {
        /// The conversation.
        conversation_id: ConversationId,
        /// The member who did it, or to whom it was given; none where a key did.
        member_id: Option<MemberId>,
    },
}

impl EventData {
    /// The conversation that it happened to.
    pub const fn conversation_id(&self) -> ConversationId {
        match self {
            EventData::Asked { conversation_id, .. }
            | EventData::Message { conversation_id, .. }
            | EventData::Handoff { conversation_id, .. }
            | EventData::Feedback { conversation_id, .. }
            | EventData::Moved { conversation_id, .. } => *conversation_id,
        }
    }
}

/// One entry of a site's log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The site.
    pub site_id: SiteId,
    /// Its place in the site's log: from 1, without gaps, in the order of commits.
    pub seq: i64,
    /// The event's id, the same in webhooks and logs.
    pub id: EventId,
    /// What kind of thing happened.
    pub event_type: EventType,
    /// The conversation that it happened to.
    pub conversation_id: ConversationId,
    /// The visitor's session.
    pub session_id: String,
    /// The documented payload, as JSON text; kept as written and never made again.
    pub data: String,
    /// When.
    pub created_at: Timestamp,
}

impl Event {
    /// The payload of an event whose visitor was erased: the log keeps its place, so that cursors
    /// have no gap, and says nothing more of it. Reads as none of [`EventData`].
    pub const ERASED: &str = r#"{"isErased":true}"#;

    /// Whether its visitor was erased.
    pub fn is_erased(&self) -> bool {
        self.data == Self::ERASED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_name_reads_back() {
        for event_type in EventType::ALL {
            assert_eq!(event_type.as_str().parse(), Ok(event_type));
        }
        assert_eq!("conversation.deleted".parse::<EventType>(), Err(EventTypeError));
    }

    #[test]
    fn an_erased_payload_is_read_as_no_other() {
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
