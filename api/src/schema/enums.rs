//! Enums of the schema, each derived from the enum of the domain that it shows. A new case in the
//! domain fails to compile here and therefore never reaches clients unnoticed.

use async_graphql::Enum;
use helpbot_domain::business_hours;
use helpbot_domain::conversation as rules;
use helpbot_domain::event;
use helpbot_domain::extraction;
use helpbot_domain::key;
use helpbot_domain::plan;
use helpbot_domain::range;
use helpbot_domain::satisfaction;
use helpbot_domain::source;
use helpbot_domain::triage;
use helpbot_domain::widget;

/// Declares an enum of the schema with the cases that the domain lists, such as `scope_cases!`.
macro_rules! schema_enum {
    ({ $(#[$attribute:meta])* pub enum $name:ident } $($(#[$doc:meta])* $case:ident $(= $text:literal)?,)+) => {
        #[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
        $(#[$attribute])*
        pub enum $name {
            $($(#[$doc])* $case,)+
        }
    };
}

/// Level of service of a site, which decides the features that the site may use. Each plan includes
/// the features of the plans before it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "plan::Plan")]
pub enum Plan {
    /// Includes answers, feedback, handoff and the configuration of the widget.
    Starter,
    /// Adds analytics, the list of conversations and webhooks.
    Growth,
    /// Adds the management of sources and lets the site remove the HelpBot name from the widget.
    Scale,
}

helpbot_domain::key_kind_cases!(schema_enum {
    /// Kind of an API key, which decides whose requests the key authenticates.
    #[graphql(remote = "key::KeyKind")]
    pub enum KeyKind
});

helpbot_domain::scope_cases!(schema_enum {
    /// Permission of an API key. A mutation without the required scope fails with `FORBIDDEN`. A field without it
    /// is null, and `errors` contains `FORBIDDEN`.
    #[graphql(remote = "key::Scope")]
    pub enum Scope
});

helpbot_domain::role_cases!(schema_enum {
    /// Role of a member, which decides what the member's keys may do.
    #[graphql(remote = "key::Role")]
    pub enum MemberRole
});

/// Kind of a source, which says where its content comes from.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "source::SourceKind")]
pub enum SourceKind {
    /// A web address, which is fetched again by every sync.
    Url,
    /// A file that was uploaded.
    File,
    /// A text or FAQ entries that were written by hand.
    Text,
}

/// Status of a source between its syncs.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "source::SourceStatus")]
pub enum SourceStatus {
    /// A sync is waiting to start.
    Pending,
    /// A sync is running. In REST, this status is called `scraping`.
    #[graphql(name = "SYNCING")]
    Scraping,
    /// The last sync succeeded, and its content is used for answers.
    Indexed,
    /// The last sync failed; `error` contains the reason. Content of earlier syncs is still used.
    Failed,
}

/// Result that the last visit to a page had.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "source::PageOutcome")]
pub enum PageOutcome {
    /// The page was fetched and its content was extracted.
    Fetched,
    /// The page had not changed since the previous visit.
    Unchanged,
    /// The page was left out; `Page.reason` contains the cause.
    Skipped,
    /// The page could not be fetched or parsed; `Page.reason` contains the cause.
    Failed,
}

/// Outcome that a question had.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rules::Outcome")]
pub enum AnswerOutcome {
    /// The question was answered from the content of the site.
    Answered,
    /// HelpBot offered similar questions instead of an answer.
    Suggested,
    /// HelpBot replied that it does not know the answer.
    Declined,
    /// The visitor wrote a greeting or thanks and asked nothing.
    SmallTalk,
}

helpbot_domain::weekday_cases!(schema_enum {
    /// Day of the week that a period belongs to.
    #[graphql(remote = "business_hours::Weekday")]
    pub enum Weekday
});

/// Priority that the team gave to a conversation.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "triage::Priority")]
pub enum ConversationPriority {
    /// The conversation can wait.
    Low,
    /// The conversation is as urgent as most are. This is the priority of a new conversation.
    Normal,
    /// The conversation comes before others.
    High,
    /// The conversation comes before all others.
    Urgent,
}

/// Vote that a visitor gave on an answer.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feedback {
    /// The answer helped the visitor.
    Helpful,
    /// The answer did not help the visitor.
    Unhelpful,
}

impl From<rules::Vote> for Feedback {
    fn from(vote: rules::Vote) -> Self {
        match vote {
            rules::Vote::Yes => Feedback::Helpful,
            rules::Vote::No => Feedback::Unhelpful,
        }
    }
}

impl From<Feedback> for rules::Vote {
    fn from(feedback: Feedback) -> Self {
        rules::Vote::from_bool(feedback == Feedback::Helpful)
    }
}

helpbot_domain::feedback_reason_cases!(schema_enum {
    /// Reason why an answer did not help the visitor.
    #[graphql(remote = "satisfaction::FeedbackReason")]
    pub enum FeedbackReason
});

/// Status that a handoff has.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rules::HandoffStatus")]
pub enum HandoffStatus {
    /// The visitor asked for a human and no member has taken the conversation.
    Requested,
    /// A member has taken the conversation.
    Assigned,
    /// A member has closed the conversation.
    Resolved,
}

/// Author who wrote a message.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rules::Author")]
pub enum Author {
    /// The visitor wrote the message.
    Visitor,
    /// HelpBot wrote the message.
    Bot,
    /// A member, or a server with a secret key, wrote the message.
    Agent,
}

helpbot_domain::conversation_filter_cases!(schema_enum {
    /// Filter that selects conversations by what happened in them.
    #[graphql(remote = "helpbot_domain::conversation_query::ConversationFilter")]
    pub enum ConversationState
});

/// Sort order of a list of conversations. Conversations with the same time are sorted by ID.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "helpbot_domain::conversation_order::ConversationOrder")]
pub enum ConversationOrder {
    /// Sorts by the time of the question, newest first.
    #[graphql(name = "CREATED_AT_DESC")]
    CreatedDesc,
    /// Sorts by the time of the question, oldest first.
    #[graphql(name = "CREATED_AT_ASC")]
    CreatedAsc,
    /// Sorts by the time of the last change, newest first.
    #[graphql(name = "UPDATED_AT_DESC")]
    UpdatedDesc,
    /// Sorts by the time of the last change, oldest first.
    #[graphql(name = "UPDATED_AT_ASC")]
    UpdatedAsc,
    /// Sorts by the time at which the visitor asked for a human, latest first. Conversations without a
    /// handoff are left out.
    #[graphql(name = "HANDOFF_REQUESTED_AT_DESC")]
    HandoffDesc,
    /// Sorts by the time at which the visitor asked for a human, oldest first. Conversations without a
    /// handoff are left out.
    #[graphql(name = "HANDOFF_REQUESTED_AT_ASC")]
    HandoffAsc,
}

/// Declares an enum with some of the types of events.
macro_rules! event_enum {
    ({ $(#[$attribute:meta])* pub enum $name:ident } $($(#[$doc:meta])* $case:ident = $text:literal,)+) => {
        schema_enum! { { $(#[$attribute])* pub enum $name } $($(#[$doc])* $case,)+ }

        impl $name {
            /// The type of an event. `None` for the other types.
            pub fn of(event_type: event::EventType) -> Option<Self> {
                match event_type {
                    $(event::EventType::$case => Some(Self::$case),)+
                    _ => None,
                }
            }
        }

        impl From<$name> for event::EventType {
            fn from(event_type: $name) -> Self {
                match event_type {
                    $($name::$case => Self::$case,)+
                }
            }
        }
    };
}

helpbot_domain::event_type_cases!(event_enum {
    /// Type of an event, which says what happened in a conversation.
    pub enum ConversationEventType
});

helpbot_domain::content_event_type_cases!(event_enum {
    /// Type of an event, which says what happened to an FAQ entry or a source.
    pub enum ContentEventType
});

/// Corner of the web page in which the widget is shown.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "widget::Position")]
pub enum WidgetPosition {
    /// The widget is shown in the bottom right corner. This is the default.
    BottomRight,
    /// The widget is shown in the bottom left corner.
    BottomLeft,
}

/// Range of whole days that ends today. The days are days in UTC unless the description of a field names another time zone.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "range::Range")]
pub enum AnalyticsRange {
    /// The range covers today and the 6 days before.
    #[graphql(name = "LAST_7_DAYS")]
    Last7Days,
    /// The range covers today and the 29 days before.
    #[graphql(name = "LAST_30_DAYS")]
    Last30Days,
    /// The range covers today and the 89 days before.
    #[graphql(name = "LAST_90_DAYS")]
    Last90Days,
    /// The range covers today and the 364 days before.
    #[graphql(name = "LAST_365_DAYS")]
    Last365Days,
    /// The range covers all days since the first question.
    All,
}

/// Questions that a list of topics groups.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "helpbot_services::knowledge::topics::TopicKind")]
pub enum TopicQuestions {
    /// Groups the questions that were not answered.
    Unanswered,
    /// Groups all questions, answered or not.
    All,
}

helpbot_domain::preview_status_cases!(schema_enum {
    /// Status of a change preview.
    #[graphql(remote = "helpbot_domain::change_preview::PreviewStatus")]
    pub enum ChangePreviewStatus
});

helpbot_domain::preview_effect_cases!(schema_enum {
    /// Effect that a change would have on a question of visitors.
    #[graphql(remote = "helpbot_domain::change_preview::PreviewEffect")]
    pub enum ChangeEffect
});

helpbot_domain::rule_kind_cases!(schema_enum {
    /// Effect that an answer rule has on its entry.
    #[graphql(remote = "helpbot_domain::answer_rule::RuleKind")]
    pub enum AnswerRuleKind
});

helpbot_domain::omission_reason_cases!(schema_enum {
    /// Reason why a text of a page is not used for answers.
    #[graphql(remote = "extraction::OmissionReason")]
    pub enum OmissionReason
});

/// Kinds of changes that a sync can find in an FAQ entry or a passage.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "extraction::ChunkChangeKind")]
pub enum ChunkChangeKind {
    /// The entry or passage is new.
    Added,
    /// The entry or passage has another text under the same question or heading.
    Changed,
    /// The entry or passage is gone.
    Removed,
}
