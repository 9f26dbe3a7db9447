//! The subscriptions `answer` and `conversationActivity`: an answer while it is generated, and who
//! is typing.

use async_graphql::{Context, ID, Result, Subscription, Union};
use futures_util::stream;
use futures_util::{Stream, StreamExt};
use helpbot_api_macros::OutputObject;
use helpbot_services::conversations::activity::{self, ActivityState};
use helpbot_services::runtime::idempotency::{self, RequestAttempt};
use helpbot_services::{AnswerSink, conversations};
use tokio::sync::mpsc;

use super::mutation::{AskQuestionInput, AskQuestionPayload};
use crate::schema::access::Access;
use crate::schema::ids;

/// The subscription that follows an answer.
#[derive(Default)]
pub struct AnswerSubscription;

#[Subscription]
impl AnswerSubscription {
    /// Asks a question and returns the answer in pieces while it is generated. The last event is
    /// `AnswerFinished`. The question is answered and stored even if the client disconnects earlier.
    /// Apart from the pieces, it works like `askQuestion`. With an idempotency key, a repeated request
    /// returns only the last event of the first one. Requires the `CHAT` scope.
    async fn answer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The same arguments that `askQuestion` accepts.")] input: AskQuestionInput,
    ) -> Result<impl Stream<Item = Result<AnswerEvent>> + use<>> {
        let access = Access::of(ctx).clone();
        let attempt = ctx.data_opt::<RequestAttempt>().cloned();
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let sink = AnswerChannel(sender.clone());
            let asking = conversations::ask(&access.services, &access.viewer, input.into(), Some(&sink));
            let asked = match attempt {
                Some(attempt) => idempotency::run(&attempt, asking).await,
                None => asking.await,
            };
            let finished = AskQuestionPayload::of(&access, asked);
            // A closed channel means that the client has gone. The answer is stored anyway.
            let _ = sender.send(finished.map(|payload| AnswerEvent::Finished(AnswerFinished { payload })));
        });
        Ok(stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) }))
    }
}

/// The subscription that follows who is in a conversation.
#[derive(Default)]
pub struct ActivitySubscription;

#[Subscription]
impl ActivitySubscription {
    /// Reports who has a conversation open and who is typing in it: the current state first, then every
    /// change. A subscriber counts as present. The state is not stored and cannot be resumed.
    ///
    /// Requires the `READ_CONVERSATIONS` scope, or the `CHAT` scope with the session token of the
    /// conversation. Fails with `NOT_FOUND` when the conversation does not exist.
    async fn conversation_activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "ID of the site. Defaults to the site that the API key belongs to. An operator key requires it."
        )]
        site_id: Option<ID>,
        #[graphql(desc = "ID of the conversation that is followed.")] conversation_id: ID,
    ) -> Result<impl Stream<Item = ConversationActivity> + use<>> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(site_id.as_ref()), ids::read(&conversation_id));
        let states = activity::watch(&access.services, &access.viewer, site, id).await?;
        Ok(states.map(ConversationActivity::from))
    }
}

/// Shows who has a conversation open at the moment and who is typing in it.
#[derive(OutputObject)]
pub struct ConversationActivity {
    /// Whether the visitor has the conversation open.
    is_visitor_here: bool,
    /// Whether a member has the conversation open.
    is_team_here: bool,
    /// Whether the visitor is typing.
    is_visitor_typing: bool,
    /// Whether a member is typing.
    is_team_typing: bool,
    /// Name of the member who is typing, of several the one who began last. It is null when nobody is typing or the
    /// API key does not belong to a member.
    typing_member: Option<String>,
    /// Names of all members who are typing, in alphabetical order, for example to warn a member when another one is
    /// writing a reply too.
    typing_members: Vec<String>,
}

impl From<ActivityState> for ConversationActivity {
    fn from(state: ActivityState) -> Self {
        Self {
            is_visitor_here: state.is_visitor_here,
            is_team_here: state.is_team_here,
            is_visitor_typing: state.is_visitor_typing,
            is_team_typing: state.is_team_typing,
            typing_member: state.typing_member,
            typing_members: state.typing_members,
        }
    }
}

/// An event that the subscription `answer` returns: pieces of the text, possibly a restart, then the
/// finished answer.
#[derive(Union)]
#[allow(clippy::large_enum_variant, reason = "only one exists at a time, while it is being sent")]
pub enum AnswerEvent {
    Delta(AnswerDelta),
    Restart(AnswerRestart),
    Finished(AnswerFinished),
}

/// Contains the next piece of the answer.
#[derive(OutputObject)]
pub struct AnswerDelta {
    /// Text that the client adds to the end of the pieces before it.
    text: String,
}

/// Tells the client to discard all pieces, because the answer starts again from the beginning.
#[derive(OutputObject)]
pub struct AnswerRestart {
    /// The value is always true, because a GraphQL type must have a field.
    is_restart: bool,
}

/// Reports that the answer is complete and stored.
#[derive(OutputObject)]
pub struct AnswerFinished {
    /// The same result that `askQuestion` would have returned.
    payload: AskQuestionPayload,
}

/// Passes the pieces of an answer on while the engine generates it. The engine limits the length of
/// an answer, so the channel needs no limit.
struct AnswerChannel(mpsc::UnboundedSender<Result<AnswerEvent>>);

impl AnswerSink for AnswerChannel {
    fn delta(&self, text: &str) {
        let _ = self.0.send(Ok(AnswerEvent::Delta(AnswerDelta { text: text.to_owned() })));
    }

    fn restart(&self) {
        let _ = self.0.send(Ok(AnswerEvent::Restart(AnswerRestart { is_restart: true })));
    }
}
