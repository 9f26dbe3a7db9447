//! The conditions and the order of a list of conversations.

use async_graphql::{ID, InputObject};
use helpbot_domain::Timestamp;
use helpbot_domain::conversation_query::ConversationQuery;
use helpbot_domain::range::Range;
use helpbot_domain::time::Day;
use helpbot_services::conversations::ListQuery;

use crate::schema::enums::{
    AnalyticsRange, AnswerOutcome, ConversationOrder, ConversationPriority, ConversationState, Feedback, HandoffStatus,
};
use crate::schema::ids;
use crate::schema::scalars::DateTime;

/// Conditions that select conversations. A conversation must meet all of them.
#[derive(Default, InputObject)]
pub struct ConversationFilter {
    /// Selects conversations by what happened in them. Defaults to all conversations.
    state: Option<ConversationState>,
    /// Selects only the conversations of this session. Defaults to all sessions.
    session_id: Option<String>,
    /// Selects only conversations whose question or answer contains these words. Case is ignored, and
    /// only the first 200 characters are used. One or two characters are searched in the 20,000 newest
    /// conversations only, unless `sessionId` is given. Defaults to all conversations.
    search: Option<String>,
    /// Selects only conversations that were asked at this time or later. Defaults to all times.
    since: Option<DateTime>,
    /// Selects only conversations that were asked before this time. Defaults to all times.
    until: Option<DateTime>,
    /// Selects only conversations with one of these outcomes. An empty list selects none. Defaults to all
    /// outcomes.
    outcomes: Option<Vec<AnswerOutcome>>,
    /// Selects only conversations with one of these votes. An empty list selects none. Defaults to all
    /// conversations, including those without a vote.
    feedback: Option<Vec<Feedback>>,
    /// Selects only conversations in one of these languages, given as in `Conversation.language`. An empty list
    /// selects none. Defaults to all conversations, including those whose language is not known.
    languages: Option<Vec<String>>,
    /// Selects only conversations with a handoff when it is true, and only those without one when it is false.
    /// Defaults to both.
    has_handoff: Option<bool>,
    /// Selects only conversations that are assigned to a member when it is true, and only those that are not when
    /// it is false. Defaults to both.
    is_assigned: Option<bool>,
    /// Selects only conversations that were asked in this range of days. When `since` is set too, the later
    /// start applies. Defaults to all days.
    range: Option<AnalyticsRange>,
    /// Selects only conversations whose handoff has one of these statuses. An empty list selects none.
    /// Defaults to all conversations, including those without a handoff.
    handoff_statuses: Option<Vec<HandoffStatus>>,
    /// Selects only conversations that are assigned to the member with this ID. Defaults to all members and to
    /// conversations without one.
    assignee_id: Option<ID>,
    /// Selects only conversations with one of these priorities. An empty list selects none. Defaults to all
    /// priorities.
    priorities: Option<Vec<ConversationPriority>>,
    /// Selects only conversations with at least one of these tags. An empty list selects none. Defaults to all
    /// conversations, including those without tags.
    tags: Option<Vec<String>>,
    /// Selects only conversations whose visitor left an e-mail address that contains this text. Case is ignored.
    /// Defaults to all conversations, including those without an address.
    customer_email: Option<String>,
}

/// The query that the arguments of the list describe.
pub(crate) fn query(
    now: Timestamp,
    filter: Option<ConversationFilter>,
    order_by: Option<ConversationOrder>,
) -> ListQuery {
    let filter = filter.unwrap_or_default();
    let first_day = filter.range.and_then(|range| Range::from(range).first_day(now.day()));
    let since = filter.since.map(|since| since.0);
    let conditions = ConversationQuery {
        filter: filter.state.map(Into::into).unwrap_or_default(),
        session_id: filter.session_id,
        search: filter.search,
        since: since.max(first_day.map(Day::start)),
        until: filter.until.map(|until| until.0),
        outcomes: filter.outcomes.map(|outcomes| outcomes.into_iter().map(Into::into).collect()),
        votes: filter.feedback.map(|votes| votes.into_iter().map(Into::into).collect()),
        languages: filter.languages,
        has_handoff: filter.has_handoff,
        is_assigned: filter.is_assigned,
        handoffs: filter.handoff_statuses.map(|statuses| statuses.into_iter().map(Into::into).collect()),
        assignee: filter.assignee_id.as_ref().map(ids::read),
        priorities: filter.priorities.map(|priorities| priorities.into_iter().map(Into::into).collect()),
        tags: filter.tags.map(|tags| tags.iter().map(|tag| tag.trim().to_lowercase()).collect()),
        email: filter.customer_email,
    };
    ListQuery { conditions, order: order_by.map(Into::into).unwrap_or_default() }
}
