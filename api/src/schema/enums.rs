//! Enums of the schema, each beside the domain's own, so that a new case there fails to compile
//! here instead of leaking out.

use async_graphql::Enum;
use helpbot_domain::conversation as talk;
use helpbot_domain::event;
use helpbot_domain::key;
use helpbot_domain::plan;
use helpbot_domain::source;
use helpbot_domain::widget;
use helpbot_services as services;

/// What a site has booked; each includes the ones before it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "plan::Plan")]
pub enum Plan {
    /// Chat, feedback, handoff, widget settings.
    Starter,
    /// Adds analytics, the list of conversations and webhooks.
    Growth,
    /// Adds management of sources and a widget without our name.
    Scale,
}

/// Who a key speaks for.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "key::KeyKind")]
pub enum KeyKind {
    /// Visitors; stands in every page.
    Widget,
    /// The own servers of the site.
    Secret,
    /// A member of the team.
    Member,
    /// The operator of the installation.
    Operator,
    /// A key of an imported account, with all rights of a secret key.
    Legacy,
}

/// Something that a key may be allowed to do.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "key::Scope")]
pub enum Scope {
    /// Ask, vote, ask for a human, take part in the own session.
    Chat,
    /// Read the settings of the widget.
    ReadConfig,
    /// Change settings of the widget and of answering.
    WriteConfig,
    /// Read conversations and live events.
    ReadConversations,
    /// Answer visitors, assign, resolve.
    WriteConversations,
    /// Read figures.
    ReadAnalytics,
    /// Read sources and entries.
    ReadSources,
    /// Add, change and delete sources and entries.
    WriteSources,
    /// Manage webhooks and their deliveries.
    Webhooks,
    /// Manage keys, members and the site itself.
    Admin,
}

/// What a member of the team may do.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "key::Role")]
pub enum MemberRole {
    /// Everything on the site.
    Admin,
    /// Answer visitors and read.
    Agent,
}

/// Where the text of a source comes from.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "source::SourceKind")]
pub enum SourceKind {
    /// A page or site, fetched and fetched again.
    Url,
    /// An uploaded file.
    File,
    /// Entries typed by hand.
    Text,
}

/// How far a source has come.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "source::SourceStatus")]
pub enum SourceStatus {
    /// Waiting to be read.
    Pending,
    /// Being read.
    Scraping,
    /// Read; answers come from it.
    Indexed,
    /// Not read, for the reason in `error`; what was indexed before still answers.
    Failed,
}

/// What came of a visit to a page.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "source::PageOutcome")]
pub enum PageOutcome {
    /// Fetched and read.
    Fetched,
    /// The same as at the visit before.
    Unchanged,
    /// Left out, for the reason it carries.
    Skipped,
    /// Not to be had or not to be read, for the reason it carries.
    Failed,
}

/// What became of a question.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "talk::Outcome")]
pub enum AnswerOutcome {
    /// Answered from the pages of the site.
    Answered,
    /// Near questions were offered instead of an answer.
    Suggested,
    /// An honest "I don't know".
    Declined,
    /// A greeting or thanks: nothing was asked.
    SmallTalk,
}

/// The verdict of a visitor on an answer.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feedback {
    /// It helped.
    Helpful,
    /// It did not.
    Unhelpful,
}

impl From<talk::Vote> for Feedback {
    fn from(vote: talk::Vote) -> Self {
        match vote {
            talk::Vote::Yes => Feedback::Helpful,
            talk::Vote::No => Feedback::Unhelpful,
        }
    }
}

impl From<Feedback> for talk::Vote {
    fn from(feedback: Feedback) -> Self {
        talk::Vote::from_bool(feedback == Feedback::Helpful)
    }
}

/// How far a handoff to a human has come.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "talk::HandoffStatus")]
pub enum HandoffStatus {
    /// The visitor asked for a human; nobody has taken it.
    Requested,
    /// A member has taken it.
    Assigned,
    /// A member has closed it.
    Resolved,
}

/// Who wrote a message.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "talk::Author")]
pub enum Author {
    /// The person on the web site.
    Visitor,
    /// HelpBot.
    Bot,
    /// A member of the team of the site.
    Agent,
}

/// Which conversations a list shows.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "services::ConversationFilter")]
pub enum ConversationState {
    /// All of them.
    All,
    /// Without an answer.
    Unanswered,
    /// With one.
    Answered,
    /// Handed to a human.
    Handoff,
    /// Voted helpful.
    Helpful,
    /// Voted unhelpful.
    Unhelpful,
}

/// The order of a list of conversations; ties go by id.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "services::ConversationOrder")]
pub enum ConversationOrder {
    /// Last asked first.
    #[graphql(name = "CREATED_AT_DESC")]
    CreatedDesc,
    /// First asked first.
    #[graphql(name = "CREATED_AT_ASC")]
    CreatedAsc,
    /// Last changed first.
    #[graphql(name = "UPDATED_AT_DESC")]
    UpdatedDesc,
    /// First changed first.
    #[graphql(name = "UPDATED_AT_ASC")]
    UpdatedAsc,
}

/// The kind of an event.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "event::EventType")]
pub enum ConversationEventType {
    /// A visitor asked and was answered, or told that there is no answer.
    ConversationCreated,
    /// There was no answer; comes right after its `CONVERSATION_CREATED`.
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

/// The corner of the page that the widget stands in.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "widget::Position")]
pub enum WidgetPosition {
    /// The usual place.
    BottomRight,
    /// Its mirror.
    BottomLeft,
}
