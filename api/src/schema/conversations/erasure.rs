//! The mutation that erases all data of a visitor's session.

use async_graphql::{Context, Object, Result};
use helpbot_services::conversations::erasure;

use crate::schema::access::Access;
use crate::schema::mutation::{finish, input, payload};

/// The mutation that erases sessions.
#[derive(Default)]
pub struct ErasureMutation;

input! {
    /// Arguments that `eraseSession` accepts.
    EraseSessionInput {
        /// ID of the session that is erased, as returned by `Conversation.sessionId`.
        session_id: String,
    }
}

payload! {
    /// Result that `eraseSession` returns.
    EraseSessionPayload {
        /// Number of conversations that were erased. It is 0 when the session has no conversations, and null
        /// when the mutation failed.
        erased_count: Option<i32>,
    }
}

#[Object]
impl ErasureMutation {
    /// Erases everything that is stored about a session: its conversations with their messages and
    /// citations, waiting mails, webhook deliveries and the stored responses of its requests. The action
    /// cannot be undone.
    ///
    /// Events of the session stay in the event log without their content, and their `conversation` is
    /// null. Data that was already sent to webhooks or by mail is not affected. Requires the `ADMIN`
    /// scope.
    async fn erase_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: EraseSessionInput,
    ) -> Result<EraseSessionPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let erased = erasure::erase_session(services, viewer, input.site(), &input.session_id).await;
        finish(erased, |count| EraseSessionPayload {
            erased_count: Some(i32::try_from(count).unwrap_or(i32::MAX)),
            ..Default::default()
        })
    }
}
