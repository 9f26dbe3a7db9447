//! Answers as they are written.

use async_graphql::{Context, ID, Result, SimpleObject, Subscription, Union};
use futures_util::stream;
use futures_util::{Stream, StreamExt};
use helpbot_services::conversations::activity::{self, Activity};
use helpbot_services::{AnswerSink, conversations};
use tokio::sync::mpsc;

use super::mutation::{AskQuestionInput, AskQuestionPayload};
use crate::schema::access::Access;
use crate::schema::ids;

/// What can be followed of one's own question.
#[derive(Default)]
pub struct AnswerSubscription;

#[Subscription]
impl AnswerSubscription {
    /// Asks a question and gives the answer while it is written, then the finished conversation
    /// and the end. The same as `askQuestion` otherwise; the question is answered and stored
    /// also when nobody follows to the end.
    async fn answer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The question.")] input: AskQuestionInput,
    ) -> Result<impl Stream<Item = Result<AnswerEvent>> + use<>> {
        let access = Access::of(ctx).clone();
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let sink = Pieces(sender.clone());
            let asked = conversations::ask(&access.services, &access.viewer, input.into(), Some(&sink)).await;
            // Nobody listening any more is no failure: the answer is stored.
            let finished = AskQuestionPayload::of(&access, asked);
            let _ = sender.send(finished.map(|payload| AnswerEvent::Finished(AnswerFinished { payload })));
        });
        Ok(stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) }))
    }
}

/// What can be seen of who is in a conversation.
#[derive(Default)]
pub struct ActivitySubscription;

#[Subscription]
impl ActivitySubscription {
    /// Who has a conversation open and who is typing in it: as it is now, then at each change. Who
    /// watches is there. A visitor (with the session token) watches the own one, the team any.
    /// Nothing of it is stored or resumed; each node tells of its own callers.
    async fn conversation_activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The site; the own one of the key if not said.")] site_id: Option<ID>,
        #[graphql(desc = "Which one.")] conversation_id: ID,
    ) -> Result<impl Stream<Item = ConversationActivity> + use<>> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(site_id.as_ref()), ids::read(&conversation_id));
        let states = activity::watch(&access.services, &access.viewer, site, id).await?;
        Ok(states.map(ConversationActivity::from))
    }
}

/// Who has a conversation open right now, and who is typing in it.
#[derive(SimpleObject)]
pub struct ConversationActivity {
    /// Whether the visitor has it open.
    is_visitor_here: bool,
    /// Whether somebody of the team has it open.
    is_team_here: bool,
    /// Whether the visitor is typing.
    is_visitor_typing: bool,
    /// Whether somebody of the team is typing.
    is_team_typing: bool,
    /// The name of that member; null where a key without a member types.
    typing_member: Option<String>,
}

impl From<Activity> for ConversationActivity {
    fn from(state: Activity) -> Self {
        Self {
            is_visitor_here: state.is_visitor_here,
            is_team_here: state.is_team_here,
            is_visitor_typing: state.is_visitor_typing,
            is_team_typing: state.is_team_typing,
            typing_member: state.typing_member,
        }
    }
}

/// A step of an answer: pieces of its text, perhaps a new beginning, then the end.
#[derive(Union)]
#[allow(clippy::large_enum_variant, reason = "one at a time, on its way out")]
pub enum AnswerEvent {
    Delta(AnswerDelta),
    Restart(AnswerRestart),
    Finished(AnswerFinished),
}

/// The next piece of the text.
#[derive(SimpleObject)]
pub struct AnswerDelta {
    /// To be added to what came before.
    text: String,
}

/// What came so far does not hold; the text begins anew.
#[derive(SimpleObject)]
pub struct AnswerRestart {
    /// Always true: a type needs a field.
    is_restart: bool,
}

/// The answer is complete and stored.
#[derive(SimpleObject)]
pub struct AnswerFinished {
    /// What `askQuestion` would have given.
    payload: AskQuestionPayload,
}

/// Hands pieces on while the engine goes on writing. The text of one answer is bounded by the
/// engine, so the channel need not be.
struct Pieces(mpsc::UnboundedSender<Result<AnswerEvent>>);

impl AnswerSink for Pieces {
    fn delta(&self, text: &str) {
        let _ = self.0.send(Ok(AnswerEvent::Delta(AnswerDelta { text: text.to_owned() })));
    }

    fn restart(&self) {
        let _ = self.0.send(Ok(AnswerEvent::Restart(AnswerRestart { is_restart: true })));
    }
}
