//! The row of a conversation and its conversion to the entity.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::{Conversation, Vote};

use crate::columns;
use crate::error::{Error, Result};
use crate::schema::conversations as conv;

#[derive(Queryable, Selectable)]
#[diesel(table_name = conv)]
pub(super) struct Row {
    site_id: String,
    id: String,
    session_id: String,
    question: String,
    answer: String,
    citations: String,
    outcome: String,
    confidence: f64,
    language: Option<String>,
    is_helpful: Option<bool>,
    feedback_reason: Option<String>,
    feedback_comment: Option<String>,
    handoff_status: Option<String>,
    handoff_at_ms: Option<i64>,
    customer_email: Option<String>,
    assignee_id: Option<String>,
    message_count: i64,
    created_at_ms: i64,
    updated_at_ms: i64,
    token_id: Option<String>,
    address_key: Option<String>,
    priority: String,
}

impl TryFrom<Row> for Conversation {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Conversation {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            session_id: row.session_id,
            question: row.question,
            answer: row.answer,
            citations: columns::json(&row.citations)?,
            outcome: columns::named(&row.outcome)?,
            confidence: row.confidence,
            language: row.language,
            vote: row.is_helpful.map(Vote::from_bool),
            feedback_reason: row.feedback_reason.as_deref().map(columns::named).transpose()?,
            feedback_comment: row.feedback_comment,
            handoff: row.handoff_status.as_deref().map(columns::named).transpose()?,
            handoff_at: columns::ms(row.handoff_at_ms),
            customer_email: row.customer_email,
            assignee_id: columns::parse_opt(row.assignee_id.as_deref())?,
            message_count: row.message_count,
            created_at: Timestamp::from_ms(row.created_at_ms),
            updated_at: Timestamp::from_ms(row.updated_at_ms),
            token_id: columns::parse_opt(row.token_id.as_deref())?,
            address_key: row.address_key,
            priority: columns::named(&row.priority)?,
        })
    }
}
