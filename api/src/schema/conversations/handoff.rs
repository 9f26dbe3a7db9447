//! The handoff of a conversation and its mutations: a visitor requests a human, and members assign, resolve and reopen the
//! conversation.

use async_graphql::{ComplexObject, Context, ID, MaybeUndefined, Object, Result};
use helpbot_api_macros::OutputObject;
use helpbot_domain::handoff::HandoffRecord;
use helpbot_services::conversations::handoffs::{self, ReplyAddress};
use helpbot_services::conversations::human_requests::{self, NewHumanRequest};
use helpbot_services::conversations::{ratings, reply_mails};

use super::Conversation;
use super::mutation::{node, visible};
use crate::error::{ErrorCode, Nullable, UserError, perhaps};
use crate::gateway::request::IdIsProof;
use crate::schema::access::Access;
use crate::schema::enums::HandoffStatus;
use crate::schema::ids;
use crate::schema::loaders;
use crate::schema::members::Member;
use crate::schema::mutation::{changed, finish, input, payload};
use crate::schema::scalars::DateTime;

/// A request of a visitor who asks for a human.
#[derive(Clone, OutputObject)]
#[graphql(complex)]
pub struct Handoff {
    /// Status of the handoff, for example whether a member has taken it.
    pub(super) status: HandoffStatus,
    /// E-mail address at which the visitor can be reached. It is null when the visitor left none.
    pub(super) customer_email: Option<String>,
    /// Time at which the visitor asked for a human. A new request after the conversation was closed
    /// replaces it.
    pub(super) requested_at: DateTime,
    #[graphql(skip)]
    pub(super) of: Conversation,
}

#[ComplexObject]
impl Handoff {
    /// Whether messages of the team are mailed to the visitor when the visitor is not there: the visitor left an
    /// e-mail address, and the installation sends mail.
    async fn is_mailed(&self) -> bool {
        reply_mails::is_planned_for(&self.of.access.services, &self.of.row)
    }

    /// Member who has taken the handoff. It is null when no member has taken it or the member was removed.
    /// Requires the `READ_CONVERSATIONS` scope.
    async fn assignee(&self) -> Nullable<Member> {
        let member = self.of.row.assignee_id?;
        let found = self.of.access.loaders.member(self.of.row.site_id, member).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(Member::from))
    }

    /// Time at which a member first took the handoff. It is null when none did, and for a handoff of an earlier version.
    async fn assigned_at(&self) -> Nullable<DateTime> {
        self.recorded(|record| record.assigned_at.map(DateTime)).await
    }

    /// Time at which the team first replied in the handoff. It is null when it did not, and for a handoff of an earlier
    /// version.
    async fn first_reply_at(&self) -> Nullable<DateTime> {
        self.recorded(|record| record.first_reply_at.map(DateTime)).await
    }

    /// Time at which the handoff was resolved. It is null while it is open, and for a handoff that an earlier version
    /// closed.
    async fn resolved_at(&self) -> Nullable<DateTime> {
        self.recorded(|record| record.resolved_at.map(DateTime)).await
    }

    /// Rating that the visitor gave to the help of the team, from 1 (very bad) to 5 (very good). It is null when the
    /// visitor gave none, and when the handoff was opened again.
    async fn rating(&self) -> Nullable<i32> {
        self.recorded(|record| record.rating.map(|rating| i32::from(rating.number()))).await
    }

    /// Comment that the visitor wrote about the rating. It is null when the visitor wrote none.
    async fn rating_comment(&self) -> Nullable<String> {
        self.recorded(|record| record.comment).await
    }

    /// Time at which the visitor last rated the handoff. It is null when the visitor gave no rating.
    async fn rated_at(&self) -> Nullable<DateTime> {
        self.recorded(|record| record.rated_at.map(DateTime)).await
    }

    /// Time until which the visitor can give and change the rating, seven days after the handoff was resolved. It is null
    /// while the handoff cannot be rated, because it is open or an earlier version closed it.
    async fn rating_ends_at(&self) -> Nullable<DateTime> {
        self.recorded(|record| record.rating_ends_at().map(DateTime)).await
    }
}

/// How a handoff went on. The whole object is read at once, when the first of its fields is selected.
impl Handoff {
    async fn record(&self) -> Result<Option<HandoffRecord>> {
        self.of.access.loaders.handoff(self.of.row.site_id, self.of.row.id).await.map_err(loaders::failed)
    }

    /// A value of the record. It is null when there is none.
    async fn recorded<T>(&self, value: impl FnOnce(HandoffRecord) -> Option<T>) -> Nullable<T> {
        perhaps(async { Ok(self.record().await?.and_then(value)) }).await
    }
}

/// The mutations that request and handle a human.
#[derive(Default)]
pub struct HandoffMutation;

input! {
    /// Arguments that `requestHandoff` accepts.
    RequestHandoffInput {
        /// ID of the conversation in which the visitor asks for a human. Defaults to the visitor's conversation
        /// whose handoff is open, as the session token proves, and otherwise to a new conversation without a question.
        conversation_id: Option<ID>,
        /// ID of the session that a new conversation belongs to, 1 to 200 characters. By default a new session
        /// begins. A session token in the request takes precedence.
        session_id: Option<String>,
        /// E-mail address at which the visitor can be reached. By default no address is stored. A widget key
        /// needs the session token of the conversation to leave one; without it, a human is requested and the
        /// address is ignored.
        customer_email: Option<String>,
    }
}

payload! {
    /// Result that `requestHandoff` returns.
    RequestHandoffPayload {
        /// The conversation with the handoff. It is null when the mutation failed, and for a widget key
        /// without the session token of the conversation, unless the mutation began the conversation.
        conversation: Option<Conversation>,
        /// Token that proves that the visitor owns the session, as in `AskQuestionPayload.sessionToken`. It is
        /// null when the input names a conversation.
        session_token: Option<String>,
    }
}

input! {
    /// Arguments that `assignConversation` accepts.
    AssignConversationInput {
        /// ID of the conversation that is assigned.
        conversation_id: ID,
        /// ID of the member who gets the conversation. Defaults to the member that the API key belongs to.
        member_id: Option<ID>,
    }
}

payload! {
    /// Result that `assignConversation` returns.
    AssignConversationPayload {
        /// The conversation with its assignee. It is null when the mutation failed.
        conversation: Option<Conversation>,
    }
}

input! {
    /// Arguments that `unassignConversation` accepts.
    UnassignConversationInput {
        /// ID of the conversation that is returned to the queue.
        conversation_id: ID,
    }
}

payload! {
    /// Result that `unassignConversation` returns.
    UnassignConversationPayload {
        /// The conversation without its assignee. It is null when the mutation failed.
        conversation: Option<Conversation>,
    }
}

input! {
    /// Arguments that `resolveConversation` accepts.
    ResolveConversationInput {
        /// ID of the conversation that is resolved.
        conversation_id: ID,
    }
}

payload! {
    /// Result that `resolveConversation` returns.
    ResolveConversationPayload {
        /// The conversation that was resolved. It is null when the mutation failed.
        conversation: Option<Conversation>,
    }
}

input! {
    /// Arguments that `reopenConversation` accepts.
    ReopenConversationInput {
        /// ID of the conversation that is reopened.
        conversation_id: ID,
    }
}

payload! {
    /// Result that `reopenConversation` returns.
    ReopenConversationPayload {
        /// The conversation that was reopened. It is null when the mutation failed.
        conversation: Option<Conversation>,
    }
}

input! {
    /// Arguments that `rateHandoff` accepts.
    RateHandoffInput {
        /// ID of the conversation whose last handoff is rated.
        conversation_id: ID,
        /// Rating of the visitor, from 1 (very bad) to 5 (very good). It replaces an earlier rating.
        rating: i32,
        /// Comment of the visitor, at most 1,000 characters. When this field is absent, an earlier comment stays; null or
        /// an empty text removes it.
        comment: MaybeUndefined<String>,
    }
}

payload! {
    /// Result that `rateHandoff` returns.
    RateHandoffPayload {
        /// The conversation with the rating. It is null when the mutation failed.
        conversation: Option<Conversation>,
    }
}

#[Object]
impl HandoffMutation {
    /// Asks for a human. The first request of a conversation notifies the owner of the site by e-mail, a
    /// later one only adds a missing address. Without a conversation, one begins: its question is
    /// `WidgetConfig.handoffText`, its answer `WidgetConfig.handoffSentText`, and it uses no credit. Requires the
    /// `CHAT` scope.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist, and with `BAD_USER_INPUT` for an
    /// invalid address. An address without the session token that it requires is neither stored nor mailed:
    /// the human is requested without it, and `userErrors` contains an error with the code `FORBIDDEN` on
    /// `customerEmail`.
    async fn request_handoff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: RequestHandoffInput,
    ) -> Result<RequestHandoffPayload> {
        let access = Access::of(ctx);
        let site = input.site();
        let Some(id) = input.conversation_id.as_ref().map(ids::read) else {
            let new = NewHumanRequest { site, session_id: input.session_id, email: input.customer_email };
            let begun = human_requests::begin(&access.services, &access.viewer, new).await;
            return finish(begun, |(requested, session_token)| RequestHandoffPayload {
                conversation: node(access, requested.conversation),
                session_token,
                ..Default::default()
            });
        };
        let address = match input.customer_email {
            None => ReplyAddress::None,
            Some(email) if ctx.data_opt::<IdIsProof>().is_some() => ReplyAddress::ById(email),
            Some(email) => ReplyAddress::BySession(email),
        };
        let requested = handoffs::request(&access.services, &access.viewer, site, id, address).await;
        finish(requested, |requested| RequestHandoffPayload {
            conversation: visible(access, requested.conversation),
            user_errors: requested.is_address_ignored.then(ignored_address).into_iter().collect(),
            ..Default::default()
        })
    }

    /// Assigns a conversation to a member, who takes it over from HelpBot. Nobody must have asked for a human:
    /// a conversation without a handoff gets one. Requires the `WRITE_CONVERSATIONS` scope.
    ///
    /// Fails with `NOT_FOUND` when the conversation or the member does not exist, with `BAD_USER_INPUT` when
    /// neither the input nor the API key names a member, and with `CONFLICT` when the handoff is resolved.
    async fn assign_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: AssignConversationInput,
    ) -> Result<AssignConversationPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let member = input.member_id.as_ref().map(ids::read);
        let changed = handoffs::assign(&access.services, &access.viewer, site, id, member).await;
        finish(changed, |row| AssignConversationPayload { conversation: node(access, row), ..Default::default() })
    }

    /// Returns a conversation that a member has taken to the queue. The visitor still waits for a human, and
    /// HelpBot answers questions again. Requires the `WRITE_CONVERSATIONS` scope.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist and with `CONFLICT` when no member has taken it.
    async fn unassign_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UnassignConversationInput,
    ) -> Result<UnassignConversationPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let changed = handoffs::unassign(&access.services, &access.viewer, site, id).await;
        finish(changed, |row| UnassignConversationPayload { conversation: node(access, row), ..Default::default() })
    }

    /// Resolves the handoff of a conversation, which closes the conversation to messages. Requires the
    /// `WRITE_CONVERSATIONS` scope. Fails with `NOT_FOUND` when the conversation does not exist and with
    /// `CONFLICT` when its handoff is not open.
    async fn resolve_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: ResolveConversationInput,
    ) -> Result<ResolveConversationPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let changed = handoffs::resolve(&access.services, &access.viewer, site, id).await;
        finish(changed, |row| ResolveConversationPayload { conversation: node(access, row), ..Default::default() })
    }

    /// Reopens the resolved handoff of a conversation. Requires the `WRITE_CONVERSATIONS` scope. Fails
    /// with `NOT_FOUND` when the conversation does not exist and with `CONFLICT` when its handoff is not
    /// resolved.
    async fn reopen_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: ReopenConversationInput,
    ) -> Result<ReopenConversationPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let changed = handoffs::reopen(&access.services, &access.viewer, site, id).await;
        finish(changed, |row| ReopenConversationPayload { conversation: node(access, row), ..Default::default() })
    }

    /// Stores how the visitor rates the help of the team in a resolved handoff. Each handoff has one rating, which can be
    /// given and changed within seven days. Requires the `CHAT` scope and the session token of the conversation, with
    /// any key: nobody but the visitor can rate.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist or the session token does not prove it, with
    /// `BAD_USER_INPUT` for an invalid rating and a comment that is too long, and with `CONFLICT` when the handoff is not
    /// resolved or was resolved more than seven days ago.
    async fn rate_handoff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: RateHandoffInput,
    ) -> Result<RateHandoffPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let (rating, comment) = (i64::from(input.rating), changed(input.comment));
        let rated = ratings::rate(&access.services, &access.viewer, site, id, rating, comment).await;
        finish(rated, |row| RateHandoffPayload { conversation: node(&access.fresh(), row), ..Default::default() })
    }
}

/// Tells a visitor without the session token that a human was requested without the address.
fn ignored_address() -> UserError {
    UserError::new(
        "customerEmail",
        ErrorCode::Forbidden,
        "A human was requested, but the e-mail address was not stored, because the request does not contain the \
         session token of the conversation.",
    )
}
