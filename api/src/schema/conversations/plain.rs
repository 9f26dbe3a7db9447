//! The plain fields of conversations, messages, citations and their sources: those that only read the row.
//!
//! Lists resolve these fields directly. Each value must be the same as that of the field's resolver;
//! a test of the API compares both for every field.

use async_graphql::Value;
use async_graphql::{ScalarType as _, resolver_utils};
use helpbot_domain::Timestamp;

use super::{Citation, Conversation, Message};
use crate::schema::enums::{AnswerOutcome, Feedback, SourceKind, SourceStatus};
use crate::schema::plain::PlainFields;
use crate::schema::scalars::DateTime;
use crate::schema::sources::Source;

impl PlainFields for Conversation {
    fn plain_field(&self, name: &str) -> Option<Value> {
        let row = &self.row;
        Some(match name {
            "id" => Value::String(row.id.to_string()),
            "sessionId" => text(&row.session_id),
            "question" => text(&row.question),
            "answer" => text(&row.answer),
            "outcome" => resolver_utils::enum_value(AnswerOutcome::from(row.outcome)),
            "isUnanswered" => Value::Boolean(row.outcome.is_unanswered()),
            "feedback" => row.vote.map_or(Value::Null, |vote| resolver_utils::enum_value(Feedback::from(vote))),
            "language" => row.language.as_deref().map_or(Value::Null, text),
            "createdAt" => time(row.created_at),
            "updatedAt" => time(row.updated_at),
            _ => return None,
        })
    }
}

impl PlainFields for Message {
    fn plain_field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "id" => text(&self.id),
            "seq" => Value::Number(self.seq.into()),
            "author" => resolver_utils::enum_value(self.author),
            "agentName" => self.agent_name.as_deref().map_or(Value::Null, text),
            "text" => text(&self.text),
            "createdAt" => self.created_at.to_value(),
            _ => return None,
        })
    }
}

impl PlainFields for Citation {
    fn plain_field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "url" => self.row.url.as_deref().map_or(Value::Null, text),
            "title" => text(&self.row.title),
            "quote" => text(&self.row.quote),
            _ => return None,
        })
    }
}

impl PlainFields for Source {
    fn plain_field(&self, name: &str) -> Option<Value> {
        let row = &self.row;
        Some(match name {
            "id" => Value::String(row.id.to_string()),
            "kind" => resolver_utils::enum_value(SourceKind::from(row.kind)),
            "url" => text(&row.url),
            "title" => row.title.as_deref().map_or(Value::Null, text),
            "status" => resolver_utils::enum_value(SourceStatus::from(row.status)),
            "error" => row.error.as_deref().map_or(Value::Null, text),
            _ => return None,
        })
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn time(moment: Timestamp) -> Value {
    DateTime(moment).to_value()
}
