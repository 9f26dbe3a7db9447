//! Answers as they are written.

use async_graphql::{Context, Result, SimpleObject, Subscription, Union};
use futures_util::Stream;
use futures_util::stream;
use helpbot_services::AnswerSink;
use helpbot_services::conversations;
use tokio::sync::mpsc;

use super::mutation::{AskQuestionInput, AskQuestionPayload};
use crate::access::Access;

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
