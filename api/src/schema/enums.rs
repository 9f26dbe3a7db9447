//! Enums of the schema, each derived from the enum of the domain that it shows. A new case in the
//! domain fails to compile here and therefore never reaches clients unnoticed.

use async_graphql::Enum;
use helpbot_domain::conversation as rules;
use helpbot_domain::event;
use helpbot_domain::key;
use helpbot_domain::plan;
use helpbot_domain::range;
use helpbot_domain::source;
use helpbot_domain::widget;

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

/// Kind of an API key, which decides whose requests the key authenticates.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "key::KeyKind")]
pub enum KeyKind {
    /// A public key for visitors, which web pages contain (`wk_live_`).
    Widget,
    /// A key for the servers of the site (`sk_live_`). It must never be sent to a browser.
    Secret,
    /// A key that belongs to one member of the site (`pat_`).
    Member,
    /// A key of the operator of the installation (`adm_`), which has access to all sites.
    Operator,
    /// A key that was imported from an earlier account. It grants the same rights as a secret key.
    Legacy,
}

/// Permission of an API key. A request without the required scope fails with the code `FORBIDDEN`.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "key::Scope")]
pub enum Scope {
    /// Allows a visitor to ask questions, vote, request a handoff and take part in their own session.
    Chat,
    /// Allows reading the configuration of the widget and the answer settings.
    ReadConfig,
    /// Allows changing the configuration of the widget and the answer settings.
    WriteConfig,
    /// Allows reading conversations and receiving their events.
    ReadConversations,
    /// Allows replying to visitors and assigning, resolving and reopening conversations.
    WriteConversations,
    /// Allows reading the analytics of the site.
    ReadAnalytics,
    /// Allows reading sources, FAQ entries and test questions.
    ReadSources,
    /// Allows adding, changing and deleting sources, FAQ entries and test questions.
    WriteSources,
    /// Allows managing webhooks and reading their deliveries.
    Webhooks,
    /// Allows managing API keys and members, and erasing sessions.
    Admin,
}

/// Role of a member, which decides what the member's key may do.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "key::Role")]
pub enum MemberRole {
    /// The member may do everything on the site.
    Admin,
    /// The member may read the site and reply to visitors.
    Agent,
}

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
    /// The page was left out; `reason` contains the cause.
    Skipped,
    /// The page could not be fetched or parsed; `reason` contains the cause.
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

/// Filter that selects conversations by what happened in them.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "helpbot_domain::conversation::ConversationFilter")]
pub enum ConversationState {
    /// Selects all conversations of the site.
    All,
    /// Selects only conversations that have no answer.
    Unanswered,
    /// Selects only conversations that have an answer.
    Answered,
    /// Selects only conversations in which the visitor asked for a human.
    Handoff,
    /// Selects only conversations whose answer was voted helpful.
    Helpful,
    /// Selects only conversations whose answer was voted unhelpful.
    Unhelpful,
}

/// Sort order of a list of conversations. Conversations with the same time are sorted by ID.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "helpbot_domain::conversation::ConversationOrder")]
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

/// Type of an event, which says what happened in a conversation.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "event::EventType")]
pub enum ConversationEventType {
    /// A visitor asked a question, and the answer or the refusal was stored.
    ConversationCreated,
    /// A question has no answer. This event follows directly after its `CONVERSATION_CREATED`.
    ConversationUnanswered,
    /// A visitor voted on an answer or changed the vote.
    ConversationFeedback,
    /// A visitor asked for a human.
    ConversationHandoff,
    /// A visitor, a member or a server wrote a message.
    MessageCreated,
    /// A conversation was assigned to a member.
    ConversationAssigned,
    /// A conversation was resolved.
    ConversationResolved,
    /// A resolved conversation was reopened.
    ConversationReopened,
}

/// Corner of the web page in which the widget is shown.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "widget::Position")]
pub enum WidgetPosition {
    /// The widget is shown in the bottom right corner. This is the default.
    BottomRight,
    /// The widget is shown in the bottom left corner.
    BottomLeft,
}

/// Range of whole UTC days that ends today.
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
