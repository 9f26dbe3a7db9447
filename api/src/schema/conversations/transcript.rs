//! The mutation that sends a conversation by e-mail.

use async_graphql::{Context, ID, Object, Result};
use helpbot_services::conversations::transcripts;

use super::Conversation;
use crate::schema::access::Access;
use crate::schema::ids;
use crate::schema::mutation::{finish, input, payload};

/// The mutation that sends transcripts.
#[derive(Default)]
pub struct TranscriptMutation;

input! {
    /// Arguments that `sendTranscript` accepts.
    SendTranscriptInput {
        /// ID of the conversation that is sent.
        conversation_id: ID,
        /// E-mail address that receives the transcript. Defaults to the address that the visitor left in
        /// the conversation.
        email: Option<String>,
    }
}

payload! {
    /// Result that `sendTranscript` returns.
    SendTranscriptPayload {
        /// The conversation that will be sent. It is null when the mutation failed.
        conversation: Option<Conversation>,
    }
}

#[Object]
impl TranscriptMutation {
    /// Sends a transcript of a conversation by e-mail. The transcript contains the messages that exist
    /// when the mail is sent. Requires the `WRITE_CONVERSATIONS` scope, or the `CHAT` scope with the
    /// session token of the conversation.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist, with `BAD_USER_INPUT` when there is no
    /// valid address, and with `LIMIT_REACHED` after 3 transcripts of a conversation or 5 mails to one
    /// address in a day.
    async fn send_transcript(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: SendTranscriptInput,
    ) -> Result<SendTranscriptPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let sent = transcripts::send(&access.services, &access.viewer, site, id, input.email.as_deref()).await;
        finish(sent, |row| SendTranscriptPayload {
            conversation: Some(Conversation { row, access: access.clone() }),
            ..Default::default()
        })
    }
}
