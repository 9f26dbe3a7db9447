//! The events that webhooks can receive: a part of the events of the domain.

use async_graphql::Enum;
use helpbot_domain::event::EventType;

/// Type of an event that a webhook can receive.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookEventType {
    /// A visitor asked a question, and HelpBot's reply was stored, whatever its outcome
    /// (`conversation.created`).
    ConversationCreated,
    /// A question has no answer (`conversation.unanswered`). It is sent in addition to
    /// `conversation.created`.
    ConversationUnanswered,
    /// A visitor voted on an answer or changed the vote (`conversation.feedback`).
    ConversationFeedback,
    /// A visitor asked for a human (`conversation.handoff`).
    ConversationHandoff,
}

impl WebhookEventType {
    /// The type of a stored event. `None` for events that webhooks do not receive.
    pub(super) fn of(event: EventType) -> Option<Self> {
        match event {
            EventType::ConversationCreated => Some(Self::ConversationCreated),
            EventType::ConversationUnanswered => Some(Self::ConversationUnanswered),
            EventType::ConversationFeedback => Some(Self::ConversationFeedback),
            EventType::ConversationHandoff => Some(Self::ConversationHandoff),
            _ => None,
        }
    }
}

impl From<WebhookEventType> for EventType {
    fn from(event: WebhookEventType) -> Self {
        match event {
            WebhookEventType::ConversationCreated => EventType::ConversationCreated,
            WebhookEventType::ConversationUnanswered => EventType::ConversationUnanswered,
            WebhookEventType::ConversationFeedback => EventType::ConversationFeedback,
            WebhookEventType::ConversationHandoff => EventType::ConversationHandoff,
        }
    }
}
