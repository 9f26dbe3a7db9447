//! The mutations of a conversation: asking, voting, writing messages, typing and reading. Those of handoffs are in
//! [`handoff`](super::handoff).

use async_graphql::{Context, ID, MaybeUndefined, Object, Result};
use helpbot_domain as domain;
use helpbot_services as services;
use helpbot_services::conversations::{self, NewQuestion, VoteDetails};
use helpbot_services::conversations::{activity, messages, reply_drafts, unread};

use super::reply_drafts::{DraftReplyInput, DraftReplyPayload, ReplyDraft};
use super::{Conversation, Message};
use crate::schema::access::Access;
use crate::schema::answer_rules::{AppliedAnswerRule, applied};
use crate::schema::enums::{Feedback, FeedbackReason};
use crate::schema::ids;
use crate::schema::mutation::{changed, finish, input, payload};
use crate::schema::usage::Credits;

/// The mutations that ask questions and work on conversations.
#[derive(Default)]
pub struct ConversationMutation;

input! {
    /// Arguments that `askQuestion` accepts.
    AskQuestionInput {
        /// Question of the visitor. It must have 1 to 1,000 characters, not counting spaces around it.
        question: String,
        /// ID of the session that the question belongs to, 1 to 200 characters. By default a new session
        /// begins. A session token in the request takes precedence. Without one, earlier questions of the
        /// session are used to understand a follow-up only when the ID has at least 22 characters.
        session_id: Option<String>,
        /// Language of HelpBot's own sentences and of answers that a model server writes, as a BCP 47 tag, for
        /// example `de`. Defaults to `WidgetConfig.aiLanguage`; with `auto`, the language of the question is
        /// used. An unsupported tag is ignored.
        language: Option<String>,
    }
}

payload! {
    /// Result that `askQuestion` returns.
    AskQuestionPayload {
        /// The conversation with the question and its answer. It is null when the mutation failed.
        conversation: Option<Conversation>,
        /// Similar questions that HelpBot can answer, at most three. The list is empty unless the outcome
        /// is `SUGGESTED`. It is null when the mutation failed.
        suggestions: Option<Vec<String>>,
        /// Answer rules that were applied to the question, newest first. It is null without the `READ_SOURCES`
        /// scope, and when the mutation failed.
        applied_rules: Option<Vec<AppliedAnswerRule>>,
        /// Token that proves that the visitor owns the session. Later requests send it in the header
        /// `X-HelpBot-Session`. It is null when the session was begun before and the request does not prove
        /// it, and in the repeated response of a request with an idempotency key and no session token. The
        /// token gives access only to the conversations that it proved.
        session_token: Option<String>,
        /// Credits of the site after this question. It is null when the mutation failed.
        credits: Option<Credits>,
    }
}

impl From<AskQuestionInput> for NewQuestion {
    fn from(input: AskQuestionInput) -> Self {
        Self { site: input.site(), question: input.question, session_id: input.session_id, language: input.language }
    }
}

impl AskQuestionPayload {
    /// The payload for the result of asking a question.
    ///
    /// # Errors
    /// Returns the failures that the caller cannot correct through the input.
    pub(super) fn of(access: &Access, asked: services::Result<conversations::AskResult>) -> Result<Self> {
        finish(asked, |asked| Self {
            applied_rules: applied(access, &asked.explain),
            conversation: node(access, asked.conversation),
            suggestions: Some(asked.suggestions),
            session_token: asked.session_token,
            credits: Some(asked.credits.into()),
            user_errors: Vec::new(),
        })
    }
}

input! {
    /// Arguments that `submitFeedback` accepts.
    SubmitFeedbackInput {
        /// ID of the conversation whose answer is voted on.
        conversation_id: ID,
        /// Vote of the visitor, which replaces an earlier vote with its reason and comment.
        feedback: Feedback,
        /// Reason why the answer did not help. Only an unhelpful vote can have one. When this field is absent, the reason of
        /// the same vote stays; null removes it.
        reason: MaybeUndefined<FeedbackReason>,
        /// Comment of the visitor, at most 1,000 characters. When this field is absent, the comment of the same vote stays;
        /// null or an empty text removes it.
        comment: MaybeUndefined<String>,
    }
}

payload! {
    /// Result that `submitFeedback` returns.
    SubmitFeedbackPayload {
        /// The conversation with the vote. It is null when the mutation failed, and for a widget key without
        /// the session token of the conversation.
        conversation: Option<Conversation>,
    }
}

input! {
    /// Arguments that `sendMessage` accepts.
    SendMessageInput {
        /// ID of the conversation that gets the message.
        conversation_id: ID,
        /// Text of the message. It must have 1 to 4,000 characters, not counting spaces around it.
        text: String,
    }
}

payload! {
    /// Result that `sendMessage` returns.
    SendMessagePayload {
        /// The message that was stored. It is null when the mutation failed.
        message: Option<Message>,
        /// The conversation with the message. It is null when the mutation failed.
        conversation: Option<Conversation>,
    }
}

input! {
    /// Arguments that `setTyping` accepts.
    SetTypingInput {
        /// ID of the conversation in which the caller is typing.
        conversation_id: ID,
        /// Whether the caller is typing. True expires after six seconds unless it is sent again, and false
        /// takes effect at once.
        is_typing: bool,
    }
}

payload! {
    /// Result that `setTyping` returns.
    SetTypingPayload {
        /// The conversation in which the caller is typing. It is null when the mutation failed.
        conversation: Option<Conversation>,
    }
}

input! {
    /// Arguments that `markRead` accepts.
    MarkReadInput {
        /// ID of the conversation that was read.
        conversation_id: ID,
        /// Sequence number (`Message.seq`) of the last message that was read. Defaults to the last message
        /// of the conversation. A higher number counts as the last message, and a number that is lower than before
        /// changes nothing.
        seq: Option<i32>,
    }
}

payload! {
    /// Result that `markRead` returns.
    MarkReadPayload {
        /// The conversation with its new unread count. It is null when the mutation failed.
        conversation: Option<Conversation>,
    }
}

#[Object]
impl ConversationMutation {
    /// Asks a question and returns the answer, or a reply that HelpBot does not know it. Each question
    /// uses one credit. A question that asks for a human and nothing else, such as "I want to talk to a
    /// human", requests one as `requestHandoff` does and uses no credit. Requires the `CHAT` scope.
    ///
    /// Fails with `BAD_USER_INPUT` for an invalid field, and with `CONFLICT` while a member takes part in
    /// the visitor's conversation; `sendMessage` must be used then. The request fails with
    /// `CREDITS_EXHAUSTED` when no credits are left.
    async fn ask_question(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: AskQuestionInput,
    ) -> Result<AskQuestionPayload> {
        let access = Access::of(ctx);
        let asked = conversations::ask(&access.services, &access.viewer, input.into(), None).await;
        AskQuestionPayload::of(access, asked)
    }

    /// Stores whether an answer helped the visitor, and if not, why. A later vote replaces an earlier one. Webhooks receive
    /// only the vote. Requires the `CHAT` scope. Fails with `NOT_FOUND` when the conversation does not exist, and with
    /// `BAD_USER_INPUT` for a reason of a helpful vote and a comment that is too long.
    async fn submit_feedback(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: SubmitFeedbackInput,
    ) -> Result<SubmitFeedbackPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let reason = changed(input.reason).map(|reason| reason.map(Into::into));
        let details = VoteDetails { reason, comment: changed(input.comment) };
        let vote = input.feedback.into();
        let changed = conversations::vote(&access.services, &access.viewer, site, id, vote, details).await;
        finish(changed, |row| SubmitFeedbackPayload { conversation: visible(access, row), ..Default::default() })
    }

    /// Writes a message in a conversation with an open handoff. Requires the `WRITE_CONVERSATIONS` scope,
    /// or the `CHAT` scope with the session token of the conversation.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist, with `BAD_USER_INPUT` for an empty or
    /// too long text, with `CONFLICT` when no human was requested or the handoff is resolved, and with
    /// `LIMIT_REACHED` when the conversation has 500 messages (1,000 for the team). The request fails with
    /// `RATE_LIMITED` when a visitor writes more than 20 messages per minute; `retryAfter` says when the next one
    /// is accepted.
    async fn send_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: SendMessageInput,
    ) -> Result<SendMessagePayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let sent = messages::send(&access.services, &access.viewer, site, id, &input.text).await;
        finish(sent, |(row, message)| SendMessagePayload {
            message: Some(Message::new(message, Some(access))),
            conversation: node(access, row),
            ..Default::default()
        })
    }

    /// Drafts a reply to the visitor of a conversation: to the messages after the last one of the team, or else to the
    /// visitor's last message. The rules are those of answers to visitors. Nothing is stored or sent, and no credit is used.
    /// Requires the `READ_CONVERSATIONS` and `WRITE_CONVERSATIONS` scopes.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist. The request fails with `RATE_LIMITED` when an API key
    /// asks for more than 20 drafts per minute.
    async fn draft_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: DraftReplyInput,
    ) -> Result<DraftReplyPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let drafted = reply_drafts::draft(&access.services, &access.viewer, site, id).await;
        finish(drafted, |(row, draft)| DraftReplyPayload {
            draft: draft.map(|draft| ReplyDraft::new(access, row.site_id, draft)),
            ..Default::default()
        })
    }

    /// Reports that the caller is typing in a conversation, which subscribers of `conversationActivity`
    /// see. Nothing is stored. A client repeats it about every three seconds.
    ///
    /// Requires the `READ_CONVERSATIONS` scope, or the `CHAT` scope with the session token of the
    /// conversation. Fails with `NOT_FOUND` when the conversation does not exist.
    async fn set_typing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: SetTypingInput,
    ) -> Result<SetTypingPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let found = activity::set_typing(&access.services, &access.viewer, site, id, input.is_typing).await;
        finish(found, |row| SetTypingPayload { conversation: node(access, row), ..Default::default() })
    }

    /// Marks the messages of a conversation as read. The visitor has a read mark of their own, and all
    /// members of a site share one. Requires the `READ_CONVERSATIONS` scope, or the `CHAT` scope with the
    /// session token of the conversation. Fails with `NOT_FOUND` when the conversation does not exist.
    async fn mark_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: MarkReadInput,
    ) -> Result<MarkReadPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let marked = unread::mark_read(&access.services, &access.viewer, site, id, input.seq.map(i64::from)).await;
        finish(marked, |row| MarkReadPayload { conversation: node(&access.fresh(), row), ..Default::default() })
    }
}

/// The conversation, if the viewer may see it. A visitor who only knows its ID gets null.
pub(super) fn visible(access: &Access, row: domain::conversation::Conversation) -> Option<Conversation> {
    access.viewer.may_see(&row).then(|| Conversation { row, access: access.clone() })
}

/// The conversation as a mutation returns it.
pub(super) fn node(access: &Access, row: domain::conversation::Conversation) -> Option<Conversation> {
    Some(Conversation { row, access: access.clone() })
}
