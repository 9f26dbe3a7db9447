//! The row of a conversation of which only some columns are read.
//!
//! `lists` reads such rows. [`PartialColumns`] writes the columns of the parts into a statement, with the parts
//! themselves as the first value, from which [`PartialRow`] knows which columns follow. The text of the
//! statement is the same for the same parts, so it stays prepared.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::expression::expression_types::Untyped;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::{BigInt, Bool, Double, Integer, Nullable, Text};
use diesel::{Column, QueryResult};
use helpbot_domain::Timestamp;
use helpbot_domain::conversation::{Conversation, Vote};
use helpbot_domain::conversation_parts::ConversationParts as Parts;
use helpbot_domain::ids::{ConversationId, SiteId};
use uuid::Uuid;

use crate::columns;
use crate::schema::conversations as conv;

/// The columns of each part, in the order of [`PartialRow`].
const COLUMNS: [(Parts, &[&str]); 15] = [
    (Parts::ID, &[conv::id::NAME]),
    (Parts::SESSION, &[conv::session_id::NAME]),
    (Parts::QUESTION, &[conv::question::NAME]),
    (Parts::ANSWER, &[conv::answer::NAME]),
    (Parts::CITATIONS, &[conv::citations::NAME]),
    (Parts::OUTCOME, &[conv::outcome::NAME]),
    (Parts::CONFIDENCE, &[conv::confidence::NAME]),
    (Parts::LANGUAGE, &[conv::language::NAME]),
    (Parts::VOTE, &[conv::is_helpful::NAME, conv::feedback_reason::NAME, conv::feedback_comment::NAME]),
    (
        Parts::HANDOFF,
        &[conv::handoff_status::NAME, conv::handoff_at_ms::NAME, conv::customer_email::NAME, conv::assignee_id::NAME],
    ),
    (Parts::MESSAGE_COUNT, &[conv::message_count::NAME]),
    (Parts::CREATED, &[conv::created_at_ms::NAME]),
    (Parts::UPDATED, &[conv::updated_at_ms::NAME]),
    (Parts::TOKEN, &[conv::token_id::NAME, conv::address_key::NAME]),
    (Parts::PRIORITY, &[conv::priority::NAME]),
];

/// The columns of some parts of a conversation, as the selection of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartialColumns(pub Parts);

impl<DB: Backend> QueryFragment<DB> for PartialColumns {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_sql(&self.0.bits().to_string());
        for (_, names) in COLUMNS.iter().filter(|(part, _)| self.0.has(*part)) {
            for name in *names {
                pass.push_sql(", conversations.");
                pass.push_identifier(name)?;
            }
        }
        Ok(())
    }
}

impl Expression for PartialColumns {
    type SqlType = Untyped;
}

impl<S> AppearsOnTable<S> for PartialColumns {}

impl SelectableExpression<conv::table> for PartialColumns {}

impl<G> ValidGrouping<G> for PartialColumns {
    type IsAggregate = diesel::expression::is_aggregate::No;
}

/// The cache of prepared statements finds the statement by its text.
impl QueryId for PartialColumns {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// A conversation of which only some parts were read. The other parts are empty, and so is the ID of the site, which
/// the reader of the list knows.
pub(super) struct PartialRow(Conversation);

impl<DB> QueryableByName<DB> for PartialRow
where
    DB: Backend,
    i32: FromSql<Integer, DB>,
    i64: FromSql<BigInt, DB>,
    f64: FromSql<Double, DB>,
    bool: FromSql<Bool, DB>,
    String: FromSql<Text, DB>,
{
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let mut next = 0;
        let parts = Parts::from_bits(u16::try_from(value::<Integer, i32, _, _>(row, &mut next)?)?);
        let mut read = empty(columns::parse(&value::<Text, String, _, _>(row, &mut next)?)?);
        if parts.has(Parts::SESSION) {
            read.session_id = value::<Text, _, _, _>(row, &mut next)?;
        }
        if parts.has(Parts::QUESTION) {
            read.question = value::<Text, _, _, _>(row, &mut next)?;
        }
        if parts.has(Parts::ANSWER) {
            read.answer = value::<Text, _, _, _>(row, &mut next)?;
        }
        if parts.has(Parts::CITATIONS) {
            read.citations = columns::json(&value::<Text, String, _, _>(row, &mut next)?)?;
        }
        if parts.has(Parts::OUTCOME) {
            read.outcome = columns::named(&value::<Text, String, _, _>(row, &mut next)?)?;
        }
        if parts.has(Parts::CONFIDENCE) {
            read.confidence = value::<Double, _, _, _>(row, &mut next)?;
        }
        if parts.has(Parts::LANGUAGE) {
            read.language = value::<Nullable<Text>, _, _, _>(row, &mut next)?;
        }
        if parts.has(Parts::VOTE) {
            read.vote = value::<Nullable<Bool>, Option<bool>, _, _>(row, &mut next)?.map(Vote::from_bool);
            let reason = value::<Nullable<Text>, Option<String>, _, _>(row, &mut next)?;
            read.feedback_reason = reason.as_deref().map(columns::named).transpose()?;
            read.feedback_comment = value::<Nullable<Text>, _, _, _>(row, &mut next)?;
        }
        if parts.has(Parts::HANDOFF) {
            let status = value::<Nullable<Text>, Option<String>, _, _>(row, &mut next)?;
            read.handoff = status.as_deref().map(columns::named).transpose()?;
            read.handoff_at = columns::ms(value::<Nullable<BigInt>, _, _, _>(row, &mut next)?);
            read.customer_email = value::<Nullable<Text>, _, _, _>(row, &mut next)?;
            let assignee = value::<Nullable<Text>, Option<String>, _, _>(row, &mut next)?;
            read.assignee_id = columns::parse_opt(assignee.as_deref())?;
        }
        if parts.has(Parts::MESSAGE_COUNT) {
            read.message_count = value::<BigInt, _, _, _>(row, &mut next)?;
        }
        if parts.has(Parts::CREATED) {
            read.created_at = Timestamp::from_ms(value::<BigInt, _, _, _>(row, &mut next)?);
        }
        if parts.has(Parts::UPDATED) {
            read.updated_at = Timestamp::from_ms(value::<BigInt, _, _, _>(row, &mut next)?);
        }
        if parts.has(Parts::TOKEN) {
            let token = value::<Nullable<Text>, Option<String>, _, _>(row, &mut next)?;
            read.token_id = columns::parse_opt(token.as_deref())?;
            read.address_key = value::<Nullable<Text>, _, _, _>(row, &mut next)?;
        }
        if parts.has(Parts::PRIORITY) {
            read.priority = columns::named(&value::<Text, String, _, _>(row, &mut next)?)?;
        }
        Ok(Self(read))
    }
}

/// The value of the next column.
fn value<'a, ST, T, DB, R>(row: &R, next: &mut usize) -> deserialize::Result<T>
where
    DB: Backend,
    R: Row<'a, DB>,
    T: FromSql<ST, DB>,
{
    let field = Row::get(row, *next).ok_or("the row has too few columns")?;
    *next += 1;
    T::from_nullable_sql(field.value())
}

/// A conversation without any part.
fn empty(id: ConversationId) -> Conversation {
    let site = SiteId::from_uuid(Uuid::nil());
    Conversation {
        confidence: 0.0,
        message_count: 0,
        ..Conversation::beginning(site, id, String::new(), Timestamp::from_ms(0))
    }
}

impl PartialRow {
    /// The conversation, which belongs to `site`.
    pub(super) fn of(self, site: SiteId) -> Conversation {
        Conversation { site_id: site, ..self.0 }
    }
}
