//! The plain fields of conversations, messages, citations and their sources: those that only read the row.
//!
//! Lists and the direct execution read these fields here. Each value must be the same as that of the field's
//! resolver; a test of the API compares both for every field.

use helpbot_domain::conversation as rules;
use helpbot_domain::conversation_parts::ConversationParts as Parts;
use helpbot_domain::source as stored;

use super::{Citation, Conversation, Message};
use crate::gateway::guard::plan::TYPE_NAME;
use crate::schema::enums::{AnswerOutcome, Feedback, FeedbackReason, SourceKind, SourceStatus};
use crate::schema::plain::{PlainFields, PlainValue};
use crate::schema::scalars::int;
use crate::schema::sources::Source;

impl PlainFields for Conversation {
    fn plain_field<V: PlainValue>(&self, name: &str, to: V) -> Option<V::Written> {
        conversation(&self.row, name, to)
    }
}

impl PlainFields for Citation {
    fn plain_field<V: PlainValue>(&self, name: &str, to: V) -> Option<V::Written> {
        citation(&self.row, name, to)
    }
}

impl PlainFields for Source {
    fn plain_field<V: PlainValue>(&self, name: &str, to: V) -> Option<V::Written> {
        source(&self.row, name, to)
    }
}

impl PlainFields for Message {
    fn plain_field<V: PlainValue>(&self, name: &str, to: V) -> Option<V::Written> {
        Some(match name {
            "id" => to.word(&*self.id),
            "seq" => to.integer(self.seq),
            "author" => to.choice(self.author),
            "agentName" => to.optional(self.agent_name.as_deref()),
            "text" => to.text(&self.text),
            "createdAt" => to.word(self.created_at.0),
            _ => return None,
        })
    }
}

/// The plain field `name` of a conversation.
pub(crate) fn conversation<V: PlainValue>(row: &rules::Conversation, name: &str, to: V) -> Option<V::Written> {
    Some(match name {
        "id" => to.word(row.id),
        "sessionId" => to.text(&row.session_id),
        "question" => to.text(&row.question),
        "answer" => to.text(&row.answer),
        "outcome" => to.choice(AnswerOutcome::from(row.outcome)),
        "isUnanswered" => to.boolean(row.outcome.is_unanswered()),
        "confidence" => to.real(row.confidence),
        "feedback" => match row.vote {
            Some(vote) => to.choice(Feedback::from(vote)),
            None => to.null(),
        },
        "feedbackReason" => match row.feedback_reason {
            Some(reason) => to.choice(FeedbackReason::from(reason)),
            None => to.null(),
        },
        "feedbackComment" => to.optional(row.feedback_comment.as_deref()),
        "language" => to.optional(row.language.as_deref()),
        "createdAt" => to.word(row.created_at),
        "updatedAt" => to.word(row.updated_at),
        _ => return None,
    })
}

/// The plain field `name` of a citation.
pub(crate) fn citation<V: PlainValue>(row: &rules::Citation, name: &str, to: V) -> Option<V::Written> {
    Some(match name {
        "url" => to.optional(row.url.as_deref()),
        "title" => to.text(&row.title),
        "quote" => to.text(&row.quote),
        "textFragment" => to.optional(row.text_fragment.as_deref()),
        "score" => to.real(row.score),
        _ => return None,
    })
}

/// The plain field `name` of a source.
pub(crate) fn source<V: PlainValue>(row: &stored::Source, name: &str, to: V) -> Option<V::Written> {
    Some(match name {
        "id" => to.word(row.id),
        "kind" => to.choice(SourceKind::from(row.kind)),
        "url" => to.text(&row.url),
        "title" => to.optional(row.title.as_deref()),
        "status" => to.choice(SourceStatus::from(row.status)),
        "error" => to.optional(row.error.as_deref()),
        "pageCount" | "documentCount" => to.integer(int(row.document_count)),
        "chunkCount" => to.integer(int(row.chunk_count)),
        _ => return None,
    })
}

/// The parts of a conversation that its field `name` needs.
pub(crate) fn parts_of(name: &str) -> Parts {
    match name {
        "id" | "isVisitorHere" | "notes" | "tags" | "unreadCount" | "visitorLastSeenAt" | TYPE_NAME => Parts::ID,
        "session" | "sessionId" => Parts::SESSION,
        "question" => Parts::QUESTION,
        "answer" => Parts::ANSWER,
        "citations" | "sources" => Parts::CITATIONS,
        "outcome" | "isUnanswered" => Parts::OUTCOME,
        "confidence" => Parts::CONFIDENCE,
        "feedback" | "feedbackReason" | "feedbackComment" => Parts::VOTE,
        "language" => Parts::LANGUAGE,
        "handoff" => Parts::HANDOFF.with(Parts::CREATED),
        "messages" => Parts::QUESTION.with(Parts::ANSWER).with(Parts::CREATED).with(Parts::MESSAGE_COUNT),
        "priority" => Parts::PRIORITY,
        "createdAt" => Parts::CREATED,
        "updatedAt" => Parts::UPDATED,
        _ => Parts::ALL,
    }
}
