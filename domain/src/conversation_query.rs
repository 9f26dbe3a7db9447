//! The conditions that select the conversations of a list.

use crate::Timestamp;
use crate::cases::plain_enum;
use crate::conversation::{HandoffStatus, Outcome, Vote};
use crate::ids::MemberId;
use crate::triage::Priority;

/// Passes the cases of [`ConversationFilter`] to a macro that declares an enum.
#[macro_export]
macro_rules! conversation_filter_cases {
    ($macro:ident $enum:tt) => {
        $macro! { $enum
            /// Selects all conversations of the site.
            All,
            /// Selects only conversations that have no answer.
            Unanswered,
            /// Selects only conversations whose question was answered, or that are small talk.
            Answered,
            /// Selects only conversations in which the visitor asked for a human.
            Handoff,
            /// Selects only conversations whose answer was voted helpful.
            Helpful,
            /// Selects only conversations whose answer was voted unhelpful.
            Unhelpful,
        }
    };
}

conversation_filter_cases!(plain_enum {
    /// Conversations that a list includes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum ConversationFilter
});

impl Default for ConversationFilter {
    fn default() -> Self {
        Self::All
    }
}

/// Conditions that select the conversations of a list. A conversation must meet all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationQuery {
    /// Only conversations that match this filter.
    pub filter: ConversationFilter,
    /// Only conversations of this session.
    pub session_id: Option<String>,
    /// Only conversations that contain these words in the question or the answer, in any case.
    pub search: Option<String>,
    /// Only conversations asked at or after this time.
    pub since: Option<Timestamp>,
    /// Only conversations asked before this time.
    pub until: Option<Timestamp>,
    /// Only conversations with one of these outcomes. `None` means all.
    pub outcomes: Option<Vec<Outcome>>,
    /// Only conversations with one of these votes. `None` means all, including those without a vote.
    pub votes: Option<Vec<Vote>>,
    /// Only conversations with one of these languages. `None` means all, including unknown ones.
    pub languages: Option<Vec<String>>,
    /// Only conversations with a handoff, or only those without one.
    pub has_handoff: Option<bool>,
    /// Only conversations that are assigned to a member, or only those that are not.
    pub is_assigned: Option<bool>,
    /// Only conversations with a handoff that has one of these statuses. `None` means all.
    pub handoffs: Option<Vec<HandoffStatus>>,
    /// Only conversations that are assigned to this member.
    pub assignee: Option<MemberId>,
    /// Only conversations with one of these priorities. `None` means all.
    pub priorities: Option<Vec<Priority>>,
    /// Only conversations with one of these tags. `None` means all.
    pub tags: Option<Vec<String>>,
    /// Only conversations whose visitor left an e-mail address that contains this text, in any case.
    pub email: Option<String>,
}
