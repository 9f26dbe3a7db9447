//! Conversations: a visitor's question with its answer, and the messages that follow when a human
//! takes over. A session groups the conversations of one visitor.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::conversation_mail::ConversationMail;
use crate::ids::{ChunkId, ConversationId, MemberId, MessageId, SiteId, SourceId};
use crate::satisfaction::FeedbackReason;
pub use crate::transcript::{TranscriptCode, TranscriptRequest};
use crate::triage::Priority;
use crate::{Invalid, Timestamp, text};

/// Maximum length of a question in code points, as documented in the REST contract.
pub const QUESTION_MAX_CHARS: usize = 1000;
/// Maximum length of a session ID that a caller chooses. A longer one is replaced by a generated
/// ID.
pub const SESSION_ID_MAX_CHARS: usize = 200;
/// Maximum length of a chat message in code points: one or two screens. At four bytes each, it
/// stays far below the request limit of 64 KiB.
pub const MESSAGE_MAX_CHARS: usize = 4000;

/// Minimum length of a session ID that nobody can guess: 22 characters of base64 have 128 bits. All
/// notations of a UUID are longer.
const UNGUESSABLE_MIN_CHARS: usize = 22;

/// Validates a question.
///
/// # Errors
/// Fails when the question is empty after trimming, or longer than [`QUESTION_MAX_CHARS`].
pub fn question(text: &str) -> Result<String, Invalid> {
    text::required("question", text, QUESTION_MAX_CHARS)
}

/// Returns the caller's session ID if it is valid: 1 to [`SESSION_ID_MAX_CHARS`] code points
/// without control characters. An invalid ID is not an error; the caller gets a new session.
pub fn session_id(text: Option<&str>) -> Option<String> {
    let text = text?;
    let count = text.chars().count();
    let is_one = (1..=SESSION_ID_MAX_CHARS).contains(&count) && !text.chars().any(char::is_control);
    is_one.then(|| text.to_owned())
}

/// Returns whether a session ID is so long that only its owner can be expected to know it.
pub fn is_unguessable(session: &str) -> bool {
    session.chars().count() >= UNGUESSABLE_MIN_CHARS
}

/// How a question was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The question was answered from the site's pages.
    Answered,
    /// Similar questions were offered instead of an answer.
    Suggested,
    /// The site has no answer to the question.
    Declined,
    /// The message was a greeting or thanks and not a question.
    SmallTalk,
}

impl Outcome {
    /// All outcomes, in the order of their declaration.
    pub const ALL: [Outcome; 4] = [Outcome::Answered, Outcome::Suggested, Outcome::Declined, Outcome::SmallTalk];

    /// Returns whether the visitor got no answer. Small talk needs none.
    pub const fn is_unanswered(self) -> bool {
        matches!(self, Outcome::Suggested | Outcome::Declined)
    }

    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Suggested => "suggested",
            Outcome::Declined => "declined",
            Outcome::SmallTalk => "small_talk",
        }
    }
}

/// A passage that an answer is based on, as it was when the answer was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    /// Source of the passage. The source may have been deleted since.
    pub source_id: SourceId,
    /// ID of the passage.
    pub chunk_id: ChunkId,
    /// URL of the page. `None` for files and texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Name of a source without a URL, for example a file name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_name: Option<String>,
    /// Title of the page, or name of the file.
    pub title: String,
    /// Sentence that the answer is based on.
    pub quote: String,
    /// How well the passage matched the question, from 0 to 1.
    pub score: f64,
    /// URL that leads a browser to the quote on its page. `None` where that is not possible, and for
    /// answers from before HelpBot stored it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_fragment: Option<String>,
}

/// A visitor's vote on an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vote {
    /// The answer helped.
    Yes,
    /// The answer did not help.
    No,
}

impl Vote {
    /// Returns `Yes` for true and `No` for false.
    pub const fn from_bool(helpful: bool) -> Self {
        if helpful { Vote::Yes } else { Vote::No }
    }

    /// Returns whether the answer helped.
    pub const fn is_helpful(self) -> bool {
        matches!(self, Vote::Yes)
    }
}

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The visitor of the web site.
    Visitor,
    /// HelpBot.
    Bot,
    /// A member of the site's team.
    Agent,
}

impl Author {
    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Author::Visitor => "visitor",
            Author::Bot => "bot",
            Author::Agent => "agent",
        }
    }
}

/// The state of a handoff to a human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffStatus {
    /// The visitor asked for a human, and nobody has taken the conversation yet.
    Requested,
    /// A member has taken the conversation.
    Assigned,
    /// A member has closed the conversation.
    Resolved,
}

/// An action on a handoff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandoffMove {
    /// A visitor asks for a human.
    Request,
    /// A member takes the conversation or assigns it to another member, also when nobody asked for a human.
    Assign,
    /// A member returns the conversation to the queue and to the bot.
    Unassign,
    /// A member closes the conversation.
    Resolve,
    /// A visitor or member reopens the conversation.
    Reopen,
}

impl HandoffStatus {
    /// All statuses.
    pub const ALL: [Self; 3] = [HandoffStatus::Requested, HandoffStatus::Assigned, HandoffStatus::Resolved];

    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            HandoffStatus::Requested => "requested",
            HandoffStatus::Assigned => "assigned",
            HandoffStatus::Resolved => "resolved",
        }
    }

    /// Returns whether visitor and team can send each other messages.
    pub const fn is_open(self) -> bool {
        matches!(self, HandoffStatus::Requested | HandoffStatus::Assigned)
    }

    /// Returns the state after `step`. `None` when the step is not allowed in state `from`.
    pub const fn after(from: Option<HandoffStatus>, step: HandoffMove) -> Option<HandoffStatus> {
        use HandoffStatus::{Assigned, Requested, Resolved};
        match (from, step) {
            // A visitor who asks again after the conversation was closed waits for a human again.
            (None | Some(Resolved), HandoffMove::Request) => Some(Requested),
            (Some(status), HandoffMove::Request) => Some(status),
            (None | Some(Requested | Assigned), HandoffMove::Assign) => Some(Assigned),
            (Some(Assigned), HandoffMove::Unassign) => Some(Requested),
            (Some(Requested | Assigned), HandoffMove::Resolve) => Some(Resolved),
            (Some(Resolved), HandoffMove::Reopen) => Some(Requested),
            _ => None,
        }
    }
}

/// Number of messages that every conversation starts with: the question and the answer.
pub const OPENING_MESSAGES: i64 = 2;

/// A visitor's question, its answer, and the state of what followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// Site that the conversation belongs to.
    pub site_id: SiteId,
    /// ID of the conversation.
    pub id: ConversationId,
    /// Session of the visitor.
    pub session_id: String,
    /// Question as the visitor wrote it.
    pub question: String,
    /// Answer as it was sent.
    pub answer: String,
    /// Passages that the answer is based on, best match first.
    pub citations: Vec<Citation>,
    /// How the question was answered.
    pub outcome: Outcome,
    /// Confidence of the engine, from 0 to 1.
    pub confidence: f64,
    /// Language of the answer. `None` when it was not detected.
    pub language: Option<String>,
    /// Vote of the visitor. `None` until the visitor votes.
    pub vote: Option<Vote>,
    /// Why the answer did not help. `None` unless the visitor said it.
    pub feedback_reason: Option<FeedbackReason>,
    /// What the visitor wrote about the vote.
    pub feedback_comment: Option<String>,
    /// State of the handoff. `None` until the visitor asks for a human.
    pub handoff: Option<HandoffStatus>,
    /// Time of the first handoff request.
    pub handoff_at: Option<Timestamp>,
    /// E-mail address that the visitor left for replies.
    pub customer_email: Option<String>,
    /// Member who took the handoff.
    pub assignee_id: Option<MemberId>,
    /// How urgent the team finds the conversation.
    pub priority: Priority,
    /// Number of messages so far, including the question and the answer.
    pub message_count: i64,
    /// Time of the question.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// ID of the session token that proved the question. `None` when it was asked without proof; the
    /// conversation is then visible only to the team.
    pub token_id: Option<Uuid>,
    /// Keyed hash of the network address that the question came from. `None` when it is not known.
    pub address_key: Option<String>,
}

impl Conversation {
    /// Returns a conversation that begins at `now`. The question, the answer and what is known of the visitor are empty.
    pub fn beginning(site_id: SiteId, id: ConversationId, session_id: String, now: Timestamp) -> Self {
        Self {
            site_id,
            id,
            session_id,
            question: String::new(),
            answer: String::new(),
            citations: Vec::new(),
            outcome: Outcome::Answered,
            confidence: 1.0,
            language: None,
            vote: None,
            feedback_reason: None,
            feedback_comment: None,
            handoff: None,
            handoff_at: None,
            customer_email: None,
            assignee_id: None,
            priority: Priority::Normal,
            message_count: OPENING_MESSAGES,
            created_at: now,
            updated_at: now,
            token_id: None,
            address_key: None,
        }
    }
}

/// A message that a visitor or a member wrote after a handoff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Site that the message belongs to.
    pub site_id: SiteId,
    /// Conversation that the message belongs to.
    pub conversation_id: ConversationId,
    /// Position in the conversation. Positions start at 1 and have no gaps.
    pub seq: i64,
    /// ID of the message.
    pub id: MessageId,
    /// Side that wrote the message.
    pub author: Author,
    /// Member who wrote the message. `None` for visitors.
    pub member_id: Option<MemberId>,
    /// Name of that member at the time of writing.
    pub agent_name: Option<String>,
    /// Text of the message.
    pub text: String,
    /// Time of writing.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_request_changes_only_a_closed_handoff() {
        assert_eq!(HandoffStatus::after(None, HandoffMove::Request), Some(HandoffStatus::Requested));
        assert_eq!(
            HandoffStatus::after(Some(HandoffStatus::Resolved), HandoffMove::Request),
            Some(HandoffStatus::Requested)
        );
        assert_eq!(
            HandoffStatus::after(Some(HandoffStatus::Assigned), HandoffMove::Request),
            Some(HandoffStatus::Assigned)
        );
    }

    #[test]
    fn a_member_can_join_any_conversation_that_is_not_closed() {
        assert_eq!(HandoffStatus::after(None, HandoffMove::Assign), Some(HandoffStatus::Assigned));
        assert_eq!(HandoffStatus::after(None, HandoffMove::Unassign), None);
        assert_eq!(
            HandoffStatus::after(Some(HandoffStatus::Assigned), HandoffMove::Unassign),
            Some(HandoffStatus::Requested)
        );
        assert_eq!(HandoffStatus::after(None, HandoffMove::Resolve), None);
        assert_eq!(HandoffStatus::after(Some(HandoffStatus::Resolved), HandoffMove::Assign), None);
    }

    #[test]
    fn an_invalid_session_id_is_ignored() {
        assert_eq!(session_id(Some("visitor 7")).as_deref(), Some("visitor 7"));
        assert_eq!(session_id(Some("")), None);
        assert_eq!(session_id(Some("a\u{0}b")), None);
        assert_eq!(session_id(Some(&"x".repeat(201))), None);
    }
}
