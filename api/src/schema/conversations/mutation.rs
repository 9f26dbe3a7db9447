//! Asking, voting, asking for a human, writing messages, and what the team does with a handoff.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use helpbot_services as services;
use helpbot_services::conversations::{self, NewQuestion};
use helpbot_services::conversations::{activity, handoffs, messages, unread};

use super::{Conversation, Message};
use crate::error::{UserError, expected};
use crate::schema::access::Access;
use crate::schema::enums::Feedback;
use crate::schema::ids;
use crate::schema::sites::Credits;

/// Taking part in conversations.
#[derive(Default)]
pub struct ConversationMutation;

/// The question of a visitor.
#[derive(InputObject)]
pub struct AskQuestionInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// As typed: 1 to 1000 characters after trimming.
    question: String,
    /// The session that the caller keeps, 1 to 200 characters; a new one if not said. A proved
    /// session (session token) goes before it.
    session_id: Option<String>,
    /// The language in which to answer, as a BCP 47 tag; that of the site if not said or unknown.
    language: Option<String>,
}

/// The answer, or why there is none.
#[derive(Default, SimpleObject)]
pub struct AskQuestionPayload {
    /// Question and answer.
    conversation: Option<Conversation>,
    /// Near questions, at most three, when they were offered instead of an answer.
    suggestions: Vec<String>,
    /// Proves the session to be the own one of the visitor; brought back in the header
    /// `X-HelpBot-Session`. Null when the session was begun by someone else.
    session_token: Option<String>,
    /// The credits of the month, with that of this question among the used ones.
    credits: Option<Credits>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

impl From<AskQuestionInput> for NewQuestion {
    fn from(input: AskQuestionInput) -> Self {
        Self {
            site: ids::site(input.site_id.as_ref()),
            question: input.question,
            session_id: input.session_id,
            language: input.language,
        }
    }
}

impl AskQuestionPayload {
    /// What came of a question.
    ///
    /// # Errors
    /// A failure that is not the caller's to put right.
    pub(super) fn of(access: &Access, asked: services::Result<conversations::Asked>) -> Result<Self> {
        Ok(match asked {
            Ok(asked) => Self {
                conversation: node(access, asked.conversation),
                suggestions: asked.suggestions,
                session_token: asked.session_token,
                credits: Some(asked.credits.into()),
                user_errors: Vec::new(),
            },
            Err(error) => Self { user_errors: vec![expected(error)?], ..Self::default() },
        })
    }
}

/// The vote of a visitor.
#[derive(InputObject)]
pub struct SubmitFeedbackInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// On which conversation.
    conversation_id: ID,
    /// The verdict; the last one counts.
    feedback: Feedback,
}

/// The conversation with the vote, or why it has none.
#[derive(Default, SimpleObject)]
pub struct SubmitFeedbackPayload {
    /// The conversation as it is now.
    conversation: Option<Conversation>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// A request for a human.
#[derive(InputObject)]
pub struct RequestHandoffInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// In which conversation.
    conversation_id: ID,
    /// Where the visitor can be written to.
    customer_email: Option<String>,
}

/// The handed off conversation, or why it was not handed off.
#[derive(Default, SimpleObject)]
pub struct RequestHandoffPayload {
    /// The conversation as it is now.
    conversation: Option<Conversation>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// A message of a visitor or of the team.
#[derive(InputObject)]
pub struct SendMessageInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Into which conversation.
    conversation_id: ID,
    /// Its words: 1 to 4000 characters after trimming.
    text: String,
}

/// The message, or why it was not written.
#[derive(Default, SimpleObject)]
pub struct SendMessagePayload {
    /// The message as stored.
    message: Option<Message>,
    /// The conversation as it is now.
    conversation: Option<Conversation>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The conversation to give to a member.
#[derive(InputObject)]
pub struct AssignConversationInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    conversation_id: ID,
    /// To whom; to the member whose key it is if not said.
    member_id: Option<ID>,
}

/// The assigned conversation, or why it was not assigned.
#[derive(Default, SimpleObject)]
pub struct AssignConversationPayload {
    /// The conversation as it is now.
    conversation: Option<Conversation>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The conversation to close.
#[derive(InputObject)]
pub struct ResolveConversationInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    conversation_id: ID,
}

/// The closed conversation, or why it was not closed.
#[derive(Default, SimpleObject)]
pub struct ResolveConversationPayload {
    /// The conversation as it is now.
    conversation: Option<Conversation>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The conversation to open again.
#[derive(InputObject)]
pub struct ReopenConversationInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    conversation_id: ID,
}

/// The reopened conversation, or why it was not opened.
#[derive(Default, SimpleObject)]
pub struct ReopenConversationPayload {
    /// The conversation as it is now.
    conversation: Option<Conversation>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// Whether somebody is typing.
#[derive(InputObject)]
pub struct SetTypingInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// In which conversation.
    conversation_id: ID,
    /// True counts for six seconds, unless said again; false ends it.
    is_typing: bool,
}

/// The conversation that is typed in, or why that was not told.
#[derive(Default, SimpleObject)]
pub struct SetTypingPayload {
    /// The conversation.
    conversation: Option<Conversation>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// How far a conversation was read.
#[derive(InputObject)]
pub struct MarkReadInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    conversation_id: ID,
    /// Up to the message of this place; up to the last one if not said.
    seq: Option<i32>,
}

/// The conversation that was read, or why that was not noted.
#[derive(Default, SimpleObject)]
pub struct MarkReadPayload {
    /// The conversation as it is now.
    conversation: Option<Conversation>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

#[Object]
impl ConversationMutation {
    /// Asks a question and gives the answer, or an honest "I don't know". Uses one credit. While a
    /// member of the team is in a conversation with the visitor (the one of the session token), the
    /// bot keeps silent: the question is refused with `CONFLICT`, and belongs into `sendMessage`.
    async fn ask_question(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The question.")] input: AskQuestionInput,
    ) -> Result<AskQuestionPayload> {
        let access = Access::of(ctx);
        let asked = conversations::ask(&access.services, &access.viewer, input.into(), None).await;
        AskQuestionPayload::of(access, asked)
    }

    /// Records whether an answer helped; the last vote counts.
    async fn submit_feedback(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The vote.")] input: SubmitFeedbackInput,
    ) -> Result<SubmitFeedbackPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.conversation_id));
        let vote = input.feedback.into();
        Ok(match conversations::vote(&access.services, &access.viewer, site, id, vote).await {
            Ok(row) => SubmitFeedbackPayload { conversation: node(access, row), ..Default::default() },
            Err(error) => SubmitFeedbackPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Asks for a human; the owner is written to once. Again, it fills in a missing address.
    async fn request_handoff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who asks, and where.")] input: RequestHandoffInput,
    ) -> Result<RequestHandoffPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.conversation_id));
        let email = input.customer_email.as_deref();
        Ok(match conversations::request_handoff(&access.services, &access.viewer, site, id, email).await {
            Ok(row) => RequestHandoffPayload { conversation: node(access, row), ..Default::default() },
            Err(error) => RequestHandoffPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Writes a message while a handoff is open: a visitor (with the session token) into the own
    /// conversation, the team into any.
    async fn send_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to send, and where.")] input: SendMessageInput,
    ) -> Result<SendMessagePayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.conversation_id));
        Ok(match messages::send(&access.services, &access.viewer, site, id, &input.text).await {
            Ok((row, message)) => SendMessagePayload {
                message: Some(message.into()),
                conversation: node(access, row),
                ..Default::default()
            },
            Err(error) => SendMessagePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Tells those who watch a conversation (`conversationActivity`) that the caller is typing in it.
    /// Nothing is stored. To be said again every three seconds or so.
    async fn set_typing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whether, and where.")] input: SetTypingInput,
    ) -> Result<SetTypingPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.conversation_id));
        Ok(match activity::set_typing(&access.services, &access.viewer, site, id, input.is_typing).await {
            Ok(row) => SetTypingPayload { conversation: node(access, row), ..Default::default() },
            Err(error) => SetTypingPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Notes that the own side has read a conversation: the visitor the own one, the team any, as
    /// one for all its members.
    async fn mark_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and how far.")] input: MarkReadInput,
    ) -> Result<MarkReadPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.conversation_id));
        let seq = input.seq.map(i64::from);
        Ok(match unread::mark_read(&access.services, &access.viewer, site, id, seq).await {
            Ok(row) => MarkReadPayload { conversation: node(&access.fresh(), row), ..Default::default() },
            Err(error) => MarkReadPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Gives a conversation that was handed to the team to one of its members.
    async fn assign_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to give to whom.")] input: AssignConversationInput,
    ) -> Result<AssignConversationPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.conversation_id));
        let member = input.member_id.as_ref().map(ids::read);
        Ok(match handoffs::assign(&access.services, &access.viewer, site, id, member).await {
            Ok(row) => AssignConversationPayload { conversation: node(access, row), ..Default::default() },
            Err(error) => AssignConversationPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Closes a conversation that was handed to the team.
    async fn resolve_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ResolveConversationInput,
    ) -> Result<ResolveConversationPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.conversation_id));
        Ok(match handoffs::resolve(&access.services, &access.viewer, site, id).await {
            Ok(row) => ResolveConversationPayload { conversation: node(access, row), ..Default::default() },
            Err(error) => ResolveConversationPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Opens a closed conversation again.
    async fn reopen_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ReopenConversationInput,
    ) -> Result<ReopenConversationPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.conversation_id));
        Ok(match handoffs::reopen(&access.services, &access.viewer, site, id).await {
            Ok(row) => ReopenConversationPayload { conversation: node(access, row), ..Default::default() },
            Err(error) => ReopenConversationPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }
}

fn node(access: &Access, row: services::Conversation) -> Option<Conversation> {
    Some(Conversation { row, access: access.clone() })
}
