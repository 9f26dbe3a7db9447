//! A conversation by mail.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use helpbot_services::conversations::transcripts;

use super::Conversation;
use crate::error::{UserError, expected};
use crate::schema::access::Access;
use crate::schema::ids;

/// Asking for a conversation by mail.
#[derive(Default)]
pub struct TranscriptMutation;

/// Which conversation, and to whom.
#[derive(InputObject)]
pub struct SendTranscriptInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which conversation.
    conversation_id: ID,
    /// Where it goes; to the address that the visitor left in it if not said.
    email: Option<String>,
}

/// The conversation, or why it is not sent.
#[derive(Default, SimpleObject)]
pub struct SendTranscriptPayload {
    /// The conversation whose mail is on its way.
    conversation: Option<Conversation>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

#[Object]
impl TranscriptMutation {
    /// Sends a conversation by mail, as it is when the mail leaves: a visitor (with the session
    /// token) the own one, the team any. Three times a conversation, five times a day to one
    /// address.
    async fn send_transcript(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which conversation, and to whom.")] input: SendTranscriptInput,
    ) -> Result<SendTranscriptPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.conversation_id));
        Ok(match transcripts::send(&access.services, &access.viewer, site, id, input.email.as_deref()).await {
            Ok(row) => SendTranscriptPayload {
                conversation: Some(Conversation { row, access: access.clone() }),
                ..Default::default()
            },
            Err(error) => SendTranscriptPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }
}
