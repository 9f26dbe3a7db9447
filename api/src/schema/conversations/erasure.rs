//! The mutations that erase all data of a visitor: of a session, or of an e-mail address.

use async_graphql::{Context, Object, Result};
use helpbot_services::conversations::erasure;

use crate::schema::access::Access;
use crate::schema::mutation::{finish, input, payload};

/// The mutations that erase visitors.
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

input! {
    /// Arguments that `eraseVisitor` accepts.
    EraseVisitorInput {
        /// E-mail address whose visitor is erased. Upper and lower case do not matter.
        email: String,
    }
}

payload! {
    /// Result that `eraseVisitor` returns.
    EraseVisitorPayload {
        /// Number of sessions that were erased: those in which the address was given. It is 0 when there are
        /// none, and null when the mutation failed.
        session_count: Option<i32>,
        /// Number of conversations that were erased. It is null when the mutation failed.
        conversation_count: Option<i32>,
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

    /// Erases everything that is stored about an e-mail address: all sessions in which a visitor gave it for
    /// replies or transcripts, as `eraseSession` does, other mails to it and its block. The action cannot be
    /// undone.
    ///
    /// Requires the `ADMIN` scope. Fails with `BAD_USER_INPUT` when the address is not valid.
    async fn erase_visitor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: EraseVisitorInput,
    ) -> Result<EraseVisitorPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let erased = erasure::erase_address(services, viewer, input.site(), &input.email).await;
        let number = |count| Some(i32::try_from(count).unwrap_or(i32::MAX));
        finish(erased, |erased| EraseVisitorPayload {
            session_count: number(erased.sessions),
            conversation_count: number(erased.conversations),
            ..Default::default()
        })
    }
}
